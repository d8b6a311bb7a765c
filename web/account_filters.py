"""What the list of accounts can be narrowed down by; standings in step with `web.standings`, which names them."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Case, DateField, Exists, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Coalesce
from django.urls import reverse

from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.models.inventory import PortalAccountQuerySet
from accounts.standing_sets import near_by, passed
from facilities.models import Organization
from reminders.ladder import first_step
from staff.beginnings import begins
from staff.models import Employment, Person
from systems.models import Policy, System
from systems.policy import TAKES_ACCESS
from systems.selectors import clock_policies
from web.standings import HOUSE_SOON_DAYS, limit_in_days

WORDS_SEARCHED = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """One thing that can be asked for."""

    slug: str
    label: str


STANDINGS = (
    Choice("late", "Late or presumed lapsed"),
    Choice("presumed-lapsed", "Presumed lapsed"),
    Choice("check-roles", "Check the roles"),
    Choice("unknown", "Last login unknown"),
    Choice("week", "Due this week"),
    Choice("soon", "Soon"),
    Choice("fine", "Fine"),
    Choice("closed", "System closed"),
    Choice("lost", "Lost"),
    Choice("removed", "Removed"),
)
HOLDERS = (Choice("working", "Works here"), Choice("left", "Left"))
NOW, RUNNING, ENDED = "now", "running", "ended"
HELD = (Choice(NOW, "Now"), Choice(RUNNING, "Now, on a working account"), Choice(ENDED, "No longer"))
LOGINS = (Choice(PortalAccount.LoginState.UNKNOWN.value, "Not known"), Choice("never", "Never signed in"))


def matching(
    accounts: PortalAccountQuerySet, chosen: dict[str, Any], on: date, organization: Organization
) -> PortalAccountQuerySet:
    """Return the organization's accounts that fit everything ``chosen`` (cleaned by `web.forms.lists.AccountFilter`).

    A role at a facility is one grant: the role there, not there something and the role elsewhere.
    """
    if chosen.get("system"):
        accounts = accounts.filter(system=chosen["system"])
    if chosen.get("role") or chosen.get("facility") or chosen.get("held"):
        accounts = _with_roles(accounts, chosen, on)
    if chosen.get("login"):
        accounts = accounts.filter(login_state=chosen["login"])
    if chosen.get("holder"):
        accounts = _held_by(accounts, chosen["holder"], on)
    if chosen.get("q"):
        accounts = accounts.filter(pk__in=_found_by(organization, chosen["q"]))
    return narrowed(accounts, chosen.get("standing", ""), on)


def _with_roles(accounts: PortalAccountQuerySet, chosen: dict[str, Any], on: date) -> PortalAccountQuerySet:
    """Return the accounts with such a role: whether it holds or has ended, unless one of both is asked for.

    Also an account that was only asked for, or is lost, has roles that hold; one that works has clocks.
    """
    grants = RoleGrant.objects.known().filter(account=OuterRef("pk"))
    if chosen.get("role"):
        grants = grants.filter(role=chosen["role"])
    if chosen.get("facility"):
        grants = grants.filter(facility=chosen["facility"])
    now = Exists(grants.in_force(on))
    if chosen.get("held") == RUNNING:
        return accounts.running().filter(now)
    if chosen.get("held") == NOW:
        return accounts.filter(now)
    if chosen.get("held") == ENDED:
        return accounts.filter(Exists(grants.filter(valid_to__lt=on)), ~now)
    return accounts.filter(Exists(grants))


def held_there(slug: str, facility: int, system: str, held: str = NOW) -> str:
    """Return the list of accounts of a system with a role in force at a facility, as they are counted."""
    return f"{reverse('web:accounts', args=[slug])}?system={system}&facility={facility}&held={held}"


def _found_by(organization: Organization, text: str) -> QuerySet[Any]:
    """Return the keys of accounts whose holder is called so (beginnings of names), or whose user ID begins so.

    Each is a range of an index; conditions over several columns, one beside the other, would walk through everything.
    """
    here, people = PortalAccount.objects.filter(organization=organization), Person.objects.all()
    for word in text.split()[:WORDS_SEARCHED]:
        members = Person.objects.filter(organization=organization)
        first = members.filter(begins("first_name", word)).values("pk")
        people = people.filter(pk__in=members.filter(begins("last_name", word)).values("pk").union(first))
    identities = here.filter(begins("user_id", text), user_id__isnull=False)
    above = here.filter(identity__in=identities.values("pk"))
    found = here.filter(person__in=people.values("pk")).values("pk")
    return found.union(identities.values("pk"), above.values("pk"))


def _held_by(accounts: PortalAccountQuerySet, state: str, on: date) -> PortalAccountQuerySet:
    """Return the accounts whose holder works here, or worked here and left; who never did is neither."""
    working = Exists(Employment.objects.in_force(on).filter(person=OuterRef("person")))
    if state == "working":
        return accounts.filter(working)
    ended = Exists(Employment.objects.known().filter(person=OuterRef("person"), valid_to__lt=on))
    return accounts.filter(~working, ended)


def narrowed(accounts: PortalAccountQuerySet, standing: str, on: date) -> PortalAccountQuerySet:
    """Return the accounts that stand so on ``on``; without a standing all but the removed ones. Worst one counts."""
    status = PortalAccount.Status
    if standing in {status.LOST, status.REMOVED}:
        return accounts.filter(status=standing)
    if not standing:
        return accounts.open()
    of_account = Deadline.objects.open().filter(account=OuterRef("pk"))
    open_ones, closed = of_account.filter(muted=False), Exists(of_account.filter(muted=True))
    gone = passed(open_ones, on)
    late = Exists(gone)
    check = Exists(open_ones.filter(check_on__isnull=False))
    unknown = Q(login_state=PortalAccount.LoginState.UNKNOWN)
    running = accounts.running()
    if standing in {"soon", "fine"}:
        policies = list(clock_policies())
        near = Exists(open_ones.annotate(aim=Coalesce("target_on", "due_on")).filter(_in_ladder(policies, on)))
        running = running.filter(near if standing == "soon" else _far(policies, on) & ~near)
        return running.filter(~late, ~check, ~unknown, ~closed)
    return {
        "late": lambda: running.filter(late),
        "presumed-lapsed": lambda: running.filter(Exists(gone.filter(policy__consequence__in=TAKES_ACCESS))),
        "check-roles": lambda: running.filter(~late, check),
        "unknown": lambda: running.filter(~late, ~check, unknown),
        "week": lambda: running.filter(~late, ~check, ~unknown, Exists(near_by(open_ones, on, stricter=True))),
        "closed": lambda: running.filter(~unknown, closed),
    }[standing]()


def _step(policy: Policy) -> int:
    return first_step(policy.kind, limit_in_days(policy.limit_days, policy.limit_years))


def _in_ladder(policies: list[Policy], on: date) -> Q:
    """Return the condition that an open deadline is inside its ladder; one term per first step, not per policy."""
    steps: dict[int, list[int]] = defaultdict(list)
    for policy in policies:
        steps[_step(policy)].append(policy.pk)
    inside = Q(policy=None, aim__lte=on + timedelta(days=HOUSE_SOON_DAYS))
    for days, keys in sorted(steps.items()):
        inside |= Q(policy__in=keys, aim__lte=on + timedelta(days=days))
    return inside


def dated_after(organization: Organization, standing: str, on: date) -> date | None:
    """Return a day after which every stored day lies of accounts that stand so; None where any may. One query.

    For those that are fine: the day before the first one that lies beyond what is near on its own system. Systems that
    nobody here has, however soon they warn, say nothing about it.
    """
    if standing != "fine":
        return None
    nearest = _first_steps(list(clock_policies()))
    beyond = Case(
        *(When(pk=system, then=Value(on + timedelta(days=days))) for system, days in sorted(nearest.items())),
        default=Value(on + timedelta(days=HOUSE_SOON_DAYS)),
        output_field=DateField(),
    )
    here = PortalAccount.objects.filter(organization=organization, system=OuterRef("pk"))
    first = here.filter(lapses_on__gt=OuterRef("beyond")).order_by("lapses_on", "pk").values("lapses_on")[:1]
    days = System.objects.annotate(beyond=beyond, first=Subquery(first)).values_list("first", flat=True)
    return min((day - timedelta(days=1) for day in days if day), default=date.max)


def _first_steps(policies: list[Policy]) -> dict[int, int]:
    """Return the days ahead at which the clock of each system comes near, by its key."""
    nearest: dict[int, int] = {}
    for policy in policies:
        if policy.kind == Deadline.Kind.INACTIVITY and policy.system_id is not None:
            nearest[policy.system_id] = min(nearest.get(policy.system_id, HOUSE_SOON_DAYS), _step(policy))
    return nearest


def _far(policies: list[Policy], on: date) -> Q:
    """Return what being outside of every ladder implies for the stored day: it spares a look at what is near."""
    nearest = _first_steps(policies)
    systems: dict[int, list[int]] = defaultdict(list)
    for system, days in nearest.items():
        systems[days].append(system)
    far = Q(lapses_on=None) | ~Q(system__in=list(nearest)) & Q(lapses_on__gt=on + timedelta(days=HOUSE_SOON_DAYS))
    for days, of_them in sorted(systems.items()):
        far |= Q(system__in=of_them, lapses_on__gt=on + timedelta(days=days))
    return far
