"""For whom and where a member may ask."""

from django.db.models import Q, QuerySet

from accounts.models import RoleGrant
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from staff.models import Employment, Person, PersonQuerySet
from web.forms.facilities import places_for


def is_me(scope: Scope, person: Person) -> bool:
    """Return whether somebody is the acting member."""
    return scope.user_id is not None and person.user_id == scope.user_id


def may_ask_for_others(scope: Scope) -> bool:
    """Return whether the member may ask for anybody but herself."""
    places = scope.acts_at(Action.REQUEST_ACCESS)
    return places is None or bool(places)


def people_to_ask_for(scope: Scope) -> PersonQuerySet:
    """Return the people who work or worked where the member may ask; who may everywhere asks for all."""
    places = scope.acts_at(Action.REQUEST_ACCESS)
    mine = Person.objects.visible_to(scope)
    if places is None:
        return mine
    worked = Employment.objects.known().filter(facility__in=places)
    return mine.filter(pk__in=worked.values("person"))


def check_may_ask(scope: Scope, person: Person) -> None:
    """Raise NotAllowed where the member may not ask for somebody at all."""
    if not is_me(scope, person) and not people_to_ask_for(scope).filter(pk=person.pk).exists():
        authorize(scope, Action.REQUEST_ACCESS)


def places_to_ask(scope: Scope, person: Person) -> "QuerySet[Facility]":
    """Return the open facilities at which the member may ask for somebody, by name: for herself also her own."""
    places = places_for(scope, Action.REQUEST_ACCESS)
    if not is_me(scope, person):
        return places
    works = Employment.objects.known().filter(person=person)
    holds = RoleGrant.objects.known().filter(account__person=person)
    return (
        Facility.objects.filter(organization=scope.organization)
        .open()
        .filter(
            Q(pk__in=places.order_by().values("pk"))
            | Q(pk__in=works.values("facility"))
            | Q(pk__in=holds.values("facility"))
        )
        .order_by("name", "pk")
    )
