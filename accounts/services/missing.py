"""Open accounts that a list does not show: told and kept as findings, never removed."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Value

from accounts.lists.cleaning import AccountRow
from accounts.lists.reading import AccountList
from accounts.models import Finding, PortalAccount, RoleGrant
from accounts.models.watch import Severity
from accounts.policy.missing import Gap, Has, Owner, Place, Seen, cut, gaps
from accounts.services.account_granting import parts
from accounts.services.rules.found import Found, Rule, Slice
from audit.bulk import among
from audit.services import Ref, record, record_digest
from facilities.access import Scope
from facilities.models import Facility
from staff.policy import Rejection
from systems.models import System, SystemRole

_KIND: Final = Finding.Kind.MISSING_IN_FILE.value
_RULE: Final = Ref(f"rule:{_KIND}", "Missing in the system's own list")
_UNSURE: Final = "Where a row could not be taken, no account that it may be about is called missing."
_MANY: Final = 3  # so many missing of one place, and more than half of it, look like a cut file


@dataclass(slots=True)
class Missing:
    """Accounts that the list does not show, in the words of the command, and remarks about it."""

    seen: Seen
    gaps: list[Gap] = field(default_factory=list)
    listed: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def find_missing(scope: Scope, seen: Seen, doubtful: Sequence[AccountRow | Rejection], *, on: date) -> Missing:
    """Return the roles of running accounts at the facilities and systems of the list that no row is about.

    Nothing is called missing that a row which could not be taken may be about.
    """
    missing = Missing(seen)
    places = set(seen)
    counted: Counter[Place] = Counter()
    missing.gaps = gaps(_held(scope, places, on, counted), seen, doubtful)
    words = _Words(scope, missing.gaps, places)
    missing.listed = [words.told(gap) for gap in missing.gaps]
    missing.notes = [
        f"{lost} of {held} accounts on {words.systems[system].name} at {words.facilities[facility].name}"
        " are not in the list: was it cut?"
        for system, facility, lost, held in cut(missing.gaps, counted, _MANY)
    ]
    if places and {row.facility for row in doubtful} & {None, *(facility for _, facility in places)}:
        missing.notes.append(_UNSURE)
    return missing


def _held(scope: Scope, places: set[Place], on: date, counted: Counter[Place]) -> Iterator[Has]:
    """Yield the roles in force at the list's places; count the accounts of each."""
    grants = RoleGrant.objects.in_force(on).filter(
        organization=scope.organization,
        account__status=PortalAccount.Status.ACTIVE,
        facility__in={facility for _, facility in places},
        account__system__in={system for system, _ in places},
    )
    columns = (
        "account_id", "account__person_id", "account__system_id", "facility_id", "role_id",
        "account__person__first_name", "account__person__last_name", "account__person__employee_number",
        "account__person__email",
    )  # fmt: skip
    before = (0, 0)
    for *keys, first, last, number, email in (
        grants.order_by("account", "facility", "role").values_list(*columns).iterator()
    ):
        account, person, system, facility, role = keys
        if (system, facility) in places:
            counted[system, facility] += (account, facility) != before
            before = (account, facility)
            yield Has(account, person, system, facility, role, Owner(first, last, number or "", email.lower()))


class _Words:
    """Names for what is missing. Three queries."""

    def __init__(self, scope: Scope, found: Iterable[Gap], places: set[Place]) -> None:
        self.systems = System.objects.in_bulk({system for system, _ in places})
        mine = Facility.objects.filter(organization=scope.organization)
        self.facilities = mine.in_bulk({facility for _, facility in places})
        self._roles = SystemRole.objects.in_bulk({role for gap in found for role in gap.roles})
        self._people: dict[int, str] = {}
        for part in parts(gap.account for gap in found):
            accounts = PortalAccount.objects.filter(pk__in=part).select_related("person")
            self._people |= {account.pk: str(account.person) for account in accounts}

    def told(self, gap: Gap) -> dict[str, Any]:
        """Return a gap in the shape of the command's JSON."""
        place = self.facilities[gap.facility]
        return {
            "account": gap.account,
            "person": self._people[gap.account],
            "system": self.systems[gap.system].slug,
            "facility": place.name,
            "ccn": place.ccn,
            "roles": [self._roles[role].name for role in gap.roles],
        }


def keep_missing(
    scope: Scope, found: AccountList, missing: Missing, *, source: int | None, at: datetime, on: date
) -> None:
    """Open a finding for each gap that has none, and close those of accounts that the list shows with every role.

    ``source``: key of the import, None where the list changed nothing.
    """
    rows = Finding.objects.open().filter(organization=scope.organization, kind=_KIND)
    gone = {_subject(gap): gap for gap in missing.gaps}
    known: set[str] = set()
    shown: list[int] = []
    columns = ("pk", "subject_key", "person_id", "account__system_id", "facts")
    for key, subject, person, system, facts in rows.order_by().values_list(*columns).iterator():
        known.add(subject)
        if subject not in gone and person in missing.seen.get((system, json.loads(facts).get("facility")), ()):
            shown.append(key)
    for part in parts(shown):
        Finding.objects.filter(pk__in=part).update(closed_at=at)
    new = [gap for subject, gap in sorted(gone.items()) if subject not in known]
    facts = {"file": found.file.replace("\\", "/").rpartition("/")[2], "on": on.isoformat()}
    facts |= {"import": source} if source else {}
    Finding.objects.bulk_create((_finding(scope, gap, facts, on) for gap in new), batch_size=500)
    if shown or new:
        record(
            chain=scope.organization.key,
            action="finding.missing-noted",
            actor=scope.actor,
            subject=_RULE,
            at=at,
            payload={"opened": [_subject(gap) for gap in new], "closed": len(shown)},
        )


def close_missing(scope: Scope, *, source: int, at: datetime) -> None:
    """Close and record the findings about accounts that only this import did not show. Needs a transaction."""
    rows = Finding.objects.open().filter(organization=scope.organization, kind=_KIND)
    facts = rows.order_by().values_list("pk", "facts").iterator()
    for part in parts(key for key, text in facts if json.loads(text).get("import") == source):
        gone = Finding.objects.filter(pk__in=part)
        record_digest(
            action="finding.missing-closed",
            actor=scope.actor,
            subject=_RULE,
            at=at,
            rows=gone.annotate(chain=Value(scope.organization.key)),
            reason=f"import:{source} was undone",
        )
        gone.update(closed_at=at)


def _subject(gap: Gap) -> str:
    return f"account:{gap.account}/facility:{gap.facility}"


def _finding(scope: Scope, gap: Gap, facts: Mapping[str, Any], on: date) -> Finding:
    told = {**facts, "facility": gap.facility, "roles": gap.roles}
    return Finding(
        organization=scope.organization,
        kind=_KIND,
        subject_key=_subject(gap),
        person_id=gap.person,
        account_id=gap.account,
        facts=json.dumps(told, sort_keys=True, ensure_ascii=False),
        severity=Severity.LOW,
        opened_on=on,
    )


def _still_missing(part: Slice) -> Iterable[Found]:
    """Keep what a list did not show as long as the account works there; a list or the end of the access ends it."""
    rows = Finding.objects.open().filter(
        kind=_KIND, person__in=among(part.people), account__status=PortalAccount.Status.ACTIVE
    )
    columns = ("subject_key", "person_id", "account_id", "facts", "severity")
    kept = list(rows.order_by("pk").values_list(*columns))
    held = RoleGrant.objects.in_force(part.on).filter(account__in=among({account for _, _, account, _, _ in kept}))
    working = set(held.values_list("account_id", "facility_id", "role_id"))
    for key, person, account, text, severity in kept:
        facts = json.loads(text)
        if any((account, facts["facility"], role) in working for role in facts["roles"]):
            yield Found(_KIND, key, severity, facts, person=person, account=account)


RULE: Final = Rule(_KIND, _RULE.label, (_KIND,), "person", _still_missing)
__all__ = ["RULE", "Missing", "close_missing", "find_missing", "keep_missing"]
