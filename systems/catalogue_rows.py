"""From checked catalogue entries to the columns of each table, in the order in which tables need each other."""

from collections.abc import Callable, Iterator
from datetime import time
from typing import Any

from django.db import models

from systems.catalogue_files import Catalogue
from systems.catalogue_schema import Cite, PolicyEntry
from systems.models import (
    Contact,
    ContactPoint,
    Document,
    FormPhrase,
    Milestone,
    Note,
    Policy,
    Prerequisite,
    Quota,
    RoleAbility,
    Source,
    Step,
    Stream,
    StreamPath,
    System,
    SystemAddress,
    SystemRole,
    Term,
)

Row = dict[str, Any]
Ids = dict[type[models.Model], dict[tuple[Any, ...], int]]  # natural key -> primary key, tables filled so far

# Table -> the columns that identify a row across loads.
NATURAL_KEYS: dict[type[models.Model], tuple[str, ...]] = {
    Source: ("key",),
    System: ("slug",),
    Stream: ("slug",),
    SystemAddress: ("system_id", "url"),
    SystemRole: ("system_id", "slug"),
    RoleAbility: ("role_id", "stream_id", "ability"),
    StreamPath: ("key",),
    Policy: ("system_id", "kind", "key"),
    Quota: ("system_id", "key"),
    Prerequisite: ("system_id", "request_kind", "key"),
    Step: ("system_id", "request_kind", "key"),
    Contact: ("key",),
    ContactPoint: ("contact_id", "kind", "value"),
    Milestone: ("key",),
    FormPhrase: ("key",),
    Document: ("slug", "version"),
    Note: ("system_id", "topic", "key"),
    Term: ("slug",),
}


def rows_of(model: type[models.Model], catalogue: Catalogue, ids: Ids) -> list[Row]:
    """Return the rows that the table should hold. `ids` must know the tables that this one points to."""
    return list(_BUILDERS[model](catalogue, ids))


def links_of(model: type[models.Model], catalogue: Catalogue, ids: Ids) -> dict[int, set[int]]:
    """Return primary key -> systems, for contacts and milestones."""
    entries = catalogue.all_of("contacts" if model is Contact else "milestones")
    return {ids[model][(entry.key,)]: {_system(ids, slug) for slug in entry.systems} for entry in entries}


def self_references(model: type[models.Model], catalogue: Catalogue, ids: Ids) -> dict[int, Row]:
    """Return primary key -> columns that point into the same table, which exist only after it was filled."""
    found: dict[int, Row] = {}
    for system in catalogue.all_of("systems"):
        own = _system(ids, system.slug)
        if model is System:
            found[own] = {
                "sign_in_via_id": _system_or_none(ids, system.sign_in_via),
                "counts_at_authority": system.counts_at_authority,  # a check ties it to sign_in_via
                "successor_id": _system_or_none(ids, system.successor),
            }
            continue
        for role in system.roles:
            found[ids[SystemRole][(own, role.slug)]] = {"approved_by_id": _role(ids, own, role.approved_by)}
    return found


def _cited(cite: Cite, ids: Ids) -> Row:
    return {
        "fact_id": cite.fact,
        "see_also": ", ".join(cite.also),
        "source_id": ids[Source][(cite.source,)],
        "further_sources": ", ".join(cite.sources),
        "confidence": cite.confidence.value,
        "withdrawn": False,
    }


def _plain(entry: Any, *names: str) -> Row:
    """Copy fields of the same name; choices as their stored text."""
    values = {name: getattr(entry, name) for name in names}
    return {name: getattr(value, "value", value) for name, value in values.items()}


def _system(ids: Ids, slug: str) -> int:
    return ids[System][(slug,)]


def _system_or_none(ids: Ids, slug: str | None) -> int | None:
    return None if slug is None else _system(ids, slug)


def _stream(ids: Ids, slug: str | None) -> int | None:
    return None if slug is None else ids[Stream][(slug,)]


def _role(ids: Ids, system_id: int, slug: str | None) -> int | None:
    return None if slug is None else ids[SystemRole][(system_id, slug)]


def _sources(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for entry in catalogue.all_of("sources"):
        yield _plain(entry, "key", "title", "url", "document_date", "document_on")


def _systems(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for entry in catalogue.all_of("systems"):
        names = ("slug", "name", "full_name", "operator", "purpose", "position")
        yield _plain(entry, *names) | _cited(entry.cite, ids)


def _streams(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for position, entry in enumerate(catalogue.all_of("streams")):
        yield _plain(entry, "slug", "name", "group") | {"position": position} | _cited(entry.cite, ids)


def _addresses(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for system in catalogue.all_of("systems"):
        for position, entry in enumerate(system.addresses):
            row = _plain(entry, "url", "status", "note") | {"position": position}
            yield row | {"system_id": _system(ids, system.slug)} | _cited(entry.cite, ids)


def _roles(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    names = ("slug", "name", "description", "privileged", "approval_note", "vendor_allowed", "vendor_only")
    days = ("requestable_from", "usable_from", "usable_until")
    for system in catalogue.all_of("systems"):
        for position, entry in enumerate(system.roles):
            row = _plain(entry, *names, *days) | {"position": position, "system_id": _system(ids, system.slug)}
            yield row | _cited(entry.cite, ids)


def _abilities(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for system in catalogue.all_of("systems"):
        for role in system.roles:
            role_id = _role(ids, _system(ids, system.slug), role.slug)
            for entry in role.abilities:
                said = [(ability, True) for ability in entry.may] + [(ability, False) for ability in entry.may_not]
                for stream in entry.streams or [None]:
                    for ability, allowed in said:
                        row = {"role_id": role_id, "stream_id": _stream(ids, stream)}
                        yield row | {"ability": ability.value, "allowed": allowed} | _cited(entry.cite, ids)


def _paths(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for entry in catalogue.all_of("paths"):
        shared = _plain(entry, "from_on", "until_on", "new_records_until_on", "until_note")
        shared |= {"stream_id": _stream(ids, entry.stream), "replaced_by_id": _system_or_none(ids, entry.replaced_by)}
        for provider_type in entry.provider_types:
            for slug in entry.systems:
                own = {"key": f"{entry.stream}-{provider_type.value}-{slug}", "provider_type": provider_type.value}
                yield own | shared | {"system_id": _system(ids, slug)} | _cited(entry.cite, ids)


def _policies(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for system in catalogue.all_of("systems"):
        for entry in system.policies:
            yield {"system_id": _system(ids, system.slug)} | _policy(entry, ids)
    for entry in catalogue.all_of("policies"):
        yield {"system_id": None} | _policy(entry, ids)


def _policy(entry: PolicyEntry, ids: Ids) -> Row:
    limits = ("limit_days", "limit_hours", "limit_minutes", "limit_years", "limit_tries")
    names = ("kind", "basis", "boundary", "zone", "consequence", "consequence_text", "effective_from", "effective_to")
    row = _plain(entry, *names, *limits, "start_note", "applies_to", "applied") | _cited(entry.cite, ids)
    return row | {
        "key": entry.cite.fact,
        "cure_text": entry.cure,
        "warning_days": ", ".join(map(str, entry.warning_days)),
        "start_confidence": (entry.start_confidence or entry.cite.confidence).value,
    }


def _quotas(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for system in catalogue.all_of("systems"):
        own = _system(ids, system.slug)
        for entry in system.quotas:
            row = _plain(entry, "counts", "provider_type", "least", "most", "recommended", "note", "cure")
            row |= {"system_id": own, "key": entry.cite.fact, "stream_id": _stream(ids, entry.stream)}
            yield row | {"role_id": _role(ids, own, entry.role)} | _cited(entry.cite, ids)


def _prerequisites(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for system in catalogue.all_of("systems"):
        for position, entry in enumerate(system.prerequisites):
            row = _plain(entry, "request_kind", "needs", "text", "exception", "until_on") | {"position": position}
            row |= {"system_id": _system(ids, system.slug), "key": entry.cite.fact}
            yield row | {"needs_system_id": _system_or_none(ids, entry.needs_system)} | _cited(entry.cite, ids)


def _steps(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    names = (
        "key", "title", "text", "actor", "duration", "unit", "after", "together", "cure_for", "stage", "takes",
        "only_if", "provider_type", "effective_from", "effective_to",
    )  # fmt: skip
    for system in catalogue.all_of("systems"):
        for kind, entries in system.steps.items():
            for position, entry in enumerate(entries, start=1):
                row = _plain(entry, *names) | {"position": position, "request_kind": kind.value}
                yield row | {"system_id": _system(ids, system.slug)} | _cited(entry.cite, ids)


def _contacts(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for position, entry in enumerate(catalogue.all_of("contacts")):
        hours = entry.hours
        row = _plain(entry, "key", "name", "helps_with") | {"position": position}
        row |= {
            "weekdays": hours.weekdays if hours else "",
            "opens": time.fromisoformat(hours.opens) if hours else None,
            "closes": time.fromisoformat(hours.closes) if hours else None,
            "zone": hours.zone if hours else "",
            "hours_note": hours.note if hours else "",
        }
        yield row | _cited(entry.cite, ids)


def _points(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for contact in catalogue.all_of("contacts"):
        for position, entry in enumerate(contact.points):
            row = _plain(entry, "kind", "value", "note", "current") | {"position": position}
            row |= {"contact_id": ids[Contact][(contact.key,)]}
            yield row | _cited(entry.cite or contact.cite, ids)


def _milestones(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for entry in catalogue.all_of("milestones"):
        row = _plain(entry, "key", "precision", "time_note", "text")
        row |= {"on": entry.happened_on, "stream_id": _stream(ids, entry.stream)}
        yield row | _cited(entry.cite, ids)


def _phrases(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for system in catalogue.all_of("systems"):
        for entry in system.phrases:
            row = _plain(entry, "form", "field", "text", "use_when") | {"key": entry.cite.fact}
            yield row | {"system_id": _system(ids, system.slug)} | _cited(entry.cite, ids)


def _documents(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    for entry in catalogue.all_of("documents"):
        names = ("slug", "version", "kind", "title", "in_force_from", "date_note")
        yield _plain(entry, *names) | _cited(entry.cite, ids)


def _notes(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    owners: list[tuple[int | None, Any]] = [(_system(ids, each.slug), each) for each in catalogue.all_of("systems")]
    owners += [(None, file.content) for file in catalogue.files]
    for own, owner in owners:
        for position, entry in enumerate(owner.notes):
            row = _plain(entry, "topic", "text") | {"system_id": own, "key": entry.cite.fact, "position": position}
            yield row | _cited(entry.cite, ids)


def _terms(catalogue: Catalogue, ids: Ids) -> Iterator[Row]:
    uncited = {"fact_id": "", "see_also": "", "source_id": None, "further_sources": "", "confidence": ""}
    for entry in catalogue.all_of("terms"):
        row = _plain(entry, "slug", "name", "full_name", "spelled_by_us", "text", "ours")
        row |= {"aliases": "; ".join(entry.aliases), "see": ", ".join(entry.see)}
        row |= {"system_id": _system_or_none(ids, entry.system), "stream_id": _stream(ids, entry.stream)}
        yield row | (_cited(entry.cite, ids) if entry.cite else uncited | {"withdrawn": False})


_BUILDERS: dict[type[models.Model], Callable[[Catalogue, Ids], Iterator[Row]]] = {
    Source: _sources,
    System: _systems,
    Stream: _streams,
    SystemAddress: _addresses,
    SystemRole: _roles,
    RoleAbility: _abilities,
    StreamPath: _paths,
    Policy: _policies,
    Quota: _quotas,
    Prerequisite: _prerequisites,
    Step: _steps,
    Contact: _contacts,
    ContactPoint: _points,
    Milestone: _milestones,
    FormPhrase: _phrases,
    Document: _documents,
    Note: _notes,
    Term: _terms,
}
