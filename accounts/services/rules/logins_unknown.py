"""Last login unknown: one finding per facility and system lists the accounts, with one deed: ask them (design 4)."""

from collections import defaultdict
from collections.abc import Iterator

from django.db.models import Exists, OuterRef

from accounts.models import Finding, PortalAccount, RoleGrant
from accounts.models.watch import Severity
from accounts.policy.streams import closed_systems
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.sites import places

_LISTED = 50  # accounts named in the facts; the page counts the others


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per facility and system that has running accounts without a known last login.

    Where the system has closed for the facility, the account is to be removed; not knowing the login only informs.
    """
    running = PortalAccount.objects.filter(  # asked of each role: joined, SQLite would begin with the unknown of all
        pk=OuterRef("account"), status=PortalAccount.Status.ACTIVE, login_state=PortalAccount.LoginState.UNKNOWN
    )
    unknown = (
        RoleGrant.objects.in_force(part.on)
        .filter(Exists(running), facility__in=part.facilities)
        .order_by("facility_id", "account__system__slug", "account_id")
        .values_list("facility_id", "account__system__slug", "account_id")
        .distinct()
    )
    accounts: dict[tuple[int, str], list[int]] = defaultdict(list)
    for facility, system, account in unknown:
        if account not in part.removed:
            accounts[facility, system].append(account)
    catalogue, sites = places(part)
    closed = {place.key: closed_systems(place.site, catalogue.ways, part.on) for place in sites} if accounts else {}
    for (facility, system), keys in accounts.items():
        severity = Severity.INFO if system in closed.get(facility, ()) else Severity.MEDIUM
        yield Found(
            kind=Finding.Kind.UNKNOWN_LOGINS.value,
            subject_key=f"facility:{facility}/system:{system}",
            severity=severity.value,
            facts={"system": system, "accounts": keys[:_LISTED], "count": len(keys)},
            facility=facility,
        )


RULE = Rule("unknown-logins", "Last logins unknown", (Finding.Kind.UNKNOWN_LOGINS.value,), "facility", find)
