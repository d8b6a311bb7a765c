"""Steps of requests whose turn a member has: what she carries out, and what she decides."""

from datetime import date

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import PortalAccount, RequestStep, RoleGrant
from accounts.policy.requesting import Kind
from accounts.services.requests.deciders import reach_of, to_decide
from accounts.services.requests.taking_over import own_removals
from facilities.access import Scope
from staff.models import Person
from systems.selectors import official_roles

_Actor = RequestStep.Actor


def steps_with_a_day(person: Person, scope: Scope, on: date) -> QuerySet[RequestStep]:
    """Return the open steps with a day that the member has to take or to decide. Six queries."""
    steps = RequestStep.objects.filter(
        organization=scope.organization, state=RequestStep.State.OPEN, due_on__isnull=False
    )
    officials = RoleGrant.objects.in_force(on).filter(
        role__in=official_roles(),
        facility=OuterRef("request__facility"),
        account__system=OuterRef("request__system"),
        account__status=PortalAccount.Status.ACTIVE,
        account__person=person,
    )
    decisions = to_decide(scope, reach_of(scope, on), on)
    removal = Q(request__kind=Kind.REMOVAL)
    carried = Q(actor__in=[_Actor.FACILITY, _Actor.HELP_DESK, _Actor.CMS]) | (Q(actor=_Actor.HOLDER) & removal)
    # The removal of her own access nobody carries out: an administrator does.
    left_to_her = Q(request__in=own_removals(scope, on).order_by().values("pk"))
    return steps.filter(
        (Q(actor=_Actor.HOLDER, request__beneficiary_person=person) & ~removal)
        | (carried & Q(request__requester_person=person) & ~(removal & Q(request__beneficiary_person=person)))
        | (carried & left_to_her)
        | (Q(Exists(officials), actor=_Actor.OFFICIAL) & ~Q(request__beneficiary_person=person))
        | Q(actor=_Actor.APPROVER, request__in=decisions.order_by().values("pk"))
    )
