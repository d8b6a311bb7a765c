"""A data sheet as PDF, Letter size. The page with the same text stands beside it for who cannot read PDFs well."""

from importlib.resources import files
from typing import Final

from fpdf import FPDF

from accounts.policy.data_sheets import Sheet

_FONTS: Final = files("font_source_sans_pro") / "files"
_LABEL_WIDTH: Final = 55.0  # millimetres
_LINE: Final = 6.0


def sheet_pdf(sheet: Sheet, *, printed: str) -> bytes:
    """Return the PDF. ``printed``: the line at its foot, such as when and by whom it was made."""
    pdf = FPDF(format="letter", unit="mm")
    pdf.add_font("text", fname=str(_FONTS / "SourceSansPro-Regular.ttf"))
    pdf.add_font("text", style="B", fname=str(_FONTS / "SourceSansPro-Bold.ttf"))
    pdf.set_lang("en-US")
    pdf.set_title(sheet.title)
    pdf.set_creator("Portalkeeper")
    pdf.set_margins(20, 20, 20)
    pdf.set_auto_page_break(auto=True, margin=20)
    pdf.add_page()
    _heading(pdf, sheet.title, 18)
    _paragraph(pdf, f"{sheet.form}. {sheet.send_to}")
    for part in sheet.parts:
        _heading(pdf, part.title, 13)
        for each in part.fields:
            _line(pdf, each.name, each.value)
    if sheet.message:
        _heading(pdf, "Text to send", 13)
        _paragraph(pdf, sheet.message)
    for hint in sheet.hints:
        _paragraph(pdf, hint)
    pdf.ln(_LINE)
    _paragraph(pdf, printed)
    return bytes(pdf.output())


def _heading(pdf: FPDF, text: str, size: int) -> None:
    pdf.ln(3)
    pdf.set_font("text", style="B", size=size)
    pdf.multi_cell(0, size * 0.5, text, new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def _paragraph(pdf: FPDF, text: str) -> None:
    pdf.set_font("text", size=11)
    pdf.multi_cell(0, _LINE, text, new_x="LMARGIN", new_y="NEXT")


def _line(pdf: FPDF, name: str, value: str) -> None:
    pdf.set_font("text", style="B", size=11)
    pdf.multi_cell(_LABEL_WIDTH, _LINE, name, new_x="RIGHT", new_y="TOP")
    pdf.set_font("text", size=11)
    pdf.multi_cell(0, _LINE, value, new_x="LMARGIN", new_y="NEXT")
