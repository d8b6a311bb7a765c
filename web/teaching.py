"""What an empty page offers: the one next deed that fills it, to those who may do it."""

from django.db.models import QuerySet
from django.urls import reverse

from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Employment

Deed = dict[str, str]  # url and deed, as components/empty.html takes them; empty for nobody's deed


def towards_people(scope: Scope, places: "QuerySet[Facility]") -> Deed:
    """Return what fills a list of people; ``places`` are those where the member may add somebody. One query."""
    slug = scope.organization.slug
    if not places.exists():
        return towards_facilities(scope)
    if scope.may(Action.IMPORT_PEOPLE):
        return {"url": reverse("web:import-new", args=[slug]), "deed": "Paste your people"}
    return {"url": reverse("web:person-add", args=[slug]), "deed": "Add a person"}


def towards_accounts(scope: Scope, places: "QuerySet[Facility]") -> Deed:
    """Return what fills a list of accounts: first the people, then what they hold. Two queries."""
    people = Employment.objects.known().filter(organization=scope.organization, facility__in=places)
    if not scope.may(Action.IMPORT_ACCOUNTS) or not people.exists():
        return towards_people(scope, places)
    accounts = f"{reverse('web:import-new', args=[scope.organization.slug])}?kind=accounts"
    return {"url": accounts, "deed": "Paste a list of accounts"}


def towards_facilities(scope: Scope) -> Deed:
    """Return what fills an organization without facilities."""
    if not scope.may(Action.REGISTER_FACILITY):
        return {}
    return {"url": reverse("web:facility-register", args=[scope.organization.slug]), "deed": "Register a facility"}
