"""Whether who stands in for a person also decides requests in her place."""

from facilities.access import Scope
from facilities.models.tenancy import Role
from staff.models import Person


def hands_on_decisions(scope: Scope, person: Person, deputy: Person) -> bool:
    """Return whether a deputy named by the member decides where the person would.

    The person hands on what is hers, and an administrator of the whole organization what is anybody's, to somebody
    else than herself. A coordinator who records an absence only says who hears of things.
    """
    if scope.user_id is None or deputy.user_id == scope.user_id:
        return False
    return person.user_id == scope.user_id or (Role.ADMINISTRATOR.value, None) in set(scope.roles)
