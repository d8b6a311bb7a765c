"""People and what they hold as rows and cells, from a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse

from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.words import day
from facilities.access import Scope
from staff.models import Employment, Person
from systems.models import System
from systems.policy import Standing
from web.dossiers import gather
from web.rows import deadline_row
from web.standings import Held, all_held


@dataclass(frozen=True, slots=True)
class NextDate:
    """One thing due: a sentence, where it is done, and how it stands."""

    sentence: str
    url: str
    standing: Standing


def next_dates(deadlines: Iterable[Deadline], *, scope: Scope, on: date) -> list[NextDate]:
    """Return one sentence per open deadline (read with the account's person and system, and its policy's source)."""
    running = [(each, each.account) for each in deadlines if each.account is not None]
    dossiers = gather(scope, [account for _, account in running], [each for each, _ in running], on)
    rows = [deadline_row(scope, dossiers[account.pk], each) for each, account in running]
    return [NextDate(row["sentence"], row["url"], row["standing"]) for row in rows]


@dataclass(slots=True)
class PersonRow:
    """One person of the table: her jobs there, and per system what she holds (several accounts are possible)."""

    person: Person
    url: str
    jobs: str
    left: str = ""
    cells: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PeopleTable:
    """Systems across, people down."""

    systems: list[System]
    rows: list[PersonRow]


_NOT_HERE = {True: "Works elsewhere, has access here", False: "No longer works here, but still has access"}


def people_by_systems(
    *,
    scope: Scope,
    people: Sequence[Person],
    grants: QuerySet[RoleGrant],
    employments: QuerySet[Employment],
    on: date,
) -> PeopleTable:
    """Return the table of these people over the systems on which the grants give them something. Six queries."""
    accounts = PortalAccount.objects.filter(pk__in=grants.values("account"), person__in=people)
    held = all_held(accounts.select_related("system").order_by("pk"), on)
    by_person: dict[int, list[Held]] = defaultdict(list)
    for each in held:
        by_person[each.account.person_id].append(each)
    jobs: dict[int, list[str]] = defaultdict(list)
    working: set[int] = set()
    for person_id, title in employments.filter(person__in=people).values_list("person_id", "job_title"):
        working.add(person_id)
        jobs[person_id] += [title] if title else []
    systems = sorted({each.account.system for each in held}, key=lambda system: (system.position, system.slug))
    others = [person.pk for person in people if person.pk not in working]
    elsewhere = set(Employment.objects.in_force(on).filter(person__in=others).values_list("person_id", flat=True))
    hidden = set(others).difference(Person.objects.visible_to(scope).filter(pk__in=others).values_list("pk", flat=True))
    rows = [
        PersonRow(
            person=person,
            url="" if person.pk in hidden else reverse("web:person", args=[scope.organization.slug, person.pk]),
            jobs=", ".join(jobs[person.pk]),
            left="" if person.pk in working else _NOT_HERE[person.pk in elsewhere],
            cells=[_cell(scope, [h for h in by_person[person.pk] if h.account.system_id == s.pk], s) for s in systems],
        )
        for person in people
    ]
    return PeopleTable(systems, rows)


def _cell(scope: Scope, held: Iterable[Held], system: System) -> dict[str, Any]:
    return {
        "label": system.name,
        "held": [
            {
                "standing": each.standing,
                "words": each.words,
                "url": reverse("web:account", args=[scope.organization.slug, each.account.pk]),
                "text": day(each.next_on) if each.next_on else "No date",
            }
            for each in held
        ],
    }
