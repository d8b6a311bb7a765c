"""Lines of a digest about what was handed over in requests: turns first, then what became of them.

Who did it or has the turn is named to whom reads that person on the pages as well; what somebody wrote is quoted to who
asked and to who may open the request.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, QuerySet, Value, When, Window
from django.db.models.functions import RowNumber

from accounts.hand_over_words import COLLEAGUE, Handed, detail, sentence
from accounts.models import HandOver, RequestStep
from accounts.policy.requesting import KIND_WORDS, Kind
from audit.bulk import among
from facilities.access import READERS
from facilities.models import Membership
from reminders import deputies
from reminders.addresses import link_to, link_to_request
from reminders.letter import Addressee, Line
from reminders.models import Reminder
from staff.models import Employment, Person
from systems.policy import EASTERN, day_in

ROWS: Final = 15  # per digest, fewer where dates leave no room; beyond them counts per facility
_What = HandOver.What
_TO_DO: Final = (_What.TURN, _What.SENT_BACK, _What.LEFT)
_REQUEST: Final = "hand_over__request__"
_READ_WITH: Final = tuple(
    f"hand_over__{name}"
    for name in (
        "step", "note", "by_person", "request__system", "request__facility", "request__requester_person",
        "request__beneficiary_person",
    )
)  # fmt: skip


@dataclass(slots=True)
class News:
    """What one person is told of hand-overs: how many, those shown, and the rest by facility (name, count)."""

    count: int = 0
    shown: list[Reminder] = field(default_factory=list)
    more: dict[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gathered:
    """What many people are told of hand-overs, by person, and what the lines need."""

    news: Mapping[int, News]
    reads: Mapping[int, set[int | None]]  # person -> facilities that she reads; None = all
    works: Mapping[int, set[int]]  # person who is named -> facilities where she works or worked
    members: frozenset[int]
    left: Mapping[int, date]
    notes: Mapping[Any, deputies.Note]


def gather(waiting: QuerySet[Reminder], at: datetime, last_days: Any) -> Gathered:
    """Return what these reminders tell of hand-overs. Seven queries at most, one where there is none."""
    planned = waiting.filter(hand_over__isnull=False)
    news = _counted(planned)
    if not news:
        return Gathered({}, {}, {}, frozenset(), {}, {})
    first = Case(When(hand_over__what__in=_TO_DO, then=Value(0)), default=Value(1), output_field=IntegerField())
    order: list[Any] = [first, F("hand_over__at"), F("hand_over_id")]
    recorded = RequestStep.objects.filter(request=OuterRef("hand_over__request"), done_at=OuterRef("hand_over__at"))
    ranked = planned.annotate(
        recorded=Exists(recorded), rank=Window(RowNumber(), partition_by=F("recipient"), order_by=order)
    )
    for row in ranked.filter(rank__lte=ROWS).select_related(*_READ_WITH).order_by("recipient", "rank"):
        mine = news[row.recipient_id]
        mine.shown.append(row)
        _count(mine, row, -1)
    reads, members = _readers(news)
    shown = [row for each in news.values() for row in each.shown]
    askers = {_of(row).requester_person_id for row in shown}
    told = {
        person: [{"holder": whose, "account": None} for row in each.shown for whose in _whose(row)]
        for person, each in news.items()
    }
    notes = deputies.notes(told, day_in(at, EASTERN))
    return Gathered(news, reads, _workplaces(shown), members, last_days(askers, at), notes)


def _counted(planned: QuerySet[Reminder]) -> dict[int, News]:
    news: dict[int, News] = defaultdict(News)
    names = ("recipient", f"{_REQUEST}facility", f"{_REQUEST}facility__name")
    for person, place, name, number in (
        planned.order_by().values(*names).annotate(number=Count("pk")).values_list(*names, "number")
    ):
        news[person].count += number
        news[person].more[place] = (name, number)
    return dict(news)


def _readers(people: Iterable[int]) -> tuple[dict[int, set[int | None]], frozenset[int]]:
    seats = Membership.objects.open().filter(
        user__is_active=True, user__people__in=set(people), user__people__organization=F("organization")
    )
    reads: dict[int, set[int | None]] = defaultdict(set)
    members = set()
    for person, place, role in seats.values_list("user__people", "facility_id", "role"):
        members.add(person)
        if role in READERS:
            reads[person].add(place)
    return reads, frozenset(members)


def _workplaces(rows: Iterable[Reminder]) -> dict[int, set[int]]:
    """Return by person who may be named in these where she works or worked. One query."""
    named = {person for row in rows for person in (*_whose(row), _at(row).by_person_id) if person}
    works: dict[int, set[int]] = defaultdict(set)
    known = Employment.objects.known().filter(person__in=among(named))
    for person, place in known.values_list("person_id", "facility_id"):
        works[person].add(place)
    return works


def to_do(to: Addressee, gathered: Gathered) -> int:
    """Return how many of the lines of one person say what is to do."""
    mine = gathered.news.get(to.person_id)
    return sum(_at(row).what in _TO_DO for row in mine.shown) if mine else 0


def lines(to: Addressee, gathered: Gathered, on: date, *, room: int) -> Iterable[Line]:
    """Yield as many lines of one person as there is room for."""
    for row in gathered.news[to.person_id].shown[:room]:
        handed = _handed(to, row, gathered, on)
        note = next(
            (gathered.notes[key] for whose in _whose(row) if (key := (to.person_id, whose, None)) in gathered.notes),
            None,
        )
        said, url = detail(handed), _url(to, row, gathered)
        if note is not None and not (handed.asks or handed.gets or handed.takes):
            said = f"{note.before} {said}".rstrip()
        if not url and to.person_id in gathered.members:
            said = f"{said} You cannot open it here: ask an administrator of {_of(row).facility.name}.".lstrip()
        section = "turn" if _at(row).what in _TO_DO else "news"
        yield Line(section, sentence(handed), said, url, new=False, opens="request")


def further(to: Addressee, gathered: Gathered, *, room: int) -> list[tuple[str, str]]:
    """Return (text, address) of what the lines do not show, by facility, the most first."""
    mine = gathered.news[to.person_id]
    for row in mine.shown[room:]:
        _count(mine, row, 1)
    rest = sorted(((name, number, place) for place, (name, number) in mine.more.items() if number), key=_most_first)
    return [
        (f"{number:,} more about requests: {name}", link_to("web:facility", to.slug, place))
        for name, number, place in rest
    ]


def _most_first(rest: tuple[str, int, int]) -> tuple[int, str]:
    return -rest[1], rest[0]


def _count(mine: News, row: Reminder, number: int) -> None:
    place = _of(row).facility_id
    name, known = mine.more[place]
    mine.more[place] = (name, known + number)


def _at(row: Reminder) -> HandOver:
    assert row.hand_over is not None
    return row.hand_over


def _of(row: Reminder) -> Any:
    return _at(row).request


def _whose(row: Reminder) -> tuple[int, int]:
    return _of(row).requester_person_id, _of(row).beneficiary_person_id


def _handed(to: Addressee, row: Reminder, gathered: Gathered, on: date) -> Handed:
    handed, request, step = _at(row), _of(row), _at(row).step
    actor = step.actor if step else ""
    removal = request.kind == Kind.REMOVAL
    hers = actor == RequestStep.Actor.HOLDER and not removal
    turn = request.beneficiary_person if hers else request.requester_person
    # The removal that she asked for herself is carried out by an administrator, who alone hears of it here.
    falls = removal and request.requester_person_id == request.beneficiary_person_id
    theirs = {RequestStep.Actor.OFFICIAL, RequestStep.Actor.CMS}
    asks = request.requester_person_id == to.person_id
    return Handed(
        what=handed.what,
        request=KIND_WORDS[request.kind],
        system=request.system.name,
        facility=request.facility.name,
        person=str(request.beneficiary_person),
        asker=_named(to, request.requester_person, gathered),
        on=on,
        since_on=day_in(handed.at, EASTERN),
        asks=asks,
        gets=request.beneficiary_person_id == to.person_id,
        takes=bool(step) and actor not in theirs and (falls or turn.pk == to.person_id),
        left=request.requester_person_id in gathered.left,
        once=request.asked_first_person_id is not None,
        step=step.title if step else "",
        actor=actor,
        turn=_named(to, turn, gathered),
        by=_named(to, handed.by_person, gathered) if handed.by_person else "",
        act=_act(row) if step else "",
        words=_words(handed) if asks or _url(to, row, gathered) else "",
        effective_on=request.effective_on,
    )


def _named(to: Addressee, person: Person, gathered: Gathered) -> str:
    """Return a person's name as far as the reader knows her: by her rights, or because she stands in for her."""
    reads = gathered.reads.get(to.person_id, set())
    known = None in reads or not reads.isdisjoint(gathered.works.get(person.pk, ()))
    stands_in = (to.person_id, person.pk, None) in gathered.notes
    return str(person) if known or stands_in or person.pk == to.person_id else COLLEAGUE


def _act(row: Any) -> str:
    """Return what brought a turn; nothing where it was taken up again, or a day passed."""
    request, at = _of(row), _at(row).at
    if request.decided_at == at:
        return "approved"
    return "sent" if request.submitted_at == at else "recorded" if row.recorded else ""


def _words(handed: HandOver) -> str:
    return handed.note.text if handed.note else str(handed.request.ended_reason)


def _url(to: Addressee, row: Reminder, gathered: Gathered) -> str:
    """Return the address of the request's page, empty for who may not open it or cannot sign in."""
    request, person = _of(row), to.person_id
    reads = gathered.reads.get(person, set())
    if None in reads or request.facility_id in reads or (person in _whose(row) and person in gathered.members):
        return link_to_request(to.slug, request.pk, request.facility_id)
    return ""


def speaks_of_others(to: Addressee, gathered: Gathered) -> bool:
    """Return whether any line is about anybody's access but the reader's."""
    return any(_of(row).beneficiary_person_id != to.person_id for row in gathered.news[to.person_id].shown)
