"""Which steps a request takes: the catalogue's for its system and kind, as they are on the day of submission."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Q

from accounts.models import AccessRequest, PortalAccount, RequestStep, RoleGrant
from accounts.policy.requesting import Approved, Kind
from accounts.services.requests.offered import late_certifications
from accounts.services.requests.windows import Windows
from audit.bulk import among
from systems.models import RequestKind, Step, SystemRole
from systems.provider_types import ProviderType, kind_of
from systems.selectors import official_roles

DECISION: Final = "our-decision"
ASK: Final = "ask"
# Which list of the catalogue's steps a kind of request follows. None stands in for another: a wrong way is worse than
# the help desk's.
LIST_OF: Final[dict[str, RequestKind]] = {
    Kind.NEW_ACCOUNT: RequestKind.REGISTER,
    Kind.ADDITIONAL_ROLE: RequestKind.ADDITIONAL_ROLE,
    Kind.ROLE_CHANGE: RequestKind.ROLE_CHANGE,
    Kind.REMOVAL: RequestKind.REMOVE,
    Kind.REACTIVATION: RequestKind.REACTIVATE,
    Kind.FORGOTTEN_ID: RequestKind.FORGOTTEN_ID,
    Kind.CONTACT_CHANGE: RequestKind.CHANGE,
    Kind.UNLOCK: RequestKind.UNLOCK,
    Kind.PROOFING: RequestKind.PROOFING,
    Kind.CERTIFICATION: RequestKind.CERTIFY,
}


def plan_steps(requests: Sequence[AccessRequest], on: date) -> list[RequestStep]:
    """Return the unsaved steps of requests (read with system, facility, role), ours first. Eight queries at most.

    A step with a window takes as long as that is open. Where the catalogue has no step for a system and kind, one step
    of ours says to ask the help desk.
    """
    lists = _lists(requests, on)
    known = _Known(_officials(requests, on), *_taken_away(requests, on))
    planned = [step for request in requests for step in _steps_of(request, lists, known)]
    windows = Windows(planned)
    for step in planned:
        ends = windows.due(step.request.system_id, step.after, on)
        if ends is not None:
            step.duration, step.unit = (ends.due_on - on).days, Step.Unit.CALENDAR_DAYS
    return planned


def catalogue_steps(system_id: int, kind: str, on: date) -> list[Step]:
    """Return the steps of the catalogue that a kind of request follows on a system. One query."""
    return _pick(_current({system_id}, on), system_id, kind)


def _lists(requests: Sequence[AccessRequest], on: date) -> dict[tuple[int, str], list[Step]]:
    steps = _current({request.system_id for request in requests}, on)
    return {
        (system, kind): _pick(steps, system, kind)
        for system, kind in {(request.system_id, request.kind) for request in requests}
    }


def _current(systems: set[int], on: date) -> list[Step]:
    in_force = Q(effective_from=None) | Q(effective_from__lte=on), Q(effective_to=None) | Q(effective_to__gte=on)
    return list(Step.objects.current().filter(*in_force, system__in=systems).order_by("position"))


def _pick(steps: Sequence[Step], system_id: int, kind: str) -> list[Step]:
    return [step for step in steps if step.system_id == system_id and step.request_kind == LIST_OF[kind]]


@dataclass(frozen=True, slots=True)
class _Officials:
    """Who decides on CMS's side: the roles that do, and (facility, role, person) where somebody holds one."""

    roles: set[int]
    held: set[tuple[int, int, int]]

    def deciding(self, role: SystemRole | None) -> int | None:
        """Return the role whose holders decide about the wanted one; officials decide about further officials."""
        if role is None:
            return None
        return role.approved_by_id or (role.pk if role.pk in self.roles else None)

    def is_there(self, request: AccessRequest, deciding: int | None) -> bool:
        """Return whether somebody can decide a request; nobody decides the own one (HARP-ROLE-2)."""
        return any(
            (facility, role) == (request.facility_id, deciding) and person != request.beneficiary_person_id
            for facility, role, person in self.held
        )

    def is_alone(self, request: AccessRequest, deciding: int | None) -> bool:
        """Return whether the only one who decides is the person whom the request is for."""
        mine = (request.facility_id, deciding, request.beneficiary_person_id)
        return mine in self.held and not self.is_there(request, deciding)


@dataclass(frozen=True, slots=True)
class _Known:
    """What decides which steps apply: the officials, and of accounts and roles what was said or is presumed.

    ``revoked``: accounts of which somebody said that their roles are gone; ``shut``: those whose way in was lost, or is
    presumed to be; ``uncertified``: roles of which no certification in time is known here, which says nothing certain
    of CMS's side.
    """

    officials: _Officials
    revoked: set[int]
    shut: set[int]
    uncertified: set[int]

    def may_be_gone(self, request: AccessRequest) -> bool:
        """Return whether nobody knows here that the role is there still."""
        return request.grant_id in self.uncertified and request.account_id not in self.revoked

    def way_in_lost(self, request: AccessRequest) -> bool:
        """Return whether the way in has to be opened again; without any other reason to ask, it has."""
        gone = request.account_id in self.revoked or self.may_be_gone(request)
        return request.account_id in self.shut or not gone


def _taken_away(requests: Sequence[AccessRequest], on: date) -> tuple[set[int], set[int], set[int]]:
    back = [request for request in requests if request.kind == Kind.REACTIVATION]
    if not back:
        return set(), set(), set()
    accounts = PortalAccount.objects.filter(pk__in=among(request.account_id for request in back if request.account_id))
    revoked = set(accounts.filter(loss=PortalAccount.Loss.ROLES_REVOKED).values_list("pk", flat=True))
    # One signs in with the account at the authority, where that is another one.
    only_ways = ~Q(loss=PortalAccount.Loss.ROLES_REVOKED)
    lost = only_ways & Q(status=PortalAccount.Status.LOST) | Q(identity__status=PortalAccount.Status.LOST)
    lapsed = Q(lapses_on__lt=on) | Q(identity__lapses_on__lt=on)
    shut = set(accounts.filter(lost | lapsed).values_list("pk", flat=True))
    return revoked, shut, set(late_certifications([row.grant_id for row in back if row.grant_id], on))


def _officials(requests: Sequence[AccessRequest], on: date) -> _Officials:
    roles = official_roles() if any(request.role for request in requests) else set()
    deciding = {_Officials(roles, set()).deciding(request.role) for request in requests} - {None}
    places = {request.facility_id for request in requests}
    held = RoleGrant.objects.in_force(on).filter(role__in=deciding, facility__in=places)
    people = held.values_list("facility_id", "role_id", "account__person_id").distinct() if deciding else ()
    return _Officials(roles, set(people))


def _steps_of(request: AccessRequest, lists: dict[tuple[int, str], list[Step]], known: _Known) -> list[RequestStep]:
    made = []
    if request.approval == Approved.NEEDED:
        made.append(_ours(request, DECISION, "Decision here", RequestStep.Actor.APPROVER))
    steps = [step for step in lists[request.system_id, request.kind] if _applies(step, request, known)]
    made += [_copied(request, step) for step in steps]
    if not steps:
        text = "No steps were published for this. Ask the help desk, and write down what they say."
        made.append(_ours(request, ASK, "Ask the help desk", RequestStep.Actor.HELP_DESK, text))
    for position, step in enumerate(made, start=0 if request.approval == Approved.NEEDED else 1):
        step.position = position
    return made


def _applies(step: Step, request: AccessRequest, known: _Known) -> bool:
    if step.provider_type and step.provider_type != kind_of_provider(request):
        return False
    role: SystemRole | None = request.role
    officials = known.officials
    deciding = officials.deciding(role)
    there = officials.is_there(request, deciding)
    first = role is not None and deciding == role.pk and not there
    alone = not first and officials.is_alone(request, deciding)
    wanted = {
        "": True,
        Step.OnlyIf.NO_OFFICIAL: deciding is not None and not there and not first and not alone,
        Step.OnlyIf.FIRST_OFFICIAL: first,
        Step.OnlyIf.SOLE_OFFICIAL: alone,
        Step.OnlyIf.OFFICIAL_THERE: there,
        Step.OnlyIf.ROLE_GONE: request.account_id in known.revoked,
        Step.OnlyIf.ROLE_UNSURE: known.may_be_gone(request),
        Step.OnlyIf.ROLE_THERE: known.way_in_lost(request),
    }
    return wanted[step.only_if]


def kind_of_provider(request: AccessRequest) -> ProviderType:
    """Return the kind of provider of the request's facility."""
    return kind_of(request.facility.provider_type, licensed_only=request.facility.licensed_only)


def _copied(request: AccessRequest, step: Step) -> RequestStep:
    return RequestStep(
        organization_id=request.organization_id,
        request=request,
        key_in_list=step.key,
        title=step.title,
        text=step.text,
        fact=step.fact_id,
        actor=step.actor,
        duration=step.duration,
        unit=step.unit,
        after=step.after,
        together=step.together,
        cure_for=step.cure_for,
        stage=step.stage,
        takes=step.takes,
    )


def _ours(request: AccessRequest, key: str, title: str, actor: str, text: str = "") -> RequestStep:
    return RequestStep(
        organization_id=request.organization_id, request=request, key_in_list=key, title=title, text=text, actor=actor
    )
