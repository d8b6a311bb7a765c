"""The history of one account as a timeline: what is to come, logins with evidence, grants, mails; newest first."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.urls import reverse

from accounts.models import Certification, Deadline, LoginEvent, PortalAccount, RoleGrant, RoleNeed
from accounts.words import day, instant
from facilities.access import Action, Scope
from systems.policy import EASTERN, day_in
from web.dossiers import Dossier
from web.told import mails_about

LOGINS_SHOWN = 30
_FUTURE = {
    Deadline.Kind.INACTIVITY: "Last safe day for a login",
    Deadline.Kind.DELETION: "Last day before the account is deleted",
    Deadline.Kind.PASSWORD: "Last safe day for a change of password",
    Deadline.Kind.TEMPORARY: "Last day of a temporary account",
}


def timeline(
    scope: Scope, dossier: Dossier, deadlines: Iterable[Deadline], needs: Iterable[RoleNeed]
) -> list[dict[str, Any]]:
    """Return the entries; a login that may be taken back carries ``void_url``. Three queries."""
    account = dossier.account
    entries = [_future(deadline, dossier.on) for deadline in deadlines]
    logins = LoginEvent.objects.filter(account=account).select_related("via__account__system", "contradicted_by")
    may_void = dossier.may(scope, Action.RECORD_LOGIN)
    for event in logins.order_by("-happened_on", "-pk")[:LOGINS_SHOWN]:
        entries.append(_login(scope, event, account.system.name, may_void))
    for grant in dossier.grants:
        entries += _grant(grant, dossier.on)
    entries += [_need(scope, each) for each in needs]
    entries += _certifications(scope, account)
    entries += _mails(scope, account)
    entries.append({"on": account.opened_on, "title": "Account opened", "rank": 0})
    if account.removed_on:
        entries.append({"on": account.removed_on, "title": "Account removed", "rank": 3})
    if account.password_changed_on:
        entries.append({"on": account.password_changed_on, "title": "Password changed", "rank": 1})
    return sorted(entries, key=lambda entry: (entry["on"], entry["rank"]), reverse=True)


def _future(deadline: Deadline, on: date) -> dict[str, Any]:
    title = _FUTURE.get(Deadline.Kind(deadline.kind), deadline.get_kind_display())
    wish = f"Your organization wants it by {day(deadline.target_on)}." if _stricter(deadline) else ""
    return {"on": deadline.due_on, "title": title, "text": wish, "future": deadline.due_on >= on, "rank": 4}


def _stricter(deadline: Deadline) -> bool:
    return deadline.target_on is not None and deadline.target_on != deadline.due_on


def _login(scope: Scope, event: LoginEvent, system: str, may_void: bool) -> dict[str, Any]:
    text = f"Counted from a login to {event.via.account.system.name}." if event.via else ""
    if event.seen_on:
        text = f"The last one that the system showed on {day(event.seen_on)}."
    entry: dict[str, Any] = {
        "on": event.happened_on,
        "title": f"Signed in to {system}",
        "text": text,
        "grade": event.grade,
        "by": event.recorded_by,
        "rank": 2,
    }
    if event.voided_at and event.contradicted_by:
        entry["voided"] = _contradicted(event.contradicted_by)
    elif event.voided_at:
        entry["voided"] = f"taken back on {instant(event.voided_at)}."
    elif may_void and event.via is None:
        entry["void_url"] = reverse("web:login-void", args=[scope.organization.slug, event.pk])
    return entry


def _contradicted(by: LoginEvent) -> str:
    seen = day(by.seen_on) if by.seen_on else "another day"
    return f"contradicted; on {seen} the system showed that the last login was on {day(by.happened_on)}."


def _grant(grant: RoleGrant, on: date) -> list[dict[str, Any]]:
    what = f"{grant.role.name} at {grant.facility.name}"
    entries: list[dict[str, Any]] = [
        {"on": grant.valid_from, "title": f"Role: {what}", "text": grant.evidence, "rank": 1}
    ]
    if grant.valid_to:
        ahead = grant.valid_to > on
        title = f"{'Role ends' if ahead else 'Role ended'}: {what}"
        entries.append({"on": grant.valid_to, "title": title, "future": ahead, "rank": 2})
    return entries


def _need(scope: Scope, told: RoleNeed) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "on": day_in(told.recorded_at, EASTERN),
        "title": f"Needed: {told.role.name} at {told.facility.name}",
        "text": told.need,
        "by": told.recorded_by,
        "rank": 2,
    }
    if told.voided_at:
        when, why = instant(told.voided_at), told.void_reason.rstrip(".")
        entry["voided"] = f"taken back on {when} ({why})." if why else f"said anew on {when}."
    elif scope.may(Action.KEEP_ACCOUNT, [told.facility_id]):
        entry["take_back_url"] = reverse("web:role-need-void", args=[scope.organization.slug, told.pk])
    return entry


def _certifications(scope: Scope, account: PortalAccount) -> list[dict[str, Any]]:
    told = Certification.objects.filter(grant__account=account).select_related("grant__role", "grant__facility")
    return [_certification(scope, each) for each in told.order_by("-certified_on", "-pk")[:LOGINS_SHOWN]]


def _certification(scope: Scope, told: Certification) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "on": told.certified_on,
        "title": f"Certified for a year: {told.grant.role.name} at {told.grant.facility.name}",
        "text": f"By {told.certified_by}." if told.certified_by else "",
        "by": told.recorded_by,
        "rank": 2,
    }
    if told.voided_at:
        reason = told.void_reason.rstrip(".") or "no reason was kept"
        entry["voided"] = f"taken back on {instant(told.voided_at)} ({reason})."
    elif scope.may(Action.KEEP_ACCOUNT, [told.grant.facility_id]):
        entry["take_back_url"] = reverse("web:certification-void", args=[scope.organization.slug, told.pk])
    return entry


def _mails(scope: Scope, account: PortalAccount) -> list[dict[str, Any]]:
    """Return one entry per digest that spoke of this account, however many of its lines did."""
    return [_mail(*mail) for mail in mails_about(scope, account, LOGINS_SHOWN)]


def _mail(sent_at: datetime, who: str, about: str) -> dict[str, Any]:
    return {
        "on": day_in(sent_at, EASTERN),
        "at": sent_at,
        "title": f"Mail to {who}",
        "text": f"About {about}.",
        "rank": 3,
    }
