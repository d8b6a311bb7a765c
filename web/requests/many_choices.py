"""What is wished for many people, as the address says it, and what there is to choose."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.http import Http404, QueryDict

from accounts.policy.requesting import Kind
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Employment, PersonQuerySet
from systems.models import System, SystemRole
from web.forms.facilities import FacilityByNumber, places_for
from web.requests.kinds import ACCESS, PLAIN
from web.requests.many import KINDS, OF_ACCOUNTS, Chosen, Wish
from web.requests.places import LISTED_AT_MOST
from web.requests.roles import in_use
from web.requests.wanting import AT_MOST, key_of


@dataclass(slots=True)
class Choices:
    """What was chosen so far and what can be; ``wish`` is None until it is whole, ``remark`` says what is missing.

    Names of the address differ from those of the filters of the lists, which it carries as well.
    """

    kinds: list[dict[str, str]]
    do: str = ""
    roles: list[SystemRole] = field(default_factory=list)  # to change, of the one system that all accounts are on
    old: SystemRole | None = None
    new: SystemRole | None = None
    systems: list[System] = field(default_factory=list)
    system: System | None = None
    system_roles: list[SystemRole] = field(default_factory=list)
    facilities: list[Facility] = field(default_factory=list)
    more: str = ""  # a further facility, typed
    many: bool = False  # there are more facilities than these
    ticked: tuple[Facility, ...] = ()
    still: bool = False
    remark: str = ""
    wish: Wish | None = None

    @property
    def at(self) -> set[int]:
        """The facilities that are ticked, by key."""
        return {place.pk for place in self.ticked}

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The whole wish as parameters of the address."""
        found = [("do", self.do)]
        found += [("old", self.old.slug)] if self.old else []
        found += [("to_system", self.system.slug)] if self.system else []
        found += [("new", self.new.slug)] if self.new else []
        found += [("at", str(place.pk)) for place in self.ticked]
        return [*found, ("still", "1")] if self.still else found


def choices_of(scope: Scope, chosen: Chosen, asked: QueryDict, on: date) -> Choices:
    """Return what is wished and what can be. Raises Http404 for a facility that is not the member's to ask at."""
    offered = KINDS if chosen.accounts.exists() else (ACCESS,)
    kind = asked.get("do", "")
    found = Choices(
        kinds=[{"value": each, "label": PLAIN[each][0]} for each in offered],
        do=kind if kind in offered else "",
        still=asked.get("still") == "1",
    )
    if found.do == ACCESS:
        _of_access(scope, chosen.people, asked, on, found)
    else:
        _of_accounts(chosen, asked, found)
    return found


def _of_accounts(chosen: Chosen, asked: QueryDict, found: Choices) -> None:
    systems = list(chosen.accounts.order_by().values_list("system", flat=True).distinct()[:2])
    roles: list[SystemRole] = []
    if len(systems) == 1:
        roles = list(SystemRole.objects.current().filter(system=systems[0]).order_by("position", "pk"))
    found.roles = roles if len(roles) > 1 else []
    if found.do != Kind.ROLE_CHANGE:
        found.wish = Wish(found.do, still=found.still) if found.do in OF_ACCOUNTS else None
        return
    by_slug = {role.slug: role for role in roles}
    old, new = by_slug.get(asked.get("old", "")), by_slug.get(asked.get("new", ""))
    found.old, found.new = old, new
    if not roles:
        found.remark = "To change roles, narrow the list down to one system first."
    elif old and new and old != new:
        found.wish = Wish(found.do, old, new, still=found.still)
    elif "old" in asked or "new" in asked:
        found.remark = "Choose the role that is held, and another one that it becomes."


def _of_access(scope: Scope, people: PersonQuerySet, asked: QueryDict, on: date, found: Choices) -> None:
    found.systems = list(System.objects.current())
    found.system = next((each for each in found.systems if each.slug == asked.get("to_system")), None)
    if found.system is not None:
        found.system_roles = in_use(found.system, on)
        named = next((role for role in found.system_roles if role.slug == asked.get("new")), None)
        found.new = named or (found.system_roles[0] if len(found.system_roles) == 1 else None)
    _of_places(scope, people, asked, on, found)
    if "to_system" not in asked or found.remark:
        return
    missing = [
        *(["a system"] if found.system is None else []),
        *(["a role"] if found.system is not None and found.new is None else []),
        *([] if found.ticked else ["at least one facility"]),
    ]
    if missing:
        found.remark = f"Choose {' and '.join(missing)}."
    else:
        found.wish = Wish(ACCESS, None, found.new, found.system, found.ticked, found.still)


def _of_places(scope: Scope, people: PersonQuerySet, asked: QueryDict, on: date, found: Choices) -> None:
    """Offer the facilities where the member may ask; of too many those where the people work, further ones typed."""
    able = places_for(scope, Action.REQUEST_ACCESS)
    found.ticked = _named(able, asked.getlist("at"))
    found.more = asked.get("more", "").strip()
    if found.more:
        try:
            place = FacilityByNumber(able, max_length=200).clean(found.more)
        except ValidationError as exc:
            found.remark = f"“{found.more[:40]}”: {' '.join(exc.messages)}"
        else:
            found.ticked, found.more = tuple(dict.fromkeys([*found.ticked, place])), ""
    found.facilities = list(able[: LISTED_AT_MOST + 1])
    found.many = len(found.facilities) > LISTED_AT_MOST
    if found.many:
        works = Employment.objects.known().filter(
            Q(valid_to=None) | Q(valid_to__gte=on), person__in=people.values("pk")
        )
        own = able.filter(pk__in=works.values("facility"))[:LISTED_AT_MOST]
        found.facilities = list(dict.fromkeys([*found.ticked, *own]))


def _named(able: QuerySet[Facility], typed: Sequence[str]) -> tuple[Facility, ...]:
    keys = {key for each in typed[:AT_MOST] if (key := key_of(each)) is not None}
    found = tuple(able.filter(pk__in=keys)) if keys else ()
    if len(found) != len(keys):
        raise Http404("No such facility among yours.")
    return found
