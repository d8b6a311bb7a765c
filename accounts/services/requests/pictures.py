"""How a person's accounts on a system stand, as plain values: kept before and after a request is finished, so that it
can be taken back exactly, and so that what somebody changed since is noticed."""

from collections.abc import Collection
from datetime import date
from typing import Any, Final

from django.db.models import Count, Max

from accounts.models import (
    AccessRequest,
    Certification,
    LoginEvent,
    PortalAccount,
    ProfileCheck,
    RequestStep,
    RoleGrant,
)

# What finishing may change of an account. The rest follows from logins, or is a note.
FIELDS: Final = (
    "status", "loss", "term", "lasts_until", "opened_on", "removed_on", "user_id", "identity_id", "confirmed_on",
    "history_from_on", "proofing",
)  # fmt: skip
Picture = dict[str, Any]
Stood = dict[str, list[Any]]
_LEFT: Final = ("state", "started_on", "due_on", "done_on", "done_at", "done_by", "note")  # of a step, as it is kept


def picture_of(request: AccessRequest) -> Picture:
    """Return how the beneficiary's accounts stand on the request's system and its sign-in authority. Five queries."""
    systems = [key for key in (request.system_id, request.system.sign_in_via_id) if key is not None]
    rows = PortalAccount.objects.filter(
        organization=request.organization_id, person=request.beneficiary_person_id, system__in=systems
    ).order_by("pk")
    accounts = {str(row["pk"]): {name: _plain(row[name]) for name in FIELDS} for row in rows.values("pk", *FIELDS)}
    keys = [int(key) for key in accounts]
    return {
        "accounts": accounts,
        "grants": _keys(RoleGrant.objects.known().filter(account__in=keys)),
        "certified": _keys(Certification.objects.known().filter(grant__account__in=keys)),
        "checked": _keys(ProfileCheck.objects.known().filter(account__in=keys)),
        "logins": _logins(keys),
    }


def _keys(rows: Any) -> list[int]:
    return list(rows.order_by("pk").values_list("pk", flat=True))


def _logins(accounts: Collection[int]) -> dict[str, list[int]]:
    """Return account -> how many logins stand, and the newest row."""
    standing = LoginEvent.objects.standing().filter(account__in=accounts).order_by()
    counted = standing.values_list("account").annotate(count=Count("pk"), newest=Max("pk"))
    return {str(account): [count, newest] for account, count, newest in counted}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def steps_left(request: AccessRequest) -> Stood:
    """Return by key how the steps stand that are not through, or did not work. One query."""
    left = RequestStep.objects.filter(request=request, state__in=["open", "waiting", "failed"]).order_by("pk")
    return {str(step.pk): [_plain(getattr(step, name)) for name in _LEFT] for step in left}


def put_back_steps(stood: Stood) -> None:
    """Let steps stand as `steps_left` found them; what was kept by older releases says no more than three things."""
    for key, values in stood.items():
        kept = dict(zip(_LEFT, values, strict=False))
        never: dict[str, Any] = {"done_on": None, "done_at": None, "done_by": "", "note": ""}
        RequestStep.objects.filter(pk=int(key)).update(**(never | kept))
