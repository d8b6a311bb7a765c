"""Packed cells are the cells that were kept, in order and by line."""

import pytest

from staff.roster.cells import Cells


def test_what_was_kept_comes_back_whatever_it_holds():
    rows = [(line * 2, f"E{line}\x1fÉlan\nBest\x1f\ud800{'x' * (line % 7)}") for line in range(1, 700)]
    cells = Cells(rows)
    assert list(cells.items()) == rows
    assert [cells.get(line) for line, _ in reversed(rows)] == [text for _, text in reversed(rows)]
    assert (len(cells), cells.get(3), cells.get(5_000)) == (699, "", "")
    with pytest.raises(ValueError, match="line 4 after line 1398"):
        cells.put(4, "late")
