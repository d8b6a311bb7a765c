"""Load the catalogue: make the tables say what the files say, and nothing else."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from django.db import models, transaction
from django.db.models import Max

from audit.services import Ref, record
from systems.catalogue_files import FOLDER, Catalogue, CatalogueError, CatalogueInvalid, read_catalogue
from systems.catalogue_rows import NATURAL_KEYS, Ids, Row, links_of, rows_of, self_references
from systems.models import Contact, Milestone, Policy, Source, System, SystemRole

CHAIN: Final = "installation"
_SUBJECT: Final = Ref("catalogue", "Catalogue")


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """A policy version that a load wrote or would write; `what` is created, changed or withdrawn."""

    system: str | None
    kind: str
    policy: str
    what: str

    def as_dict(self) -> dict[str, Any]:
        return {"system": self.system, "kind": self.kind, "policy": self.policy, "what": self.what}


@dataclass(frozen=True, slots=True)
class CatalogueLoad:
    """What the catalogue holds and what a load changed. `tables` counts created, changed, withdrawn per table."""

    counts: dict[str, int]
    revision: int
    tables: dict[str, dict[str, int]] = field(default_factory=dict)
    policies: list[PolicyChange] = field(default_factory=list)


class _NothingKept(Exception):  # noqa: N818  (rolls a trial back)
    pass


def load_catalogue(*, actor: Ref, at: datetime, folder: Path = FOLDER) -> CatalogueLoad:
    """Bring the tables in line with the files in one transaction; unchanged rows are not touched.

    New or changed policy versions get the next revision. Raises CatalogueInvalid, with nothing written, for files that
    do not hold together. Recorded in the audit chain where something changed.
    """
    catalogue = read_catalogue(folder)
    with transaction.atomic():
        load = _write(catalogue)
        if load.tables:
            payload = {"revision": load.revision, "tables": load.tables}
            payload["policies"] = [change.as_dict() for change in load.policies]
            record(chain=CHAIN, action="catalogue.loaded", actor=actor, subject=_SUBJECT, at=at, payload=payload)
    return load


def check_catalogue(*, folder: Path = FOLDER, meanwhile: Callable[[], None] | None = None) -> CatalogueLoad:
    """Return what `load_catalogue` would do, writing nothing. Raises CatalogueInvalid likewise.

    ``meanwhile`` is called while the tables hold what the files say, so that apps above may ask what would follow.
    """
    catalogue = read_catalogue(folder)
    found: list[CatalogueLoad] = []
    try:
        with transaction.atomic():
            found.append(_write(catalogue))
            if meanwhile is not None:
                meanwhile()
            raise _NothingKept
    except _NothingKept:
        return found[0]


def _write(catalogue: Catalogue) -> CatalogueLoad:
    # Loads follow one another: the second waits here and then sees what the first wrote.
    list(Source.objects.select_for_update().order_by("pk")[:1])
    ids: Ids = {}
    before = Policy.objects.aggregate(latest=Max("revision"))["latest"] or 0
    tables: dict[str, dict[str, int]] = {}
    policies: list[PolicyChange] = []
    for model, key in NATURAL_KEYS.items():
        stamp = {"revision": before + 1} if model is Policy else {}
        changes = _bring_in_line(model, key, rows_of(model, catalogue, ids), stamp)
        ids[model] = {tuple(row[1:]): row[0] for row in model._default_manager.values_list("pk", *key)}
        if model in {System, SystemRole}:
            changes["changed"] |= _point_within(model, self_references(model, catalogue, ids)) - changes["created"]
        if model is Contact or model is Milestone:
            changes["changed"] |= _link(model, links_of(model, catalogue, ids)) - changes["created"]
        if any(changes.values()):
            tables[model._meta.model_name or ""] = {what: len(pks) for what, pks in changes.items()}
        if model is Policy:
            policies = _describe(changes)
    return CatalogueLoad(_counts(catalogue), before + bool(policies), tables, policies)


def _bring_in_line(model: type[models.Model], key: tuple[str, ...], rows: list[Row], stamp: Row) -> dict[str, set[int]]:
    """Create, change and withdraw rows until the table holds `rows`; `stamp` goes on whatever is written.

    Raises CatalogueInvalid where the table cannot hold them.
    """
    if errors := list(_not_to_be_held(model, key, rows)):
        raise CatalogueInvalid(errors)
    manager = model._default_manager
    known = {tuple(getattr(each, name) for name in key): each for each in manager.all()}
    new: list[models.Model] = []
    changed: list[models.Model] = []
    for row in rows:
        each = known.pop(tuple(row[name] for name in key), None)
        if each is None:
            new.append(model(**row, **stamp))
        elif any(getattr(each, name) != value for name, value in row.items()):
            changed.append(_set(each, row | stamp))
    withdrawn: list[models.Model] = []
    if model is not Source:  # a source stays: withdrawn rows may still cite it
        gone = [each for each in known.values() if not getattr(each, "withdrawn", True)]
        withdrawn = [_set(each, {"withdrawn": True} | stamp) for each in gone]
    manager.bulk_create(new, batch_size=500)
    columns = [column.name for column in model._meta.concrete_fields if not column.primary_key]
    if changed or withdrawn:
        manager.bulk_update([*changed, *withdrawn], columns, batch_size=200)
    return {"created": _pks(new), "changed": _pks(changed), "withdrawn": _pks(withdrawn)}


def _not_to_be_held(model: type[models.Model], key: tuple[str, ...], rows: list[Row]) -> Iterator[CatalogueError]:
    """Say which rows stand twice, and which texts are longer than their column or no text at all."""
    table = str(model._meta.verbose_name)
    longest = {column.attname: getattr(column, "max_length", None) for column in model._meta.concrete_fields}
    counts = Counter(tuple(row[name] for name in key) for row in rows)
    for row in rows:
        said = " ".join(row[name][:60] for name in key if isinstance(row[name], str))
        if counts.pop(tuple(row[name] for name in key), 1) > 1:
            yield CatalogueError(table, None, said, "stands more than once")
        for name, value in row.items():
            most = longest.get(name)
            if isinstance(value, str) and "\0" in value:
                yield CatalogueError(table, None, said, f"{name} holds a character that no text may hold")
            elif isinstance(value, str) and most is not None and len(value) > most:
                yield CatalogueError(table, None, said, f"{name} has more than {most} characters")


def _set(each: models.Model, values: Row) -> models.Model:
    for name, value in values.items():
        setattr(each, name, value)
    return each


def _pks(rows: Iterable[models.Model]) -> set[int]:
    return {row.pk for row in rows}


def _point_within(model: type[models.Model], wanted: dict[int, Row]) -> set[int]:
    """Set columns that point into the same table, which can only be done once all its rows exist."""
    moved: list[models.Model] = []
    for each in model._default_manager.filter(pk__in=wanted):
        if any(getattr(each, name) != value for name, value in wanted[each.pk].items()):
            moved.append(_set(each, wanted[each.pk]))
    if moved:
        names = [name.removesuffix("_id") for name in next(iter(wanted.values()))]
        model._default_manager.bulk_update(moved, names, batch_size=200)
    return _pks(moved)


def _link(model: type[Contact] | type[Milestone], wanted: dict[int, set[int]]) -> set[int]:
    """Tie contacts and milestones to their systems."""
    moved = set()
    for each in model._default_manager.filter(pk__in=wanted).prefetch_related("systems"):
        if {system.pk for system in each.systems.all()} != wanted[each.pk]:
            each.systems.set(wanted[each.pk])
            moved.add(each.pk)
    return moved


def _describe(changes: dict[str, set[int]]) -> list[PolicyChange]:
    what_of = {pk: what for what, pks in changes.items() for pk in pks}
    written = Policy.objects.filter(pk__in=what_of).order_by("system__slug", "kind", "key")
    return [
        PolicyChange(slug, kind, key, what_of[pk])
        for pk, slug, kind, key in written.values_list("pk", "system__slug", "kind", "key")
    ]


def _counts(catalogue: Catalogue) -> dict[str, int]:
    counts: Counter[str] = Counter(systems=len(catalogue.all_of("systems")), contacts=len(catalogue.all_of("contacts")))
    counts["policies"] = len(catalogue.all_of("policies"))
    for system in catalogue.all_of("systems"):
        counts += Counter(roles=len(system.roles), policies=len(system.policies), phrases=len(system.phrases))
    return {name: counts[name] for name in ("systems", "roles", "policies", "contacts", "phrases")}


__all__ = ["CatalogueLoad", "PolicyChange", "check_catalogue", "load_catalogue"]
