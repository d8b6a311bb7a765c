"""Who may decide which requests on a day: approvers and administrators of the place, who stands in for them while they
are away, and an outside deputy where nobody in the organization may (R-21, R-39, design 9.11)."""

from dataclasses import dataclass, field
from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, RequestHouse
from accounts.policy.requesting import Approved, State
from facilities.access import Scope
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from staff.models import Absence, Deputy, Employment, Person

# A privileged role can raise others' rights: it takes an administrator, not an approver alone.
ORDINARY: frozenset[str] = frozenset({Role.APPROVER, Role.ADMINISTRATOR})
PRIVILEGED: frozenset[str] = frozenset({Role.ADMINISTRATOR})


@dataclass(frozen=True, slots=True)
class Seat:
    """One role by which a person decides: where (None = everywhere), whether also privileged roles, and for whom."""

    facility: int | None
    privileged: bool
    in_place_of: int | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """All that a member may decide on a day. ``outside``: she is the outside deputy."""

    person: Person | None
    seats: tuple[Seat, ...] = field(default=())
    outside: bool = False

    def seat_for(self, request: AccessRequest) -> Seat | None:
        """Return the seat from which she may decide a request (read with its role), an own one before a deputy's."""
        privileged = request.role is not None and request.role.privileged
        fitting = [
            seat
            for seat in self.seats
            if seat.facility in (None, request.facility_id) and (seat.privileged or not privileged)
        ]
        return min(fitting, key=lambda seat: seat.in_place_of is not None, default=None)

    def condition(self) -> Q:
        """Return the condition on requests whose decision she may make, apart from being asked by or for herself."""
        found = Q(pk__in=())
        for seat in self.seats:
            # not an empty Q: beside it the other conditions would be the only ones
            here = Q(pk__isnull=False) if seat.facility is None else Q(facility=seat.facility)
            found |= here if seat.privileged else here & (Q(role=None) | Q(role__privileged=False))
        return found


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
    """Return what the member may decide on a day. Five queries at most."""
    if scope.user_id is None:
        return Reach(None)
    confirmed = Person.objects.filter(organization=scope.organization, user_confirmed_at__isnull=False)
    mine = confirmed.filter(user_id=scope.user_id).first()
    if mine is None or has_left(mine, on):
        return Reach(None)
    seats = [
        Seat(place, privileged=role in PRIVILEGED) for role, place in sorted(scope.roles, key=str) if role in ORDINARY
    ]
    away = Exists(Absence.objects.in_force(on).filter(person=OuterRef("person")))
    stands_in = Deputy.objects.in_force(on).filter(away, organization=scope.organization, deputy=mine)
    for absent, user in stands_in.values_list("person_id", "person__user_id"):
        theirs = decider_memberships(scope.organization).filter(user_id=user)
        seats += [Seat(place, role in PRIVILEGED, absent) for role, place in theirs.values_list("role", "facility_id")]
    outside = RequestHouse.objects.filter(organization=scope.organization, outside_deputy=mine).exists()
    return Reach(mine, tuple(seats), outside)


def has_left(person: Person, on: date) -> bool:
    """Return whether a person worked here and works here no more; who never had an employment has not left."""
    known = Employment.objects.known().filter(person=person)
    return known.exists() and not known.filter(Q(valid_to=None) | Q(valid_to__gte=on)).exists()


def decider_memberships(organization: Organization) -> QuerySet[Membership]:
    """Return the open memberships by which somebody decides."""
    return Membership.objects.open().filter(organization=organization, role__in=sorted(ORDINARY))


def somebody_decides(on: date) -> Q:
    """Return the condition on requests that a third person in the organization may decide, whoever is away."""
    ordinary = Q(role=None) | Q(role__privileged=False)
    return Q(Exists(_third_people(on, PRIVILEGED))) | (ordinary & Q(Exists(_third_people(on, ORDINARY))))


def _third_people(on: date, roles: frozenset[str]) -> QuerySet[Person]:
    """Return the confirmed members with one of the roles at the request's facility who neither asked nor get it."""
    seats = Membership.objects.open().filter(
        Q(facility=None) | Q(facility=OuterRef(OuterRef("facility"))),
        user=OuterRef("user"),
        organization=OuterRef("organization"),
        role__in=sorted(roles),
    )
    works = Employment.objects.known().filter(person=OuterRef("pk"))
    there = Exists(works.filter(Q(valid_to=None) | Q(valid_to__gte=on)))
    return (
        Person.objects.filter(organization=OuterRef("organization"), user_confirmed_at__isnull=False)
        .filter(Exists(seats), ~Exists(works) | there)
        .exclude(pk=OuterRef("requester_person"))
        .exclude(pk=OuterRef("beneficiary_person"))
    )


def to_decide(scope: Scope, reach: Reach, on: date) -> QuerySet[AccessRequest]:
    """Return the submitted requests that the member may decide now, for the inbox and its count."""
    waiting = AccessRequest.objects.filter(
        organization=scope.organization, state=State.SUBMITTED, approval=Approved.NEEDED
    )
    if reach.person is None:
        return waiting.none()
    reachable = reach.condition()
    if reach.outside:
        reachable |= ~somebody_decides(on)
    decided = Approval.objects.filter(
        request=OuterRef("pk"), revision=OuterRef("revision"), voided_at=None, approver_person=reach.person
    )
    return waiting.filter(reachable, ~Exists(decided)).exclude(
        Q(requester_person=reach.person) | Q(beneficiary_person=reach.person)
    )
