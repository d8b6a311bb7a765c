"""The steps of asking: which is open, and what each shows. Every step is a page of its own address."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.errors import AccountRefused
from accounts.policy.requesting import Kind
from accounts.words import day, listed
from facilities.access import Scope
from staff.models import Person
from systems.models import RequestKind, Step, System
from web.dossiers import left_among
from web.forms.facilities import FacilityByNumber
from web.requests.asking import asks_of
from web.requests.kinds import ACCESS, PLAIN, UNRECORDED, WHICH
from web.requests.picks import OF_ROLES, options_for
from web.requests.places import Closed, closed_among, closed_for, facilities_offered, systems_offered
from web.requests.reach import may_ask_for_others, places_to_ask
from web.requests.roles import RoleChoice, roles_offered
from web.requests.successors import people_named
from web.requests.wanting import Wanting, key_of
from web.requests.ways import NOT_OF_LEAVERS

WHO, WHERE, ROLE, SEND = 1, 2, 3, 4
TITLES: Final = {WHO: "For whom and what", WHERE: "Where", ROLE: "Role", SEND: "Check and send"}
OTHER: Final = "other"
_WORKS_AGAIN: Final = frozenset({Kind.REACTIVATION.value, Kind.UNLOCK.value})


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what so far, and what the address says beside that."""

    scope: Scope
    me: Person
    wanting: Wanting
    asked: QueryDict
    on: date

    @property
    def step(self) -> int:
        """The step to show: the first that is open, or an earlier one that somebody goes back to."""
        if self.came_from(WHO) and self.asked.get("find", "").strip() and may_ask_for_others(self.scope):
            return WHO  # a name was typed: it counts, although "Myself" may be ticked still
        first, back = open_step(self.wanting, self.on), key_of(self.asked.get("step", ""))
        if first == SEND and self.closed is not None:
            first = WHERE
        return min(back, first) if back in TITLES else first

    @property
    def closed(self) -> Closed | None:
        """Where the system has closed on which an account is to work again, as long as nobody said it is needed."""
        if self.wanting.kind not in _WORKS_AGAIN or self.wanting.still:
            return None
        try:
            return closed_among(asks_of(self.scope, self.wanting, self.on, {}).asks, self.on)
        except AccountRefused:  # said on the last step
            return None

    def came_from(self, step: int) -> bool:
        """Return whether the member pressed Next on this very step."""
        return self.asked.get("from") == str(step)


def open_step(wanting: Wanting, on: date) -> int:
    """Return the first step whose answers are missing or do not fit together."""
    if wanting.person is None or not wanting.kind:
        return WHO
    if wanting.is_access:
        if wanting.system is None or not wanting.facilities:
            return WHERE
        if not wanting.still and closed_for(wanting.system, wanting.facilities, on):
            return WHERE
    elif not _picked(wanting):
        return WHERE
    if wanting.kind in (ACCESS, Kind.ROLE_CHANGE) and not wanting.roles:
        return ROLE
    if wanting.kind == Kind.ROLE_CHANGE and _held(wanting) & {role.pk for role in wanting.roles}:
        return ROLE
    return SEND


def _picked(wanting: Wanting) -> bool:
    if wanting.kind in UNRECORDED and not wanting.picks:
        return wanting.system is not None
    if wanting.kind in OF_ROLES and not all(pick.grant for pick in wanting.picks):
        return False
    one_system = wanting.kind != Kind.ROLE_CHANGE or len({pick.account.system_id for pick in wanting.picks}) == 1
    return bool(wanting.picks) and one_system


def _held(wanting: Wanting) -> set[int]:
    return {pick.grant.role_id for pick in wanting.picks if pick.grant}


def answers(asking: Asking, step: int) -> list[dict[str, str]]:
    """Return what was answered before a step, each with the way back to it."""
    wanting = asking.wanting
    found = []
    if step > WHO and wanting.person is not None:
        own = wanting.person.pk == asking.me.pk
        who = f"{wanting.person}{' (you)' if own else ''}"
        found = [("For", who, WHO), ("What", PLAIN[wanting.kind][0], WHO)]
    if step > WHERE:
        if wanting.system is not None:
            found.append(("System", wanting.system.name, WHERE))
        held = [f"{pick.grant.role.name} at {pick.grant.facility.name}" for pick in wanting.picks if pick.grant]
        where = listed(held) or listed(place.name for place in wanting.facilities)
        if where:
            found.append(("Which" if held else "Where", where, WHERE))
    if step > ROLE and wanting.roles:
        found.append(("Role", listed(role.name for role in wanting.roles), ROLE))
    return [{"label": label, "text": text, "url": wanting.query(step=str(back))} for label, text, back in found]


def first_step(asking: Asking) -> dict[str, Any]:
    """Return what the first step shows; ``go`` is where to go on when the search found exactly one."""
    scope, asked, wanting = asking.scope, asking.asked, asking.wanting
    text = asked.get("find", "").strip()[:80]
    others, remarks = [], []
    if wanting.person is not None and wanting.person.pk != asking.me.pk:
        others = [wanting.person]
    if text and may_ask_for_others(scope):
        others = people_named(scope, text)
        if not others:
            remarks.append(f"Nobody of yours is called “{text}”. Try the last name, the work e-mail or the number.")
    elif asking.came_from(WHO):
        if asked.get("person", "") == OTHER:
            remarks.append("Write whom it is for.")
        if not wanting.kind:
            remarks.append("Choose what you want.")
    chosen = others[0] if len(others) == 1 else None if text or asked.get("person") == OTHER else wanting.person
    go = ""
    if text and chosen is not None and wanting.kind:
        go = replace(wanting, person=chosen).query(besides=["pick"])
    return {
        "others": others,
        "chosen": chosen,
        "find": text if not others else "",
        "several": len(others) > 1,
        "may_find": may_ask_for_others(scope),
        "kinds": [{"value": kind, "label": label, "note": note} for kind, (label, note) in PLAIN.items()],
        "kept": wanting.pairs(besides=["person", "kind"]),
        "remarks": remarks,
        "go": go,
    }


def instead_for_who_left(asking: Asking) -> dict[str, str]:
    """Return what is said instead of asking on where the person has left and nobody needs that of her; else empty."""
    wanting = asking.wanting
    if wanting.person is None or wanting.kind not in NOT_OF_LEAVERS:
        return {}
    last_on = left_among([wanting.person.pk], asking.on).get(wanting.person.pk)
    if last_on is None:
        return {}
    removal = replace(wanting, kind=Kind.REMOVAL.value, system=None, facilities=(), roles=(), leaving=())
    return {
        "title": f"{wanting.person} does not work here any more",
        "text": f"The last day was {day(last_on)}. What is still open is to be removed.",
        "url": removal.query(),
    }


def second_step(asking: Asking) -> dict[str, Any]:
    """Return what the second step shows: places and systems, or what is there already."""
    return _where(asking) if asking.wanting.is_access else _which(asking)


def _where(asking: Asking) -> dict[str, Any]:
    wanting, on = asking.wanting, asking.on
    assert wanting.person is not None
    offered, works, many = facilities_offered(asking.scope, wanting.person, wanting.facilities, on)
    only = offered if len(offered) == 1 and not many else works if len(works) == 1 else []
    ticked = list(wanting.facilities) or ([] if asking.came_from(WHERE) else only)
    usual, rest = systems_offered(wanting.person, ticked or offered, on)
    closed = closed_for(wanting.system, wanting.facilities, on) if wanting.system and wanting.facilities else None
    remarks = []
    if asking.came_from(WHERE):
        remarks += [] if wanting.facilities else ["Tick at least one facility."]
        remarks += [] if wanting.system else ["Choose a system."]
    return {
        "facilities": offered,
        "many": many,
        "more": asking.asked.get("more", ""),
        "ticked": {place.pk for place in ticked},
        "usual": usual,
        "rest": rest,
        "rest_open": wanting.system is not None and wanting.system not in [choice.system for choice in usual],
        "closed": closed if closed and not wanting.still else None,
        **instead_of(wanting, closed),
        "kept": wanting.pairs(besides=["system", "facility", "still", "role" if wanting.system is None else ""]),
        "remarks": remarks,
    }


def instead_of(wanting: Wanting, closed: Closed | None) -> dict[str, Any]:
    """Return the ways on from a system that has closed: to what follows it, or on with it all the same."""
    access = replace(wanting, kind=ACCESS, picks=(), roles=(), successor=None, leaving=())
    places = wanting.facilities or (closed.facilities if closed else ())
    return {
        "instead": [
            {"label": f"Ask for {each.name} instead", "url": replace(access, system=each, facilities=places).query()}
            for each in (closed.successors if closed else ())
        ],
        "go_on": replace(wanting, still=True).query(),
    }


def with_more(asking: Asking) -> tuple[Asking, str]:
    """Return the wish with the facility that was named by number or name, and what is wrong with that."""
    text, wanting = asking.asked.get("more", "").strip(), asking.wanting
    if not text or wanting.person is None or not wanting.is_access:
        return asking, ""
    field = FacilityByNumber(places_to_ask(asking.scope, wanting.person), max_length=200)
    try:
        place = field.clean(text)
    except ValidationError as exc:
        return asking, f"“{text[:40]}”: {' '.join(exc.messages)}"
    places = dict.fromkeys([*wanting.facilities, place])
    return replace(asking, wanting=replace(wanting, facilities=tuple(places))), ""


def _which(asking: Asking) -> dict[str, Any]:
    wanting = asking.wanting
    assert wanting.person is not None
    options = options_for(asking.scope, wanting.person, wanting.kind, asking.on)
    closed, remarks = asking.closed if _picked(wanting) else None, []
    if asking.came_from(WHERE) and closed is None:
        several = wanting.kind == Kind.ROLE_CHANGE and len(wanting.picks) > 1
        remarks.append("Change roles of one system at a time." if several else "Choose what it is about.")
    unrecorded = wanting.kind in UNRECORDED
    systems = systems_with_proofing() if wanting.kind == Kind.PROOFING else None
    return {
        "question": WHICH[wanting.kind],
        "options": options,
        "reasons": options.reasons(wanting.kind),
        "picked": {pick.value for pick in wanting.picks} or ({options[0].pick.value} if len(options) == 1 else set()),
        "unrecorded": (System.objects.current() if systems is None else systems) if unrecorded else None,
        "closed": closed,
        **instead_of(wanting, closed),
        "kept": wanting.pairs(besides=["pick", "system", "facility", "still"]),
        "remarks": remarks,
        "access_url": replace(wanting, kind=ACCESS, picks=()).query(),
    }


def systems_with_proofing() -> QuerySet[System]:
    """Return the systems that prove themselves who somebody is, in their order. One query."""
    steps = Step.objects.current().filter(request_kind=RequestKind.PROOFING).values("system")
    return System.objects.current().filter(pk__in=steps, sign_in_via=None)


def third_step(asking: Asking) -> dict[str, Any]:
    """Return what the third step shows; ``only`` is the role of a system that has no other."""
    wanting = asking.wanting
    assert wanting.person is not None
    assert wanting.system is not None
    changing = wanting.kind == Kind.ROLE_CHANGE
    places = [pick.grant.facility for pick in wanting.picks if pick.grant] if changing else list(wanting.facilities)
    roles = roles_offered(wanting.system, wanting.person, places, asking.on, _held(wanting) if changing else ())
    return {
        "roles": roles,
        "changing": changing,
        "chosen": {role.pk for role in wanting.roles},
        "kept": wanting.pairs(besides=["role"]),
        "remarks": ["Choose a role."] if asking.came_from(ROLE) else [],
        "only": _only(wanting, roles) if not asking.asked.get("step") else "",
    }


def _only(wanting: Wanting, roles: list[RoleChoice]) -> str:
    if len(roles) != 1 or not wanting.is_access or wanting.roles or roles[0].held_at:
        return ""
    return replace(wanting, roles=(roles[0].role,)).query()
