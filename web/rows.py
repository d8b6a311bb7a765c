"""Rows of Today as `components/row_action.html` draws them: a sentence, a clock, a deed."""

from datetime import date, timedelta
from typing import Any

from django.urls import reverse

from accounts.duty_sentences import temporary_due
from accounts.models import Deadline, LoginEvent, PortalAccount
from accounts.sentences import (
    Facts,
    account_lost,
    by_day,
    deletion_due,
    login_due,
    login_passed,
    login_unknown,
    password_due,
    roles_to_check,
    short_day,
    system_closed,
    what_follows,
)
from accounts.services.logins import EARLIEST
from facilities.access import Action, Scope
from systems.policy import EASTERN, Standing, day_in
from web.dossiers import Dossier, clock_drawing, explain
from web.requests.ways import GET_BACK, back_url
from web.standings import clock_of

BACK = "?from=today"  # where a deed returns to, empty for the account; see `web.views.logins.back`


def row_id(account: PortalAccount) -> str:
    """Return the DOM id under which an account's row is found again after a deed."""
    return f"row-{account.pk}"


def deadline_row(scope: Scope, dossier: Dossier, deadline: Deadline, *, back: str = BACK) -> dict[str, Any]:
    """Return the row of an open deadline."""
    facts = dossier.facts(deadline)
    standing = clock_of(deadline).standing(dossier.on)
    password, temporary = deadline.kind == Deadline.Kind.PASSWORD, deadline.kind == Deadline.Kind.TEMPORARY
    row: dict[str, Any] = {
        "id": f"{row_id(dossier.account)}-{deadline.kind}" if password or temporary else row_id(dossier.account),
        "standing": standing,
        "sentence": _sentence(deadline, facts, standing),
        "url": address("account", scope, dossier.account),
        "detail": _detail(dossier, deadline, facts),
        "clock": clock_drawing(dossier, deadline),
        "why": explain(dossier, deadline) | {"more_url": reverse("web:deadline-why", args=_key(scope, deadline))},
    }
    if deadline.muted or (dossier.left_on and not dossier.own):
        row["links"] = _end_links(scope, dossier)
    elif temporary:
        row["links"] = _term_links(scope, dossier)
    elif password:
        row["links"] = _password_links(scope, dossier)
    elif deadline.check_on is not None:
        row["deeds"] = _answers(scope, dossier, back)
    elif dossier.account.status == PortalAccount.Status.ACTIVE:
        row |= _login_deeds(scope, dossier, back)
    return row


def unknown_row(scope: Scope, dossier: Dossier, *, back: str = BACK) -> dict[str, Any]:
    """Return the row of an account whose last login nobody knows."""
    row: dict[str, Any] = {
        "id": row_id(dossier.account),
        "standing": Standing.UNKNOWN,
        "sentence": login_unknown(dossier.facts()),
        "url": address("account", scope, dossier.account),
        "detail": "Until somebody tells the day, no date can be given.",
    }
    if dossier.left_on and not dossier.own:
        return row | {"detail": "Nobody is asked to sign in any more.", "links": _end_links(scope, dossier)}
    if dossier.own:
        return row | _login_deeds(scope, dossier, back)
    if dossier.may(scope, Action.RECORD_LOGIN):
        row["links"] = [{"label": "Tell the day", "url": address("login-another-day", scope, dossier.account) + back}]
    return row


def lost_row(scope: Scope, dossier: Dossier, request: int | None) -> dict[str, Any]:
    """Return the row of the member's own account that no longer works; ``request``: the one that brings it back."""
    account, on = dossier.account, dossier.on
    told_on = day_in(account.lost_at, EASTERN) if account.lost_at else on
    row: dict[str, Any] = {
        "id": row_id(account),
        "standing": Standing.LATE,
        "words": account.get_loss_display(),
        "sentence": account_lost(account.system.name, account.loss, told_on, on),
        "url": address("account", scope, account),
        "detail": "A login alone brings nothing back; whoever may approve has to agree first.",
    }
    if request is not None:
        row["detail"] = "There is a request to get it back: see how it stands."
        row["links"] = [
            {"label": "See the request", "url": reverse("web:request", args=[scope.organization.slug, request])}
        ]
        return row
    if dossier.may(scope, Action.REQUEST_ACCESS):
        row["links"] = [{"label": GET_BACK, "url": back_url(scope, account)}]
    return row


def done_row(scope: Scope, dossier: Dossier, event: LoginEvent) -> dict[str, Any]:
    """Return the struck-through row of a login recorded today."""
    account, on = dossier.account, dossier.on
    deed = f"Sign in to {account.system.name}" if dossier.own else f"{account.person}: sign in to {account.system.name}"
    said = "Signed in today" if event.happened_on == on else f"Signed in on {short_day(event.happened_on, on)}"
    following = f" Next: {by_day(account.lapses_on, on)}." if account.lapses_on else ""
    if account.status == PortalAccount.Status.LOST:
        following = f" Since then: {account.get_loss_display().lower()}."
    return {
        "id": row_id(account),
        "sentence": deed,
        "url": address("account", scope, account),
        "done": f"{said}, recorded.{following}",
        "undo_url": reverse("web:login-void", args=[scope.organization.slug, event.pk]) + BACK,
    }


def _key(scope: Scope, deadline: Deadline) -> list[str | int]:
    return [scope.organization.slug, deadline.pk]


def address(name: str, scope: Scope, account: PortalAccount) -> str:
    """Return the path of an account's page or deed."""
    return reverse(f"web:{name}", args=[scope.organization.slug, account.pk])


def said_login(dossier: Dossier) -> str:
    """Return the words of the one-click deed: a holder speaks for herself, a colleague repeats what she was told."""
    return "I signed in today" if dossier.own else f"{dossier.account.person.first_name} signed in today"


def day_choice(on: date) -> dict[str, str]:
    """Return value and bounds of a field for the day of a login; west of the date line the next day has begun."""
    return {
        "value": on.isoformat(),
        "min": EARLIEST.isoformat(),
        "max": (on + timedelta(days=1)).isoformat(),
    }


def _sentence(deadline: Deadline, facts: Facts, standing: Standing) -> str:
    if deadline.muted:
        return system_closed(facts)
    if deadline.kind == Deadline.Kind.PASSWORD:
        return password_due(facts)
    if deadline.kind == Deadline.Kind.DELETION:
        return deletion_due(facts)
    if deadline.kind == Deadline.Kind.TEMPORARY:
        return temporary_due(
            person=facts.person, own=facts.own, system=facts.system, due_on=deadline.due_on, on=facts.on
        )
    if deadline.check_on is not None:
        return roles_to_check(facts)
    if standing in {Standing.LATE, Standing.PRESUMED_LAPSED}:
        return login_passed(facts)
    return login_due(facts)


def _detail(dossier: Dossier, deadline: Deadline, facts: Facts) -> str:
    if deadline.muted:
        return "Its dates are still counted, but nobody is reminded of them."
    if deadline.kind == Deadline.Kind.TEMPORARY:
        return "A login does not make it last longer."
    if deadline.check_on is not None:
        return "A login that late brings nothing back by itself: look on the system, then answer."
    ends = dossier.local_ends(deadline) if deadline.due_on >= dossier.on else ""
    return " ".join(filter(None, [what_follows(facts), ends]))


def _login_deeds(scope: Scope, dossier: Dossier, back: str) -> dict[str, Any]:
    if not dossier.may(scope, Action.RECORD_LOGIN):
        return {}
    url = address("login", scope, dossier.account) + back
    kind = "primary" if dossier.own else "secondary"
    return {
        "deeds": [{"label": said_login(dossier), "url": url, "kind": kind}],
        "another_day": day_choice(dossier.on) | {"url": address("login-another-day", scope, dossier.account) + back},
    }


def _answers(scope: Scope, dossier: Dossier, back: str) -> list[dict[str, Any]]:
    if not dossier.may(scope, Action.CONFIRM_ROLES):
        return []
    url = address("account-check", scope, dossier.account) + back
    kind = "primary" if dossier.own else "secondary"
    return [
        {"label": "They are still there", "url": url, "fields": [{"name": "answer", "value": "there"}], "kind": kind},
        {"label": "They are gone", "url": url, "fields": [{"name": "answer", "value": "gone"}], "kind": "secondary"},
    ]


def _password_links(scope: Scope, dossier: Dossier) -> list[dict[str, str]]:
    if not dossier.may(scope, Action.EDIT_ACCOUNT):
        return []
    return [{"label": "Tell the new day", "url": address("account-edit", scope, dossier.account)}]


def _term_links(scope: Scope, dossier: Dossier) -> list[dict[str, str]]:
    change = {"label": "Change how long it lasts", "url": address("account-term", scope, dossier.account)}
    return [*_end_links(scope, dossier), change] if dossier.may(scope, Action.EDIT_ACCOUNT) else []


def _end_links(scope: Scope, dossier: Dossier) -> list[dict[str, str]]:
    if not dossier.may(scope, Action.EDIT_ACCOUNT):
        return []
    return [{"label": "It was removed", "url": address("account-remove", scope, dossier.account)}]
