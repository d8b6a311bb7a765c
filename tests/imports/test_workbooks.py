"""Workbooks become rows of text that say what the person saw."""

import os
import signal
import zipfile
from datetime import date, datetime

import pytest
from openpyxl.xml.constants import SHEET_MAIN_NS

from imports import workbook_parts, workbook_texts, workbooks
from imports.lists import open_list
from imports.opening import Caps, FileRefused, Held
from imports.reading import BrokenRow, Row
from imports.workbooks import read_workbook
from tests.imports.workbooks import rewrite_part, share_texts, sheet_xml, write_workbook

HEADER = ["Number", "Name"]


def knows(titles):
    return "Name" in titles


def rows_of(path):
    return list(open_list(path, knows=knows).rows)


def test_cells_say_what_the_person_saw(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        {
            "Roster": [
                HEADER,
                [12345.0, "Ada Example"],
                [42, "padded by its format"],
                [date(2026, 1, 12), datetime(2026, 1, 12, 8, 30)],  # noqa: DTZ001  (a sheet knows no zone)
                [True, None],
                [1.5, "  spaces  "],
            ]
        },
        formats={"A3": "00000"},
    )
    assert [row.cells for row in rows_of(path)] == [
        ["12345", "Ada Example"],
        ["00042", "padded by its format"],
        ["2026-01-12", "2026-01-12 08:30:00"],
        ["TRUE", ""],
        ["1.5", "spaces"],
    ]


def test_a_formula_gives_the_value_that_was_last_computed(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "x"]]})
    cells = '<c r="A1" t="str"><v>Number</v></c><c r="B1" t="str"><v>Name</v></c>'
    formula = '<c r="A2"><f>40+2</f><v>42</v></c><c r="B2" t="str"><f>A1&amp;"x"</f><v>Ada</v></c>'
    xml = sheet_xml(f'<row r="1">{cells}</row><row r="2">{formula}</row>')
    rewrite_part(path, "xl/worksheets/sheet1.xml", xml)
    assert rows_of(path) == [Row(2, ["42", "Ada"])]


def test_of_several_sheets_the_one_whose_header_makes_sense_is_read_and_named(tmp_path):
    path = write_workbook(
        tmp_path / "a.xlsx",
        {"Cover": [["Prepared by HR"]], "Staff": [["November"], [], HEADER, [7, "Ada"]], "Old": [HEADER, [8, "Bob"]]},
    )
    table = open_list(path, knows=knows)
    assert table.header == HEADER
    assert list(table.rows) == [Row(4, ["7", "Ada"])]
    [note] = table.notes
    assert "“Staff” of 3" in note
    assert "Old" in note


def test_a_hidden_sheet_is_not_read_while_another_is_there(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"Hidden": [HEADER, [1, "Ada"]], "Shown": [HEADER, [2, "Bob"]]})
    with zipfile.ZipFile(path) as archive:
        book = archive.read("xl/workbook.xml").decode()
    rewrite_part(path, "xl/workbook.xml", book.replace('name="Hidden" sheetId="1" state="visible"',
                                                       'name="Hidden" sheetId="1" state="hidden"'))  # fmt: skip
    assert rows_of(path) == [Row(2, ["2", "Bob"])]


def far_apart(path, last_row):
    """Write a sheet with a header and one more filled row, and nothing between them."""
    write_workbook(path, {"S": [HEADER, [1, "Ada"]]})
    cells = '<c r="A1" t="str"><v>Number</v></c><c r="B1" t="str"><v>Name</v></c>'
    rewrite_part(path, "xl/worksheets/sheet1.xml", sheet_xml(f'<row r="1">{cells}</row>{last_row}'))
    return path


def test_two_cells_at_the_ends_of_a_sheet_cost_nothing(tmp_path):
    corner = '<row r="1048576"><c r="XFD1048576" t="str"><v>z</v></c></row>'
    assert rows_of(far_apart(tmp_path / "a.xlsx", corner)) == []


def test_rows_that_a_sheet_leaves_out_are_counted_but_not_walked(tmp_path, monkeypatch):
    walked = iter(range(2_000))  # once the row left out, and what is filled: not a million times 300 cells
    text = workbooks._text

    def counted(cell):
        next(walked)
        return text(cell)

    monkeypatch.setattr(workbooks, "_text", counted)
    corner = '<row r="1048576"><c r="B1048576" t="str"><v>Ada</v></c></row>'
    assert rows_of(far_apart(tmp_path / "a.xlsx", corner)) == [Row(1_048_576, ["", "Ada"])]


def test_a_sheet_with_more_lines_than_a_spreadsheet_has_is_refused(tmp_path):
    beyond = '<row r="1048577"><c r="B1048577" t="str"><v>Ada</v></c></row>'
    with pytest.raises(FileRefused) as refused:
        rows_of(far_apart(tmp_path / "a.xlsx", beyond))
    assert (refused.value.code, refused.value.line) == ("damaged", 1_048_577)


def test_a_row_longer_than_the_header_keeps_its_cells(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "Ada", "a remark"]]})
    assert rows_of(path) == [Row(2, ["1", "Ada", "a remark"])]


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old_format"), (b"PK\x03\x04broken", "damaged")],
)
def test_what_is_no_workbook_is_refused_in_words(tmp_path, content, code):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(FileRefused) as refused:
        rows_of(path)
    assert refused.value.code == code


def test_a_pipe_is_refused_and_never_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    before = signal.signal(signal.SIGALRM, lambda *_: pytest.fail("it waits for somebody to write into the pipe"))
    signal.setitimer(signal.ITIMER_REAL, 5)
    try:
        with pytest.raises(FileRefused) as refused:
            open_list(path, knows=knows)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert refused.value.code == "unreadable"


def test_a_workbook_cut_in_the_middle_of_a_sheet_is_refused(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "Ada"]]})
    rewrite_part(path, "xl/worksheets/sheet1.xml", sheet_xml('<row r="1"><c r="A1"><v>1</v></c></row><row')[:-20])
    with pytest.raises(FileRefused) as refused:
        rows_of(path)
    assert refused.value.code == "damaged"


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "Ada"]]})
    read_workbook(path, knows=knows, caps=Caps(unpacked=100_000))
    with pytest.raises(FileRefused) as refused:
        read_workbook(path, knows=knows, caps=Caps(unpacked=1_000))
    assert refused.value.code == "too_big"


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("<row>" + "<c/>" * 1_200_000 + "</row>", "The sheet “S” has a row of more than 16,384 cells."),
        (
            "<row><c t='inlineStr'><is><t>" + "A" * 4_500_000 + "</t></is></c></row>",
            "has a row of more than 2,097,152 bytes.",
        ),
        ("<row>" + ("<c/>" * 5_000 + "<!--<row >-->") * 4 + "</row>", "has a row of more than 16,384 cells."),
        ("<row>" + "<c/><x:row xmlns:x='urn:x'/>" * 9_000 + "</row>", "has a row of more than 16,384 cells."),
        ("<!--" + "A" * 4_500_000 + "-->", "has a remark or a name of more than 2,097,152 bytes."),
        ("<row/>" * 4_000_000, "The workbook unpacks to more than is accepted."),
    ],
    ids=[
        "a row of cells",
        "one cell",
        "a row in a remark",
        "a row of another kind",
        "a remark",
        "packed to a thousandth",
    ],
)
def test_a_small_workbook_that_would_fill_the_memory_is_refused_before_rows_are_built(tmp_path, rows, why):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER]})
    rewrite_part(path, "xl/worksheets/sheet1.xml", sheet_xml(rows))
    with pytest.raises(FileRefused) as refused:
        read_workbook(path, knows=knows)
    assert refused.value.code == "too_big"
    assert refused.value.message.endswith(why)


def test_a_long_sheet_with_much_behind_its_rows_is_read(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER]})
    cells = "".join(f"<c t='inlineStr'><is><t>{title}</t></is></c>" for title in HEADER)
    sheet = sheet_xml(f"<row>{cells}</row>" + "<row><c/></row>" * 10)
    sheet = sheet.replace("<row><c/>", "<!-- a remark --><row><c t='inlineStr'><is><t><![CDATA[<b>]]></t></is></c>", 1)
    merged = "<mergeCell ref='A1:A1'/>" * 100_000
    for cut in range(-3, 3):  # wherever a stretch that is read at once ends, also within </sheetData>
        blanks = " " * (2 * 2**20 - sheet.index("</sheetData>") - 6 + cut)
        rows = sheet.replace("</sheetData>", f"{blanks}</sheetData>")
        behind = f"<mergeCells>{merged}</mergeCells></worksheet>"
        rewrite_part(path, "xl/worksheets/sheet1.xml", rows.replace("</worksheet>", behind))
        assert [row.cells for row in read_workbook(path, knows=knows).rows] == [["<b>", ""]]


NESTED = "<row>" + "<row><c/></row>" * 10 + "</row>"


@pytest.mark.parametrize(
    ("sheet", "why"),
    [
        (sheet_xml(NESTED), "has a row inside a row."),
        (sheet_xml(f"<x>{NESTED}</x>"), "has something else between its rows."),
        (sheet_xml("").replace("<sheetData></sheetData>", "<x><row><c/></row></x>"), "has a row where no rows stand."),
        (sheet_xml("<row/>").replace('"1.0"', '"1.0" encoding="UTF-16"').encode("utf-16"), "is not written in UTF-8."),
        (sheet_xml("<row/>").replace('"1.0"', '"1.0" encoding="cp037"'), "is not written in UTF-8."),
        (sheet_xml("<row/>").replace("<worksheet", '<!DOCTYPE a [<!ENTITY b "c">]><worksheet'), "a document type"),
    ],
    ids=["nested", "wrapped", "elsewhere", "utf-16", "another encoding", "entities"],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/s.dat"])
def test_a_sheet_that_is_none_of_rows_beside_rows_is_refused_wherever_the_workbook_keeps_it(tmp_path, part, sheet, why):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "Ada"]]})
    with zipfile.ZipFile(path) as archive:
        links = archive.read("xl/_rels/workbook.xml.rels").decode()
    rewrite_part(path, "xl/_rels/workbook.xml.rels", links.replace("/xl/worksheets/sheet1.xml", f"/{part}"))
    rewrite_part(path, part, sheet)
    with pytest.raises(FileRefused) as refused:
        read_workbook(path, knows=knows)
    assert refused.value.code == "damaged"
    assert refused.value.message.startswith("The sheet “S” ")
    assert why in refused.value.message


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (("<row/>" + " " * 100_000) * 4, "has more than 300,000 bytes around its rows."),
        ("</sheetData>" + "<x/>" * 80_000 + "<sheetData>", "has more than 300,000 bytes around its rows."),
        ("</sheetData>" + "<x/>" * 1_001 + "<sheetData>", "has more than 1,000 things around its rows."),
        ("<row/>" * 1_001, "has more than 1,000 rows."),
    ],
)
def test_what_is_kept_around_and_of_rows_is_little(tmp_path, monkeypatch, rows, why):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER]})
    rewrite_part(path, "xl/worksheets/sheet1.xml", sheet_xml(rows))
    monkeypatch.setattr(workbook_parts, "_AROUND_BYTES", 300_000)
    monkeypatch.setattr(workbook_parts, "_AROUND_PARTS", 1_000 if "1,000 things" in why else 1_000_000)
    monkeypatch.setattr(workbook_parts, "MOST_LINES", 1_000)
    with pytest.raises(FileRefused) as refused:
        read_workbook(path, knows=knows)
    assert (refused.value.code, refused.value.message) == ("too_big", f"The sheet “S” {why}")


def test_a_part_that_is_read_at_once_is_capped_whatever_it_is_called(tmp_path, monkeypatch):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "Ada"]]})
    rewrite_part(path, "xl/other.dat", "A" * 60_000)
    assert read_workbook(path, knows=knows).header == HEADER
    monkeypatch.setattr(workbook_parts, "_PART", 50_000)
    with pytest.raises(FileRefused) as refused:
        read_workbook(path, knows=knows)
    assert refused.value.code == "too_big"


def test_an_empty_workbook_is_refused(tmp_path):
    with pytest.raises(FileRefused) as refused:
        rows_of(write_workbook(tmp_path / "a.xlsx", {"S": []}))
    assert refused.value.code == "empty"


def test_pasted_cells_are_read_like_a_file():
    text = "Our people\n\nNumber\tName\n7\tAda\n8\n"
    table = open_list(Held("pasted text", text.encode()), knows=knows)
    assert table.header == HEADER
    assert list(table.rows) == [Row(4, ["7", "Ada"]), BrokenRow(5, "the row has 1 cell, the header 2")]


def test_a_workbook_in_memory_or_renamed_is_read_whatever_its_name_says(tmp_path):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, ["7", "Ada"]]})
    renamed = path.rename(tmp_path / "a.csv")
    for given in (Held("roster.xls", renamed.read_bytes()), renamed):
        assert list(open_list(given, knows=knows).rows) == [Row(2, ["7", "Ada"])]


def test_a_csv_behind_the_same_door_is_read_to_its_end(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Number,Name\n" + "".join(f"{n},Person {n}\n" for n in range(5_000)))
    assert len(rows_of(path)) == 5_000


SHARED = f'<sst xmlns="{SHEET_MAIN_NS}">'


@pytest.mark.parametrize(
    ("write", "part", "code", "why"),
    [
        (rewrite_part, "xl/styles.xml", "too_big", "The part “xl/styles.xml” of the workbook holds more than 100 mar"),
        (rewrite_part, "[Content_Types].xml", "damaged", "The workbook is damaged"),
        (share_texts, f"{SHARED}{'<si/>' * 101}</sst>", "too_big", "share more than 100 different texts"),
        (share_texts, f"<!DOCTYPE sst []>{SHARED}</sst>", "damaged", "The workbook is damaged"),
        (share_texts, f"{SHARED}<si>", "damaged", "The workbook is damaged"),
    ],
)
def test_a_part_of_very_many_things_is_refused_before_objects_are_made_of_them(
    tmp_path, monkeypatch, write, part, code, why
):
    path = write_workbook(tmp_path / "a.xlsx", {"S": [HEADER, [1, "Ada"]]})
    write(path, part, *(["<a/>" * 101] if write is rewrite_part else []))
    if "more than 100" in why:
        monkeypatch.setattr(workbook_texts, "_MOST", 100)
    if write is rewrite_part:
        monkeypatch.setattr(workbook_parts, "_THINGS", 100)
    with pytest.raises(FileRefused, match=why) as refused:
        rows_of(path)
    assert (refused.value.code, refused.value.file) == (code, str(path))


def test_shared_texts_are_those_that_stand_in_the_cells(tmp_path):
    texts = (
        "<si><t>Number</t></si><si><t>Name</t></si><si><t/></si><si><r><t>Zo</t></r><r><t>ë </t></r>"
        "<rPh sb='0' eb='1'><t>read aloud</t></rPh></si><si/><si><t>a &amp; _x005F_b</t></si>"
    )
    path = write_workbook(tmp_path / "a.xlsx", {"S": [["x"]]})
    share_texts(path, f"{SHARED}{texts}</sst>")
    cells = "".join(f"<c t='s'><v>{place}</v></c>" for place in (0, 1))
    said = "".join(f"<row><c t='s'><v>{place}</v></c><c><v>1</v></c></row>" for place in (2, 3, 4, 5))
    rewrite_part(path, "xl/worksheets/sheet1.xml", sheet_xml(f"<row>{cells}</row>{said}"))
    assert [row.cells[0] for row in rows_of(path)] == ["", "Zoë", "", "a & _b"]
    rewrite_part(path, "xl/worksheets/sheet1.xml", sheet_xml("<row><c t='s'><v>-1</v></c></row>"))
    with pytest.raises(FileRefused, match="damaged after line 0"):
        rows_of(path)
