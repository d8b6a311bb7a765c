"""Taking back that a request was finished, within some days: everything is as before, and it is carried on with.

Facts are voided and inserted, never edited. Where somebody changed since what it had changed, nothing is undone.
"""

import json
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Certification, PortalAccount, ProfileCheck, RequestStep, RoleGrant
from accounts.policy.requesting import Kind, State
from accounts.services.account_granting import grant_again, void_grants
from accounts.services.account_list_writing import look_again
from accounts.services.inventory import hold_accounts_of
from accounts.services.logins import refresh_clocks
from accounts.services.requests.acts import label, lock_request
from accounts.services.requests.dates import follow_dates
from accounts.services.requests.ending import needed_reason
from accounts.services.requests.handing import What, hand_over, hand_turns
from accounts.services.requests.pictures import Picture, picture_of, put_back_steps
from accounts.services.requests.rights import authorize_undoing, carries_own_removal
from audit.services import Ref, record
from facilities.access import Scope
from systems.policy import EASTERN, day_in

WINDOW: Final = timedelta(days=7)
_BY_HAND: Final[dict[str, str]] = {
    Kind.NEW_ACCOUNT: "Ask for the removal of what should not be there.",
    Kind.ADDITIONAL_ROLE: "Ask for the removal of the role that should not be there.",
    Kind.ROLE_CHANGE: "Ask for the change back to the role from before.",
    Kind.REMOVAL: "Add the account or role again on the person’s page.",
    Kind.REACTIVATION: "Record on the account’s page that it no longer works.",
    Kind.FORGOTTEN_ID: "Correct the user ID on the account’s page.",
    Kind.CONTACT_CHANGE: "Take the check of the profile back on the account’s page.",
    Kind.UNLOCK: "Record on the account’s page that it no longer works.",
    Kind.PROOFING: "Ask for identity proofing again.",
    Kind.CERTIFICATION: "Take the certification back on the account’s page.",
}


def may_still_undo(request: AccessRequest, at: datetime) -> bool:
    """Return whether a finished request is within the days in which it may be taken back."""
    return request.state == State.DONE and request.closed_at is not None and at - request.closed_at <= WINDOW


def undo(*, scope: Scope, request: AccessRequest, reason: str, at: datetime) -> AccessRequest:
    """Take back that a request was finished; it is being carried out again, with its steps as they stood.

    Raises NotAllowed; AccountRefused without a reason, for one that is not done (``state``) or was finished too long
    ago (``too_late``), and where somebody changed its accounts since (``touched``), with what to do by hand.
    """
    authorize_undoing(scope, request)
    reason = needed_reason(reason, "Say why it is undone.")
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if held.state != State.DONE:
            raise AccountRefused("It is not finished, so there is nothing to undo.", code="state")
        if not may_still_undo(held, at):
            raise AccountRefused(
                f"It was finished more than {WINDOW.days} days ago. {_BY_HAND[held.kind]}", code="too_late"
            )
        hold_accounts_of(held.beneficiary_person)
        kept = json.loads(held.before)
        was, became = kept["was"], kept["became"]
        if _touched(was, became, picture_of(held)):
            raise AccountRefused(
                f"{held.beneficiary_person}’s {held.system.name} account was changed since, so this cannot be undone in"
                f" one step. {_BY_HAND[held.kind]}",
                code="touched",
            )
        _put_back(was, became, at)
        AccessRequest.objects.filter(pk=held.pk).update(
            state=State.IN_PROGRESS, closed_at=None, effective_on=None, proof="", proof_text="", seen_by=None,
            opened_grant=None, before="{}", ended_reason=reason, version=F("version") + 1,
        )  # fmt: skip
        put_back_steps(kept["steps"])
        follow_dates([held.pk], at)
        hand_turns(RequestStep.objects.filter(request=held, state=RequestStep.State.OPEN), scope=scope, at=at)
        hand_over([held.pk], What.UNDONE, scope=scope, at=at)
        payload = {
            "effective_on": held.effective_on.isoformat() if held.effective_on else None,
            "proof": held.proof,
            "own_removal": carries_own_removal(scope, held),
        }
        record(
            chain=scope.organization.key, action="request.undone", actor=scope.actor,
            subject=Ref(held.key, label(held)), at=at, reason=reason, payload=payload,
        )  # fmt: skip
    request.refresh_from_db()
    return request


def _touched(was: Picture, became: Picture, now: Picture) -> bool:
    """Return whether somebody changed accounts or roles since, or used what would be taken away.

    Logins, certifications and checks on what stays do not matter: they stay, too.
    """
    if (now["accounts"], now["grants"]) != (became["accounts"], became["grants"]):
        return True
    changed = {key for key, fields in became["accounts"].items() if was["accounts"].get(key) != fields}
    if any(now["logins"].get(key) != became["logins"].get(key) for key in changed):
        return True
    opened = set(became["grants"]) - set(was["grants"])
    later = Certification.objects.filter(pk__in=set(now["certified"]) - set(became["certified"]), grant__in=opened)
    checks = set(now["checked"]) - set(became["checked"])
    made = _made(was, became)
    return later.exists() or ProfileCheck.objects.filter(pk__in=checks, account__in=made).exists()


def _made(was: Picture, became: Picture) -> list[int]:
    """Return the accounts that the request opened."""
    return sorted(int(key) for key in became["accounts"].keys() - was["accounts"].keys())


def _put_back(was: Picture, became: Picture, at: datetime) -> None:
    made = _made(was, became)
    # An account at an authority that another surface uses by now stays, with its role.
    used = PortalAccount.objects.open().filter(identity__in=made).exclude(pk__in=made)
    stays = set(used.values_list("identity_id", flat=True))
    Certification.objects.known().filter(pk__in=_new("certified", was, became)).update(voided_at=at)
    ProfileCheck.objects.known().filter(pk__in=_new("checked", was, became)).update(voided_at=at)
    opened = RoleGrant.objects.filter(pk__in=_new("grants", was, became)).exclude(account__in=stays)
    void_grants(opened.values_list("pk", flat=True), at)
    grant_again(_new("grants", became, was), at)
    for key, fields in was["accounts"].items():
        if fields != became["accounts"][key]:
            PortalAccount.objects.filter(pk=int(key)).update(**fields, version=F("version") + 1)
    PortalAccount.objects.filter(pk__in=set(made) - stays).update(
        status=PortalAccount.Status.REMOVED, loss="", removed_on=day_in(at, EASTERN), version=F("version") + 1
    )
    every = sorted(int(key) for key in became["accounts"])
    refresh_clocks(every, at=at)
    look_again(every)


def _new(name: str, before: Picture, after: Picture) -> list[int]:
    return sorted(set(after[name]) - set(before[name]))
