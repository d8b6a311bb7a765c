"""Which requests a member sees: hers, those that wait for her, all that she reads; and how many wait."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import AccessRequest, RequestStep, RoleGrant
from accounts.models.requests import AccessRequestQuerySet
from accounts.policy.requesting import State
from accounts.services.requests.deciders import Reach, reach_of, to_decide
from facilities.access import Scope
from staff.models import Person
from web.people_filters import matching_people

READ_WITH: Final = ("organization", "system", "facility", "role", "requester_person", "beneficiary_person")
_OPEN = RequestStep.State.OPEN
_Actor = RequestStep.Actor
_BEING_CARRIED_OUT: Final = (State.APPROVED.value, State.IN_PROGRESS.value)


@dataclass(frozen=True, slots=True)
class Desk:
    """One member on one day: who she is, and what she may decide."""

    scope: Scope
    on: date
    me: Person | None
    reach: Reach

    def to_decide(self) -> QuerySet[AccessRequest]:
        """Return the submitted requests whose decision she may make."""
        return to_decide(self.scope, self.reach, self.on)

    def mine(self) -> AccessRequestQuerySet:
        """Return the requests by or for her."""
        mine = self._all()
        if self.me is None:
            return mine.none()
        return mine.filter(Q(requester_person=self.me) | Q(beneficiary_person=self.me))

    def steps(self) -> QuerySet[RequestStep]:
        """Return the open steps that she has to take.

        Those of the holder in her own requests, those of the facility where she asked, those of an approver on CMS's
        side where she is one; and, where she asked, those of everybody else whose day has passed.
        """
        steps = RequestStep.objects.filter(
            organization=self.scope.organization, state=_OPEN, request__state__in=_BEING_CARRIED_OUT
        ).exclude(actor=_Actor.APPROVER)
        if self.me is None:
            return steps.none()
        official = Exists(
            RoleGrant.objects.in_force(self.on).filter(
                account__person=self.me,
                facility=OuterRef("request__facility"),
                role=OuterRef("request__role__approved_by"),
            )
        )
        without_user = Q(request__beneficiary_person__user=None)
        asked = Q(request__requester_person=self.me)
        return steps.filter(
            Q(actor=_Actor.HOLDER) & (Q(request__beneficiary_person=self.me) | (asked & without_user))
            | asked & Q(actor__in=[_Actor.FACILITY, _Actor.HELP_DESK])
            | asked & Q(due_on__lt=self.on)
            | Q(actor=_Actor.OFFICIAL) & ~Q(request__beneficiary_person=self.me) & official
        )

    def to_finish(self) -> AccessRequestQuerySet:
        """Return her drafts, and what she asked for of which every step is through."""
        if self.me is None:
            return self._all().none()
        asked = self._all().filter(requester_person=self.me)
        open_still = RequestStep.objects.filter(request=OuterRef("pk"), state__in=[_OPEN, RequestStep.State.WAITING])
        needed = open_still.filter(Q(state=_OPEN) | Q(cure_for=""))
        through = Q(state__in=_BEING_CARRIED_OUT) & ~Exists(needed)
        return asked.filter(Q(state=State.DRAFT) | through)

    def waiting(self) -> AccessRequestQuerySet:
        """Return everything that waits for her: a decision, an open step, a draft, a proof at the end."""
        # One range each; one condition beside the other would walk through all requests.
        decisions = self.to_decide().order_by().values("pk")
        steps = self.steps().order_by().values("request_id")
        return self._all().filter(pk__in=decisions.union(steps, self.to_finish().order_by().values("pk")))

    def readable(self) -> AccessRequestQuerySet:
        """Return all that she reads."""
        places = self.scope.reads
        if places is None:
            return self._all()
        # As `visible_to` says it; with her own key instead of her user's, an index answers each part.
        own = Q(requester_person=self.me) | Q(beneficiary_person=self.me) if self.me else Q(pk__in=())
        return self._all().filter(Q(facility__in=places) | own)

    def _all(self) -> AccessRequestQuerySet:
        return AccessRequest.objects.filter(organization=self.scope.organization)


def desk_of(scope: Scope, on: date) -> Desk:
    """Return what a member's lists are made of. Six queries at most."""
    me = None
    if scope.user_id is not None:
        me = Person.objects.filter(organization=scope.organization, user_id=scope.user_id).first()
    return Desk(scope, on, me, reach_of(scope, on))


def narrowed(desk: Desk, rows: AccessRequestQuerySet, chosen: dict[str, Any]) -> AccessRequestQuerySet:
    """Return the requests that fit everything ``chosen`` (cleaned by `web.forms.deciding.RequestFilter`)."""
    for name in ("state", "kind", "system", "facility", "bundle"):
        if chosen.get(name):
            rows = rows.filter(**{name: chosen[name]})
    if chosen.get("q"):
        organization = desk.scope.organization
        people = Person.objects.filter(organization=organization)
        rows = rows.filter(beneficiary_person__in=matching_people(people, {"q": chosen["q"]}, desk.on, organization))
    return rows
