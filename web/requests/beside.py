"""The running requests about one account, person or facility, as their pages list them."""

from datetime import date
from typing import Any, Final

from django.db.models import Q
from django.urls import reverse

from accounts.models import AccessRequest, PortalAccount
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person
from web.requests.listing import READ_WITH
from web.requests.words import asked, stands

SHOWN: Final = 5


def of_account(scope: Scope, account: PortalAccount, on: date) -> dict[str, Any]:
    """Return the running requests for the account's person on its system. One query."""
    about = Q(beneficiary_person=account.person_id, system=account.system_id)
    return _running(scope, about, f"system={account.system.slug}", on)


def of_person(scope: Scope, person: Person, on: date) -> dict[str, Any]:
    """Return the running requests for a person. One query."""
    return _running(scope, Q(beneficiary_person=person), "", on)


def of_facility(scope: Scope, facility: Facility, on: date) -> dict[str, Any]:
    """Return the running requests at a facility. One query."""
    return _running(scope, Q(facility=facility), f"facility={facility.pk}", on)


def _running(scope: Scope, about: Q, query: str, on: date) -> dict[str, Any]:
    rows = AccessRequest.objects.visible_to(scope).pending().filter(about).select_related(*READ_WITH)
    found = list(rows.order_by("-pk")[: SHOWN + 1])
    page = reverse("web:requests", args=[scope.organization.slug])
    return {
        "rows": [
            {"text": f"{asked(each)}.", "url": each.get_absolute_url(), "note": stands(each, on)}
            for each in found[:SHOWN]
        ],
        "by_kind": {each.kind: each.get_absolute_url() for each in found},
        "more_url": f"{page}?show=all&{query}".rstrip("&") if len(found) > SHOWN else "",
    }
