"""Links from pages about people, places, accounts and findings to what can be asked for. They cost no query."""

from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse

from accounts.models import AccessRequest, Finding, PortalAccount, RoleGrant
from accounts.policy.request_guards import FOR_WHO_WORKS, Guard
from accounts.policy.requesting import Kind
from facilities.access import Scope
from web.requests.kinds import ACCESS

Link = dict[str, str]
GET_BACK: Final = "Get it back"
_REMOVED_INSTEAD: Final = frozenset({"left", "moved"})  # guards that say so
NOT_OF_LEAVERS: Final = FOR_WHO_WORKS | {ACCESS}
# Kind of finding -> what its link says. No finding about a facility names somebody: that is asked first.
_OF_PLACES: Final = {
    Finding.Kind.NO_ACCOUNT.value: "Ask for access",
    Finding.Kind.NO_BACKUP.value: "Ask for access",
    Finding.Kind.NO_SUCCESSOR.value: "Ask for access",
    Finding.Kind.NO_OFFICIAL.value: "Ask for a Security Official",
    Finding.Kind.ONE_OFFICIAL.value: "Ask for a second Security Official",
}


def ask_url(scope: Scope, **answers: object) -> str:
    """Return the page that asks, with answers that are known already."""
    query = urlencode({name: value for name, value in answers.items() if value})
    return f"{reverse('web:request-new', args=[scope.organization.slug])}?{query}".rstrip("?")


def removal_ways(scope: Scope, request: AccessRequest, guards: Sequence[Guard]) -> list[Link]:
    """Return the way to a removal instead of what a request asks for, where it stands against it that somebody left.

    It leads to all that the person holds: an identity that others sign in through is removed by nobody, and there it
    says what is.
    """
    if not any(guard.code in _REMOVED_INSTEAD for guard in guards):
        return []
    url = ask_url(scope, person=request.beneficiary_person_id, kind=Kind.REMOVAL)
    return [{"label": "Ask for the removal", "url": url}]


def ways_of_account(
    scope: Scope, account: PortalAccount, grants: Sequence[RoleGrant], on: date, *, left: bool
) -> list[Link]:
    """Return what can be asked for about an account; the page of the account offers it to whom may ask.

    ``left``: the person does not work here any more, so that access is taken away, neither given nor kept.
    """
    if account.status == PortalAccount.Status.REMOVED:
        return []
    grant = grants[0].pk if len(grants) == 1 else ""
    mine: dict[str, Any] = {"person": account.person_id, "account": account.pk}
    further: dict[str, Any] = {"person": account.person_id, "kind": ACCESS, "system": account.system.slug}
    if grants:
        further["facility"] = grants[0].facility_id
    found = [("Ask for another role", further)]
    active = account.status == PortalAccount.Status.ACTIVE
    if active and grants:
        change = {"person": account.person_id, "kind": Kind.ROLE_CHANGE, "grant": grant}
        found.append(("Change role", change))
    if not active or (account.lapses_on is not None and account.lapses_on < on):
        found.append((GET_BACK, _back(account, grant)))
    found += [
        ("Ask for removal", mine | {"kind": Kind.REMOVAL}),
        ("Forgotten user ID", mine | {"kind": Kind.FORGOTTEN_ID}),
        ("Unlock", mine | {"kind": Kind.UNLOCK}),
    ]
    if left:
        found = [(label, answers) for label, answers in found if answers["kind"] not in NOT_OF_LEAVERS]
    return [{"label": label, "url": ask_url(scope, **answers)} for label, answers in found]


def back_url(scope: Scope, account: PortalAccount) -> str:
    """Return where a lost account is asked back."""
    return ask_url(scope, **_back(account))


def _back(account: PortalAccount, grant: object = "") -> dict[str, Any]:
    return {"person": account.person_id, "kind": Kind.REACTIVATION, "grant": grant}


def way_of_place(scope: Scope, finding: Finding, facts: dict[str, Any]) -> Link | None:
    """Return what can be asked for where a facility lacks somebody."""
    label = _OF_PLACES.get(finding.kind)
    if label is None or finding.facility_id is None:
        return None
    systems = facts.get("systems") or [facts.get("system", "")]
    system = systems[0] if len(systems) == 1 else ""
    return {"label": label, "url": ask_url(scope, kind=ACCESS, facility=finding.facility_id, system=system)}
