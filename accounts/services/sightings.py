"""Stating what a system shows of somebody's logins: evidence of grade A, by a Security Official of that system."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from accounts.errors import LoginRejected
from accounts.models import LoginEvent, PortalAccount
from accounts.services.contradictions import contradict, refuse_contradicted, refuse_unofficial
from accounts.services.logins import (
    accepted_day,
    add_evidence,
    count_again,
    lock_active,
    places_of,
    record_act,
    refresh_clocks,
)
from facilities.access import Action, Scope, authorize


@dataclass(frozen=True, slots=True)
class Seen:
    """What stating it came to: the login, whether it is new, and how many weaker ones no longer count."""

    event: LoginEvent
    created: bool
    contradicted: int


def state_last_login(*, scope: Scope, account: PortalAccount, last_login_on: date, seen_on: date, at: datetime) -> Seen:
    """Record that the system showed on ``seen_on`` that the last login was on ``last_login_on`` (US Eastern days).

    Weaker logins of the days between are voided, kept and marked; the clock goes back. Repeating it changes nothing.
    Raises NotAllowed for anybody but a Security Official of the system at one of the account's facilities;
    LoginRejected for days that cannot be, or an account that is not active.
    """
    authorize(scope, Action.RECORD_LOGIN, places_of(account))
    refuse_unofficial(scope, account, at)
    day, seen = accepted_day(last_login_on, at), _accepted_sight(seen_on, at)
    if seen < day:
        message = "It cannot have been seen before the login."
        raise LoginRejected(message, field="seen_on", code="before_login")
    with transaction.atomic():
        current = lock_active(scope, [account])[account.pk]
        refuse_contradicted([current], day)
        standing = LoginEvent.objects.standing().filter(account=current)
        known = standing.filter(source=LoginEvent.Source.SEEN, happened_on=day).first()
        if known is not None and known.seen_on is not None and known.seen_on >= seen:
            return Seen(known, False, 0)
        if known is not None:  # seen again later, and still the last one
            LoginEvent.objects.filter(pk=known.pk).update(seen_on=seen)
            known.seen_on = seen
        event, authority = (known, None) if known else _add(scope, current, day, seen, at)
        gone = LoginEvent.objects.filter(account=current, contradicted_by=event).count()
        counted = contradict(event, at)
        for key, when in counted:
            count_again(key, when, at)
        gone = LoginEvent.objects.filter(account=current, contradicted_by=event).count() - gone
        above = {key for key, _ in counted} | ({authority.pk} if authority else set())
        refresh_clocks([current.pk, *above], at=at)
        payload = {"login": event.key, "last_login_on": day.isoformat(), "seen_on": seen.isoformat(), "voided": gone}
        record_act(scope=scope, account=current, action="login.seen", at=at, payload=payload)
    return Seen(event, True, gone)


def _accepted_sight(seen_on: date, at: datetime) -> date:
    try:
        return accepted_day(seen_on, at)
    except LoginRejected as exc:
        message = "It cannot have been seen in the future." if exc.code == "future" else exc.message
        raise LoginRejected(message, field="seen_on", code=exc.code) from exc


def _add(
    scope: Scope, account: PortalAccount, day: date, seen: date, at: datetime
) -> tuple[LoginEvent, PortalAccount | None]:
    kind = (LoginEvent.Grade.A, LoginEvent.Source.SEEN)
    event, authority = add_evidence(scope=scope, account=account, day=day, kind=kind, at=at)
    LoginEvent.objects.filter(pk=event.pk).update(seen_on=seen)
    event.seen_on = seen
    return event, authority
