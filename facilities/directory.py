"""Writing CMS's provider directory: set-based, repeatable, and never losing a facility.

One statement reads and at most three write per batch, whatever the file. A blank says nothing: it never erases a
value. A row of an older list, or of a list where its kind of number doesn't belong, only fills blanks.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice
from typing import Final

from facilities.ccn import expected_types
from facilities.errors import FacilitiesError
from facilities.models import Provider

BATCH: Final = 1_000
CONTENT: Final = ("name", "address", "city", "state", "zip_code", "plus_four", "phone", "provider_type", "subtype")
_WRITTEN: Final = (*CONTENT, "dataset", "vintage", "last_seen_on", "unlisted_on")
_MOST_UNLISTED: Final = 0.2  # of a data set; in five years the nursing home list lost 5 %
_FEW: Final = 20


@dataclass(frozen=True, slots=True)
class Listing:
    """One facility as one list shows it; texts already cut to the width of Provider's columns.

    ``vintage`` is "2026-07-31", "2026-07", "2026" or empty; ``gives_way`` means: fill blanks, change nothing.
    """

    ccn: str
    name: str
    address: str
    city: str
    state: str
    zip_code: str
    plus_four: str
    phone: str
    provider_type: str
    subtype: str
    dataset: str
    vintage: str
    gives_way: bool = False


@dataclass(frozen=True, slots=True)
class Stored:
    """What a batch did, as CCNs; every CCN of the batch is in exactly one set."""

    created: set[str]
    updated: set[str]
    unchanged: set[str]


def combine(*, kept: Listing, further: Listing) -> Listing:
    """Return ``kept`` with its blanks filled from another row of the same facility."""
    blanks = {name: getattr(further, name) for name in CONTENT if not getattr(kept, name)}
    if kept.zip_code and kept.zip_code != further.zip_code:
        blanks.pop("plus_four", None)
    return replace(kept, **blanks) if any(blanks.values()) else kept


def newer(one: str, other: str) -> bool:
    """Whether vintage ``one`` is certainly newer; compared as far as both are known, an unknown one never is."""
    shared = min(len(one), len(other))
    return bool(shared) and one[:shared] > other[:shared]


def misplaced(provider_type: str, dataset: str) -> bool:
    """Whether a number of this type doesn't belong in the data set (a hospital's in a list of dialysis units)."""
    expected = expected_types().get(dataset)
    return bool(expected) and provider_type not in (expected or ())


def store_listings(*, listings: Sequence[Listing], on: date) -> Stored:
    """Bring one batch with distinct CCNs into the directory. Call inside a transaction; repeating changes nothing.

    ``on`` is the day of the import. A facility counts as updated when what a reader sees changed, or when it is
    listed again; that a newer list confirms it is noted without counting.
    """
    known = Provider.objects.in_bulk([listing.ccn for listing in listings])
    created: list[Provider] = []
    updated: list[Provider] = []
    confirmed: dict[tuple[str, str], list[str]] = {}
    for listing in listings:
        provider = known.get(listing.ccn)
        if provider is None:
            content = {field: getattr(listing, field) for field in (*CONTENT, "dataset", "vintage")}
            created.append(Provider(ccn=listing.ccn, first_seen_on=on, last_seen_on=on, **content))
        elif _merge(provider, listing, on):
            updated.append(provider)
        elif not _yields(listing, provider):
            confirmed.setdefault((listing.dataset, listing.vintage), []).append(listing.ccn)
    Provider.objects.bulk_create(
        [*created, *updated], update_conflicts=True, unique_fields=["ccn"], update_fields=_WRITTEN, batch_size=BATCH
    )
    for (dataset, vintage), ccns in confirmed.items():
        stale = Provider.objects.filter(ccn__in=ccns).exclude(last_seen_on__gte=on, dataset=dataset, vintage=vintage)
        stale.update(last_seen_on=on, dataset=dataset, vintage=vintage)
    new, changed = {row.ccn for row in created}, {row.ccn for row in updated}
    return Stored(new, changed, {listing.ccn for listing in listings} - new - changed)


def _yields(listing: Listing, provider: Provider) -> bool:
    """Whether the listing may only fill blanks of what is stored."""
    if listing.gives_way or newer(provider.vintage, listing.vintage):
        return True
    out_of_place = misplaced(listing.provider_type, listing.dataset)
    return out_of_place and not misplaced(provider.provider_type, provider.dataset)


def _merge(provider: Provider, listing: Listing, on: date) -> bool:
    """Write the listing's values into ``provider`` (in memory); return whether a reader would see a difference."""
    fills_only = _yields(listing, provider)
    changed = False
    for field in CONTENT:
        stored, given = getattr(provider, field), getattr(listing, field)
        if given and given != stored and not (fills_only and stored):
            if field == "plus_four" and listing.zip_code != provider.zip_code:
                continue  # belongs to another ZIP
            setattr(provider, field, given)
            changed = True
            if field == "zip_code":
                provider.plus_four = ""
    if fills_only:
        return changed
    if provider.unlisted_on:
        provider.unlisted_on, changed = None, True
    if changed:
        provider.dataset, provider.vintage = listing.dataset, listing.vintage
        provider.last_seen_on = max(on, provider.first_seen_on)
    return changed


def end_listings(*, dataset: str, vintage: str, seen: Collection[str], on: date) -> int:
    """Mark the data set's providers that a complete list of ``vintage`` no longer shows; return how many.

    Raises FacilitiesError("brake") where the list would end a fifth of the data set: then it isn't complete.
    """
    listed = Provider.objects.listed().filter(dataset=dataset)
    stored = listed.values_list("ccn", "vintage").iterator(chunk_size=BATCH)
    total = 0
    gone = []
    for ccn, known in stored:
        total += 1
        if ccn not in seen and not newer(known, vintage):
            gone.append(ccn)
    if len(gone) > max(_FEW, total * _MOST_UNLISTED):
        message = f"The list would end {len(gone):,} of {total:,} facilities; it doesn't look complete."
        raise FacilitiesError(message, code="brake")
    pending = iter(gone)
    while batch := list(islice(pending, BATCH)):
        # with the ending list's age, so that an older list cannot bring the facility back
        Provider.objects.filter(ccn__in=batch).update(unlisted_on=on, **({"vintage": vintage} if vintage else {}))
    return len(gone)
