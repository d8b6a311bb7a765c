"""Recording logins, taking them back, and answering "are the roles still there?"."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import F

from accounts.errors import LoginRejected
from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.policy import loss_after
from accounts.services.clocks import Chains, close_cured_findings, recompute
from accounts.services.contradictions import refuse_contradicted, refuse_unofficial, restore
from accounts.services.replaying import replay_logins
from accounts.services.typed_logins import watch_typing
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.services.rechecks import recheck
from systems.policy import EASTERN, day_in, eastern_day
from systems.selectors import policy_chains

EARLIEST = date(2000, 1, 1)  # no system here is older


@dataclass(frozen=True, slots=True)
class LoginOutcome:
    """What recording came to: the event, whether it is new, and what the clock says now."""

    event: LoginEvent
    created: bool
    due_on: date | None
    check_pending: bool


def places_of(account: PortalAccount) -> list[int]:
    """Return the keys of facilities where the account has or had a grant."""
    return list(RoleGrant.objects.known().filter(account=account).values_list("facility_id", flat=True).distinct())


def record_act(
    *, scope: Scope, account: PortalAccount, action: str, at: datetime, payload: dict[str, object], reason: str = ""
) -> None:
    """Record one act on an account in its organization's chain, last in the act's transaction."""
    subject = Ref(account.key, f"{account.person}, {account.system.name}")
    chain = scope.organization.key
    record(chain=chain, action=action, actor=scope.actor, subject=subject, at=at, reason=reason, payload=payload)


def is_own(scope: Scope, account: PortalAccount) -> bool:
    """Return whether the account belongs to the acting member's own person."""
    return scope.user_id is not None and account.person.user_id == scope.user_id


def record_login(*, scope: Scope, account: PortalAccount, happened_on: date, at: datetime) -> LoginOutcome:
    """Record that the holder signed in on a day (US Eastern). Repeating it changes nothing.

    The holder's own word is grade B, a colleague's D. Where the system's logins count at its sign-in authority, a
    second event is written there. Raises NotAllowed; LoginRejected for a day in the future or before 2000, or an
    account that is not active.
    """
    return record_logins(scope=scope, accounts=[account], happened_on=happened_on, at=at)[0]


def record_logins(
    *, scope: Scope, accounts: Sequence[PortalAccount], happened_on: date, at: datetime
) -> list[LoginOutcome]:
    """Record one day's login on several accounts, all or none. As `record_login`."""
    for account in accounts:
        authorize(scope, Action.RECORD_LOGIN, places_of(account), own=is_own(scope, account))
    day = accepted_day(happened_on, at)
    with transaction.atomic():
        locked = lock_active(scope, accounts)
        refuse_contradicted(locked.values(), day)
        chains = policy_chains()  # after the lock: a recomputation that waits for it then finds what these rules say
        outcomes = [_record_one(scope, locked[account.pk], day, at, chains) for account in accounts]
        if any(outcome.created and outcome.event.source == LoginEvent.Source.COLLEAGUE for outcome in outcomes):
            watch_typing(scope=scope, at=at)
    return outcomes


def accepted_day(happened_on: date, at: datetime) -> date:
    """Return the Eastern day meant. Raises LoginRejected for the future or for a day before any system existed."""
    day = eastern_day(happened_on, at)
    if day > day_in(at, EASTERN):
        raise LoginRejected("A login cannot lie in the future.", field="happened_on", code="future")
    if day < EARLIEST:
        raise LoginRejected("That day is before any of these systems existed.", field="happened_on", code="too_early")
    return day


def lock_active(scope: Scope, accounts: Sequence[PortalAccount]) -> dict[int, PortalAccount]:
    """Lock these accounts and their identities, and return all by key. Raises LoginRejected where one is not active."""
    # With the authorities where a login counts too: locked later, out of order, two members would block each other.
    wanted = {key for account in accounts for key in (account.pk, account.identity_id) if key is not None}
    mine = PortalAccount.objects.filter(organization=scope.organization, pk__in=wanted)
    locked = {
        account.pk: account
        for account in mine.select_for_update(of=("self",)).select_related("person", "system").order_by("pk")
    }
    for account in accounts:
        current = locked.get(account.pk)
        if current is None or current.status != PortalAccount.Status.ACTIVE:
            state = current.get_status_display().lower() if current else "gone"
            raise LoginRejected(
                f"{account.person}'s {account.system.name} account is {state}; a login cannot be recorded on it.",
                code="not_active",
            )
    return locked


def _record_one(scope: Scope, account: PortalAccount, day: date, at: datetime, chains: Chains) -> LoginOutcome:
    source = LoginEvent.Source.SELF if is_own(scope, account) else LoginEvent.Source.COLLEAGUE
    known = LoginEvent.objects.standing().filter(account=account, happened_on=day, source=source).first()
    if known is not None:
        return _outcome(known, False)
    event, authority = add_login(scope=scope, account=account, day=day, at=at)
    refresh_clocks([account.pk, *([authority.pk] if authority else [])], at=at, chains=chains)
    record_act(
        scope=scope,
        account=account,
        action="login.recorded",
        at=at,
        payload={
            "login": event.key,
            "happened_on": day.isoformat(),
            "grade": event.grade,
            "source": event.source,
            "counted_at": authority.key if authority else None,
        },
    )
    return _outcome(event, True)


def add_login(
    *, scope: Scope, account: PortalAccount, day: date, at: datetime
) -> tuple[LoginEvent, PortalAccount | None]:
    """Write the evidence of a login that the holder or a colleague tells of. As `add_evidence`."""
    own = is_own(scope, account)
    grade = LoginEvent.Grade.B if own else LoginEvent.Grade.D
    source = LoginEvent.Source.SELF if own else LoginEvent.Source.COLLEAGUE
    return add_evidence(scope=scope, account=account, day=day, kind=(grade, source), at=at)


def add_evidence(
    *,
    scope: Scope,
    account: PortalAccount,
    day: date,
    kind: tuple[LoginEvent.Grade, LoginEvent.Source],
    at: datetime,
) -> tuple[LoginEvent, PortalAccount | None]:
    """Write the evidence of one login, and a second event where it counts at the sign-in authority as well.

    Returns the event and that authority's account. The caller refreshes the clocks of both.
    """
    grade, source = kind
    event = _add_event(account=account, day=day, grade=grade, source=source, recorded_by=scope.actor.label, at=at)
    authority = counted_authority(account)
    if authority is not None:
        _add_event(
            account=authority,
            day=day,
            grade=LoginEvent.Grade(event.grade),
            source=LoginEvent.Source.AUTHORITY,
            recorded_by=scope.actor.label,
            at=at,
            via=event,
        )
    return event, authority


def counted_authority(account: PortalAccount) -> PortalAccount | None:
    """Return the open account at the sign-in authority where a login here counts too, if there is one."""
    if not account.system.counts_at_authority or account.identity_id is None:
        return None
    return PortalAccount.objects.running().filter(pk=account.identity_id).first()


def _add_event(
    *,
    account: PortalAccount,
    day: date,
    grade: LoginEvent.Grade,
    source: LoginEvent.Source,
    recorded_by: str,
    at: datetime,
    via: LoginEvent | None = None,
) -> LoginEvent:
    """Insert one piece of evidence, or return the standing one of that account, day and source."""
    event, _created = LoginEvent.objects.standing().get_or_create(
        account=account,
        happened_on=day,
        source=source,
        defaults={
            "organization_id": account.organization_id,
            "grade": grade,
            "via": via,
            "recorded_by": recorded_by,
            "recorded_at": at,
        },
    )
    return event


def _outcome(event: LoginEvent, created: bool) -> LoginOutcome:
    clock = Deadline.objects.open().filter(account=event.account_id, kind=Deadline.Kind.INACTIVITY).first()
    return LoginOutcome(event, created, clock.due_on if clock else None, bool(clock and clock.check_on))


def refresh_clocks(account_ids: Sequence[int], *, at: datetime, chains: Chains | None = None) -> None:
    """Replay the logins of these few accounts and recompute their deadlines. Inside the caller's transaction."""
    if chains is None:
        chains = policy_chains()
    replay_logins(account_ids, chains=chains)
    accounts = PortalAccount.objects.filter(pk__in=account_ids)
    recompute(accounts=accounts, at=at, chains=chains)
    close_cured_findings(accounts=accounts, at=at, on=day_in(at, EASTERN))


def void_login(*, scope: Scope, event: LoginEvent, reason: str, at: datetime) -> None:
    """Take a recorded login back, with what it counted for at the authority. Safe to repeat. Raises NotAllowed.

    Where it was seen in the system, the logins that it contradicted count again.
    """
    first = event.via or event
    account = first.account
    authorize(scope, Action.RECORD_LOGIN, places_of(account), own=is_own(scope, account))
    if first.grade == LoginEvent.Grade.A:
        refuse_unofficial(scope, account, at)
    with transaction.atomic():
        concerned = PortalAccount.objects.filter(pk__in=[account.pk, account.identity_id])
        list(concerned.select_for_update(of=("self",)).order_by("pk").values_list("pk"))  # as recording locks them
        standing = LoginEvent.objects.standing().filter(organization=scope.organization)
        touched = list(standing.filter(via=first).values_list("account_id", flat=True))
        if not standing.filter(pk=first.pk).update(voided_at=at):
            return
        standing.filter(via=first).update(voided_at=at)
        for authority in touched:
            count_again(authority, first.happened_on, at)
        touched += restore(first) if first.seen_on else []
        refresh_clocks(sorted({account.pk, *touched}), at=at)
        record_act(
            scope=scope,
            account=account,
            action="login.voided",
            at=at,
            reason=reason,
            payload={"login": first.key, "happened_on": first.happened_on.isoformat()},
        )


def count_again(authority_id: int, day: date, at: datetime) -> None:
    """Let another surface's standing login of that day count at the authority, now that the one that did is gone."""
    other = (
        LoginEvent.objects.standing()
        .filter(account__identity=authority_id, account__system__counts_at_authority=True, happened_on=day)
        .select_related("account__identity")
        .order_by("grade", "pk")
        .first()
    )
    if other is None or other.account.identity is None:
        return
    _add_event(
        account=other.account.identity,
        day=day,
        grade=LoginEvent.Grade(other.grade),
        source=LoginEvent.Source.AUTHORITY,
        recorded_by=other.recorded_by,
        at=at,
        via=other,
    )


def confirm_roles(*, scope: Scope, account: PortalAccount, still_there: bool, at: datetime) -> None:
    """Answer *check your roles*: still there starts a new cycle, gone ends the grants and the account is lost.

    Raises NotAllowed, and LoginRejected when nothing is to be answered.
    """
    authorize(scope, Action.CONFIRM_ROLES, places_of(account), own=is_own(scope, account))
    today = day_in(at, EASTERN)
    with transaction.atomic():
        current = lock_active(scope, [account])[account.pk]
        clock = Deadline.objects.open().filter(account=current, kind=Deadline.Kind.INACTIVITY).first()
        if clock is None or clock.check_on is None:
            raise LoginRejected("There is nothing to check on this account any more.", code="nothing_to_check")
        if still_there:
            PortalAccount.objects.filter(pk=current.pk).update(confirmed_on=clock.check_on, version=F("version") + 1)
        else:
            loss = loss_after(clock.policy.consequence if clock.policy else "")
            lose_account(account=current, loss=loss, on=today, at=at)
        refresh_clocks([current.pk], at=at)
        if not still_there:
            recheck(places_of(current))
        record_act(
            scope=scope,
            account=current,
            action="roles.confirmed" if still_there else "roles.lost",
            at=at,
            payload={"login_on": clock.check_on.isoformat(), "still_there": still_there},
        )


def lose_account(*, account: PortalAccount, loss: str, on: date, at: datetime) -> None:
    """Mark the account lost and end its open grants on a day. Inside the caller's transaction, which audits."""
    PortalAccount.objects.filter(pk=account.pk).update(
        status=PortalAccount.Status.LOST, loss=loss, lost_at=at, version=F("version") + 1
    )
    end_grants(account=account, on=on, at=at)


def end_grants(*, account: PortalAccount, on: date, at: datetime, only: RoleGrant | None = None) -> list[RoleGrant]:
    """End the account's open grants, or one: each row is voided and an ended one inserted (facts are never edited).

    Those that were wanted until a day end as well, on the day on which they were taken away; the voided row keeps
    until when they were wanted (`temporary_roles.until_of`).
    """
    ended = []
    open_grants = RoleGrant.objects.to_end().filter(account=account)
    if only is not None:
        open_grants = open_grants.filter(pk=only.pk)
    for grant in list(open_grants.select_for_update(of=("self",))):
        RoleGrant.objects.filter(pk=grant.pk).update(voided_at=at)
        ended.append(
            RoleGrant.objects.create(
                organization_id=grant.organization_id,
                account=account,
                facility_id=grant.facility_id,
                role_id=grant.role_id,
                valid_from=grant.valid_from,
                valid_to=max(on, grant.valid_from),
                evidence=grant.evidence,
                recorded_at=at,
            )
        )
    return ended
