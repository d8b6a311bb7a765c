"""Who may decide which requests on a day: approvers and administrators of the place, who stands in for them while they
are away, and an outside deputy where nobody in the organization may (R-21, R-39, design 9.11)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import reduce
from operator import or_

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, RequestHouse
from accounts.policy.requesting import Approved, State, may_decide
from audit.bulk import among
from facilities.access import Scope
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from staff.beginnings import reads
from staff.models import Absence, Deputy, Employment, Person

# A privileged role can raise others' rights: it takes an administrator, not an approver alone.
ORDINARY: frozenset[str] = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
PRIVILEGED: frozenset[str] = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Seat:
    """One role by which a person decides: where (None = everywhere), whether also privileged roles, and for whom.

    ``email``: the work e-mail of whom she stands in for; a second record of the same person has it as well.
    """

    facility: int | None
    privileged: bool
    in_place_of: int | None = None
    email: str = ""


@dataclass(frozen=True, slots=True)
class Reach:
    """All that a member may decide on a day.

    ``outside``: she is the outside deputy. ``absent``: for whom she stands in, with their names, whether or not she
    decides in their place.
    """

    person: Person | None
    seats: tuple[Seat, ...] = field(default=())
    outside: bool = False
    absent: Mapping[int, str] = field(default_factory=dict)

    def seat_for(self, request: AccessRequest, used: Collection[int] = ()) -> Seat | None:
        """Return the seat from which she may decide a request (read with its role and people), an own one first.

        A deputy has none where the absent person asked or gets it, nor where her seat is among the ``used`` ones.
        """
        fitting = [
            seat
            for seat in self._seats_at(request)
            if seat.in_place_of is None
            or (seat.in_place_of not in used and not concerned(request, seat.in_place_of, seat.email))
        ]
        return min(fitting, key=lambda seat: seat.in_place_of is not None, default=None)

    def stands_in_at(self, request: AccessRequest) -> bool:
        """Return whether she stands in for somebody who decides such requests, be it not this one."""
        return any(seat.in_place_of is not None for seat in self._seats_at(request))

    def _seats_at(self, request: AccessRequest) -> list[Seat]:
        privileged = request.role is not None and request.role.privileged
        here = (None, request.facility_id)
        return [seat for seat in self.seats if seat.facility in here and (seat.privileged or not privileged)]

    def condition(self, records: Mapping[int, frozenset[int]]) -> Q:
        """Return the condition on requests whose decision she may make, apart from being asked by or for herself.

        ``records``: those of whom she stands in for, as `records_of` finds them.
        """
        found = Q(pk__in=())
        for seat in self.seats:
            # not an empty Q: beside it the other conditions would be the only ones
            here: Q = Q(pk__isnull=False) if seat.facility is None else Q(facility=seat.facility)
            here = here if seat.privileged else here & (Q(role=None) | Q(role__privileged=False))
            if seat.in_place_of is not None:
                absent = Q(approver_person=seat.in_place_of) | Q(in_place_of=seat.in_place_of)
                here &= ~about(records[seat.in_place_of])
                here &= ~Q(Exists(_given().filter(absent)))
            found |= here
        return found


def concerned(request: AccessRequest, person: int, email: str) -> bool:
    """Return whether somebody asked for a request or gets it, be it by a second record with her work e-mail.

    Also whether she asked first, where somebody took it over (read with that person as well).
    """
    people = [request.requester_person, request.beneficiary_person]
    if request.asked_first_person is not None:
        people.append(request.asked_first_person)
    twins = {each.pk for each in people if email and each.email.casefold() == email.casefold()}
    own = any(not may_decide(person, requester=each.pk, beneficiary=each.pk) for each in people)
    return bool(twins) or own


def about(records: frozenset[int]) -> Q:
    """Return the condition on requests that `concerned` says yes to, for a person with these records."""
    keys = sorted(records)  # as values: an engine that knows them estimates what is left, and reads no people
    return Q(requester_person__in=keys) | Q(beneficiary_person__in=keys) | Q(asked_first_person__in=keys)


def records_of(organization: Organization, people: dict[int, str]) -> dict[int, frozenset[int]]:
    """Return by person all records with her work e-mail, her own among them. ``people``: e-mail by key. One query."""
    emails = {email.casefold() for email in people.values() if email}
    said = reduce(or_, (reads("email", email) for email in sorted(emails)), Q(pk__in=()))
    found: dict[str, set[int]] = {}
    for pk, email in Person.objects.filter(said, organization=organization).values_list("pk", "email"):
        found.setdefault(email.casefold(), set()).add(pk)
    return {pk: frozenset({pk} | found.get(email.casefold(), set())) for pk, email in people.items()}


def _given() -> QuerySet[Approval]:
    """Return the decisions about the present revision of a request."""
    return Approval.objects.filter(request=OuterRef("pk"), revision=OuterRef("revision"), voided_at=None)


def own_person(scope: Scope) -> Person:
    """Return the acting member's person. Raises AccountRefused for a command, and for who is nobody's person yet."""
    found = None
    if scope.user_id is not None:
        found = Person.objects.filter(organization=scope.organization, user_id=scope.user_id).first()
    if found is None:
        raise AccountRefused(
            "Nobody knows yet which person of the organization you are. An administrator says so under Settings,"
            " Members.",
            code="no_person",
        )
    return found


def reach_of(scope: Scope, on: date) -> Reach:
    """Return what the member may decide on a day. Four queries at most."""
    if scope.user_id is None:
        return Reach(None)
    confirmed = Person.objects.filter(organization=scope.organization, user_confirmed_at__isnull=False)
    mine = confirmed.filter(works_here(on), user_id=scope.user_id).first()
    if mine is None:
        return Reach(None)
    seats = [
        Seat(place, privileged=role in PRIVILEGED) for role, place in sorted(scope.roles, key=str) if role in ORDINARY
    ]
    away = Exists(Absence.objects.in_force(on).filter(person=OuterRef("person")))
    named = Deputy.objects.in_force(on).filter(away, organization=scope.organization, deputy=mine)
    stands_in = named.filter(works_here(on, "person"), person__user_confirmed_at__isnull=False).select_related("person")
    absent: dict[int, str] = {}
    for each in stands_in.order_by("person_id"):
        absent[each.person_id] = str(each.person)
        if each.decides:
            theirs = decider_memberships(scope.organization).filter(user_id=each.person.user_id or 0)
            places = theirs.values_list("role", "facility_id")
            seats += [Seat(place, role in PRIVILEGED, each.person_id, each.person.email) for role, place in places]
    outside = RequestHouse.objects.filter(organization=scope.organization, outside_deputy=mine).exists()
    return Reach(mine, tuple(seats), outside, absent)


def has_left(person: Person, on: date) -> bool:
    """Return whether a person worked here and works here no more; who never had an employment has not left."""
    return not Person.objects.filter(works_here(on), pk=person.pk).exists()


def decider_memberships(organization: Organization) -> QuerySet[Membership]:
    """Return the open memberships by which somebody decides."""
    return Membership.objects.open().filter(organization=organization, role__in=sorted(ORDINARY))


def somebody_decides(on: date) -> Q:
    """Return the condition on requests that third people in the organization may decide, as many as it takes.

    It counts who has not decided the present revision, whoever is away.
    """
    ordinary = Q(role=None) | Q(role__privileged=False)
    return _enough(_third_people(on, PRIVILEGED)) | (ordinary & _enough(_third_people(on, ORDINARY)))


def _enough(people: QuerySet[Person]) -> Q:
    one_left = Q(approvers_needed=1) | Exists(_given())  # two at most decide: a check of the table
    return Q(Exists(people)) & (one_left | Exists(people.order_by("pk")[1:2]))


def _third_people(on: date, roles: frozenset[str]) -> QuerySet[Person]:
    """Return the confirmed members with one of the roles there who neither asked, get it, nor have decided it."""
    seats = Membership.objects.open().filter(
        Q(facility=None) | Q(facility=OuterRef(OuterRef("facility"))),
        user=OuterRef("user"),
        organization=OuterRef("organization"),
        role__in=sorted(roles),
    )
    decided = Approval.objects.filter(
        Q(approver_person=OuterRef("pk")) | Q(in_place_of=OuterRef("pk")),
        request=OuterRef(OuterRef("pk")),
        revision=OuterRef(OuterRef("revision")),
        voided_at=None,
    )
    return (
        Person.objects.filter(organization=OuterRef("organization"), user_confirmed_at__isnull=False)
        .filter(works_here(on), Exists(seats), ~Exists(decided))
        .exclude(pk=OuterRef("requester_person"))
        .exclude(pk=OuterRef("beneficiary_person"))
        .exclude(pk=Coalesce(OuterRef("asked_first_person"), Value(0)))
        .exclude(~Q(email=""), email__iexact=OuterRef("requester_person__email"))
        .exclude(~Q(email=""), email__iexact=OuterRef("beneficiary_person__email"))
        # nobody's is no address: NULL would be neither true nor false
        .exclude(~Q(email=""), email__iexact=Coalesce(OuterRef("asked_first_person__email"), Value("")))
    )


@dataclass(frozen=True, slots=True)
class Able:
    """Who may still decide a request, and whether that is as many as it takes. ``outside``: fills a gap."""

    people: frozenset[int]
    missing: int = 0
    outside: int | None = None

    @property
    def nobody(self) -> bool:
        """Whether it waits for ever."""
        return self.missing > (self.outside is not None)


def able_to(organization: Organization, requests: Sequence[AccessRequest], on: date) -> dict[int, Able]:
    """Return by request, stored or not (read with its role and people), who may decide it. Five queries at most.

    As `somebody_decides`, and with the outside deputy: who left or is no member any more fills no gap.
    """
    seats = list(decider_memberships(organization).values_list("user_id", "facility_id", "role"))
    here = Person.objects.filter(organization=organization, user_confirmed_at__isnull=False).filter(works_here(on))
    able = here.filter(user__in={user for user, _, _ in seats})
    of_user = {user: (pk, email) for user, pk, email in able.values_list("user_id", "pk", "email")}
    given: dict[int, list[tuple[int, int | None]]] = {}
    if any(row.state == State.SUBMITTED for row in requests):
        rows = Approval.objects.filter(
            request__in=among(row.pk for row in requests), revision=F("request__revision"), voided_at=None
        )
        for pk, approver, absent in rows.values_list("request_id", "approver_person_id", "in_place_of_id"):
            given.setdefault(pk, []).append((approver, absent))
    found = {}
    for row in requests:
        roles = PRIVILEGED if row.role is not None and row.role.privileged else ORDINARY
        decided = {person for both in given.get(row.pk, ()) for person in both}
        fitting = {
            of_user[user]
            for user, place, role in seats
            if user in of_user and role in roles and place in (None, row.facility_id)
        }
        people = frozenset(pk for pk, email in fitting if pk not in decided and not concerned(row, pk, email))
        missing = max(0, row.approvers_needed - len(given.get(row.pk, ())) - len(people))
        found[row.pk] = Able(people, missing)
    if any(each.missing for each in found.values()):
        outside = outside_deputy(organization, on)
        for row in requests:
            one = found[row.pk]
            decided = {person for both in given.get(row.pk, ()) for person in both}
            if outside is None or not one.missing or outside.pk in one.people | decided:
                continue
            if not concerned(row, outside.pk, outside.email):
                found[row.pk] = replace(one, outside=outside.pk)
    return found


def outside_deputy(organization: Organization, on: date) -> Person | None:
    """Return who decides from outside: a confirmed member who has not left. One query."""
    member = Membership.objects.open().filter(organization=organization, user=OuterRef("user"))
    named = RequestHouse.objects.filter(organization=organization).values("outside_deputy")
    able = Person.objects.filter(Exists(member), works_here(on), pk__in=named, user_confirmed_at__isnull=False)
    return able.first()


def works_here(on: date, person: str = "pk") -> Q:
    """Return the condition on people that `has_left` says no to."""
    works = Employment.objects.known().filter(person=OuterRef(person))
    return ~Exists(works) | Q(Exists(works.filter(Q(valid_to=None) | Q(valid_to__gte=on))))


def to_decide(scope: Scope, reach: Reach, on: date) -> QuerySet[AccessRequest]:
    """Return the submitted requests that the member may decide now, for the inbox and its count. One query."""
    waiting = AccessRequest.objects.filter(
        organization=scope.organization, state=State.SUBMITTED, approval=Approved.NEEDED
    )
    if reach.person is None:
        return waiting.none()
    me = reach.person
    absent = {seat.in_place_of: seat.email for seat in reach.seats if seat.in_place_of is not None}
    records = records_of(scope.organization, absent | {me.pk: me.email})
    reachable = reach.condition(records)
    if reach.outside:
        reachable |= ~somebody_decides(on)
    # Where a deputy decided in her place, her seat is used as well.
    used = _given().filter(Q(approver_person=me) | Q(in_place_of=me))
    return waiting.filter(reachable, ~Exists(used)).exclude(about(records[me.pk]))
