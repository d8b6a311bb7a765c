"""Who else holds a system at a facility: names as far as the member reads them, else only how many."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.urls import reverse

from accounts.models import PortalAccount, RoleGrant
from accounts.words import count_noun, listed
from facilities.access import Scope
from staff.models import Person
from systems.policy import Standing
from web.standings import all_held

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
    more: int = 0  # accounts beyond those shown
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


def others(scope: Scope, person: Person, places: Collection[Place], on: date) -> dict[Place, Others]:
    """Return by place the open accounts of other people with a role in force there. Two queries."""
    found: dict[Place, Others] = {place: Others() for place in places}
    status = PortalAccount.Status
    grants = (
        RoleGrant.objects.in_force(on)
        .filter(
            organization=scope.organization,
            facility__in={facility for facility, _ in places},
            account__system__in={system for _, system in places},
            account__status__in=(status.ACTIVE, status.LOST),
        )
        .exclude(account__person=person)
        .select_related("account__person", "account__system", "role")
        .order_by("account__person__last_name", "account__person__first_name", "account_id", "role__position")
    )
    roles: dict[tuple[Place, int], list[str]] = defaultdict(list)
    accounts: dict[int, PortalAccount] = {}
    unseen, seen, beyond = (defaultdict[Place, set[int]](set) for _ in range(3))
    for grant in grants:
        place = (grant.facility_id, grant.account.system_id)
        if place not in found:
            continue
        if scope.reads is not None and grant.facility_id not in scope.reads:
            unseen[place].add(grant.account.person_id)
        elif (place, grant.account_id) in roles or len(seen[place]) < SHOWN:
            accounts[grant.account_id] = grant.account
            seen[place].add(grant.account_id)
            roles[place, grant.account_id].append(grant.role.name)
        else:
            beyond[place].add(grant.account_id)
            found[place].all_url = _all_of(scope, grant)
    held = {each.account.pk: each for each in all_held(accounts.values(), on)}
    for (place, account), names in roles.items():
        each = held[account]
        found[place].people.append(
            Other(
                name=str(each.account.person),
                url=reverse("web:account", args=[scope.organization.slug, account]),
                roles=listed(dict.fromkeys(names)),
                standing=each.standing,
                words=each.words,
                next_on=each.next_on,
            )
        )
    for place, people in unseen.items():
        found[place].hidden = len(people)
    for place, rest in beyond.items():
        found[place].more = len(rest)
    return found


def _all_of(scope: Scope, grant: RoleGrant) -> str:
    query = f"?system={grant.account.system.slug}&facility={grant.facility_id}"
    return reverse("web:accounts", args=[scope.organization.slug]) + query


def beside(scope: Scope, account: PortalAccount, grants: Iterable[RoleGrant], on: date) -> list[dict[str, Any]]:
    """Return per facility of these grants who else holds the account's system there: place, others. Two queries.

    The grants are the account's in force, read with their facility.
    """
    names = {grant.facility_id: grant.facility.name for grant in grants}
    if not names:
        return []
    system = account.system_id
    found = others(scope, account.person, [(facility, system) for facility in names], on)
    rows = [{"place": name, "others": found[facility, system]} for facility, name in names.items()]
    return sorted(rows, key=lambda row: str(row["place"]))
