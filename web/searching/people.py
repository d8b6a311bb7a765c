"""People by name, work e-mail and employee number, and accounts by user ID."""

from datetime import date

from django.db.models import Exists, F, OuterRef
from django.urls import reverse

from accounts.models import PortalAccount
from accounts.words import day
from facilities.access import Scope
from staff.beginnings import Folded, begins
from staff.models import Employment, Person
from staff.names import people_called, people_nearly_called
from web.people_list import jobs_by_person, place_cell, titles
from web.searching.hits import AT_MOST, Group, Hit, first_of, note

TITLE = "People"


def people_found(scope: Scope, asked: str, on: date) -> Group:
    """Return who is called so, has this work e-mail or employee number; who left as well. Three queries."""
    found = people_called(Person.objects.visible_to(scope), asked, AT_MOST + 1)
    group = first_of(scope, "people", TITLE, _hits(scope, found, on), asked)
    if "@" in asked:  # the list finds names and numbers only
        group.more_url = ""
    return group


def people_near(scope: Scope, asked: str, on: date, besides: Group) -> Group:
    """Return whose name is spelled nearly so, ``besides`` who was found. Five queries at most."""
    if any(sign.isdigit() or sign == "@" for sign in asked):
        return Group("people", TITLE)
    found = people_nearly_called(Person.objects.visible_to(scope), scope.organization, asked, AT_MOST)
    known = {hit.url for hit in besides.hits}
    return Group("people", TITLE, [hit for hit in _hits(scope, found, on) if hit.url not in known])


def _hits(scope: Scope, people: list[Person], on: date) -> list[Hit]:
    jobs = jobs_by_person(scope, people) if people else {}
    return [
        Hit(
            str(person),
            _person_note(person, jobs.get(person.pk, []), on),
            reverse("web:person", args=[scope.organization.slug, person.pk]),
        )
        for person in people
    ]


def _person_note(person: Person, jobs: list[Employment], on: date) -> str:
    vendor = "Vendor or contractor" if person.affiliation == Person.Affiliation.VENDOR else ""
    number = f"no. {person.employee_number}" if person.employee_number else ""
    where = ", ".join(filter(None, place_cell(jobs, on).values())) if jobs else ""
    return note(vendor, titles(jobs), where, person.email, number)


def accounts_found(scope: Scope, asked: str, on: date) -> Group:
    """Return the accounts whose user ID, or that of the authority they are below, begins so. Two queries."""
    organization, readable = scope.organization, PortalAccount.objects.visible_to(scope)
    below = PortalAccount.objects.filter(Exists(readable.filter(pk=OuterRef("pk"))))  # begin at the authority's ID
    found: dict[int, PortalAccount] = {}
    for these, owner in ((readable, ""), (below, "identity__")):
        told = {f"{owner}organization": organization, f"{owner}user_id__isnull": False}  # says what the index says
        begun = these.filter(begins(f"{owner}user_id", asked), **told).order_by(Folded(F(f"{owner}user_id")), "pk")
        for account in begun.select_related("person", "system", "identity")[: AT_MOST + 1]:
            found[account.pk] = account
    ranked = sorted(found.values(), key=lambda each: (_user_id(each).upper(), each.system.position, each.pk))
    hits = [
        Hit(
            f"{_user_id(account)} on {account.system.name}",
            note(str(account.person), _state(account, on)),
            reverse("web:account", args=[organization.slug, account.pk]),
        )
        for account in ranked[: AT_MOST + 1]
    ]
    group = first_of(scope, "accounts", "Accounts", hits, asked)
    if all(account.status == PortalAccount.Status.REMOVED for account in ranked):  # the list has them on demand only
        group.more_url += "&standing=removed" if group.more_url else ""
    return group


def _user_id(account: PortalAccount) -> str:
    return (account.identity or account).user_id or ""


def _state(account: PortalAccount, on: date) -> str:
    status = PortalAccount.Status
    if account.status == status.REMOVED:
        return f"Removed on {day(account.removed_on)}"
    if account.status == status.LOST:
        return f"Lost: {account.get_loss_display().lower()}"
    return "" if account.status == status.ACTIVE else account.get_status_display()
