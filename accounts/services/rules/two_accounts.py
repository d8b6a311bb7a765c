"""Two open accounts of one person on one system: a finding, not an error (design 3)."""

from collections import defaultdict
from collections.abc import Iterator

from accounts.models import Finding, PortalAccount
from accounts.models.watch import Severity
from accounts.services.rules.found import Found, Rule, Slice
from audit.bulk import among


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per person and system with more than one open account."""
    held: dict[tuple[int, str], list[int]] = defaultdict(list)
    accounts = PortalAccount.objects.open().filter(person__in=among(part.people)).order_by("pk")
    for person, system, key in accounts.values_list("person_id", "system__slug", "pk"):
        held[person, system].append(key)
    for (person, system), keys in held.items():
        if len(keys) > 1:
            yield Found(
                kind=Finding.Kind.TWO_ACCOUNTS.value,
                subject_key=f"person:{person}/system:{system}",
                severity=Severity.LOW.value,
                facts={"system": system, "accounts": keys},
                person=person,
                account=keys[0],
            )


RULE = Rule("two-accounts", "Two accounts on one system", (Finding.Kind.TWO_ACCOUNTS.value,), "person", find)
