"""What the list of people can be narrowed down by."""

from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q

from accounts.models import PortalAccount, RoleGrant
from facilities.models import Organization
from staff.beginnings import begins, reads
from staff.models import Employment, Person, PersonQuerySet
from web.account_filters import WORDS_SEARCHED, Choice

STATES = (
    Choice("working", "Works here"),
    Choice("left", "Left"),
    Choice("left-open", "Left, access still open"),
    Choice("vendor", "Vendor or contractor"),
)
HOLDINGS = (Choice("some", "Holds an account"), Choice("none", "Holds no account"))


def matching_people(
    people: PersonQuerySet, chosen: dict[str, Any], on: date, organization: Organization
) -> PersonQuerySet:
    """Return the organization's people who fit everything ``chosen`` (cleaned by `web.forms.lists.PeopleFilter`)."""
    everybody = Person.objects.filter(organization=organization)
    numbered = everybody.filter(employee_number__isnull=False)  # says what the index says
    for word in chosen.get("q", "").split()[:WORDS_SEARCHED]:
        named = [everybody.filter(begins(name, word)).values("pk") for name in ("last_name", "first_name")]
        # One range of an index each; one condition beside the other would walk through everybody.
        people = people.filter(pk__in=numbered.filter(reads("employee_number", word)).values("pk").union(*named))
    if chosen.get("facility"):
        here = Employment.objects.known().filter(facility=chosen["facility"])
        granted = RoleGrant.objects.in_force(on).filter(facility=chosen["facility"])
        people = people.filter(Q(pk__in=here.values("person")) | Q(pk__in=granted.values("account__person")))
    # An account is removed exactly when it has a day of removal; said so, a small index answers.
    open_ones = PortalAccount.objects.filter(organization=organization, removed_on=None)
    holds = Exists(open_ones.filter(person=OuterRef("pk")))
    if chosen.get("holds") == "some":
        people = people.filter(holds)
    elif chosen.get("holds") == "none":  # one index taken from another; an index is not asked for each of all people
        people = people.filter(pk__in=everybody.values("pk").difference(open_ones.values("person")))
    working = Exists(Employment.objects.in_force(on).filter(person=OuterRef("pk")))
    worked = Exists(Employment.objects.known().filter(person=OuterRef("pk"), valid_to__lt=on))
    left_open = Exists(open_ones.filter(person=OuterRef("pk")).left_open(on))
    return {
        "": people,
        "working": people.filter(working),
        "left": people.filter(~working, worked),
        "left-open": people.filter(~working, worked, left_open),
        "vendor": people.filter(affiliation=Person.Affiliation.VENDOR),
    }[chosen.get("state", "")]
