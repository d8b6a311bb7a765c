"""What stands in a digest, as plain values: gathered for many people at once by a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from django.db.models import BigIntegerField, Count, DateField, Exists, F, Max, Min, OuterRef, Q, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber

from accounts import sentences
from accounts.duty_sentences import temporary_due
from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.services.lapses import days_by_zone
from facilities.models import Facility
from reminders import deputies, duty_lines, finding_lines, handed_lines
from reminders.addresses import link_to, link_to_today
from reminders.audience import has_left
from reminders.letter import Addressee, Letter, Line, Tally
from reminders.models import Reminder
from staff.models import Employment
from systems.policy import EASTERN, day_in

ROWS: Final = 25  # per digest, dates first; beyond them counts per facility
PLACES: Final = 25
_KINDS: Final = Deadline.Kind
_OTHERS: Final = (
    *(_KINDS.ACKNOWLEDGEMENT, _KINDS.OBLIGATION, _KINDS.TEMPORARY, _KINDS.REVIEW, _KINDS.REQUEST_STEP, _KINDS.WINDOW),
)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What the letters of many people are written from; rows, tallies and places by person."""

    rows: Mapping[int, list[dict[str, Any]]]
    tallies: Mapping[int, Tally]
    more: Mapping[int, list[tuple[Any, Any]]]
    zones: Mapping[int, set[str]]
    left: Mapping[int, date]
    notes: Mapping[Any, deputies.Note]
    wrong: finding_lines.Gathered
    handed: handed_lines.Gathered


def write_letters(people: Sequence[Addressee], *, at: datetime) -> Iterable[Letter | tuple[Addressee, Exception]]:
    """Yield a letter for everybody who has something planned, or what went wrong with writing it.

    Twenty-seven queries at most, whatever the number; one row that cannot be said spoils no other letter.
    """
    gathered = _gather(people, at)
    for to in people:
        if all(to.person_id not in told for told in (gathered.rows, gathered.wrong.wrong, gathered.handed.news)):
            continue
        try:
            letter = _letter(to, gathered, at)
        except Exception as exc:  # the caller reports it and sets it aside
            yield to, exc
        else:
            yield letter


def _gather(people: Sequence[Addressee], at: datetime) -> _Gathered:
    waiting = Reminder.objects.filter(state=Reminder.State.PLANNED, recipient__in=[to.person_id for to in people])
    aims = waiting.filter(deadline__isnull=False).annotate(aim=_aim())
    tallies, rows = _tallies(aims, at), _rows(aims, at)
    return _Gathered(
        rows,
        tallies,
        _more(aims, rows, [pk for pk, tally in tallies.items() if tally.dates > ROWS], at),
        _zones([row["account"] for these in rows.values() for row in these if row["account"]], at),
        last_days([row["holder"] for these in rows.values() for row in these if row["holder"]], at),
        deputies.notes(rows, day_in(at, EASTERN)),
        finding_lines.gather(waiting),
        handed_lines.gather(waiting, at, last_days),
    )


def _letter(to: Addressee, gathered: _Gathered, at: datetime) -> Letter:
    on, rows, who = day_in(at, EASTERN), gathered.rows.get(to.person_id, []), to.person_id
    letter = Letter(to, on, gathered.tallies.get(who, Tally()))
    letter.lines = [_noted(to, row, gathered.notes, _line(to, row, gathered.zones, gathered.left, at)) for row in rows]
    letter.others = any(row["holder"] != who for row in rows)
    letter.more = _said(to, gathered.more.get(who, []))
    found, handed = _rooms(to, gathered, max(0, ROWS - len(letter.lines)))
    if who in gathered.handed.news:
        letter.tally = replace(letter.tally, handed=gathered.handed.news[who].count)
        room = handed
        letter.lines += handed_lines.lines(to, gathered.handed, on, room=room)
        letter.more += handed_lines.further(to, gathered.handed, room=room)
        letter.others |= handed_lines.speaks_of_others(to, gathered.handed)
    if who in gathered.wrong.wrong:
        letter.tally = replace(letter.tally, findings=gathered.wrong.wrong[who].count)
        room = found
        letter.lines += finding_lines.lines(to, gathered.wrong, on, room=room)
        letter.more += finding_lines.further(to, gathered.wrong, room=room)
        letter.others |= finding_lines.speaks_of_others(to, gathered.wrong)
    return letter


def _rooms(to: Addressee, gathered: _Gathered, room: int) -> tuple[int, int]:
    """Return how many findings and hand-overs there is room for: what is to do first, then findings, then news."""
    turns = min(room, handed_lines.to_do(to, gathered.handed))
    wrong = gathered.wrong.wrong.get(to.person_id)
    found = min(room - turns, len(wrong.shown)) if wrong else 0
    return found, room - found


def _noted(to: Addressee, row: dict[str, Any], notes: Mapping[Any, deputies.Note], line: Line) -> Line:
    note = notes.get((to.person_id, row["holder"], row["account"]))
    return replace(line, detail=note.beside(line.detail), url="" if note.beyond else line.url) if note else line


def _aim() -> Coalesce:
    return Coalesce("deadline__target_on", "deadline__due_on", output_field=DateField())


def _late(at: datetime) -> Q:
    """Return the condition that CMS's last safe day has passed, each deadline on its own clock."""
    some = Q()
    for zone, on in days_by_zone(at).items():
        some |= Q(deadline__zone=zone, deadline__due_on__lt=on)
    ours = Q(deadline__obligation__isnull=False) | Q(deadline__request_step__isnull=False)
    return some & (Q(deadline__policy__isnull=False) | ours)


def _tallies(aims: QuerySet[Reminder], at: datetime) -> dict[int, Tally]:
    on, late = day_in(at, EASTERN), _late(at)
    # Of who has left nothing is certified any more: her role is a date like others.
    certified = Q(deadline__kind=Deadline.Kind.CERTIFICATION)
    gone = certified & has_left(on, "deadline__grant__account__person")
    counted = (
        aims.order_by()
        .values("recipient")
        .annotate(
            late=Count("pk", filter=late),
            own=Count("pk", filter=Q(aim__lt=on) & ~late),
            due=Count("pk", filter=Q(aim__gte=on) & ~late),
            passwords=Count("pk", filter=Q(deadline__kind=Deadline.Kind.PASSWORD)),
            first_on=Min("aim", filter=Q(aim__gte=on)),
            last_on=Max("aim", filter=Q(aim__gte=on)),
            certifications=Count("pk", filter=certified & ~gone),
            others=Count("pk", filter=Q(deadline__kind__in=_OTHERS) | gone),
        )
    )
    names = ("late", "own", "due", "passwords", "first_on", "last_on", "certifications", "others")
    return {person: Tally(*values) for person, *values in counted.values_list("recipient", *names)}


def _rows(aims: QuerySet[Reminder], at: datetime) -> dict[int, list[dict[str, Any]]]:
    told = Reminder.objects.filter(
        deadline=OuterRef("deadline"),
        cycle=OuterRef("cycle"),
        recipient=OuterRef("recipient"),
        state=Reminder.State.IN_DIGEST,
    )
    rank = Window(RowNumber(), partition_by=F("recipient"), order_by=[F("aim"), F("deadline_id"), F("step")])
    chosen = aims.annotate(
        rank=rank,
        told=Exists(told),
        place=duty_lines.place_of(day_in(at, EASTERN)),
        account=Coalesce("deadline__account_id", "deadline__grant__account_id", output_field=BigIntegerField()),
        holder=duty_lines.holder(),
        system=Coalesce(
            "deadline__account__system__name",
            "deadline__grant__account__system__name",
            "deadline__request_step__request__system__name",
        ),
        acknowledged=duty_lines.acknowledged(),
    ).filter(rank__lte=ROWS)
    columns = ["due_on", "check_on", "kind", "zone", "policy_id", "policy__consequence", "policy__cure_text"]
    columns += [f"account__{name}" for name in ("person__first_name", "person__last_name", "login_state", "opened_on")]
    columns += duty_lines.COLUMNS
    columns += ["account_id", "account__last_login_on", "account__password_changed_on"]
    found = defaultdict(list)
    names = ["recipient", "aim", "told", "place", "account", "holder", "system", "acknowledged"]
    names += [f"deadline__{name}" for name in columns]
    for row in chosen.order_by("recipient", "rank").values(*names):
        found[row["recipient"]].append(row)
    return dict(found)


def _zones(accounts: Iterable[int], at: datetime) -> Mapping[int, set[str]]:
    """Return the clocks of the facilities where each account has a grant in force."""
    found: dict[int, set[str]] = defaultdict(set)
    grants = RoleGrant.objects.in_force(day_in(at, EASTERN)).filter(account__in=set(accounts))
    for account, zone in grants.order_by().values_list("account_id", "facility__zone").distinct():
        found[account].add(zone)
    return found


def last_days(people: Iterable[int], at: datetime) -> dict[int, date]:
    """Return person -> last day worked, of those who left. One query."""
    worked = Employment.objects.known().filter(person__in=set(people)).order_by().values("person")
    ended = worked.annotate(last=Max("valid_to"), running=Count("pk", filter=Q(valid_to=None)))
    gone = ended.filter(running=0, last__lt=day_in(at, EASTERN))
    return {row["person"]: row["last"] for row in gone}


def _more(
    aims: QuerySet[Reminder], rows: Mapping[int, list[dict[str, Any]]], people: Sequence[int], at: datetime
) -> dict[int, list[tuple[Any, Any]]]:
    """Return (facility, count) of what the rows of these people do not show, the largest counts first."""
    if not people:
        return {}
    counted = aims.filter(recipient__in=people).annotate(place=duty_lines.place_of(day_in(at, EASTERN)))
    counts: dict[int, dict[int | None, int]] = defaultdict(dict)
    for person, place, number in (
        counted.order_by()
        .values("recipient", "place")
        .annotate(number=Count("pk"))
        .values_list("recipient", "place", "number")
    ):
        counts[person][place] = number
    for person in people:
        for row in rows[person]:
            counts[person][row["place"]] -= 1
    facilities = Facility.objects.in_bulk({place for these in counts.values() for place in these if place})
    return {
        person: sorted(
            ((facilities.get(place or 0), number) for place, number in these.items() if number),
            key=lambda pair: (-pair[1], pair[0].name if pair[0] else ""),
        )
        for person, these in counts.items()
    }


def _said(to: Addressee, more: Sequence[tuple[Any, Any]]) -> list[tuple[str, str]]:
    lines = []
    for facility, number in more[:PLACES]:
        where = facility.label if facility else "without a facility"
        url = link_to("web:facility", to.slug, facility.pk) if facility else link_to_today(to.slug)
        lines.append((f"{number:,} more: {where}", url))
    rest = more[PLACES:]
    if rest:
        number = sum(count for _, count in rest)
        lines.append((f"{number:,} more at {len(rest):,} further facilities", link_to_today(to.slug)))
    return lines


def _line(
    to: Addressee, row: dict[str, Any], zones: Mapping[int, set[str]], left: Mapping[int, date], at: datetime
) -> Line:
    on = day_in(at, row["deadline__zone"])
    if row["deadline__account_id"] is None:
        return _duty(to, row, left, on)
    facts = _facts(to, row, left, on)
    late = row["deadline__due_on"] < on and row["deadline__policy_id"] is not None
    section = "late" if late else "own" if row["aim"] < on else "due"
    detail = "A login that late brings nothing back by itself: look on the system, then answer."
    if row["deadline__check_on"] is None:
        account_zones = zones.get(row["deadline__account_id"], set())
        ends = sentences.local_ends(row["deadline__due_on"], account_zones, system_zone=row["deadline__zone"])
        detail = " ".join(filter(None, [sentences.what_follows(facts), "" if row["deadline__due_on"] < on else ends]))
    url = link_to("web:account", to.slug, row["deadline__account_id"])
    return Line(section, _sentence(row, facts, late), detail, url, to.had_mail and not row["told"])


def _duty(to: Addressee, row: dict[str, Any], left: Mapping[int, date], on: date) -> Line:
    own, left_on = row["holder"] == to.person_id, left.get(row["holder"])
    section, *said, url = duty_lines.said(row, on, own=own, slug=to.slug, left_on=left_on)
    opens = "account" if row["account"] else "person" if row["deadline__person_id"] else "facility"
    if row["deadline__request_step_id"]:
        opens = "request"
    return Line(section, said[0], said[1], url, to.had_mail and not row["told"], opens)


def _facts(to: Addressee, row: dict[str, Any], left: Mapping[int, date], on: date) -> Any:
    kind, login = row["deadline__kind"], row["deadline__account__last_login_on"]
    first, last = row["deadline__account__person__first_name"], row["deadline__account__person__last_name"]
    return sentences.Facts(
        system=row["system"],
        person=f"{first} {last}".strip(),
        own=row["holder"] == to.person_id,
        on=on,
        due_on=row["deadline__due_on"],
        aim_on=row["aim"],
        last_on=row["deadline__account__password_changed_on"] if kind == Deadline.Kind.PASSWORD else login,
        never=row["deadline__account__login_state"] == PortalAccount.LoginState.NEVER,
        opened_on=row["deadline__account__opened_on"],
        check_on=row["deadline__check_on"],
        consequence=row["deadline__policy__consequence"] or "",
        cure=row["deadline__policy__cure_text"] or "",
        left_on=left.get(row["holder"]),
    )


def _sentence(row: dict[str, Any], facts: Any, late: bool) -> str:
    kind = row["deadline__kind"]
    if kind == Deadline.Kind.PASSWORD:
        return sentences.password_due(facts)
    if kind == Deadline.Kind.DELETION:
        return sentences.deletion_due(facts)
    if kind == Deadline.Kind.TEMPORARY:
        return temporary_due(person=facts.person, own=facts.own, system=facts.system, due_on=facts.due_on, on=facts.on)
    if kind != Deadline.Kind.INACTIVITY:
        aim, on = row["aim"], facts.on
        when = f"due {sentences.by_day(aim, on)}" if aim >= on else f"was due by {sentences.short_day(aim, on)}"
        return f"{Deadline.Kind(kind).label} of {facts.whose} account: {when}."
    if row["deadline__check_on"] is not None:
        return sentences.roles_to_check(facts)
    return sentences.login_passed(facts) if late else sentences.login_due(facts)
