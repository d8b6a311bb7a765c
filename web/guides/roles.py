"""Roles compared: who may do what for which data, who decides, from when it works."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Prefetch

from accounts.words import day, listed
from systems.models import Ability, Confidence, RoleAbility, System, SystemRole
from web.guides.citing import Bibliography, weakness

# word, sign: never colour alone, and silence of the sources is no "no".
_YES, _NO, _SILENT = ("Yes", "✓"), ("No", "✕"), ("Not stated", "–")
_ANY: Final = "Whatever the data"


@dataclass(frozen=True, slots=True)
class Cell:
    """Whether one role has one ability."""

    label: str
    word: str
    sign: str
    weak: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """The roles that say something about one group of streams, by ability."""

    title: str
    columns: list[dict[str, str]]  # {label, weak}: where all of a column is equally weak, its head says so once
    rows: list[dict[str, Any]]


def roles_of(system: System) -> list[SystemRole]:
    """Return the roles with their abilities. Two queries."""
    abilities = RoleAbility.objects.current().select_related("stream", "source")
    rows = SystemRole.objects.current().filter(system=system).select_related("approved_by", "source")
    return list(rows.prefetch_related(Prefetch("abilities", abilities)).order_by("position", "pk"))


def described(roles: Sequence[SystemRole], bibliography: Bibliography, on: date) -> list[dict[str, Any]]:
    """Return each role with what to know before asking for it."""
    return [
        {
            "name": role.name,
            "text": " ".join(role_facts(role, on)) or "Nothing more was published about it.",
            "cite": bibliography.cite(role),
        }
        for role in roles
    ]


def role_facts(role: SystemRole, on: date) -> list[str]:
    """Return what to know before asking for a role, as sentences."""
    facts = [role.description] if role.description else []
    if role.privileged:
        facts.append("Privileged: can raise the rights of others.")
    if role.approved_by_id == role.pk:
        facts.append("Decided by people who hold this role already.")
    elif role.approved_by:
        facts.append(f"Decided by: {role.approved_by.name}.")
    if role.approval_note:
        facts.append(role.approval_note)
    if not role.vendor_allowed:
        decides = role.approved_by_id == role.pk
        facts.append("Not for vendors." if decides else "By its name not for vendors: our reading.")
    if role.vendor_only:
        facts.append("By its name for vendors only: our reading.")
    if role.requestable_from and role.requestable_from != role.usable_from:
        facts.append(f"Can be asked for since {day(role.requestable_from)}.")
    if role.usable_from:
        facts.append(f"Works {'since' if role.usable_from <= on else 'from'} {day(role.usable_from)}.")
    if role.usable_until:
        facts.append(f"{'Worked' if role.usable_until < on else 'Works'} until {day(role.usable_until)}.")
    return facts


def matrices(roles: Sequence[SystemRole], bibliography: Bibliography) -> list[Matrix]:
    """Return a table for each group of streams for which every role may do the same."""
    by_stream: dict[Any, dict[int, list[RoleAbility]]] = defaultdict(lambda: defaultdict(list))
    streams: dict[Any, Any] = {}
    for role in roles:
        for ability in role.abilities.all():
            streams[ability.stream_id] = ability.stream
            by_stream[ability.stream_id][role.pk].append(ability)
    groups: dict[Any, list[Any]] = defaultdict(list)
    for stream_id, said in by_stream.items():
        alike = frozenset((pk, row.ability, row.allowed) for pk, rows in said.items() for row in rows)
        groups[alike].append(stream_id)
    ordered = sorted(groups.values(), key=lambda ids: (ids[0] is None, streams[ids[0]].position if ids[0] else 0))
    return [_matrix(roles, [streams[pk] for pk in ids], by_stream[ids[0]], bibliography) for ids in ordered]


def _matrix(
    roles: Sequence[SystemRole], streams: Sequence[Any], said: dict[int, list[RoleAbility]], bibliography: Bibliography
) -> Matrix:
    named = [stream.name for stream in sorted((s for s in streams if s), key=lambda s: (s.position, s.slug))]
    told = {row.ability for rows in said.values() for row in rows}
    abilities = [ability for ability in Ability if ability in told]
    rows: list[dict[str, Any]] = []
    for role in roles:
        if said.get(role.pk):
            # What holds whatever the data holds for these data too.
            general = [row for row in role.abilities.all() if row.stream_id is None and row not in said[role.pk]]
            cells = [_cell(ability, [*said[role.pk], *general]) for ability in abilities]
            marks = bibliography.cites([*said[role.pk], *(row for row in general if row.ability in told)])
            rows.append({"name": role.name, "cites": marks, "cells": cells})
    columns = []
    for number, ability in enumerate(abilities):
        stated = {row["cells"][number].weak for row in rows if row["cells"][number].word != _SILENT[0]}
        columns.append({"label": _capital(ability.label), "weak": stated.pop() if len(stated) == 1 else ""})
    return Matrix(listed(named) or _ANY, columns, rows)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]


def _cell(ability: Ability, rows: Sequence[RoleAbility]) -> Cell:
    row = next((each for each in rows if each.ability == ability), None)
    word, sign = _SILENT if row is None else _YES if row.allowed else _NO
    weak = weakness(row.confidence, short=True) if row and row.confidence != Confidence.NOT_FOUND else ""
    return Cell(_capital(ability.label), word, sign, weak)
