"""Who hears of what was handed over in requests (`accounts.models.HandOver`), and what of it is still true.

Whose turn it is, who asked, for whom it is, who wrote along and may read it still; while one of them is away also who
stands in for her, apart from comments: those only for who asked. Where she has left or has no address, or asked and is
no member any more, the next in line: who asked, the facility's administrators, the organization's, nobody for what
takes or changes her own access. Nobody is told of her own act.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import HandOver, PortalAccount, RequestNote, RequestStep, RoleGrant
from accounts.policy.requesting import ABOUT_WHAT_IS_HELD, Kind, State
from audit.bulk import among
from facilities.access import READERS
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.audience import has_left
from staff.models import Absence, Deputy, Person
from systems.selectors import official_roles

_What = HandOver.What
_Actor = RequestStep.Actor
_RUNNING: Final = (State.APPROVED.value, State.IN_PROGRESS.value)
_OUTCOMES: Final = (_What.REJECTED, _What.WITHDRAWN, _What.DONE, _What.FAILED, _What.UNDONE)
# Of an outcome: the state in which the request still has to be.
_STATE: Final = {
    _What.SENT_BACK: State.DRAFT,
    _What.REJECTED: State.REJECTED,
    _What.WITHDRAWN: State.WITHDRAWN,
    _What.DONE: State.DONE,
    _What.FAILED: State.FAILED,
    _What.UNDONE: State.IN_PROGRESS,
}
READ_WITH: Final = ("request__system", "request__facility", "request__beneficiary_person", "step")


def stands() -> Q:
    """Return the condition on hand-overs that they still say something true."""
    found = Q(what=_What.COMMENT)
    found |= Q(what=_What.LEFT, request__closed_at=None, request__requester_person=F("by_person"))
    found |= Q(what=_What.TURN, step__state=RequestStep.State.OPEN, step__due_on=None, request__state__in=_RUNNING)
    for what, state in _STATE.items():
        found |= Q(what=what, request__state=state.value)
    return found


@dataclass(slots=True)
class _Around:
    """Who is who around some hand-overs, read at once."""

    officials: dict[tuple[int, int], set[int]]  # facility, system -> people
    writers: dict[int, set[int]]  # request -> people
    administrators: dict[tuple[int, int | None], set[int]]  # organization, facility -> people
    emails: dict[int, str]  # of the administrators
    deputies: dict[int, set[int]] = field(default_factory=dict)
    reachable: set[int] = field(default_factory=set)
    outside: set[int] = field(default_factory=set)  # who asked and is no member any more


def recipients(rows: Sequence[HandOver], on: date) -> Iterator[tuple[HandOver, int]]:
    """Yield each hand-over (read with `READ_WITH`) with each person who is told of it. Seven queries at most."""
    around = _Around(_officials(rows, on), _writers(rows), *_administrators(rows))
    named = {row.pk: _concerned(row, around) for row in rows}
    direct = {person for people in named.values() for person in people}
    around.deputies = _deputies(direct, on)
    everybody = direct.union(*around.deputies.values(), *around.administrators.values())
    askers = {row.request.requester_person_id for row in rows}
    around.reachable = _reachable(everybody | askers, on)
    around.outside = _outside(askers)
    for row in rows:
        for person in sorted(_told(row, named[row.pk], around) - {row.by_person_id}):
            yield row, person


def _concerned(row: HandOver, around: _Around) -> set[int]:
    """Return whom it is about before anybody stands in for her."""
    request = row.request
    if row.what == _What.LEFT:
        return set()
    if row.what == _What.TURN and row.step is not None:
        if row.step.actor == _Actor.HOLDER and request.kind != Kind.REMOVAL:
            return {request.beneficiary_person_id}
        if row.step.actor == _Actor.OFFICIAL:
            there = around.officials.get((request.facility_id, request.system_id), set())
            return there - {request.beneficiary_person_id}
        if request.kind == Kind.REMOVAL and request.requester_person_id == request.beneficiary_person_id:
            return _others_leading(row, around)  # nobody carries out the removal of her own access
        return {request.requester_person_id}
    asked = {request.requester_person_id}
    if row.what == _What.COMMENT:
        return asked | around.writers.get(request.pk, set())
    if row.what in _OUTCOMES and request.kind not in ABOUT_WHAT_IS_HELD:
        asked.add(request.beneficiary_person_id)
    return asked


def _told(row: HandOver, named: set[int], around: _Around) -> set[int]:
    """Return who is told: whom it is about, who stands in, or the next in line."""
    request = row.request
    if row.what == _What.LEFT:
        return _next_in_line(row, around)
    asker = {request.requester_person_id}
    answer = around.reachable - (asker & around.outside)
    of_that = named & (answer | (around.reachable & {request.beneficiary_person_id}))
    # of a comment or an outcome others may hear; who asked still has to be answered for
    must = asker if row.what != _What.TURN else named
    if must & answer:
        absent = of_that & asker if row.what == _What.COMMENT else of_that
        stand_in = set().union(*(around.deputies.get(person, set()) for person in absent))
        return of_that | (stand_in & around.reachable)
    if asker & answer:
        return asker
    return of_that | _next_in_line(row, around)


def _next_in_line(row: HandOver, around: _Around) -> set[int]:
    for place in (row.request.facility_id, None):
        found = around.administrators.get((row.organization_id, place), set()) & around.reachable
        if row.request.kind in ABOUT_WHAT_IS_HELD:
            gets = row.request.beneficiary_person
            hers = {person for person in found if gets.email and around.emails[person] == gets.email.casefold()}
            found -= hers | {gets.pk}
        if found:
            return found
    return set()


def _others_leading(row: HandOver, around: _Around) -> set[int]:
    """Return the administrators of a request's facility, else of the organization, beside whom it is for."""
    hers = {row.request.beneficiary_person_id}
    for place in (row.request.facility_id, None):
        found = around.administrators.get((row.organization_id, place), set()) - hers
        if found:
            return found
    return hers


def _officials(rows: Iterable[HandOver], on: date) -> dict[tuple[int, int], set[int]]:
    asked = {
        (row.request.facility_id, row.request.system_id)
        for row in rows
        if row.step is not None and row.step.actor == _Actor.OFFICIAL
    }
    found: dict[tuple[int, int], set[int]] = defaultdict(set)
    if asked:
        grants = _official_grants(on).filter(facility__in={place for place, _ in asked})
        for place, system, person in grants.values_list("facility_id", "account__system_id", "account__person_id"):
            found[place, system].add(person)
    return found


def _official_grants(on: date) -> QuerySet[RoleGrant]:
    return RoleGrant.objects.in_force(on).filter(role__in=official_roles(), account__status=PortalAccount.Status.ACTIVE)


def _writers(rows: Iterable[HandOver]) -> dict[int, set[int]]:
    asked = {row.request_id for row in rows if row.what == _What.COMMENT}
    found: dict[int, set[int]] = defaultdict(set)
    if asked:
        notes = _readable_notes().filter(request__in=among(asked))
        for request, person in notes.values_list("request_id", "person_id"):
            found[request].add(person)
    return found


def _readable_notes() -> QuerySet[RequestNote]:
    """Return what people wrote who may read the request still, as `AccessRequest.objects.visible_to` says it."""
    seats = _seats_of(OuterRef("person"))
    there = seats.filter(Q(facility=None) | Q(facility=OuterRef("request__facility")), role__in=sorted(READERS))
    own = Q(person=F("request__requester_person")) | Q(person=F("request__beneficiary_person"))
    return RequestNote.objects.filter(Q(Exists(there)) | (own & Q(Exists(seats))), person__isnull=False)


def _seats_of(person: Any) -> QuerySet[Membership]:
    """Return the memberships in force of a person in the organization of the row around."""
    return Membership.objects.open().filter(
        organization=OuterRef("organization"), user__is_active=True, user__people=person
    )


def _administrators(rows: Iterable[HandOver]) -> tuple[dict[tuple[int, int | None], set[int]], dict[int, str]]:
    """Return by place who administers it, and their addresses. One query."""
    found: dict[tuple[int, int | None], set[int]] = defaultdict(set)
    emails: dict[int, str] = {}
    places = {row.request.facility_id for row in rows}
    seats = Membership.objects.open().filter(
        Q(facility=None) | Q(facility__in=places),
        organization__in={row.organization_id for row in rows},
        role=Role.ADMINISTRATOR,
        user__is_active=True,
        user__people__organization=F("organization"),
    )
    columns = ("organization_id", "facility_id", "user__people", "user__people__email")
    for organization, place, person, email in seats.values_list(*columns):
        found[organization, place].add(person)
        emails[person] = email.casefold()
    return found, emails


def _deputies(people: Iterable[int], on: date) -> dict[int, set[int]]:
    away = Exists(Absence.objects.in_force(on).filter(person=OuterRef("person")))
    found: dict[int, set[int]] = defaultdict(set)
    for person, deputy in (
        Deputy.objects.in_force(on).filter(away, person__in=among(people)).values_list("person_id", "deputy_id")
    ):
        found[person].add(deputy)
    return found


def _reachable(people: Iterable[int], on: date) -> set[int]:
    here = Person.objects.filter(pk__in=among(people)).exclude(email="").exclude(has_left(on, "pk"))
    return set(here.values_list("pk", flat=True))


def _outside(people: Iterable[int]) -> set[int]:
    """Return who can no longer sign in here: she asked as a member, and asks no more."""
    once = Person.objects.filter(pk__in=among(people), user__isnull=False)
    return set(once.exclude(Exists(_seats_of(OuterRef("pk")))).values_list("pk", flat=True))


def truthful(on: date) -> Q:
    """Return the condition on reminders of hand-overs that they still say something true, to somebody who may hear."""
    who = OuterRef("recipient")
    inner = OuterRef(OuterRef("recipient"))
    office = _seats_of(inner).filter(
        Q(facility=None) | Q(facility=OuterRef("request__facility")), role=Role.ADMINISTRATOR
    )
    decides = _official_grants(on).filter(
        facility=OuterRef("request__facility"), account__system=OuterRef("request__system")
    )
    theirs = _official_grants(on).filter(
        facility=OuterRef(OuterRef("request__facility")),
        account__system=OuterRef(OuterRef("request__system")),
        account__person=OuterRef("person"),
    )
    deputies = Deputy.objects.in_force(on).filter(deputy=inner)
    stands_in = deputies.filter(
        Q(person=OuterRef("request__requester_person")) | Q(person=OuterRef("request__beneficiary_person"))
    )
    official = Q(Exists(decides.filter(account__person=inner))) | Q(Exists(deputies.filter(Exists(theirs))))
    wrote = _readable_notes().filter(request=OuterRef("request"), person=inner)
    asks = Q(request__requester_person__user=None) | Q(Exists(_seats_of(inner)))
    hears = (Q(request__requester_person=who) & asks) | Q(request__beneficiary_person=who)
    hears |= Q(Exists(office)) | Q(Exists(stands_in)) | (Q(what=_What.COMMENT) & Q(Exists(wrote)))
    hears |= Q(step__actor=_Actor.OFFICIAL) & official
    still = HandOver.objects.filter(stands(), hears, pk=OuterRef("hand_over"), organization=OuterRef("organization"))
    return Q(Exists(still), recipient__organization=F("organization")) & ~has_left(on, "recipient")
