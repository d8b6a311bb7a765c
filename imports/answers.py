"""What every import of people's lists answers, and how a command tells it to people."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from imports.columns import Guess
from imports.days import Style


def number_of(count: int, nouns: str) -> str:
    """Return ``1 row`` or ``1,204 rows`` for the nouns ``row,rows``."""
    one, _, many = nouns.partition(",")
    return f"{count:,} {one if count == 1 else many}"


@dataclass(slots=True)
class ListReport:
    """What was read of a list; each kind of list adds what it came to. The shape of the command's JSON."""

    rows: int = 0
    unchanged: int = 0
    updated: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    restored: list[dict[str, Any]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)
    ignored_columns: list[str] = field(default_factory=list)
    dates: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dry_run: bool = False
    source: int | None = None  # key of the Import; None where nothing was written
    header: list[str] = field(default_factory=list)  # the list's own titles, for a saved mapping

    def document(self) -> dict[str, Any]:
        """Return the report as a command prints it."""
        told = asdict(self)
        told["import"] = told.pop("source")
        del told["header"]
        return told


def rejected_of(report: ListReport) -> str:
    """Return ``1 of 7 rows was rejected``."""
    rejected = len(report.rejected)
    return f"{rejected:,} of {number_of(report.rows, 'row,rows')} {'was' if rejected == 1 else 'were'} rejected"


def understood(guess: Guess, styles: Mapping[str, Style]) -> dict[str, Any]:
    """Return the fields of a report that say how the header and the days were read."""
    return {
        "columns": [
            {"field": column.field, "title": column.title, "confidence": column.confidence}
            for column in guess.columns.values()
        ],
        "ignored_columns": list(guess.unknown),
        "dates": {name: style.shown for name, style in styles.items() if style.shown},
    }


def told(report: ListReport, further: Iterable[str] = ()) -> list[str]:
    """Return what a person should look at, line by line: rejected rows, ``further`` ones, repairs, guesses, notes."""
    lines = []
    for row in report.rejected:
        column = f", column {row['column']}" if row["column"] else ""
        lines.append(f"{row['file']}, line {row['line']}{column}: {row['reason']}")
    lines += further
    lines += [f"{row['file']}, line {row['line']}: {row['given']} read as {row['ccn']}" for row in report.restored]
    if report.ignored_columns:
        lines.append(f"Columns that were left out: {', '.join(report.ignored_columns)}.")
    lines += [
        f"Column “{column['title']}” was taken for {column['field'].replace('_', ' ')}. Please check."
        for column in report.columns
        if column["confidence"] < 1
    ]
    return lines + report.notes
