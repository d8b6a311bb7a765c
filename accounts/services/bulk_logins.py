"""One day's login on many accounts at once, as one act; and taking that act back on the same day.

What a login does to a clock is the single deed's matter: the same grades, the same replay, the same *check your roles*.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from accounts.errors import LoginRejected
from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.models.inventory import PortalAccountQuerySet
from accounts.services.clocks import Chains
from accounts.services.contradictions import contradicted, forget_contradictions
from accounts.services.logins import accepted_day, count_again, refresh_clocks
from accounts.services.typed_logins import watch_typing
from audit.bulk import insert_rows, reserve_keys
from audit.models import AuditEvent, AuditItem
from audit.services import Ref, record_many
from facilities.access import Action, NotAllowed, Scope, authorize
from systems.models import System
from systems.policy import EASTERN, day_in
from systems.selectors import policy_chains

MOST = 5_000  # accounts of one act
RECORDED, VOIDED = "logins.recorded", "logins.voided"
_AT_ONCE = 500  # accounts whose logins are replayed together
_COLUMNS = ("id", "organization", "account", "happened_on", "grade", "source", "via", "recorded_by", "recorded_at")


@dataclass(frozen=True, slots=True)
class BulkOutcome:
    """What an act on many accounts came to, in accounts. ``act``: the audit event, None where nothing was new."""

    act: int | None
    recorded: int
    already: int
    not_active: int
    not_allowed: int
    contradicted: int  # by what was seen in the system
    to_check: int  # of those recorded: a login after the last safe day, so somebody has to look at the roles


def recordable(scope: Scope, accounts: PortalAccountQuerySet) -> PortalAccountQuerySet:
    """Return those of the accounts on which this member may record a login, her own among them."""
    if scope.may(Action.RECORD_LOGIN):
        return accounts
    places = [place for _, place in scope.roles if place is not None and scope.may(Action.RECORD_LOGIN, [place])]
    granted = RoleGrant.objects.known().filter(facility__in=places, account=OuterRef("pk"))
    return accounts.filter(Q(Exists(granted)) | Q(person__user=scope.user_id))


def record_logins_bulk(
    *, scope: Scope, accounts: PortalAccountQuerySet, happened_on: date, told: str, at: datetime
) -> BulkOutcome:
    """Record that the holders of these accounts (already narrowed to what the member reads) signed in on a day.

    Accounts that cannot be recorded on are left out and counted. ``told``: who said so, and how; the reason in the
    audit chain. Repeating it writes nothing. Raises NotAllowed where none may be recorded on; LoginRejected for a day
    that cannot be, for no account at all (``empty``) or for more than MOST (``too_many``).
    """
    day = accepted_day(happened_on, at)
    with transaction.atomic():
        keys = _keys(accounts)
        locked = _locked(scope, keys)
        chains = policy_chains()  # after the lock, as for a single login
        mine = set(recordable(scope, PortalAccount.objects.filter(pk__in=keys)).values_list("pk", flat=True))
        if not mine:
            authorize(scope, Action.RECORD_LOGIN)
        active = {key for key in mine if locked[key].status == PortalAccount.Status.ACTIVE}
        against = set(contradicted(active, day))
        fresh = _without_known(scope, active - against, day)
        events = _insert(scope, [locked[key] for key in sorted(fresh)], locked, day, at)
        _refresh(events, at, chains)
        clocks = Deadline.objects.open().filter(kind=Deadline.Kind.INACTIVITY, check_on__isnull=False)
        to_check = clocks.filter(account__in=fresh).count()
        written = LoginEvent.objects.filter(pk__in=events, via=None)
        act = _record(RECORDED, scope, written, at, told)
        watch_typing(scope=scope, at=at)
    return BulkOutcome(
        act=act,
        recorded=len(fresh),
        already=len(active) - len(fresh) - len(against),
        contradicted=len(against),
        not_active=len(mine) - len(active),
        not_allowed=len(keys) - len(mine),
        to_check=to_check,
    )


def _keys(accounts: PortalAccountQuerySet) -> list[int]:
    keys = list(accounts.order_by().values_list("pk", flat=True)[: MOST + 1])
    if not keys:
        raise LoginRejected("No account is chosen.", code="empty")
    if len(keys) > MOST:
        message = f"At most {MOST:,} accounts are recorded at once. Narrow the list down, by system or facility."
        raise LoginRejected(message, code="too_many")
    return keys


def _locked(scope: Scope, keys: Iterable[int]) -> dict[int, PortalAccount]:
    """Lock the accounts and those at the authorities where their logins count too, in the order of all services."""
    ours = PortalAccount.objects.filter(organization=scope.organization)
    chosen = PortalAccount.objects.filter(pk__in=keys)
    wanted = ours.filter(Q(pk__in=keys) | Q(pk__in=chosen.filter(identity__isnull=False).values("identity")))
    return {account.pk: account for account in wanted.select_for_update(of=("self",)).order_by("pk")}


def _own(scope: Scope, keys: Iterable[int]) -> set[int]:
    if scope.user_id is None:
        return set()
    own = PortalAccount.objects.filter(pk__in=keys, person__user=scope.user_id)
    return set(own.values_list("pk", flat=True))


def _without_known(scope: Scope, keys: set[int], day: date) -> set[int]:
    """Return the accounts for which this member's word about this day is not on record yet."""
    source = LoginEvent.Source
    known = LoginEvent.objects.standing().filter(account__in=keys, happened_on=day)
    own = _own(scope, keys)
    said = set(known.values_list("account_id", "source"))
    return {key for key in keys if (key, source.SELF if key in own else source.COLLEAGUE) not in said}


def _insert(
    scope: Scope, accounts: list[PortalAccount], locked: dict[int, PortalAccount], day: date, at: datetime
) -> dict[int, int]:
    """Insert the evidence, with a second event where it counts at the authority; return event -> account."""
    own = _own(scope, [account.pk for account in accounts])
    counting = set(System.objects.filter(counts_at_authority=True).values_list("pk", flat=True))
    taken = LoginEvent.objects.standing().filter(happened_on=day, source=LoginEvent.Source.AUTHORITY)
    identities = {account.identity_id for account in accounts if account.identity_id is not None}
    done = set(taken.filter(account__in=identities).values_list("account_id", flat=True))
    keys = iter(reserve_keys(LoginEvent, 2 * len(accounts)))
    rows: list[tuple[Any, ...]] = []
    for account in accounts:
        key, said = next(keys), account.pk in own
        grade = LoginEvent.Grade.B if said else LoginEvent.Grade.D
        source = LoginEvent.Source.SELF if said else LoginEvent.Source.COLLEAGUE
        common = (day, grade.value)
        rows.append((key, account.organization_id, account.pk, *common, source.value, None, scope.actor.label, at))
        authority = locked.get(account.identity_id or 0)
        counts = authority is not None and account.system_id in counting and authority.pk not in done
        if authority is not None and counts and authority.status == PortalAccount.Status.ACTIVE:
            done.add(authority.pk)
            rest = (LoginEvent.Source.AUTHORITY.value, key, scope.actor.label, at)
            rows.append((next(keys), account.organization_id, authority.pk, *common, *rest))
    insert_rows(LoginEvent, _COLUMNS, rows)
    return {row[0]: row[2] for row in rows}


def _refresh(events: dict[int, int], at: datetime, chains: Chains | None = None) -> None:
    accounts = sorted(set(events.values()))
    for start in range(0, len(accounts), _AT_ONCE):
        refresh_clocks(accounts[start : start + _AT_ONCE], at=at, chains=chains)


def _record(action: str, scope: Scope, events: "QuerySet[LoginEvent]", at: datetime, reason: str) -> int | None:
    """Record one act with an item for each login; return the key of its event."""
    organization = scope.organization
    rows = events.annotate(
        chain=Value(organization.key),
        subject_key=Concat(Value("account:"), Cast("account_id", CharField())),
        payload=JSONObject(
            login=Concat(Value("login:"), Cast("pk", CharField())),
            happened_on=F("happened_on"),
            grade=F("grade"),
            source=F("source"),
        ),
    )
    subject = Ref(organization.key, organization.name)
    made = record_many(action=action, actor=scope.actor, subject=subject, at=at, rows=rows, reason=reason)
    return int(made[0].pk) if made else None


def act_of(scope: Scope, key: int) -> AuditEvent | None:
    """Return an act of this organization that recorded logins in bulk."""
    return AuditEvent.objects.filter(pk=key, chain=scope.organization.key, action=RECORDED).first()


def void_logins_bulk(*, scope: Scope, act: AuditEvent, at: datetime) -> int:
    """Take back all logins of one act of the member's own, on its day; return how many. Repeating it writes nothing.

    Raises NotAllowed for somebody else's act, LoginRejected (``too_late``) after its day, US Eastern.
    """
    if act.actor_key != scope.actor.key:
        raise NotAllowed(f"{act.actor_label} recorded these logins; only they can take all of them back at once.")
    if day_in(act.at, EASTERN) != day_in(at, EASTERN):
        message = "All at once they can be taken back on the same day only. Take single ones back on their accounts."
        raise LoginRejected(message, code="too_late")
    with transaction.atomic():
        standing = LoginEvent.objects.standing().filter(organization=scope.organization)
        keys = list(_logins_of(act))
        accounts = set(standing.filter(pk__in=keys).values_list("account_id", flat=True))
        _locked(scope, accounts)
        events = dict(standing.filter(pk__in=keys).values_list("pk", "account_id"))
        forget_contradictions(keys)
        if not events:
            return 0
        counted = dict(standing.filter(via__in=events).values_list("pk", "account_id"))
        day = LoginEvent.objects.filter(pk__in=events).values_list("happened_on", flat=True)[0]
        standing.filter(pk__in=[*events, *counted]).update(voided_at=at)
        _let_others_count(set(counted.values()), day, at)
        _refresh(events | counted, at)
        _record(VOIDED, scope, LoginEvent.objects.filter(pk__in=events), at, "Taken back on the page")
    return len(events)


def _logins_of(act: AuditEvent) -> Iterator[int]:
    for text in AuditItem.objects.of_event(act.pk).values_list("payload", flat=True).iterator():
        yield int(json.loads(text)["login"].partition(":")[2])


def _let_others_count(authorities: set[int], day: date, at: datetime) -> None:
    """Let other surfaces' standing logins of that day count at the authorities, as for a single login."""
    others = LoginEvent.objects.standing().filter(
        account__identity__in=authorities, account__system__counts_at_authority=True, happened_on=day
    )
    for authority in sorted(authorities.intersection(others.values_list("account__identity", flat=True))):
        count_again(authority, day, at)
