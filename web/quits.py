"""If somebody left today: what would have to be removed, what would be wrong then, who covers it, what to do first."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from accounts.finding_words import SEVERITIES, WORDS
from accounts.models import Finding, PortalAccount, RecordKeeper, RoleGrant
from accounts.models.watch import Severity
from accounts.services.rules.found import Found
from accounts.services.rules.without import Leaving, Loss, if_left
from accounts.words import count_noun, count_word, listed
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Deputy, Employment, Person
from systems.policy import EASTERN, day_in
from web.finding_list import foreseen_rows
from web.others import Others, others

MOST: Final = 100  # facilities on the page; whoever holds access at more looks after systems, not after places


@dataclass(slots=True)
class There:
    """One facility of the page. ``rows``: what would be wrong, as `components/row_action.html` draws it."""

    facility: Facility
    url: str
    accounts: list[dict[str, str]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
    settled: str = ""
    covers: list[dict[str, Any]] = field(default_factory=list)
    streams: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """Everything that the page says, worst facility first. ``elsewhere``: accounts without a role at one of them."""

    summary: str
    left_on: date | None
    places: list[There]
    elsewhere: list[dict[str, str]]
    deputies: list[dict[str, str]]
    own_findings: str
    more: int


def page(scope: Scope, who: Person, at: datetime) -> Page:
    """Return what would follow if the person left today, at the facilities that the member reads.

    Somebody without such a role sees her own facilities, but of other people only how many there are. A fixed number
    of queries.
    """
    on = day_in(at, EASTERN)
    rows = _facilities(scope, who, on)
    known = {place.pk: place for place in rows[:MOST]}
    leaving = if_left(organization=scope.organization, person=who.pk, facilities=list(known), at=at)
    accounts = _accounts(scope, leaving.accounts)
    there = _there(scope, known, leaving, accounts)
    _put_in_cover(scope, who, there, leaving, on)
    _put_in_rows(scope, there, leaving, on)
    opened = sum(len(loss.opened) for loss in leaving.losses.values())
    worse = sum(len(loss.worse) for loss in leaving.losses.values())
    placed = {account["url"] for each in there.values() for account in each.accounts}
    return Page(
        summary=_summary(len(accounts), opened, worse, has_left=leaving.left_on is not None),
        left_on=leaving.left_on,
        places=sorted(there.values(), key=lambda each: _gravity(leaving.losses[each.facility.pk])),
        elsewhere=[row for row in _elsewhere(accounts.values()) if row["url"] not in placed],
        deputies=_deputies(scope, who, on),
        own_findings=_own_findings(scope, who),
        more=max(len(rows) - MOST, 0),
    )


def _facilities(scope: Scope, who: Person, on: date) -> list[Facility]:
    """Return where the person works, holds a role or keeps the record, as far as the member sees it. One query."""
    here = {"facility": OuterRef("pk")}
    works = Employment.objects.in_force(on).filter(person=who, **here)
    holds = RoleGrant.objects.in_force(on).filter(account__person=who, **here)
    keeps = RecordKeeper.objects.in_force(on).filter(person=who, **here)
    mine = Facility.objects.filter(Q(Exists(works)) | Q(Exists(holds)) | Q(Exists(keeps)))
    mine = mine.filter(organization=scope.organization)
    if scope.reads is not None and not _own(scope, who):
        mine = mine.filter(pk__in=scope.reads)
    return list(mine.select_related("organization").order_by("name", "pk")[: MOST + 1000])


def _own(scope: Scope, who: Person) -> bool:
    return who.user_id is not None and who.user_id == scope.user_id


def _reads(scope: Scope, facility: int) -> bool:
    return scope.reads is None or facility in scope.reads


def _accounts(scope: Scope, found: Sequence[Found]) -> dict[int, PortalAccount]:
    keys = [each.account for each in found if each.account is not None]
    mine = PortalAccount.objects.visible_to(scope).filter(pk__in=keys).select_related("system", "organization")
    return {account.pk: account for account in mine.order_by("system__position", "pk")}


def _there(
    scope: Scope, known: dict[int, Facility], leaving: Leaving, accounts: dict[int, PortalAccount]
) -> dict[int, There]:
    slug = scope.organization.slug
    there = {
        key: There(place, reverse("web:facility", args=[slug, key]) if _reads(scope, key) else "")
        for key, place in known.items()
    }
    roles: dict[tuple[int, int], list[str]] = {}
    for each in leaving.accounts:
        for role in each.facts["roles"]:
            roles.setdefault((each.account or 0, role["facility"]), []).append(role["role"])
    for (account, facility), names in roles.items():
        if facility in there and account in accounts:
            there[facility].accounts.append(_account(accounts[account]) | {"roles": listed(names)})
    return there


def _account(account: PortalAccount) -> dict[str, str]:
    return {"system": account.system.name, "url": account.get_absolute_url(), "roles": ""}


def _elsewhere(accounts: Iterable[PortalAccount]) -> list[dict[str, str]]:
    return [_account(account) for account in accounts]


def _put_in_cover(scope: Scope, who: Person, there: dict[int, There], leaving: Leaving, on: date) -> None:
    """Say who else covers each system and stream that the person holds. Four queries."""
    held = RoleGrant.objects.in_force(on).filter(
        account__person=who, account__status=PortalAccount.Status.ACTIVE, facility__in=list(there)
    )
    systems = held.order_by("account__system__position", "account__system_id").values_list(
        "facility_id", "account__system_id", "account__system__name"
    )
    places = {(facility, system): name for facility, system, name in systems}
    found: dict[tuple[int, int], Others] = others(scope, who, list(places), on)
    for (facility, system), name in places.items():
        there[facility].covers.append({"system": name, "others": found[facility, system]})
    keys = {person for loss in leaving.losses.values() for each in loss.streams for person in each.people}
    people = Person.objects.filter(organization=scope.organization, pk__in=keys).order_by("last_name", "first_name")
    names = {person.pk: str(person) for person in people}
    for key, loss in leaving.losses.items():
        seen = _reads(scope, key)
        there[key].streams = [_stream(each.stream, each.people, names if seen else {}) for each in loss.streams]


def _stream(stream: str, people: frozenset[int], names: dict[int, str]) -> str:
    if not people:
        return f"{stream}: nobody could submit it."
    if not names:
        return f"{stream}: {count_noun(len(people), 'other person,other people')} could still submit it."
    return f"{stream}: {listed(name for key, name in names.items() if key in people)} could still submit it."


def _put_in_rows(scope: Scope, there: dict[int, There], leaving: Leaving, on: date) -> None:
    """Say what would be wrong, with one link each to what is to be done first. Four queries at most."""
    found: list[Finding] = []
    worse: set[tuple[str, str]] = set()
    for key, loss in leaving.losses.items():
        worse |= {(each.kind, each.subject_key) for each in loss.worse}
        found += [_finding(each, there[key].facility, on) for each in _worst_first([*loss.opened, *loss.worse])]
        headings = dict.fromkeys(WORDS[each.kind].heading for each in loss.closed)
        there[key].settled = listed(f"“{heading}”" for heading in headings)
    for number, (finding, row) in enumerate(zip(found, foreseen_rows(scope, found, on), strict=True)):
        place = there[finding.facility_id or 0]
        row["id"], row["detail"] = f"then-{number}", WORDS[finding.kind].meaning
        if (finding.kind, finding.subject_key) in worse:
            row["detail"] = f"This is wrong already and would be graver. {row['detail']}"
        if not place.url:  # a holder reads about her facility, but of no colleague
            row |= {"sentence": f"{place.facility.name}: {WORDS[finding.kind].heading}.", "url": "", "links": []}
        elif not row["links"]:
            row["links"] = [{"label": "Open the facility", "url": place.url}]
        place.rows.append(row)


def _finding(found: Found, facility: Facility, on: date) -> Finding:
    """Return a finding that is stored nowhere, to be told like one."""
    return Finding(
        organization_id=facility.organization_id,
        kind=found.kind,
        subject_key=found.subject_key,
        severity=found.severity,
        facts=json.dumps(dict(found.facts), sort_keys=True),
        facility=facility,
        opened_on=on,
    )


def _worst_first(found: Iterable[Found]) -> list[Found]:
    return sorted(found, key=lambda each: (SEVERITIES.index(each.severity), each.kind, each.subject_key))


def _gravity(loss: Loss) -> tuple[int, int]:
    ranks = [SEVERITIES.index(Severity(each.severity)) for each in (*loss.opened, *loss.worse)]
    return min(ranks, default=len(SEVERITIES)), -len(ranks)


def _summary(accounts: int, opened: int, worse: int, *, has_left: bool) -> str:
    must = ("has" if accounts == 1 else "have") if has_left else "would have"
    removed = f"{count_noun(accounts, 'account,accounts')} {must} to be removed" if accounts else ""
    are = "is" if opened == 1 else "are"
    wrong = f"{count_noun(opened, 'thing,things')} would be wrong that {are} not wrong now" if opened else ""
    graver = ""
    if worse:
        graver = count_word(worse) if wrong else count_noun(worse, "thing that is wrong now,things that are wrong now")
        graver += " would be graver"
    parts = [part for part in (removed, wrong, graver) if part]
    if not (wrong or graver):
        return f"{removed.capitalize() + '; nothing' if removed else 'Nothing'} would be wrong that is not wrong now."
    *first, last = parts
    return f"{', '.join(first)}, and {last}.".capitalize() if first else f"{last}.".capitalize()


def _own_findings(scope: Scope, who: Person) -> str:
    about = Finding.objects.visible_to(scope).open().filter(Q(person=who) | Q(account__person=who))
    count = about.count()
    if not count:
        return ""
    are = "is" if count == 1 else "are"
    finding = count_noun(count, "finding,findings").capitalize()
    return f"{finding} about the person’s own access {are} open now and would be settled with it."


def _deputies(scope: Scope, who: Person, on: date) -> list[dict[str, str]]:
    """Return for whom nobody would stand in any more, each with the way to name somebody. One query."""
    in_force = Deputy.objects.in_force(on)
    others_too = in_force.filter(person=OuterRef("person")).exclude(deputy=who)
    rows: QuerySet[Deputy] = in_force.filter(deputy=who, person__in=Person.objects.visible_to(scope))
    found = {row.person_id: row.person for row in rows.filter(~Exists(others_too)).select_related("person")}
    slug, may = scope.organization.slug, scope.acts_at(Action.NAME_DEPUTY) != frozenset()
    return [
        {
            "words": f"Nobody would stand in for {person}.",
            "url": reverse("web:person-deputy" if may else "web:person", args=[slug, key]),
        }
        for key, person in found.items()
    ]
