"""What the systems know of people, and what people have acknowledged: house rules R-43 and R-15."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from django.db.models import Max, Q

from accounts.models import Acknowledgement, Finding, HouseRule, PortalAccount, RoleGrant, RoleNeed
from accounts.models.watch import Severity
from accounts.policy.people import last_day, profile_is_stale
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.house import wanted_since
from accounts.services.rules.leavers import times_of
from audit.bulk import among
from staff.models import Person

_STALE, _OPEN = Finding.Kind.STALE_PROFILE.value, Finding.Kind.PRIVILEGED_OPEN.value


def stale_profiles(part: Slice) -> Iterator[Found]:
    """Yield one finding per running account with a profile of its own that may show old contact data.

    Where somebody signs in through another account, the profile is that one's.
    """
    since = wanted_since(part, HouseRule.Rule.PROFILES)
    if since is None:
        return
    changed = Person.objects.filter(pk__in=among(_still_here(part)), contact_changed_on__gte=since)
    changes = dict(changed.values_list("pk", "contact_changed_on"))
    standing = Q(profile_checks__voided_at=None)
    accounts = (
        PortalAccount.objects.running()
        .filter(person__in=among(changes), identity=None)
        .annotate(checked_on=Max("profile_checks__checked_on", filter=standing))
        .order_by("pk")
    )
    columns = ("pk", "person_id", "system__slug", "opened_on", "checked_on")
    for account, person, system, opened_on, checked_on in accounts.values_list(*columns):
        changed_on, right_on = changes[person], max(opened_on, checked_on or opened_on)
        if changed_on is not None and profile_is_stale(changed_on, right_on, since):
            facts = {
                "system": system,
                "changed_on": changed_on.isoformat(),
                "checked_on": checked_on.isoformat() if checked_on else None,
                "rule_on": since.isoformat(),
            }
            yield Found(_STALE, f"account:{account}", Severity.MEDIUM.value, facts, person=person, account=account)


def privileged_open(part: Slice) -> Iterator[Found]:
    """Yield what the list of privileged people lacks: addenda by person, stated needs by account."""
    since = wanted_since(part, HouseRule.Rule.PRIVILEGED)
    if since is None:
        return
    grants = (
        RoleGrant.objects.in_force(part.on)
        .filter(
            account__person__in=among(_still_here(part)),
            account__status=PortalAccount.Status.ACTIVE,
            role__privileged=True,
        )
        .order_by("account__system__position", "role__position", "pk")
    )
    held = list(grants.select_related("account__system", "facility", "role"))
    yield from _without_addendum(held, since)
    yield from _unexplained(held, since)


def _without_addendum(held: Iterable[RoleGrant], since: date) -> Iterator[Found]:
    """Yield one finding per person who has not acknowledged the addendum. One query."""
    roles: dict[int, dict[str, None]] = defaultdict(dict)
    for grant in held:
        roles[grant.account.person_id][f"{grant.role.name} on {grant.account.system.name}"] = None
    said = Acknowledgement.objects.known().filter(person__in=among(roles), document=Acknowledgement.Document.ADDENDUM)
    acknowledged = set(said.order_by().values_list("person_id", flat=True))
    for person, names in sorted(roles.items()):
        if person not in acknowledged:
            facts = {"roles": list(names), "rule_on": since.isoformat()}
            yield Found(_OPEN, f"person:{person}", Severity.HIGH.value, facts, person=person)


def _unexplained(held: Iterable[RoleGrant], since: date) -> Iterator[Found]:
    """Yield one finding per account with roles of which nobody has said why they are needed. One query."""
    of_account: dict[int, list[RoleGrant]] = defaultdict(list)
    for grant in held:
        of_account[grant.account_id].append(grant)
    needs = RoleNeed.objects.known().filter(account__in=among(of_account))
    stated = set(needs.order_by().values_list("account_id", "facility_id", "role_id"))
    for key, grants in sorted(of_account.items()):
        lacking = [each for each in grants if (key, each.facility_id, each.role_id) not in stated]
        if lacking:
            account = lacking[0].account
            roles = dict.fromkeys(f"{each.role.name} at {each.facility.name}" for each in lacking)
            facts = {"system": account.system.slug, "unexplained": list(roles), "rule_on": since.isoformat()}
            subject = f"account:{key}"
            yield Found(_OPEN, subject, Severity.HIGH.value, facts, person=account.person_id, account=key)


def _still_here(part: Slice) -> list[int]:
    """Return the people of the slice but those who left: of them only the removal is asked."""
    times = times_of(part)
    return [person for person in part.people if last_day(times.get(person, ()), part.on) is None]


PROFILES: Final = Rule("stale-profile", "Contact data on the systems", (_STALE,), "person", stale_profiles)
PRIVILEGED: Final = Rule("privileged-open", "Privileged users", (_OPEN,), "person", privileged_open)
