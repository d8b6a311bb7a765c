"""Workbooks for tests, written by openpyxl, and such as only a careless program would write."""

import zipfile
from pathlib import Path
from typing import Any

from openpyxl import Workbook


def write_workbook(path: Path, sheets: dict[str, list[list[Any]]], *, formats: dict[str, str] | None = None) -> Path:
    """Write sheets of rows; ``formats``: cell of the first sheet -> number format."""
    book = Workbook()
    book.remove(book.active)
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    for cell, number_format in (formats or {}).items():
        book.worksheets[0][cell].number_format = number_format
    book.save(path)
    return path


def rewrite_part(path: Path, part: str, text: str | bytes) -> Path:
    """Replace one part of the archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = text if isinstance(text, bytes) else text.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return path


def share_texts(path: Path, texts: str) -> Path:
    """Give the workbook a part of shared texts, such as Excel writes."""
    with zipfile.ZipFile(path) as archive:
        types = archive.read("[Content_Types].xml").decode()
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    named = f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'
    rewrite_part(path, "[Content_Types].xml", types.replace("</Types>", named))
    return rewrite_part(path, "xl/sharedStrings.xml", texts)


def sheet_xml(rows: str) -> str:
    """Return a sheet with these row elements."""
    space = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{space}"><sheetData>{rows}</sheetData></worksheet>'
