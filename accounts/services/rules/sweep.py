"""The sweep of rules: facilities where something changed or a day has come, one transaction per organization.

A weekly full pass looks at everything and must find the same; what it finds beyond is a fault of ours and is told.
"""

import logging
import traceback
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain
from typing import Final

from django.db import transaction
from django.db.models import CharField, Count, QuerySet, Value
from django.db.models.functions import Cast, Concat

from accounts.models import Finding, RoleGrant
from accounts.services.lapses import SWEEP
from accounts.services.rules import staging
from accounts.services.rules.catalogue import RULES
from accounts.services.rules.flips import due_soon, flipped, officials_near, path_flips
from accounts.services.rules.found import Rule, Slice
from accounts.services.rules.muting import mute
from accounts.services.rules.own_days import by_own_day, days_of
from accounts.services.rules.records import copied_elsewhere
from accounts.services.rules.user_ids import sharing
from audit.bulk import among
from audit.services import Ref, record_digest
from facilities.models import Facility, Organization, Recheck
from staff.models import Employment
from systems.policy import day_in

# What a rule reads of a slice fits in memory many times: so many facilities, fewer where many work or have roles.
_AT_ONCE: Final = 250
_TIMES_AT_ONCE: Final = 8_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Checked:
    """What a run of the rules did; ``failed``: organizations that could not be looked at and stay listed."""

    opened: int = 0
    closed: int = 0
    failed: int = 0
    differences: int = 0  # what only the weekly full pass found

    def __add__(self, other: "Checked") -> "Checked":
        return Checked(*(getattr(self, name) + getattr(other, name) for name in self.__slots__))


def check_rules(*, at: datetime, since: datetime | None, full: bool, everything: bool = False) -> Checked:
    """Open, restate and close findings where something changed since the last run. Repeating it writes nothing.

    ``since``: the instant of the last run, None for the first. ``full``: the weekly pass over all facilities
    after it, whose findings count as differences. ``everything``: look at all facilities, and that is no difference
    (a first run, a new catalogue).
    """
    everything = everything or since is None or path_flips(since, at)
    places = _everywhere() if everything else _changed(since, at)
    total = sum((_organization(key, ids, at) for key, ids in places.items()), Checked())
    if full and not everything:
        more = sum((_organization(key, ids, at) for key, ids in _everywhere().items()), Checked())
        total += Checked(more.opened, more.closed, more.failed, more.opened + more.closed)
    return total


def _everywhere() -> Mapping[int, set[int]]:
    return _grouped(Facility.objects.order_by().values_list("organization_id", "pk"))


def _changed(since: datetime | None, at: datetime) -> Mapping[int, set[int]]:
    listed = Recheck.objects.order_by().values_list("organization_id", "facility_id").distinct()
    found = _grouped(listed)
    if since is not None:
        for organization, facility in chain(flipped(since, at), officials_near(since, at), due_soon(since, at)):
            found[organization].add(facility)
    return found


def _grouped(rows: Iterable[tuple[int, int]]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for organization, facility in rows:
        found[organization].add(facility)
    return found


def _organization(key: int, facilities: set[int], at: datetime) -> Checked:
    try:
        with transaction.atomic():
            return _check(Organization.objects.get(pk=key), facilities, at)
    except Exception as exc:  # one broken organization must not stop the others
        place = traceback.extract_tb(exc.__traceback__)[-1]
        _log.error("rules of %s failed: %s at %s:%s", key, type(exc).__name__, place.filename, place.lineno)
    with transaction.atomic():  # also those whose day has come: no later run would look at them for that
        listed = set(Recheck.objects.filter(organization=key).values_list("facility_id", flat=True))
        missing = facilities - listed
        Recheck.objects.bulk_create([Recheck(organization_id=key, facility_id=each) for each in missing])
    return Checked(failed=1)


def _check(organization: Organization, facilities: set[int], at: datetime) -> Checked:
    # Read before anything else is: what is listed from here on stays listed for the next run.
    entries = list(Recheck.objects.filter(organization=organization).values_list("pk", "facility_id"))
    facilities = facilities | {facility for _, facility in entries}
    facilities |= copied_elsewhere(organization, facilities)
    days = days_of(organization, at)
    staging.begin()
    parts, catalogue = [], None
    early, late = ([rule for rule in RULES if rule.after_marks is after] for after in (False, True))
    for part in _slices(organization, facilities, at):
        staging.looked_at(part)
        part.read["catalogue"] = catalogue
        _stage(early, part, days)
        catalogue = part.read.get("catalogue")
        part.read.clear()  # what was read of one slice is not kept until the last
        parts.append(part)
    done = sum((_settle(rule, at) for rule in early), Checked())
    for part in parts:
        mute(part, at)
    for part in parts:
        _stage(late, part, days)
        part.read.clear()
    done += sum((_settle(rule, at) for rule in late), Checked())
    if entries:
        Recheck.objects.filter(pk__in=among(key for key, _ in entries)).delete()
    return done


def _stage(rules: Iterable[Rule], part: Slice, days: Mapping[str, date]) -> None:
    """Let the rules look at a slice: those about people at everybody by her own day."""
    people = by_own_day(part, days)
    for rule in rules:
        for each in people if rule.about == "person" else (part,):
            staging.stage(part.organization.pk, each.on, rule.find(each))


def _settle(rule: Rule, at: datetime) -> Checked:
    """Recorded before it is done, where afterwards nothing would tell these findings from others."""
    gone = staging.gone(rule)
    _record("finding.closed", gone, rule, at)
    closed = gone.update(closed_at=at)
    _record("finding.restated", staging.differing(rule), rule, at)
    staging.restate(rule)
    newest = Finding.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    opened = staging.open_new(rule)
    if opened:
        _record("finding.opened", Finding.objects.filter(pk__gt=newest, kind__in=rule.kinds), rule, at)
    return Checked(opened, closed)


def _record(action: str, findings: QuerySet[Finding], rule: Rule, at: datetime) -> None:
    rows = findings.annotate(chain=Concat(Value("organization:"), Cast("organization_id", CharField())))
    record_digest(action=action, actor=SWEEP, subject=Ref(f"rule:{rule.key}", rule.label), at=at, rows=rows)


def _slices(organization: Organization, facilities: set[int], at: datetime) -> Iterator[Slice]:
    """Yield the facilities by zone, as many at a time as fit, with the people who work or hold access there."""
    zones = Facility.objects.filter(organization=organization).order_by("zone", "pk").values_list("zone", "pk")
    by_zone: dict[str, list[int]] = defaultdict(list)
    for zone, key in zones:
        if key in facilities:
            by_zone[zone].append(key)
    weights = _times_at(facilities)
    for zone, keys in by_zone.items():
        on = day_in(at, zone)
        for part in _parts(keys, weights):
            there = people_at(part)
            yield Slice(organization, part, tuple(sorted(there | sharing(there))), on, at)


def _parts(keys: Sequence[int], weights: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
    part: list[int] = []
    weight = 0
    for key in keys:
        if part and (len(part) == _AT_ONCE or weight + weights[key] > _TIMES_AT_ONCE):
            yield tuple(part)
            part, weight = [], 0
        part.append(key)
        weight += weights[key]
    if part:
        yield tuple(part)


def _times_at(facilities: Collection[int]) -> Counter[int]:
    """Return how many employments and roles each of these facilities has or had. Two queries."""
    found: Counter[int] = Counter()
    for rows in (Employment.objects, RoleGrant.objects):
        there = rows.filter(facility__in=among(facilities)).order_by().values("facility_id")
        found.update(dict(there.annotate(times=Count("pk")).values_list("facility_id", "times")))
    return found


def people_at(facilities: Collection[int]) -> set[int]:
    """Return the keys of everybody who works or worked at these facilities, or has or had a role there. One query."""
    worked = Employment.objects.filter(facility__in=facilities).order_by().values_list("person_id", flat=True)
    held = RoleGrant.objects.filter(facility__in=facilities).order_by().values_list("account__person_id", flat=True)
    return set(worked.union(held))
