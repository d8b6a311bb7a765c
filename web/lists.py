"""The long lists that can be filtered, kept as views and exported, by the names that their addresses use."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone

from accounts.models import PortalAccount
from accounts.models.inventory import PortalAccountQuerySet
from facilities.access import Scope
from staff.models import Person, PersonQuerySet
from systems.policy import EASTERN, day_in
from web.account_filters import matching
from web.forms.lists import AccountFilter, ListFilter, PeopleFilter
from web.models import SavedView
from web.people_filters import matching_people

FORMS: dict[str, type[ListFilter]] = {
    SavedView.List.ACCOUNTS: AccountFilter,
    SavedView.List.PEOPLE: PeopleFilter,
}


Rows_co = TypeVar("Rows_co", bound=QuerySet[Any], covariant=True)


@dataclass(frozen=True)
class Listing(Generic[Rows_co]):
    """One list as its address asks for it: the filters, and the rows of the member's that match them."""

    form: ListFilter
    rows: Rows_co


def accounts_as_asked(scope: Scope, asked: QueryDict) -> Listing[PortalAccountQuerySet]:
    """Return the member's accounts that match the address."""
    form = AccountFilter(asked, scope=scope)
    readable = PortalAccount.objects.visible_to(scope)
    on = day_in(timezone.now(), EASTERN)
    return Listing(form, matching(readable, form.chosen, on, scope.organization))


def people_as_asked(scope: Scope, asked: QueryDict) -> Listing[PersonQuerySet]:
    """Return the member's people who match the address."""
    form = PeopleFilter(asked, scope=scope)
    readable, on = Person.objects.visible_to(scope), day_in(timezone.now(), EASTERN)
    return Listing(form, matching_people(readable, form.chosen, on, scope.organization))
