"""Accounts and grants as people type them: add, correct, remove, got back."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from accounts.errors import AccountRefused
from accounts.models import PortalAccount, RoleGrant
from accounts.services.logins import (
    add_login,
    end_grants,
    is_own,
    lose_account,
    places_of,
    record_act,
    refresh_clocks,
)
from accounts.services.temporary_roles import grant_until, until_of
from accounts.words import listed
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility
from facilities.services.rechecks import recheck
from staff.models import Person
from systems.models import System, SystemRole
from systems.policy import eastern_day, latest_day


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What a person typed about one account. ``last_login``: a day, "never" or "unknown". No user ID = unknown.

    ``evidence``: what says that the roles are held, in words.
    """

    system: System
    roles: Sequence[SystemRole]
    opened_on: date
    last_login: date | str = "unknown"
    user_id: str = ""
    password_changed_on: date | None = None
    note: str = ""
    evidence: str = "Typed in"


def add_accounts(
    *, scope: Scope, person: Person, facility: Facility, accounts: Sequence[AccountFacts], at: datetime
) -> list[PortalAccount]:
    """Add a person's accounts at one facility, all or none, with grants, evidence and clocks.

    A surface whose sign-in authority is missing gets it (history unknown): the user ID belongs there. An open
    account that the person has already gains the facility's grants and the login told, and is otherwise left as it is.
    Raises NotAllowed, AccountRefused.
    """
    authorize(scope, Action.EDIT_ACCOUNT, [facility.pk])
    if {facility.organization_id, person.organization_id} != {scope.organization.pk}:
        raise AccountRefused("Person and facility must belong to this organization.")
    # Authorities first, so that surfaces find the identity they point to.
    ordered = sorted(accounts, key=lambda facts: facts.system.sign_in_via_id is not None)
    with transaction.atomic():
        hold_accounts_of(person)
        kept: list[PortalAccount] = []
        for facts in ordered:
            _check(facts, latest_day(at))
            kept.append(_add_one(scope, person, facility, _in_eastern_days(facts, at), at))
        identities = [account.identity_id for account in kept if account.identity_id]
        refresh_clocks([*{account.pk for account in kept}.union(identities)], at=at)
    for account in kept:
        account.refresh_from_db()
    return kept


def _in_eastern_days(facts: AccountFacts, at: datetime) -> AccountFacts:
    """Return the facts with the days that clocks count: Guam's new day is still today in US Eastern."""
    last, changed = facts.last_login, facts.password_changed_on
    return replace(
        facts,
        opened_on=eastern_day(facts.opened_on, at),
        last_login=eastern_day(last, at) if isinstance(last, date) else last,
        password_changed_on=eastern_day(changed, at) if changed else None,
    )


def hold_accounts_of(person: Person) -> None:
    """Lock a person and her accounts, so that a second click finds what the first one made."""
    Person.objects.select_for_update(no_key=True).get(pk=person.pk)
    list(PortalAccount.objects.open().filter(person=person).select_for_update().order_by("pk").values_list("pk"))


def _check(facts: AccountFacts, today: date) -> None:
    name = facts.system.name
    if facts.opened_on > today:
        raise AccountRefused(f"{name}: the account cannot have been opened in the future.", field="opened_on")
    if isinstance(facts.last_login, date):
        if facts.last_login > today:
            raise AccountRefused(f"{name}: a login cannot lie in the future.", field="last_login")
    elif facts.last_login not in {"never", "unknown"}:
        raise AccountRefused(f"{name}: say when the last login was, or never, or unknown.", field="last_login")
    if facts.password_changed_on and facts.password_changed_on > today:
        raise AccountRefused(f"{name}: a password cannot have been changed in the future.", field="password_changed_on")
    if not facts.roles:
        raise AccountRefused(f"{name}: choose at least one role.", field="roles")
    if any(role.system_id != facts.system.pk for role in facts.roles):
        raise AccountRefused(f"{name}: a role of another system was chosen.", field="roles")


def _add_one(scope: Scope, person: Person, facility: Facility, facts: AccountFacts, at: datetime) -> PortalAccount:
    open_ones = PortalAccount.objects.open().filter(organization=scope.organization, person=person, system=facts.system)
    account = open_ones.order_by("pk").first()
    created = account is None
    if account is None:
        account = _create(scope, person, facility, facts, at)
    if isinstance(facts.last_login, date) and account.status == PortalAccount.Status.ACTIVE:
        add_login(scope=scope, account=account, day=facts.last_login, at=at)
    since = max(facts.opened_on, account.opened_on)
    grants = [grant_role(account, facility, role, since, at, facts.evidence) for role in facts.roles]
    recheck([facility.pk, *places_of(account)])
    record(
        chain=scope.organization.key,
        action="account.added" if created else "account.granted",
        actor=scope.actor,
        subject=Ref(account.key, f"{person}, {facts.system.name}"),
        at=at,
        payload={
            "person": person.key,
            "system": facts.system.slug,
            "facility": facility.key,
            "grants": [grant.key for grant in grants],
            "opened_on": facts.opened_on.isoformat(),
            "last_login": str(facts.last_login),
            "user_id_known": bool(facts.user_id),
        },
    )
    return account


def _create(scope: Scope, person: Person, facility: Facility, facts: AccountFacts, at: datetime) -> PortalAccount:
    system = facts.system
    identity = None
    if system.sign_in_via is not None:
        identity = _identity(scope, person, facility, system.sign_in_via, facts, at)
    never = facts.last_login == "never"
    try:
        with transaction.atomic():
            account = PortalAccount.objects.create(
                organization=scope.organization,
                person=person,
                system=system,
                identity=identity,
                user_id=(facts.user_id.strip() or None) if identity is None else None,
                opened_on=facts.opened_on,
                login_state=PortalAccount.LoginState.NEVER if never else PortalAccount.LoginState.UNKNOWN,
                history_from_on=facts.opened_on if never else None,
                password_changed_on=facts.password_changed_on,
                note=facts.note.strip(),
            )
    except IntegrityError as exc:
        raise AccountRefused(f"{system.name}: {person} already has this account.", field="user_id") from exc
    return account


def _identity(
    scope: Scope, person: Person, facility: Facility, authority: System, facts: AccountFacts, at: datetime
) -> PortalAccount:
    """Return the person's open account at the sign-in authority; make it, history unknown, when there is none."""
    found = (
        PortalAccount.objects.open()
        .filter(organization=scope.organization, person=person, system=authority)
        .order_by("pk")
        .first()
    )
    if found is not None:
        user_id = facts.user_id.strip()
        if user_id and found.user_id is None:
            PortalAccount.objects.filter(pk=found.pk).update(user_id=user_id, version=F("version") + 1)
            found.user_id = user_id
        return found
    role = SystemRole.objects.filter(system=authority).order_by("position", "pk").first()
    if role is None:
        raise AccountRefused(f"The catalogue lists no role at {authority.name}.")
    made = AccountFacts(authority, [role], facts.opened_on, "unknown", facts.user_id, evidence=facts.evidence)
    return _add_one(scope, person, facility, made, at)


def grant_role(
    account: PortalAccount,
    facility: Facility,
    role: SystemRole,
    from_on: date,
    at: datetime,
    evidence: str = "Typed in",
) -> RoleGrant:
    """Open a role, or return the open one. Inside the caller's transaction, which refreshes clocks and audits."""
    grant, _created = RoleGrant.objects.known().get_or_create(
        account=account,
        facility=facility,
        role=role,
        valid_to=None,
        defaults={
            "organization_id": account.organization_id,
            "valid_from": from_on,
            "evidence": evidence[:200],
            "recorded_at": at,
        },
    )
    return grant


def correct_account(
    *,
    scope: Scope,
    account: PortalAccount,
    version: int,
    user_id: str,
    password_changed_on: date | None,
    note: str,
    at: datetime,
) -> PortalAccount:
    """Change user ID (empty = unknown), password day or note. Raises NotAllowed, AccountRefused (code ``stale``)."""
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    if password_changed_on and password_changed_on > latest_day(at):
        raise AccountRefused("A password cannot have been changed in the future.", field="password_changed_on")
    changed_on = eastern_day(password_changed_on, at) if password_changed_on else None
    new: dict[str, object] = {"password_changed_on": changed_on, "note": note.strip()}
    if account.identity_id is None:
        new["user_id"] = user_id.strip() or None
    changed = {key: value for key, value in new.items() if getattr(account, key) != value}
    if not changed:
        return account
    try:
        with transaction.atomic():
            same = PortalAccount.objects.filter(pk=account.pk, organization=scope.organization, version=version)
            if not same.update(**changed, version=F("version") + 1):
                raise AccountRefused(
                    "Somebody else saved this account meanwhile. Look at both and save again.", code="stale"
                )
            refresh_clocks([account.pk], at=at)
            recheck(places_of(account))
            record_act(
                scope=scope,
                account=account,
                action="account.corrected",
                at=at,
                payload={"changed": sorted(changed)},
            )
    except IntegrityError as exc:
        raise AccountRefused("This person already has an open account with this user ID.", field="user_id") from exc
    account.refresh_from_db()
    return account


def remove_account(*, scope: Scope, account: PortalAccount, removed_on: date, at: datetime) -> PortalAccount:
    """Record that the account no longer exists on the system: grants end, clocks stop. Safe to repeat.

    Raises NotAllowed, and AccountRefused for a day in the future or an authority whose surfaces are still open.
    """
    authorize(scope, Action.EDIT_ACCOUNT, places_of(account))
    if removed_on > latest_day(at):
        raise AccountRefused("An account cannot have been removed in the future.", field="removed_on")
    removed_on = eastern_day(removed_on, at)
    _refuse_before_opening(account, removed_on, "removed_on")
    with transaction.atomic():
        mine = PortalAccount.objects.open().filter(pk=account.pk, organization=scope.organization)
        surfaces = PortalAccount.objects.open().filter(organization=scope.organization, identity=account)
        if surfaces.exists():
            names = sorted(surfaces.values_list("system__name", flat=True))
            those = "that account" if len(names) == 1 else "those accounts"
            raise AccountRefused(f"It is the way in to {listed(names)}. Have {those} removed first.", code="in_use")
        removed = mine.update(
            status=PortalAccount.Status.REMOVED, loss="", removed_on=removed_on, version=F("version") + 1
        )
        if removed:
            ended = end_grants(account=account, on=removed_on, at=at)
            refresh_clocks([account.pk], at=at)
            recheck(places_of(account))
            record_act(
                scope=scope,
                account=account,
                action="account.removed",
                at=at,
                payload={"removed_on": removed_on.isoformat(), "grants": [grant.key for grant in ended]},
            )
    account.refresh_from_db()
    return account


def _refuse_before_opening(account: PortalAccount, day: date, field: str) -> None:
    if day < account.opened_on:
        raise AccountRefused(f"The account was opened on {account.opened_on}; that day lies before it.", field=field)


def report_loss(*, scope: Scope, account: PortalAccount, loss: str, lost_on: date, at: datetime) -> PortalAccount:
    """Record that an active account no longer works: its grants end, a deletion clock goes on, the rest stop.

    Raises NotAllowed, and AccountRefused for an unknown kind of loss, a day in the future, or an account that is
    not active.
    """
    authorize(scope, Action.REPORT_LOSS, places_of(account), own=is_own(scope, account))
    if loss not in PortalAccount.Loss.values:
        raise AccountRefused("Say what happened to the account.", field="loss")
    if lost_on > latest_day(at):
        raise AccountRefused("An account cannot have been lost in the future.", field="lost_on")
    lost_on = eastern_day(lost_on, at)
    _refuse_before_opening(account, lost_on, "lost_on")
    with transaction.atomic():
        active = PortalAccount.objects.running().filter(pk=account.pk, organization=scope.organization)
        if active.select_for_update(of=("self",)).first() is None:
            raise AccountRefused("This account is not active any more.", code="not_active")
        lose_account(account=account, loss=loss, on=lost_on, at=at)
        refresh_clocks([account.pk], at=at)
        recheck(places_of(account))
        record_act(
            scope=scope,
            account=account,
            action="account.lost",
            at=at,
            payload={"loss": loss, "lost_on": lost_on.isoformat()},
        )
    account.refresh_from_db()
    return account


def regain_account(
    *, scope: Scope, account: PortalAccount, regained_on: date, at: datetime, evidence: str = "Typed in"
) -> PortalAccount:
    """Record that a lost account is back: the grants that ended with the loss open again, a new clock starts.

    A role that was wanted until a day opens until that day, and not at all once it has passed. Raises NotAllowed, and
    AccountRefused for a day in the future or an account that is not lost.
    """
    authorize(scope, Action.REPORT_LOSS, places_of(account), own=is_own(scope, account))
    if regained_on > latest_day(at):
        raise AccountRefused("An account cannot have come back in the future.", field="regained_on")
    regained_on = eastern_day(regained_on, at)
    with transaction.atomic():
        lost = PortalAccount.objects.filter(
            pk=account.pk, organization=scope.organization, status=PortalAccount.Status.LOST
        )
        ended = RoleGrant.objects.known().filter(account=account, valid_to__isnull=False).order_by("-valid_to")
        last_day = ended.values_list("valid_to", flat=True).first()
        with_it = list(ended.lost_with_account().select_related("facility", "role"))
        if lost.exists() and last_day is not None and regained_on < last_day:
            raise AccountRefused(f"Its roles were still there until {last_day}.", field="regained_on")
        back = lost.update(
            status=PortalAccount.Status.ACTIVE,
            loss="",
            confirmed_on=regained_on,
            history_from_on=regained_on,
            version=F("version") + 1,
        )
        if not back:
            raise AccountRefused("This account is not marked as lost.", code="not_lost")
        until = until_of(with_it)
        for grant in with_it:
            last_on = until.get(grant.pk)
            if last_on is None:
                grant_role(account, grant.facility, grant.role, regained_on, at, evidence)
            elif last_on >= regained_on:
                grant_until(account, grant.facility, grant.role, (regained_on, last_on), at, evidence)
        refresh_clocks([account.pk], at=at)
        recheck(places_of(account))
        record_act(
            scope=scope,
            account=account,
            action="account.regained",
            at=at,
            payload={"regained_on": regained_on.isoformat()},
        )
    account.refresh_from_db()
    return account
