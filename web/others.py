"""Who else holds a system at a facility: names as far as the member reads them, else only how many."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.urls import reverse

from accounts.models import PortalAccount, RoleGrant
from accounts.words import count_noun, listed
from audit.bulk import among
from facilities.access import Scope
from staff.models import Person
from systems.policy import Standing
from web.account_filters import held_there
from web.standings import Held, all_held

SHOWN: Final = 8  # accounts of one place; the list of accounts has the rest
Place = tuple[int, int]  # keys of facility and system


@dataclass(frozen=True, slots=True)
class Other:
    """One account of somebody else: whose, with which roles there, how it stands and its next date."""

    name: str
    url: str
    roles: str
    standing: Standing
    words: str
    next_on: date | None


@dataclass(slots=True)
class Others:
    """Who else there is at one place: ``people`` whom the member may look at, ``hidden`` how many others."""

    people: list[Other] = field(default_factory=list)
    hidden: int = 0
    all: int = 0  # accounts there, the person's own among them, where more are there than are shown
    all_url: str = ""  # the list that has them

    @property
    def unseen(self) -> str:
        """Return the words about those whom the member may not look at; empty where there are none."""
        if not self.hidden:
            return ""
        also = " more" if self.people else ""
        return (
            f"{count_noun(self.hidden, f'other person{also},other people{also}').capitalize()}; ask an administrator."
        )


@dataclass(slots=True)
class _Keys:
    """Keys of the accounts of one place that are shown, of all there, and of people whom the member may not read."""

    shown: dict[int, None] = field(default_factory=dict)  # in the order of the page
    everybody: set[int] = field(default_factory=set)
    beyond: bool = False  # there are others than those shown
    unseen: set[int] = field(default_factory=set)


def others(scope: Scope, person: Person, places: Collection[Place], on: date) -> dict[Place, Others]:
    """Return by place the open accounts of other people with a role in force there. Three queries.

    Of all accounts there only keys are read; names, roles and standings only of those shown.
    """
    keys = _keys(scope, person, places, on)
    shown = {account for each in keys.values() for account in each.shown}
    roles: dict[tuple[Place, int], list[str]] = defaultdict(list)
    accounts: dict[int, PortalAccount] = {}
    grants = RoleGrant.objects.in_force(on).filter(account__in=among(shown), facility__in={place[0] for place in keys})
    for grant in grants.select_related("account__person", "account__system", "role").order_by("role__position", "pk"):
        account = accounts.setdefault(grant.account_id, grant.account)
        roles[(grant.facility_id, account.system_id), account.pk].append(grant.role.name)
    held = {each.account.pk: each for each in all_held(accounts.values(), on)}
    found: dict[Place, Others] = {}
    for place, each in keys.items():
        people = [_other(scope, held[account], roles[place, account]) for account in each.shown]
        found[place] = Others(people, hidden=len(each.unseen))
        if each.beyond:
            system = accounts[next(iter(each.shown))].system.slug
            found[place].all = len(each.everybody)
            found[place].all_url = held_there(scope.organization.slug, place[0], system)
    return found


def _keys(scope: Scope, person: Person, places: Collection[Place], on: date) -> dict[Place, _Keys]:
    """Return by place whose accounts there are, in the order of their names. One query."""
    found = {place: _Keys() for place in places}
    status = PortalAccount.Status
    grants = RoleGrant.objects.in_force(on).filter(
        organization=scope.organization,
        facility__in={facility for facility, _ in places},
        account__system__in={system for _, system in places},
    )
    grants = grants.exclude(account__status=status.REMOVED)
    rows = grants.order_by("account__person__last_name", "account__person__first_name", "account_id")
    columns = ("facility_id", "account__system_id", "account_id", "account__person_id", "account__status")
    for facility, system, account, whose, state in rows.values_list(*columns).distinct():
        keys = found.get((facility, system))
        if keys is None:
            continue
        keys.everybody.add(account)
        if whose == person.pk or state not in (status.ACTIVE, status.LOST):
            continue
        if scope.reads is not None and facility not in scope.reads:
            keys.unseen.add(whose)
        elif len(keys.shown) < SHOWN or account in keys.shown:
            keys.shown[account] = None
        else:
            keys.beyond = True
    return found


def _other(scope: Scope, each: Held, roles: Iterable[str]) -> Other:
    return Other(
        name=str(each.account.person),
        url=reverse("web:account", args=[scope.organization.slug, each.account.pk]),
        roles=listed(dict.fromkeys(roles)),
        standing=each.standing,
        words=each.words,
        next_on=each.next_on,
    )


def beside(scope: Scope, account: PortalAccount, grants: Iterable[RoleGrant], on: date) -> list[dict[str, Any]]:
    """Return per facility of these grants who else holds the account's system there: place, others. Three queries.

    The grants are the account's in force, read with their facility.
    """
    names = {grant.facility_id: grant.facility.name for grant in grants}
    if not names:
        return []
    system = account.system_id
    found = others(scope, account.person, [(facility, system) for facility in names], on)
    rows = [{"place": name, "others": found[facility, system]} for facility, name in names.items()]
    return sorted(rows, key=lambda row: str(row["place"]))
