"""A list between its upload and the consent: the cells that were read and searched for secrets, nothing else of the
file: no further sheet, comment or title line.
"""

import json
from dataclasses import dataclass

from staff.policy import Rejection
from staff.roster.cells import Cells
from staff.roster.reading import Chosen, R, Roster


@dataclass(frozen=True, slots=True)
class Kept:
    """What `kept_form` wrote."""

    content: bytes


def kept_form(roster: Roster) -> bytes:
    """Return what was taken in of a list (see `staff.roster.reading.look_over`) as bytes."""
    document = {
        "file": roster.file,
        "sha256": roster.sha256,
        "header": roster.header,
        "notes": roster.notes,
        "cells": list(roster.cells.items()),
        "broken": [[row.line, row.reason] for row in roster.rejected],
    }
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def taken_up(kind: type[R], kept: Kept, columns: Chosen) -> R:
    """Return the list as it was taken in, with its columns guessed or chosen. Raises ValueError for other bytes."""
    document = json.loads(kept.content)
    return kind(
        document["file"],
        document["header"],
        sha256=document["sha256"],
        rows=len(document["cells"]) + len(document["broken"]),
        rejected=[Rejection(line, "", reason) for line, reason in document["broken"]],
        cells=Cells(document["cells"]),
        guess=kind.TITLES.guess(document["header"], columns),
        notes=document["notes"],
    )
