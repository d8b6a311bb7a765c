"""Which requests a member sees: hers, those that wait for her, all that she reads; and how many wait."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, cast

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import AccessRequest, RequestStep, RoleGrant
from accounts.models.requests import AccessRequestQuerySet
from accounts.policy.requesting import CARRIED_OUT, Kind, State
from accounts.services.requests.countersigning import to_look_at
from accounts.services.requests.deciders import Reach, reach_of, to_decide
from accounts.services.requests.finishing_many import at_finish
from accounts.services.requests.taking_over import gone_words, left_askers, own_removals, to_take_over, to_try_again
from facilities.access import Action, Scope
from facilities.models.tenancy import Role
from staff.models import Person
from web.keyset import Count, count_of, count_of_parts
from web.people_filters import matching_people

READ_WITH: Final = ("organization", "system", "facility", "role", "requester_person", "beneficiary_person")
_OPEN = RequestStep.State.OPEN
_Actor = RequestStep.Actor
_OWN_REMOVAL: Final = Q(request__kind=Kind.REMOVAL, request__requester_person=F("request__beneficiary_person"))


@dataclass(frozen=True, slots=True)
class Desk:
    """One member on one day: who she is, what she may decide here, and where about which roles on CMS's side."""

    scope: Scope
    on: date
    me: Person | None
    reach: Reach
    official_roles: dict[int, set[int]]  # role that decides -> facilities where she holds it
    decisions: AccessRequestQuerySet  # the submitted requests whose decision she may make
    gone: dict[int, bool] = field(default_factory=dict)  # for administrators: who asks no more -> works here still

    def to_look_at(self) -> AccessRequestQuerySet:
        """Return what went on without a second person and waits for her as the outside deputy."""
        return cast(AccessRequestQuerySet, to_look_at(self.scope, self.reach, self.on))

    def to_take_over(self) -> AccessRequestQuerySet:
        """Return what somebody asked for who has left, and falls to her as the next in line."""
        return cast(AccessRequestQuerySet, to_take_over(self.scope, self.me, self.gone, self.on))

    def to_try_again(self) -> AccessRequestQuerySet:
        """As `to_take_over`, what did not work."""
        return cast(AccessRequestQuerySet, to_try_again(self.scope, self.me, self.gone, self.on))

    def drafts(self, *, sent_back: bool) -> AccessRequestQuerySet:
        """Return what she has not sent yet, or what whoever decides sent back to her with a question."""
        if self.me is None:
            return self._all().none()
        return self._all().filter(requester_person=self.me, state=State.DRAFT, submitted_at__isnull=not sent_back)

    def own_removals(self) -> AccessRequestQuerySet:
        """Return the removals that their holders asked for and she carries out as the next in line."""
        return cast(AccessRequestQuerySet, own_removals(self.scope, self.on))

    @property
    def leads(self) -> bool:
        """Whether she is an administrator of any place."""
        return self.me is not None and any(role == Role.ADMINISTRATOR for role, _ in self.scope.roles)

    def left_words(self, request: AccessRequest) -> str:
        """Return that who asked for a request has left, nothing where she has not or it has ended."""
        stays = self.gone.get(request.requester_person_id)
        if stays is None or (request.closed_at is not None and request.state != State.FAILED):
            return ""
        return gone_words(str(request.requester_person), stays=stays)

    def stands_in_words(self, request: AccessRequest) -> str:
        """Return for whom she stands in, where somebody who is away asked; nothing for any other request."""
        name = self.reach.absent.get(request.requester_person_id, "")
        return f"You stand in for {name}, who asked and is away." if name else ""

    def steps(self) -> QuerySet[RequestStep]:
        """Return the open steps that she has to take.

        Those of the holder in her own requests, those of the facility where she asked, those of an approver on CMS's
        side where she is one; and, where she asked, those of everybody else whose day has passed. Nobody carries out
        the removal of her own access: where she asked for it herself, an administrator does.
        """
        steps = _open_steps().filter(organization=self.scope.organization, request__state__in=CARRIED_OUT)
        if self.me is None:
            return steps.none()
        asked = Q(request__requester_person=self.me) & ~_OWN_REMOVAL
        holds = Q(actor=_Actor.HOLDER, request__beneficiary_person=self.me) & ~Q(request__kind=Kind.REMOVAL)
        confirms = Q(actor=_Actor.OFFICIAL) & ~Q(request__beneficiary_person=self.me) & self._official("request__")
        found = asked & self._hers_where_she_asked() | holds | confirms
        if self.reach.absent:
            found |= Q(request__in=self._of_absent().order_by().values("pk")) & self._hers_where_she_asked()
        if self.leads:
            found |= Q(request__in=self.own_removals().order_by().values("pk")) & self._hers_where_she_asked()
        return steps.filter(found)

    def parts(self, show: str) -> list[AccessRequestQuerySet]:
        """Return what one of `web.forms.deciding.VIEWS` consists of: each part is a range of an index, newest first.

        A request may lie in several. Put together by OR, they would be found by walking through all requests.
        """
        return {"mine": self._mine, "inbox": self._waiting, "all": self._read}[show]()

    def count(self, show: str) -> Count:
        """Return how many requests are in one of the views, up to the cap. Two queries at most.

        Where enough decisions wait, steps and drafts need not be counted: that takes longest where most has piled up.
        """
        if show == "inbox":
            decisions = count_of(self.decisions)
            if decisions.capped:
                return decisions
        return count_of_parts(self.parts(show))

    def waiting_count(self) -> Count:
        """Return how many requests wait for her, as the list counts them. One query."""
        return count_of_parts(self.parts("inbox"))

    def readable(self) -> AccessRequestQuerySet:
        """Return all that she reads."""
        places = self.scope.reads
        if places is None:
            return self._all()
        # As `visible_to` says it; with her own key instead of her user's, an index answers each part.
        own = Q(requester_person=self.me) | Q(beneficiary_person=self.me) if self.me else Q(pk__in=())
        return self._all().filter(Q(facility__in=places) | own)

    def _mine(self) -> list[AccessRequestQuerySet]:
        """Return the requests by her, and those for her."""
        if self.me is None:
            return [self._all().none()]
        return [self._all().filter(requester_person=self.me), self._all().filter(beneficiary_person=self.me)]

    def _waiting(self) -> list[AccessRequestQuerySet]:
        """Return what waits for her: a decision, an open step, a draft, a proof at the end."""
        if self.me is None:
            return [self.decisions]
        running = self._all().filter(state__in=CARRIED_OUT)
        step = _open_steps().filter(request=OuterRef("pk"))
        held = running.filter(Exists(step.filter(actor=_Actor.HOLDER)), beneficiary_person=self.me)
        held = held.exclude(kind=Kind.REMOVAL)
        parts = [self.decisions, *self._left_to_her(), held]
        if self.reach.absent:
            parts += self._to_do_of(self._of_absent().filter(state__in=CARRIED_OUT))
        if self.official_roles:
            confirmed = running.filter(self._official(), Exists(step.filter(actor=_Actor.OFFICIAL)))
            parts.append(confirmed.exclude(beneficiary_person=self.me))
        if self.reach.outside:
            parts.append(self.to_look_at())
        if self.gone:
            parts += [self.to_take_over(), self.to_try_again()]
        if self.leads:
            parts += self._to_do_of(self.own_removals().filter(state__in=CARRIED_OUT))
        return parts

    def _left_to_her(self) -> list[AccessRequestQuerySet]:
        """Return, of what she asked for, drafts, what has a step for her, and what has every step behind it."""
        asked = self._all().filter(requester_person=self.me, closed_at=None)
        # nobody carries out the removal of her own access
        running = asked.filter(state__in=CARRIED_OUT).exclude(kind=Kind.REMOVAL, beneficiary_person=self.me)
        return [asked.filter(state=State.DRAFT), *self._to_do_of(running)]

    def _of_absent(self) -> AccessRequestQuerySet:
        """Return what runs and was asked for by those for whom she stands in, where she may carry it out."""
        running = self._all().filter(requester_person__in=sorted(self.reach.absent), closed_at=None)
        places = self.scope.acts_at(Action.CARRY_OUT_REQUEST)
        if places is not None:
            running = running.filter(facility__in=places)
        removal = Q(kind=Kind.REMOVAL)
        own = removal & (Q(beneficiary_person=self.me) | Q(requester_person=F("beneficiary_person")))
        return running.exclude(own)

    def _to_do_of(self, running: AccessRequestQuerySet) -> list[AccessRequestQuerySet]:
        """Return, of what runs and is hers to carry out, what has a step for her, and what has every step behind it."""
        hers = _open_steps().filter(self._hers_where_she_asked(), request=OuterRef("pk"))
        # apart: for one EXISTS beside another, PostgreSQL would read the steps of all requests
        return [running.filter(Exists(hers)), at_finish(running)]

    def _hers_where_she_asked(self) -> Q:
        """Return the condition on open steps that she takes where she asked, beside those of the holder herself."""
        not_holders = Q(request__beneficiary_person__user=None) | Q(request__kind=Kind.REMOVAL)
        for_her = Q(actor=_Actor.HOLDER) & not_holders
        return Q(actor__in=[_Actor.FACILITY, _Actor.HELP_DESK]) | Q(due_on__lt=self.on) | for_her

    def _official(self, prefix: str = "") -> Q:
        """Return the condition on requests about a role on which she decides on CMS's side, there.

        The wanted role, or where none is wanted (a removal, a certification) the one that is held.
        """
        found = Q(pk__in=())
        for role, places in sorted(self.official_roles.items()):
            here = Q(**{f"{prefix}facility__in": sorted(places)})
            held = Q(**{f"{prefix}role": None, f"{prefix}grant__role__approved_by": role})
            found |= here & (Q(**{f"{prefix}role__approved_by": role}) | held)
        return found

    def _read(self) -> list[AccessRequestQuerySet]:
        if self.scope.reads is None:
            return [self._all()]
        return [self._all().filter(facility__in=self.scope.reads), *self._mine()]

    def _all(self) -> AccessRequestQuerySet:
        return AccessRequest.objects.filter(organization=self.scope.organization)


def _open_steps() -> QuerySet[RequestStep]:
    """Return the open steps that somebody takes; the decision here is none."""
    return RequestStep.objects.filter(state=_OPEN).exclude(actor=_Actor.APPROVER)


def desk_of(scope: Scope, on: date) -> Desk:
    """Return what a member's lists are made of. Seven queries at most, one more for an administrator."""
    reach = reach_of(scope, on)
    me = reach.person
    if me is None and scope.user_id is not None:
        me = Person.objects.filter(organization=scope.organization, user_id=scope.user_id).first()
    official: dict[int, set[int]] = defaultdict(set)
    if me is not None:
        grants = RoleGrant.objects.in_force(on).filter(account__person=me, role__approves__isnull=False)
        for role, place in grants.values_list("role_id", "facility_id").distinct():
            official[role].add(place)
    decisions = cast(AccessRequestQuerySet, to_decide(scope, reach, on))
    leads = me is not None and any(role == Role.ADMINISTRATOR for role, _ in scope.roles)
    gone = left_askers(scope.organization, on) if leads else {}
    return Desk(scope, on, me, reach, dict(official), decisions, gone)


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
