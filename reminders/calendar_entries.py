"""What stands in a member's calendar, as plain values: her own dates, and what is due where she looks after others."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import BigIntegerField, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts import calendar_words as words
from accounts import sentences
from accounts.models import Deadline, HouseWindow, PortalAccount, RoleGrant
from accounts.models.watch import DeadlineQuerySet
from facilities.access import Scope
from facilities.models import Facility, Organization
from reminders import duty_lines
from reminders.addresses import link_to, link_to_today
from reminders.letters import last_days
from reminders.turns import steps_with_a_day
from staff.models import Employment, Person
from systems.policy import EASTERN, day_in

WEEKS: Final = 13  # ahead, of other people's dates; her own come all
MOST: Final = 500
LINES: Final = 5  # spelled out in an entry about several dates
SLICE: Final = 1000  # rows read at once
_Kind: Final = Deadline.Kind
_OF_ACCOUNTS: Final = {
    _Kind.INACTIVITY: words.login_day,
    _Kind.PASSWORD: words.password_day,
    _Kind.DELETION: words.deletion_day,
    _Kind.TEMPORARY: words.temporary_day,
}
_OF_OTHERS: Final = {
    _Kind.CERTIFICATION: words.certification_day,
    _Kind.TEMPORARY: words.role_ends_day,
    _Kind.ACKNOWLEDGEMENT: words.acknowledgement_day,
    _Kind.OBLIGATION: words.obligation_day,
    _Kind.REVIEW: words.review_day,
    _Kind.REQUEST_STEP: words.step_day,
    _Kind.WINDOW: words.window_day,
}
_COLUMNS: Final = (
    *("pk", "kind", "due_on", "zone", "check_on", "cycle", "account_id", "grant__account_id", "policy_id"),
    *("policy__consequence", "policy__cure_text", "account__system__name", "grant__account__system__name"),
    *("account__person__first_name", "account__person__last_name", "account__login_state", "account__opened_on"),
    *("account__last_login_on", "account__password_changed_on", "grant__facility_id", "obligation__facility_id"),
    *duty_lines.COLUMNS,
)
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One day in a calendar. ``mark`` is the same for the same date for ever; ``alarm``: remind two days before."""

    mark: str
    on: date
    sequence: int
    title: str
    lines: list[str]
    url: str
    alarm: bool


@dataclass(slots=True)
class _Group:
    """What is due at one facility on one day: how many dates, and the first of them."""

    count: int = 0
    rows: list[Row] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Entries:
    """A whole calendar; ``cut``: not everything at the facilities found room."""

    entries: list[Entry]
    cut: bool = False


def entries_for(person: Person, scope: Scope, *, around: Scope | None, at: datetime) -> Entries:
    """Return the person's open dates, and with ``around`` those of others in that scope, at most `MOST` in all.

    Her own are also the steps of requests that she takes or decides. A date of nobody's mails (the system has closed)
    is left out. Eleven queries, six more where a step of a request is open somewhere, and one for each further thousand
    rows read; reading stops with the day on which there is no more room.
    """
    on = day_in(at, EASTERN)
    rows = list(_own(person, scope, on).values(*_names()))
    clocks = _zones([row["account_id"] for row in rows if row["account_id"]], on)
    entries = [_entry(row, scope, at, own=True, clocks=clocks) for row in rows]
    if around is None:
        return Entries(entries)
    groups, cut = _around(person, around, on, MOST - len(entries))
    shown = [row for group in groups.values() for row in group.rows]
    left = last_days([row["holder"] for row in shown if row["holder"]], at)
    names = Facility.objects.in_bulk({place for _, place in groups if place})
    for (day, place), group in groups.items():
        if group.count == 1:
            entries.append(_entry(group.rows[0], scope, at, own=False, left=left))
        else:
            entries.append(_several(day, names.get(place or 0), group, scope, at, left))
    return Entries(entries, cut)


def _open(deadlines: DeadlineQuerySet, organization: Organization) -> QuerySet[Any]:
    kinds = [*_OF_ACCOUNTS, *_OF_OTHERS]
    rows = deadlines.open().filter(organization=organization, muted=False, kind__in=kinds)
    # The index of open deadlines serves the order; a stricter house window would need another one.
    stricter = HouseWindow.objects.filter(organization=organization, enabled=True).exists()
    return rows.annotate(
        aim=Coalesce("target_on", "due_on") if stricter else F("due_on"),
        holder=Coalesce(
            "account__person_id",
            "grant__account__person_id",
            "person_id",
            duty_lines.turn_of(""),
            output_field=BigIntegerField(),
        ),
        last_on=duty_lines.acknowledged(""),
    )


def _names() -> tuple[str, ...]:
    return ("aim", "holder", "last_on", *_COLUMNS)


def _own(person: Person, scope: Scope, on: date) -> QuerySet[Any]:
    accounts = list(PortalAccount.objects.filter(person=person).values_list("pk", flat=True))
    grants = list(RoleGrant.objects.in_force(on).filter(account__in=accounts).values_list("pk", flat=True))
    mine = Q(account__in=accounts) | Q(grant__in=grants) | Q(person=person)
    if Deadline.objects.open().filter(organization=person.organization, request_step__isnull=False).exists():
        mine |= Q(request_step__in=list(steps_with_a_day(person, scope, on).values_list("pk", flat=True)))
    return _open(Deadline.objects.filter(mine), person.organization).order_by("aim", "pk")[:MOST]


def _around(person: Person, scope: Scope, on: date, room: int) -> tuple[Mapping[tuple[date, int | None], _Group], bool]:
    """Return what is due to others by day and facility, soonest first; True where there was no room for more."""
    groups: dict[tuple[date, int | None], _Group] = {}
    newest = on
    for row in _slices(_of_others(scope, on)):
        if row["holder"] == person.pk:
            continue
        key = (row["aim"], row["place"])
        if key not in groups:
            if len(groups) >= room:
                if row["aim"] > newest:
                    return groups, True
                continue
            groups[key], newest = _Group(), row["aim"]
        groups[key].count += 1
        groups[key].rows += [row] if len(groups[key].rows) < LINES else []
    return groups, len(groups) >= room


def _of_others(scope: Scope, on: date) -> QuerySet[Any]:
    rows = _open(Deadline.objects.visible_to(scope).filter(request_step=None), scope.organization)
    grants = RoleGrant.objects.in_force(on).filter(account=OuterRef("account"))
    works = Employment.objects.in_force(on).filter(person=OuterRef("person"))
    if scope.reads is not None:
        grants, works = grants.filter(facility__in=scope.reads), works.filter(facility__in=scope.reads)
    place = Coalesce(
        Subquery(grants.order_by("facility_id").values("facility_id")[:1]),
        "grant__facility_id",
        "facility_id",
        "obligation__facility_id",
        Subquery(works.order_by("facility_id").values("facility_id")[:1]),
        output_field=BigIntegerField(),
    )
    ahead = rows.filter(aim__gte=on, aim__lt=on + timedelta(weeks=WEEKS))
    return ahead.annotate(place=place).order_by("aim", "pk")


def _slices(rows: QuerySet[Any]) -> Iterator[Row]:
    """Yield all rows in their order, read a slice at a time."""
    last: Row | None = None
    while True:
        more = rows.filter(Q(aim__gt=last["aim"]) | Q(aim=last["aim"], pk__gt=last["pk"])) if last else rows
        found = list(more.values("place", *_names())[:SLICE])
        yield from found
        if len(found) < SLICE:
            return
        last = found[-1]


def _zones(accounts: Iterable[int], on: date) -> dict[int, set[str]]:
    """Return the clocks of the facilities where each account has a grant in force."""
    found: dict[int, set[str]] = {}
    grants = RoleGrant.objects.in_force(on).filter(account__in=set(accounts)).order_by()
    for account, zone in grants.values_list("account_id", "facility__zone").distinct():
        found.setdefault(account, set()).add(zone)
    return found


def _entry(
    row: Row,
    scope: Scope,
    at: datetime,
    *,
    own: bool,
    left: Mapping[int, date] | None = None,
    clocks: Mapping[int, set[str]] | None = None,
) -> Entry:
    account = row["account_id"] or row["grant__account_id"]
    place = row["grant__facility_id"] or row["facility_id"] or row["obligation__facility_id"]
    place = place or row["request_step__request__facility_id"]
    title, lines = _words(row, at, own, left or {})
    if clocks and row["due_on"] >= day_in(at, row["zone"]):
        ends = sentences.local_ends(row["due_on"], clocks.get(account, ()), system_zone=row["zone"])
        lines += [ends] if ends else []
    url = duty_lines.url(scope.organization.slug, row, account, place)
    return Entry(f"deadline-{row['pk']}", row["aim"], row["cycle"], title, lines, url, alarm=own)


def _several(
    day: date, facility: Facility | None, group: _Group, scope: Scope, at: datetime, left: Mapping[int, date]
) -> Entry:
    slug = scope.organization.slug
    titles = [_words(row, at, False, left)[0] for row in group.rows]
    rest = group.count - len(titles)
    return Entry(
        f"facility-{facility.pk if facility else 0}-{day:%Y%m%d}",
        day,
        0,
        words.several(group.count, f"at {facility.name}" if facility else "without a facility"),
        [*titles, words.further(rest)] if rest else titles,
        link_to("web:facility", slug, facility.pk) if facility else link_to_today(slug),
        alarm=False,
    )


def _words(row: Row, at: datetime, own: bool, left: Mapping[int, date]) -> tuple[str, list[str]]:
    """Return title and lines of one date."""
    on, kind = day_in(at, row["zone"]), row["kind"]
    if row["account_id"] is None:
        # Of a step that she takes for somebody else or decides, the entry names whose it is.
        told = row | {"left_on": left.get(row["holder"])}
        duty = duty_lines.duty_of(told, on, own=own and (row["request_step_id"] is None or row["holder"] is not None))
        certified = kind == Deadline.Kind.CERTIFICATION
        lines = words.behind_certification(duty) if certified else [duty_lines.detail(kind, duty)]
        return _OF_OTHERS[kind](duty), lines
    facts = _facts(row, on, own, left)
    if facts.left_on and not own:
        return words.leaver_day(facts), words.behind(facts)
    title = words.check_day(facts) if facts.check_on and kind == Deadline.Kind.INACTIVITY else _OF_ACCOUNTS[kind](facts)
    return title, words.behind(facts, password=kind == Deadline.Kind.PASSWORD)


def _facts(row: Row, on: date, own: bool, left: Mapping[int, date]) -> sentences.Facts:
    password = row["kind"] == Deadline.Kind.PASSWORD
    first, last = row["account__person__first_name"], row["account__person__last_name"]
    return sentences.Facts(
        system=row["account__system__name"],
        person=f"{first} {last}".strip(),
        own=own,
        on=on,
        due_on=row["due_on"],
        aim_on=row["aim"],
        last_on=row["account__password_changed_on"] if password else row["account__last_login_on"],
        never=row["account__login_state"] == PortalAccount.LoginState.NEVER,
        opened_on=row["account__opened_on"],
        check_on=row["check_on"],
        consequence=row["policy__consequence"] or "",
        cure=row["policy__cure_text"] or "",
        left_on=left.get(row["holder"]),
    )
