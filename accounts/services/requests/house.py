"""How an organization decides: who does where nobody else may, and whether privileged roles take two people."""

from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from accounts.errors import AccountRefused
from accounts.models import RequestHouse
from accounts.services.requests.deciders import has_left
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from staff.models import Person
from systems.policy import EASTERN, day_in


def house_of(scope: Scope) -> RequestHouse:
    """Return how the organization decides; unsaved, with version 0, where nobody has said anything yet."""
    known = RequestHouse.objects.filter(organization=scope.organization).select_related("outside_deputy").first()
    return known or RequestHouse(organization=scope.organization, version=0)


def able_to_decide(scope: Scope) -> QuerySet[Person]:
    """Return the people who may be outside deputy: of the organization, with a confirmed member."""
    return Person.objects.filter(
        organization=scope.organization, user__isnull=False, user_confirmed_at__isnull=False
    ).order_by("last_name", "first_name", "pk")


def set_house(
    *, scope: Scope, outside_deputy: Person | None, two_for_privileged: bool, version: int, at: datetime
) -> RequestHouse:
    """Name the outside deputy, and say whether privileged roles take two. The same again changes nothing.

    Holds for requests that are drafted or changed from now on. Raises NotAllowed, and AccountRefused for who cannot
    decide and (code ``stale``) where somebody else saved it meanwhile.
    """
    authorize(scope, Action.SET_DECIDERS)
    if outside_deputy is not None:
        if not able_to_decide(scope).filter(pk=outside_deputy.pk).exists():
            raise AccountRefused(
                "Choose somebody of your organization who is a confirmed member. Invite her under Settings first.",
                field="outside_deputy",
            )
        if has_left(outside_deputy, day_in(at, EASTERN)):
            raise AccountRefused(f"{outside_deputy} has left. Choose somebody else.", field="outside_deputy")
    current = house_of(scope)
    wanted = (outside_deputy.pk if outside_deputy else None, two_for_privileged)
    if (current.outside_deputy_id, current.two_for_privileged) == wanted:
        return current
    with transaction.atomic():
        if not _saved(scope, outside_deputy, two_for_privileged, version):
            raise AccountRefused("Somebody else saved this meanwhile. Look at it and save again.", code="stale")
        record(
            chain=scope.organization.key,
            action="deciders.set",
            actor=scope.actor,
            subject=Ref(scope.organization.key, scope.organization.name),
            at=at,
            payload={
                "outside_deputy": outside_deputy.key if outside_deputy else None,
                "two_for_privileged": two_for_privileged,
            },
        )
    return house_of(scope)


def _saved(scope: Scope, outside_deputy: Person | None, two_for_privileged: bool, version: int) -> bool:
    mine = RequestHouse.objects.filter(organization=scope.organization)
    said = {"outside_deputy": outside_deputy, "two_for_privileged": two_for_privileged}
    if version:
        return bool(mine.filter(version=version).update(**said, version=F("version") + 1))
    try:
        with transaction.atomic():
            RequestHouse.objects.create(organization=scope.organization, **said)
    except IntegrityError:  # somebody said it first
        return False
    return True
