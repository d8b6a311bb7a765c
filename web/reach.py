"""On which of several people and accounts a member may act: rows offer a deed to nobody whom its page refuses."""

from collections.abc import Collection
from datetime import date

from accounts.models import RoleGrant
from facilities.access import Action, Scope
from staff.models import Employment


def people_in_reach(scope: Scope, action: Action, people: Collection[int], on: date) -> set[int]:
    """Return the keys of those who work, or are to begin, where the member may act so. One query at most."""
    places = scope.acts_at(action)
    if places is None or not places or not people:
        return set(people) if places is None else set()
    known = Employment.objects.known().going_on(on).filter(person__in=people, facility__in=places)
    return set(known.order_by().values_list("person_id", flat=True))


def accounts_in_reach(scope: Scope, action: Action, accounts: Collection[int]) -> set[int]:
    """Return the keys of those that have or had a role where the member may act so. One query at most."""
    places = scope.acts_at(action)
    if places is None or not places or not accounts:
        return set(accounts) if places is None else set()
    known = RoleGrant.objects.known().filter(account__in=accounts, facility__in=places)
    return set(known.order_by().values_list("account_id", flat=True))
