"""The compact extract of CMS's provider directory that ships with the product, so that a first start knows CCNs.

Every row keeps the list and the vintage it came from. docs/flows/directory.md says how it is rebuilt.
"""

import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.db import transaction

from audit.models import INSTALLATION
from audit.services import Ref, record
from facilities.ccn import parse
from facilities.ccn.tables import DATA
from facilities.directory import BATCH, Listing, store_listings
from facilities.errors import FacilitiesError
from facilities.models import DirectoryEdition, Provider

SHIPPED: Final = DATA / "providers.csv.gz"
# provider_type is left out: it follows from the number.
COLUMNS: Final = ("ccn", "name", "address", "city", "state", "zip_code", "phone", "subtype", "dataset", "vintage")


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did; ``fresh`` is False where the same extract was loaded before and nothing was done."""

    fresh: bool
    providers: int
    created: int = 0
    updated: int = 0
    unchanged: int = 0


def write_extract(*, path: Path) -> tuple[int, str]:
    """Write all listed providers by CCN; return (number, SHA-256). The same rows give the same bytes."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    count = 0
    for row in Provider.objects.listed().order_by("ccn").values_list(*COLUMNS).iterator(chunk_size=BATCH):
        writer.writerow(row)
        count += 1
    packed = gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)
    path.write_bytes(packed)
    return count, hashlib.sha256(packed).hexdigest()


def load_extract(*, path: Path, at: datetime, actor: Ref) -> Loaded:
    """Bring an extract into the directory in one transaction; newer rows of the directory stay as they are.

    Raises FacilitiesError("damaged") for a file that write_extract() didn't make; nothing is written then.
    """
    try:
        packed = path.read_bytes()
    except OSError as exc:
        raise FacilitiesError(f"The extract cannot be read: {exc.strerror}.", code="unreadable") from exc
    digest = hashlib.sha256(packed).hexdigest()
    with transaction.atomic():
        # Claimed first: a second process that starts meanwhile waits here and then finds the work done.
        edition, fresh = DirectoryEdition.objects.get_or_create(
            sha256=digest, defaults={"loaded_at": at, "providers": 0}
        )
        if not fresh:
            return Loaded(False, edition.providers)
        created = updated = unchanged = 0
        listings = _listings(packed)
        while batch := list(islice(listings, BATCH)):
            stored = store_listings(listings=batch, on=at.date())
            created += len(stored.created)
            updated += len(stored.updated)
            unchanged += len(stored.unchanged)
        total = created + updated + unchanged
        edition.providers = total
        edition.save(update_fields=["providers"])
        record(
            chain=INSTALLATION,
            action="directory.loaded",
            actor=actor,
            subject=Ref("directory", "CMS provider directory"),
            at=at,
            payload={"sha256": digest, "created": created, "updated": updated, "unchanged": unchanged},
        )
    return Loaded(True, total, created, updated, unchanged)


def _listings(packed: bytes) -> Iterator[Listing]:
    try:
        text = gzip.decompress(packed).decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as exc:
        raise FacilitiesError(f"The extract is damaged: {exc}.", code="damaged") from exc
    reader = csv.reader(io.StringIO(text, newline=""))
    if next(reader, None) != list(COLUMNS):
        raise FacilitiesError("The extract's columns are not those this version writes.", code="damaged")
    for cells in reader:
        number = parse(cells[0]) if len(cells) == len(COLUMNS) else None
        if number is None:
            raise FacilitiesError(f"Line {reader.line_num} of the extract is broken.", code="damaged")
        row: dict[str, Any] = dict(zip(COLUMNS, cells, strict=True))
        yield Listing(**row, plus_four="", provider_type=number.type.code)
