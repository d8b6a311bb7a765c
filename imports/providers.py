"""The import of CMS's provider lists: every file read whole and written in one transaction, or nothing at all."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from audit.models import INSTALLATION
from audit.services import Ref, record
from facilities.directory import BATCH, Listing, combine, end_listings, newer, store_listings
from facilities.errors import FacilitiesError
from imports.opening import FileRefused
from imports.provider_columns import dataset_of, find_columns, has_ccn_column, has_common_title, vintage_of_file
from imports.provider_rows import RowReader, RowResult
from imports.reading import BrokenRow, Table, read_tables

_COMPARED: Final = ("name", "address", "city", "state", "zip_code")
_SEPARATOR: Final = "\x1f"
_PROGRESS_EVERY: Final = 10_000
_CCN_TITLES: Final = (
    "CMS Certification Number (CCN), Federal Provider Number, Provider Number, Provider ID, Facility ID or CCN"
)
_ENOUGH_ROWS: Final = 20  # to judge a column by; CMS's worst list has 3 of 1,000 numbers against their state
_MOST_REJECTED: Final = 100_000  # every rejection is reported; a file of nothing else is not a provider list


class _StrictRefusal(Exception):  # noqa: N818  (unwinds, reports nothing)
    """Unwinds the transaction of a strict run that rejected rows."""


@dataclass(slots=True)
class Report:
    """What a run did; the lists hold dictionaries in the shape of the command's JSON."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    unlisted: int = 0
    rejected: list[dict[str, Any]] = field(default_factory=list)
    restored: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    written: bool = True


@dataclass(slots=True)
class _Seen:
    """A facility of this run: where it stood first, what it said there, how it was counted."""

    file: str
    line: int
    dataset: str
    vintage: str
    said: str  # the compared values in one text: a hundred thousand of these must stay small
    weak: bool  # its number and its state disagree
    outcome: str = "unchanged"


def import_providers(
    *,
    paths: list[Path],
    at: datetime,
    actor: Ref,
    strict: bool = False,
    complete: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> Report:
    """Import provider lists in the order given, as one act in the chain ``installation``.

    ``strict`` writes nothing if a row is rejected. ``complete`` says that each file is the whole of its data set,
    so that facilities it lacks end. Repeating a run changes nothing. Memory grows with the number of facilities
    (about 300 bytes each), not with the files. Raises FileRefused, with nothing written.
    """
    run = _Run(on=at.date(), progress=progress)
    try:
        with transaction.atomic():
            for path in paths:
                run.read_file(path)
            if strict and run.report.rejected:
                raise _StrictRefusal
            run.flush()
            if complete:
                run.end_missing()
            report = run.finish()
            counts = ("rows", "created", "updated", "unchanged", "unlisted")
            payload = {
                "files": [{"name": path.name, "sha256": _digest(path)} for path in paths],
                **{name: getattr(report, name) for name in counts},
                "rejected": len(report.rejected),
                "restored": len(report.restored),
            }
            subject = Ref("directory", "CMS provider directory")
            record(
                chain=INSTALLATION, action="directory.imported", actor=actor, subject=subject, at=at, payload=payload
            )
    except _StrictRefusal:
        run.report.written = False
    return run.report


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class _Run:
    """One import: reads rows, keeps a batch, writes it, and remembers each facility once."""

    def __init__(self, *, on: date, progress: Callable[[str], None]) -> None:
        self.report = Report()
        self._on = on
        self._progress = progress
        self._seen: dict[str, _Seen] = {}
        self._batch: dict[str, Listing] = {}
        self._lists: dict[str, str] = {}  # data set -> vintage of the files that are it

    def read_file(self, path: Path) -> None:
        """Read all tables of a file; archives may hold further files without CCNs, but not only those."""
        found = False
        for table in read_tables(path, knows=has_ccn_column):
            if has_ccn_column(table.header):
                found = True
                self._read_table(table)
            elif table.file == str(path):
                break
            else:
                table.skip()
                self._warn(table.file, 1, "ccn", "skipped", "This file of the archive has no CCN column.")
        if not found:
            message = f"No column of the header is named like the CCN: {_CCN_TITLES}."
            raise FileRefused("no_ccn_column", message, file=str(path), line=1)

    def _read_table(self, table: Table) -> None:
        columns = find_columns(table.header)
        dataset = dataset_of(table.header, table.file)
        reader = RowReader(columns, dataset, vintage_of_file(table.file))
        title = columns.title("ccn")
        by_state = {True: 0, False: 0}
        before = self.report.rows
        for row in table.rows:
            self.report.rows += 1
            if self.report.rows % _PROGRESS_EVERY == 0:
                self._progress(f"{table.file}: {self.report.rows:,} rows read")
            if isinstance(row, BrokenRow):
                self._reject(table.file, row.line, "", row.reason)
                continue
            result = reader.read(row.cells)
            if result.against_state is not None:
                by_state[result.against_state] += 1
            if result.listing is None:
                self._reject(table.file, row.line, title, result.rejected)
            else:
                self._take(table.file, row.line, result, result.listing)
        if self.report.rows == before:
            self._warn(table.file, 1, "ccn", "no_rows", "The list has a header and no rows; was the download cut?")
        if has_common_title(title) and by_state[True] > max(by_state[False], _ENOUGH_ROWS):
            message = f"Most numbers under “{title}” belong to other states than their rows say: these are no CCNs."
            raise FileRefused("not_ccns", message, file=table.file, line=1, column=title)

    def _take(self, file: str, line: int, result: RowResult, listing: Listing) -> None:
        for doubt in result.warnings:
            self._warn(file, line, doubt.field, doubt.code, doubt.message)
        if result.given:
            self.report.restored.append({"file": file, "line": line, "given": result.given, "ccn": listing.ccn})
        self._lists[listing.dataset] = max(self._lists.get(listing.dataset, ""), listing.vintage)
        said = _SEPARATOR.join(getattr(listing, name) for name in _COMPARED)
        first = self._seen.get(listing.ccn)
        if first is None:
            self._seen[listing.ccn] = _Seen(file, line, listing.dataset, listing.vintage, said, listing.gives_way)
        else:
            listing = self._repeat(file, line, listing, said, first)
        waiting = self._batch.get(listing.ccn)
        if waiting and listing.gives_way:
            listing = combine(kept=waiting, further=listing)
        elif waiting:
            listing = combine(kept=listing, further=waiting)
        self._batch[listing.ccn] = listing
        if len(self._batch) >= BATCH:
            self.flush()

    def _repeat(self, file: str, line: int, listing: Listing, said: str, first: _Seen) -> Listing:
        """Handle a facility's further row: a newer list wins, else the first row does and differences are told.

        A first row whose number and state disagree gives way to one where they agree.
        """
        this = _Seen(file, line, listing.dataset, listing.vintage, said, listing.gives_way, first.outcome)
        if newer(listing.vintage, first.vintage):
            self._seen[listing.ccn] = this
            return listing
        same_list = (listing.dataset, listing.vintage) == (first.dataset, first.vintage)
        if same_list and first.weak and not this.weak:
            self._seen[listing.ccn] = this
            self._tell_differences(listing.ccn, kept=this, given=first)
            return listing
        if same_list:
            self._tell_differences(listing.ccn, kept=first, given=this)
        return replace(listing, gives_way=True)

    def _tell_differences(self, ccn: str, *, kept: _Seen, given: _Seen) -> None:
        pairs = zip(_COMPARED, kept.said.split(_SEPARATOR), given.said.split(_SEPARATOR), strict=True)
        self.report.conflicts += [
            {
                "ccn": ccn,
                "field": "zip" if name == "zip_code" else name,
                "kept": one,
                "given": other,
                "file": given.file,
                "line": given.line,
                "kept_file": kept.file,
                "kept_line": kept.line,
            }
            for name, one, other in pairs
            if one and other and one.casefold() != other.casefold()
        ]

    def flush(self) -> None:
        """Write the batch."""
        stored = store_listings(listings=list(self._batch.values()), on=self._on)
        self._batch.clear()
        for ccn in stored.created:
            self._seen[ccn].outcome = "created"
        for ccn in stored.updated:
            if self._seen[ccn].outcome != "created":
                self._seen[ccn].outcome = "updated"

    def end_missing(self) -> None:
        """End the facilities of each data set of this run that no file showed."""
        for dataset, vintage in self._lists.items():
            try:
                self.report.unlisted += end_listings(dataset=dataset, vintage=vintage, seen=self._seen, on=self._on)
            except FacilitiesError as exc:
                raise FileRefused(exc.code, exc.message, file=dataset) from exc

    def finish(self) -> Report:
        """Count each facility once and return the report."""
        for seen in self._seen.values():
            setattr(self.report, seen.outcome, getattr(self.report, seen.outcome) + 1)
        return self.report

    def _reject(self, file: str, line: int, column: str, reason: str) -> None:
        self.report.rejected.append({"file": file, "line": line, "column": column, "reason": reason})
        if len(self.report.rejected) > _MOST_REJECTED:
            raise FileRefused(
                "too_many_rejected",
                f"More than {_MOST_REJECTED:,} rows have no usable CCN; the last one: {reason}",
                file=file,
                line=line,
                column=column,
            )

    def _warn(self, file: str, line: int, name: str, code: str, message: str) -> None:
        self.report.warnings.append({"file": file, "line": line, "field": name, "code": code, "message": message})
