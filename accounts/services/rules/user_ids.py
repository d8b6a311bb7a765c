"""User IDs of several people: held at the same time (R-41), or passed on too soon (R-53)."""

import json
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from typing import Final, NamedTuple

from django.db.models import CharField, Exists, F, Func, OuterRef

from accounts.models import Finding, PortalAccount
from accounts.models.watch import Severity
from accounts.policy.people import id_passed_on
from accounts.services.rules.found import Found, Rule, Slice
from audit.bulk import among, among_texts
from systems.models import Policy
from systems.models.rules import PolicyKind

# `accounts.policy.holders.id_key`. Written out as the index has it: SQLite knows it again by its letters alone.
_ID_KEY: Final = Func(F("user_id"), template="LOWER(REPLACE(%(expressions)s, ' ', ''))", output_field=CharField())
_SHARED, _REUSED = Finding.Kind.SHARED_ID.value, Finding.Kind.ID_REUSE.value


class _Holding(NamedTuple):
    account: int
    person: int
    slug: str
    opened_on: date
    removed_on: date | None


def holdings(part: Slice) -> dict[tuple[int, str], list[_Holding]]:
    """Return who has or had a user ID that somebody of the slice has and another person has or had. Two queries."""
    if "ids" not in part.read:
        named = PortalAccount.objects.filter(organization=part.organization, user_id__isnull=False)
        named = named.annotate(id_key=_ID_KEY)
        twin = named.filter(system=OuterRef("system"), id_key=OuterRef("id_key")).exclude(person=OuterRef("person"))
        mine = named.filter(Exists(twin), person__in=among(part.people), removed_on=None)
        keys = set(mine.values_list("system_id", "id_key"))
        found: dict[tuple[int, str], list[_Holding]] = defaultdict(list)
        rows = named.filter(system__in={system for system, _ in keys}, id_key__in=among_texts({key for _, key in keys}))
        columns = ("system_id", "id_key", "pk", "person_id", "system__slug", "opened_on", "removed_on")
        for system, key, account, person, slug, opened, removed in rows.order_by("pk").values_list(*columns):
            if (system, key) in keys:
                found[system, key].append(_Holding(account, person, slug, opened, removed))
        part.read["ids"] = found
    answer: dict[tuple[int, str], list[_Holding]] = part.read["ids"]
    return answer


def shared(part: Slice) -> Iterator[Found]:
    """Yield one finding per account whose user ID several people have now, also those outside the slice."""
    for held in holdings(part).values():
        current = [each for each in held if each.removed_on is None]
        people = {each.person for each in current}
        for each in current if len(people) > 1 else ():
            yield Found(
                kind=_SHARED,
                subject_key=f"account:{each.account}",
                severity=Severity.CRITICAL.value,
                facts={"system": each.slug, "people": sorted(people - {each.person})},
                person=each.person,
                account=each.account,
            )


def passed_on(part: Slice) -> Iterator[Found]:
    """Yield one finding per account whose user ID was somebody else's until too short a while before."""
    rules = Policy.objects.filter(kind=PolicyKind.REUSE, applied=True, withdrawn=False, limit_years__isnull=False)
    years = max((limit or 0 for limit in rules.values_list("limit_years", flat=True)), default=0)
    for held in holdings(part).values():
        for each in held:
            before = [
                other
                for other in held
                if other.person != each.person
                and other.removed_on is not None
                and id_passed_on(each.opened_on, other.removed_on, years)
            ]
            if each.removed_on is None and before:
                last = max(before, key=lambda other: (other.removed_on or date.min, other.account))
                ended = last.removed_on.isoformat() if last.removed_on else ""
                yield Found(
                    kind=_REUSED,
                    subject_key=f"account:{each.account}",
                    severity=Severity.HIGH.value,
                    facts={"system": each.slug, "people": [last.person], "ended_on": ended, "years": years},
                    person=each.person,
                    account=each.account,
                )


def sharing(people: set[int]) -> set[int]:
    """Return who shares an ID with these people by open findings: when one of them changes, all are looked at."""
    rows = Finding.objects.open().filter(kind=_SHARED, person__in=among(people)).values_list("facts", flat=True)
    return {person for facts in rows for person in json.loads(facts)["people"]}


SHARED: Final = Rule("shared-id", "One user ID, several people", (_SHARED,), "person", shared)
REUSED: Final = Rule("id-reuse", "A user ID passed on", (_REUSED,), "person", passed_on)
