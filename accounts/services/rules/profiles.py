"""What the systems know of people, and what people have acknowledged: house rules R-43 and R-15."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from django.db.models import Max, Q

from accounts.models import Acknowledgement, Finding, HouseRule, PortalAccount, RoleGrant
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
    """Yield one finding per person with a privileged role in force who has not acknowledged the addendum."""
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
    roles: dict[int, list[str]] = defaultdict(list)
    for person, role, system in grants.values_list("account__person_id", "role__name", "account__system__name"):
        if f"{role} on {system}" not in roles[person]:
            roles[person].append(f"{role} on {system}")
    said = Acknowledgement.objects.known().filter(person__in=among(roles), document=Acknowledgement.Document.ADDENDUM)
    acknowledged = set(said.order_by().values_list("person_id", flat=True))
    for person, held in sorted(roles.items()):
        if person not in acknowledged:
            facts = {"roles": held, "rule_on": since.isoformat()}
            yield Found(_OPEN, f"person:{person}", Severity.HIGH.value, facts, person=person)


def _still_here(part: Slice) -> list[int]:
    """Return the people of the slice but those who left: of them only the removal is asked."""
    times = times_of(part)
    return [person for person in part.people if last_day(times.get(person, ()), part.on) is None]


PROFILES: Final = Rule("stale-profile", "Contact data on the systems", (_STALE,), "person", stale_profiles)
PRIVILEGED: Final = Rule("privileged-open", "Privileged users", (_OPEN,), "person", privileged_open)
