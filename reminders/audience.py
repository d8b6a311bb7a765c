"""Who hears about an account's deadline, as conditions on querysets: the holder, and administrators above."""

from collections.abc import Callable
from datetime import date
from typing import Any

from django.db.models import BigIntegerField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.models import Deadline, PortalAccount, RequestHouse, RequestStep, RoleGrant
from accounts.policy.requesting import Kind
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.deputies import stands_in
from reminders.ladder import Audience
from staff.models import Absence, Deputy, Employment
from systems.selectors import official_roles

Heard = Callable[[QuerySet[Deadline], date], QuerySet[Deadline]]


def has_left(on: date, person: str) -> Q:
    """Return the condition that the person (by its path) worked here once and works here neither now nor later.

    Somebody without any employment is a member or vendor, not a leaver.
    """
    worked = Employment.objects.known().filter(person=OuterRef(person))
    works = worked.filter(Q(valid_to=None) | Q(valid_to__gte=on))
    return Q(Exists(worked)) & ~Q(Exists(works))


def _in_force(path: str, on: date) -> Q:
    """Return the condition that a grant at the path holds on the day."""
    ends = Q(**{f"{path}valid_to": None}) | Q(**{f"{path}valid_to__gte": on})
    return ends & Q(**{f"{path}voided_at": None, f"{path}valid_from__lte": on})


def _administrators(path: str) -> Q:
    """Return the condition of an administrator's membership in force, whose user is a person with an address."""
    return Q(
        **{
            f"{path}role": Role.ADMINISTRATOR,
            f"{path}ended_at": None,
            f"{path}user__is_active": True,
            f"{path}user__people__organization": F("organization"),
            f"{path}user__people__email__gt": "",
        }
    )


def holders(deadlines: QuerySet[Deadline], on: date) -> QuerySet[Deadline]:
    """Annotate ``heard`` with the holder; leavers and people without an address fall away."""
    reachable = deadlines.filter(account__person__email__gt="").exclude(has_left(on, "account__person"))
    return reachable.annotate(heard=F("account__person_id"))


def facility_administrators(deadlines: QuerySet[Deadline], on: date) -> QuerySet[Deadline]:
    """Annotate ``heard`` with each administrator of a facility where the account has a grant in force."""
    # One filter() call, so that all conditions and the annotation speak of the same joined rows.
    members = "account__grants__facility__memberships__"
    found = deadlines.filter(_in_force("account__grants__", on), _administrators(members))
    return found.annotate(heard=F(f"{members}user__people")).exclude(has_left(on, "heard"))


def administrators_of_leavers(deadlines: QuerySet[Deadline], on: date) -> QuerySet[Deadline]:
    """As `facility_administrators`, for accounts of people who have left: their items go there at every step."""
    return facility_administrators(deadlines.filter(has_left(on, "account__person")), on)


def organization_administrators(deadlines: QuerySet[Deadline], on: date) -> QuerySet[Deadline]:
    """Annotate ``heard`` with each administrator of the whole organization."""
    members = "organization__memberships__"
    at_large = deadlines.filter(_administrators(members), organization__memberships__facility=None)
    return at_large.annotate(heard=F(f"{members}user__people")).exclude(has_left(on, "heard"))


# Of deadlines that hang on an account.
RECIPIENTS: dict[Audience, Heard] = {
    Audience.HOLDER: holders,
    Audience.FACILITY: facility_administrators,
    Audience.ORGANIZATION: organization_administrators,
}


def still_hears(on: date) -> Q:
    """Return the condition on reminders that the recipient may still be told: nobody reads on after leaving a role."""
    place = RoleGrant.objects.filter(_in_force("", on), account=OuterRef(OuterRef("deadline__account")))
    works = Employment.objects.known().filter(_works(on), person=OuterRef(OuterRef("deadline__person")))
    here = (
        Q(facility=None)
        | Q(Exists(place.filter(facility=OuterRef("facility"))))
        | Q(facility=OuterRef("deadline__grant__facility"))
        | Q(facility=OuterRef("deadline__facility"))
        | Q(facility=OuterRef("deadline__obligation__facility"))
        | Q(facility=OuterRef("deadline__request_step__request__facility"))
        | Q(Exists(works.filter(facility=OuterRef("facility"))))
    )
    office = Membership.objects.open().filter(
        here,
        role=Role.ADMINISTRATOR,
        organization=OuterRef("organization"),
        user__is_active=True,
        user__people=OuterRef("recipient"),
    )
    # Never NULL, or what is not true any more would not be excluded either.
    about = ("deadline__account__person_id", "deadline__person_id", "deadline__grant__account__person_id")
    subject = Coalesce(*about, Value(0), output_field=BigIntegerField())
    own = Q(recipient_id=subject) & ~has_left(on, "recipient")
    gone = has_left(on, "recipient")
    for person in ("deadline__account__person", "deadline__person", "deadline__grant__account__person"):
        gone |= has_left(on, person)
    sits = Q(Exists(office)) & ~has_left(on, "recipient")
    return own | sits | _approves(on) | _has_the_turn(on) | (stands_in(on) & ~gone)


def _works(on: date) -> Q:
    return Q(valid_to=None) | Q(valid_to__gte=on)


def _approves(on: date) -> Q:
    """Return the condition that the recipient decides on CMS's side about the role of the deadline."""
    deciding = RoleGrant.objects.filter(
        _in_force("", on),
        role__in=official_roles(),
        facility=OuterRef("deadline__grant__facility"),
        account__system=OuterRef("deadline__grant__account__system"),
        account__status=PortalAccount.Status.ACTIVE,
        account__person=OuterRef("recipient"),
    )
    return Q(deadline__grant__isnull=False) & Q(Exists(deciding)) & ~has_left(on, "recipient")


def _has_the_turn(on: date) -> Q:
    """Return the condition that it is the recipient's turn to carry out the step of the request, or to decide."""
    actors, step = RequestStep.Actor, RequestStep.objects.filter(pk=OuterRef("deadline__request_step"))
    asked = [actors.FACILITY, actors.HELP_DESK, actors.CMS]
    # The removal of her own access nobody carries out (`reminders.concerned`).
    removal, me = Q(request__kind=Kind.REMOVAL), OuterRef("recipient")
    turn: Q = Q(actor=actors.HOLDER, request__beneficiary_person=me) & ~removal
    turn |= Q(actor__in=asked, request__requester_person=me) & ~(removal & Q(request__beneficiary_person=me))
    turn |= Q(actor=actors.HOLDER, request__requester_person=me) & removal & ~Q(request__beneficiary_person=me)
    officials = RoleGrant.objects.filter(
        _in_force("", on),
        role__in=official_roles(),
        facility=OuterRef("request__facility"),
        account__system=OuterRef("request__system"),
        account__status=PortalAccount.Status.ACTIVE,
        account__person=OuterRef(OuterRef("recipient")),
    )
    seats = Membership.objects.open().filter(
        Q(facility=None) | Q(facility=OuterRef("request__facility")),
        role__in=[Role.ADMINISTRATOR, Role.APPROVER],
        organization=OuterRef("organization"),
        user__is_active=True,
        user__people=OuterRef(OuterRef("recipient")),
    )
    seats_of_absent = Membership.objects.open().filter(
        Q(facility=None) | Q(facility=OuterRef("request__facility")),
        role__in=[Role.ADMINISTRATOR, Role.APPROVER],
        organization=OuterRef("organization"),
        user__is_active=True,
        user__people__in=Deputy.objects.in_force(on)
        .filter(
            Exists(Absence.objects.in_force(on).filter(person=OuterRef("person"))),
            organization=OuterRef(OuterRef("organization")),
            deputy=OuterRef(OuterRef(OuterRef("recipient"))),
            decides=True,
        )
        .values("person"),
    )
    outside = RequestHouse.objects.filter(
        organization=OuterRef("organization"), outside_deputy=OuterRef(OuterRef("recipient"))
    )
    ordinary = Q(request__role=None) | Q(request__role__privileged=False)
    turn |= Q(Exists(officials), actor=actors.OFFICIAL)
    decides = Q(Exists(outside))
    for held in (seats, seats_of_absent):
        decides |= Q(Exists(held.filter(role=Role.ADMINISTRATOR))) | (ordinary & Q(Exists(held)))
    turn |= decides & Q(actor=actors.APPROVER)
    return Q(Exists(step.filter(turn))) & ~has_left(on, "recipient")


def truthful(on: date) -> Q:
    """Return the condition on reminders that they still say something true, to somebody who may hear it."""
    current: dict[str, Any] = {
        "deadline__closed_at": None,
        "deadline__muted": False,
        "deadline__cycle": F("cycle"),
        "deadline__organization": F("organization"),
        "recipient__organization": F("organization"),
    }
    return Q(**current) & still_hears(on)
