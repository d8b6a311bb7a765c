"""Bytes to rows: encodings, delimiters, quoting, archives, damage, caps."""

import gzip
import io
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from imports.opening import Caps, FileRefused
from imports.reading import BrokenRow, Row, read_tables

TEXT = "CCN,Name,State\r\n015009,BURNS,AL\r\n405000,CAÑO,PR\r\n"
ROWS = [["015009", "BURNS", "AL"], ["405000", "CAÑO", "PR"]]


def knows(header):
    return "CCN" in header


def read(path, **options):
    """Return (header, rows) of a one-table file."""
    [found] = [(table.header, list(table.rows)) for table in read_tables(path, knows=knows, **options)]
    return found


def written(tmp_path, data, name="list.csv"):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return stream.getvalue()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_encodings_are_told_by_their_bytes(tmp_path, encoding):
    header, rows = read(written(tmp_path, TEXT.encode(encoding)))
    assert header == ["CCN", "Name", "State"]
    assert [row.cells for row in rows] == ROWS


def test_single_windows_bytes_among_utf8_are_read_as_what_they_are(tmp_path):
    data = "CCN,Name\n015009,ÉCOLE\n".encode() + b"115384,PRUITTHEALTH \x96 CARROLLTON\n"
    _, rows = read(written(tmp_path, data))
    assert [row.cells[1] for row in rows] == ["ÉCOLE", "PRUITTHEALTH – CARROLLTON"]


def test_a_byte_that_no_encoding_knows_refuses_the_file(tmp_path):
    data = b"CCN,Name\n015009," + b"\x81\n"
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, data))
    assert refused.value.code == "unknown_encoding"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(tmp_path, delimiter, end):
    text = TEXT.replace("\r\n", end).replace(",", delimiter)
    _, rows = read(written(tmp_path, text.encode()))
    assert [row.cells for row in rows] == ROWS


def test_commas_in_a_title_do_not_hide_the_real_delimiter(tmp_path):
    _, rows = read(written(tmp_path, b'CCN;"City, town, or place"\n015009;"RUSSELLVILLE; AL"\n'))
    assert [row.cells for row in rows] == [["015009", "RUSSELLVILLE; AL"]]


def test_mixed_quoting_and_line_numbers(tmp_path):
    data = b'\n"CCN",Name\n"015009","A ""B"" C"\n\n015010,"two\nlines"\n,\n015012,D\n'
    _, rows = read(written(tmp_path, data))
    assert rows == [
        Row(3, ["015009", 'A "B" C']),
        Row(5, ["015010", "two\nlines"]),
        Row(8, ["015012", "D"]),
    ]


def test_a_row_of_another_width_is_broken_but_empty_cells_at_its_end_are_not(tmp_path):
    _, rows = read(written(tmp_path, b"CCN,Name\n015009\n015010,A,B\n015012,C,,\n"))
    assert rows == [
        BrokenRow(2, "the row has 1 cell, the header 2"),
        BrokenRow(3, "the row has 3 cells, the header 2"),
        Row(4, ["015012", "C"]),
    ]


def test_a_stray_quote_breaks_its_row_only(tmp_path):
    _, rows = read(written(tmp_path, b'CCN,Name\n015009,"A" B\n015010,C\n'))
    assert [type(row) for row in rows] == [BrokenRow, Row]


def test_a_quote_that_never_closes_refuses_the_file_and_names_the_line(tmp_path):
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, b'CCN,Name\n015009,A\n015010,"C\n015012,D\n'))
    assert (refused.value.code, refused.value.line) == ("broken_quotes", 3)


def test_gzip_and_zip_give_the_same_rows_as_the_plain_file(tmp_path):
    data = TEXT.encode()
    assert read(written(tmp_path, gzip.compress(data, mtime=0), "list.csv.gz"))[1] == read(written(tmp_path, data))[1]
    archive = written(tmp_path, zipped(list__csv=data, readme__txt=b"about"), "list.zip")
    assert [row.cells for row in read(archive)[1]] == ROWS
    assert (
        read(written(tmp_path, gzip.compress(data, mtime=0), "mislabelled.csv"))[1] == read(written(tmp_path, data))[1]
    )


def test_the_members_of_an_archive_are_named(tmp_path):
    path = written(tmp_path, zipped(a__csv=TEXT, b__csv=TEXT), "lists.zip")
    assert [table.file for table in read_tables(path, knows=knows)] == [f"{path}/a.csv", f"{path}/b.csv"]


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_a_quote_that_closes_in_another_row_would_swallow_rows_and_refuses_the_file(tmp_path, end):
    lines = [b"CCN,Name,Job,Hired", b'015009,A,"Nurse,2020', b"015010,B,Nurse,2021", b'015012,C,Aide",2022']
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, end.join(lines) + end))
    assert (refused.value.code, refused.value.line) == ("broken_quotes", 2)
    assert "closes in line 4" in refused.value.message
    lines[1:] = [b'015009,A,"Nurse, night', b'and, at times, days",2020']
    assert len(read(written(tmp_path, end.join(lines) + end))[1]) == 1, "a cell of two lines is a cell"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("list.csv.gz", gzip.compress(TEXT.encode() * 50, mtime=0)[:-9], "damaged"),
        ("list.csv.gz", gzip.compress(TEXT.encode(), mtime=0)[:-8] + b"\0" * 8, "damaged"),
        ("list.csv.gz", TEXT.encode(), "damaged"),
        ("list.zip", zipped(list__csv=TEXT)[:-30], "damaged"),
        ("list.zip", b"PK\x03\x04 and nothing else", "damaged"),
        ("list.zip", TEXT.encode(), "damaged"),
        ("list.zip", zipped(readme__txt="about"), "not_a_list"),
        ("list.zip", zipped(), "not_a_list"),
        ("list.csv", b"", "empty"),
        ("list.csv", b"\n\r\n\n", "empty"),
        ("list.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not_text"),
        ("list.csv", b"CCN,Name\n015009,A\0B\n", "not_text"),
        ("list.csv", b"C" * 200_000, "not_a_list"),
        ("list.csv", b"CCN,Name\n" + b"9" * 1_100_000, "line_too_long"),
        ("list.csv", b"CCN,Name\n" + b"9" * 200_000 + b",A\n", "line_too_long"),
    ],
)
def test_what_cannot_be_read_whole_is_refused(tmp_path, name, data, code):
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, data, name))
    assert refused.value.code == code
    assert refused.value.file.startswith(str(tmp_path / name))


def test_a_flipped_byte_inside_an_archive_is_damage(tmp_path):
    data = bytearray(zipped(list__csv=TEXT * 200))
    data[60] ^= 0xFF
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, bytes(data), "list.zip"))
    assert refused.value.code == "damaged"


def test_an_excel_workbook_is_called_one_whatever_its_name(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, data.getvalue()))
    assert (refused.value.code, "Excel" in refused.value.message) == ("not_a_list", True)


def test_the_shadow_files_of_a_mac_are_no_lists(tmp_path):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in ("lists/", "lists/a.csv", "lists/._a.csv", "__MACOSX/lists/._a.csv"):
            archive.writestr(name, TEXT if name.endswith("/a.csv") else b"\0")
    assert [row.cells for row in read(written(tmp_path, data.getvalue(), "a.zip"))[1]] == ROWS


def test_commas_behind_the_header_are_no_columns(tmp_path):
    header, rows = read(written(tmp_path, b"CCN,Name,,\n015009,A\n015010,B,,\n"))
    assert (header, [row.cells for row in rows]) == (["CCN", "Name"], [["015009", "A"], ["015010", "B"]])


def test_what_unpacks_to_a_hundred_times_its_size_is_refused(tmp_path):
    path = written(tmp_path, zipped(a__csv=b"CCN,Name\n" + b"\n" * 1_000_000), "a.zip")
    with pytest.raises(FileRefused) as refused:
        read(path, caps=Caps(always=100_000))
    assert refused.value.code == "too_big"
    assert read(path)[1] == []


def test_an_archive_with_a_password_is_refused(tmp_path):
    data = bytearray(zipped(list__csv=TEXT))
    data[6] |= 1  # general purpose flag of the local header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and of the directory's entry
    with pytest.raises(FileRefused) as refused:
        read(written(tmp_path, bytes(data), "list.zip"))
    assert refused.value.code == "encrypted"


def test_caps_hold_for_stored_and_for_unpacked_bytes(tmp_path):
    data = TEXT.encode() * 1_000
    for name, packed in (("a.csv", data), ("a.csv.gz", gzip.compress(data, mtime=0)), ("a.zip", zipped(a__csv=data))):
        path = written(tmp_path, packed, name)
        assert len(read(path, caps=Caps(unpacked=len(data)))[1]) == 2_999
        with pytest.raises(FileRefused) as refused:
            read(path, caps=Caps(unpacked=len(data) - 1))
        assert refused.value.code == "too_big"
    with pytest.raises(FileRefused) as refused:
        read(path, caps=Caps(stored=10))
    assert refused.value.code == "too_big"


def test_memory_stays_flat_however_long_the_file_is(tmp_path):
    line = b"015009," + b"A" * 120 + b",AL\n"
    data = b"CCN,Name,State\n" + line * 100_000
    path = written(tmp_path, gzip.compress(data, 1, mtime=0), "long.csv.gz")
    size = len(data)
    del data
    tracemalloc.start()
    count = sum(1 for table in read_tables(path, knows=knows) for _ in table.rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 100_000
    assert peak < size / 20


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    for path in (tmp_path / "nothing.csv", tmp_path):
        with pytest.raises(FileRefused) as refused:
            read(Path(path))
        assert refused.value.code == "unreadable"
