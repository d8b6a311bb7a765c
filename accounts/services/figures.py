"""Figures kept ahead for pages over many facilities, counted anew for an organization when it acted or a day began.

That something changed is told by the audit chain: every change is an act (design 9.1), so figures as of the newest act
are true until the next one. What is counted is due or wrong already; what is only stored costs nothing.
"""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field, fields
from datetime import date, datetime
from typing import Any, Final

from django.db import transaction
from django.db.models import Count, Q

from accounts.models import FacilityFigures, Finding, OrganizationFigures, PortalAccount, RoleGrant
from accounts.models.figures import Counted
from accounts.models.inventory import PortalAccountQuerySet, RoleGrantQuerySet
from accounts.models.watch import FindingQuerySet, Severity
from accounts.standing_sets import pressing
from audit.bulk import among
from audit.models import ChainHead
from facilities.access import Scope
from facilities.models import Facility, Organization
from systems.policy import EASTERN, day_in

_SERIOUS: Final = (Severity.CRITICAL, Severity.HIGH)
_NOTABLE: Final = (Severity.MEDIUM,)
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Figures:
    """Accounts by how they stand, the worst one counts, and findings by weight (see `accounts.models.figures`)."""

    late: int = 0
    check_roles: int = 0
    week: int = 0
    unknown: int = 0
    serious: int = 0
    notable: int = 0

    @property
    def burning(self) -> int:
        """What is wrong now and looks late."""
        return self.late + self.check_roles + self.serious


NAMES: Final = tuple(each.name for each in fields(Figures))


def figures_of(row: Counted) -> Figures:
    """Return the figures of a kept row."""
    return Figures(*(getattr(row, name) for name in NAMES))


@dataclass(slots=True)
class Counts:
    """The whole, each account and finding once, and each facility where there is anything, by key."""

    whole: Figures = field(default_factory=Figures)
    places: dict[int, Figures] = field(default_factory=lambda: defaultdict(Figures))

    @property
    def troubled(self) -> int:
        """Facilities with anything that burns."""
        return sum(1 for figures in self.places.values() if figures.burning)


def count(*, scope: Scope, on: date) -> Counts:
    """Return the figures of what the member reads, on a day. A fixed number of queries."""
    grants = RoleGrant.objects.filter(organization=scope.organization, facility__closed_on=None)
    findings = Finding.objects.visible_to(scope)
    if scope.reads is not None:
        grants = grants.filter(facility__in=scope.reads)
        findings = findings.filter(Q(facility=None) | Q(facility__in=scope.reads))
    return _counted(PortalAccount.objects.visible_to(scope), findings, grants, scope.organization, on)


def _counted(
    accounts: PortalAccountQuerySet,
    findings: FindingQuerySet,
    grants: RoleGrantQuerySet,
    organization: Organization,
    on: date,
) -> Counts:
    counts, sets, in_force = Counts(), pressing(accounts, organization, on), grants.in_force(on)
    for name in ("late", "check_roles", "week", "unknown"):
        standing_so: PortalAccountQuerySet = getattr(sets, name)
        setattr(counts.whole, name, standing_so.count())
        there = in_force.filter(account__in=standing_so.values("pk")).order_by().values_list("facility_id")
        for place, number in there.annotate(number=Count("account", distinct=True)):
            setattr(counts.places[place], name, number)
    for place, serious, notable in _findings(findings, grants.placing(on)):
        figures = counts.places[place] if place else counts.whole
        figures.serious += serious
        figures.notable += notable
    return counts


def _findings(findings: FindingQuerySet, grants: RoleGrantQuerySet) -> Iterator[tuple[int | None, int, int]]:
    """Yield (facility, serious, notable); facility None for the whole. One that is about an account stands where it is.

    ``grants``: those that say where that is (`RoleGrantQuerySet.placing`). Passed dates of accounts are left out: they
    are counted as accounts.
    """
    wrong = findings.open().filter(severity__in=_SERIOUS + _NOTABLE).order_by()
    wrong = wrong.exclude(kind=Finding.Kind.LAPSE, deadline__account__isnull=False)
    whole = wrong.aggregate(**_weighed(""))
    yield None, whole["serious"], whole["notable"]
    there = wrong.filter(facility__isnull=False, facility__closed_on=None)
    yield from there.values_list("facility_id").annotate(**_weighed(""))
    # Each at every facility where its account stands: joined in the database, however many accounts there are.
    about = wrong.filter(facility=None, account__isnull=False)
    held = grants.filter(account__findings__in=about.values("pk")).order_by()
    yield from held.values_list("facility_id").annotate(**_weighed("account__findings__"))


def _weighed(findings: str) -> dict[str, Count]:
    """Return the numbers of serious and of notable findings, found at this path; each counts once."""
    return {
        name: Count(f"{findings}pk", filter=Q(**{f"{findings}severity__in": severities}), distinct=bool(findings))
        for name, severities in (("serious", _SERIOUS), ("notable", _NOTABLE))
    }


@dataclass(frozen=True, slots=True)
class Kept:
    """What was written: organizations counted anew, rows of facilities that differed; and how many could not be."""

    organizations: int = 0
    rows: int = 0
    failed: int = 0


def keep_figures(*, at: datetime) -> Kept:
    """Count the organizations that acted since, or whose day has ended; write what differs, once.

    Each organization commits alone, and one that cannot be counted stops no other. Three queries while nothing changed.
    """
    on = day_in(at, EASTERN)
    heads = dict(ChainHead.objects.values_list("chain", "seq"))
    kept = {row.organization_id: row for row in OrganizationFigures.objects.all()}
    done = rows = failed = 0
    for organization in Organization.objects.order_by("pk"):
        seq, before = heads.get(organization.key, 0), kept.get(organization.pk)
        if before is not None and before.act_seq == seq and before.counted_on == on:
            continue
        try:
            rows += _keep(organization, on=on, at=at, seq=seq)
            done += 1
        except Exception as exc:  # a broken organization must not leave the others with old figures
            _log.error("figures of organization %s failed: %s", organization.pk, type(exc).__name__)
            failed += 1
    return Kept(done, rows, failed)


def _keep(organization: Organization, *, on: date, at: datetime, seq: int) -> int:
    # Counted before the transaction: on SQLite everybody else who writes would wait for it.
    counts = count(scope=Scope.of_command(organization, "figures"), on=on)
    values: dict[str, Any] = {name: getattr(counts.whole, name) for name in NAMES}
    values |= {"counted_on": on, "counted_at": at, "act_seq": seq, "troubled": counts.troubled}
    values["facilities"] = Facility.objects.open().filter(organization=organization).count()
    with transaction.atomic():
        rows = _write_places(organization, counts.places)
        OrganizationFigures.objects.update_or_create(organization=organization, defaults=values)
    return rows


def _write_places(organization: Organization, places: dict[int, Figures]) -> int:
    stored = {row.facility_id: row for row in FacilityFigures.objects.filter(organization=organization)}
    new, changed = [], []
    for place, figures in places.items():
        row = stored.pop(place, None)
        if row is None:
            new.append(FacilityFigures(organization=organization, facility_id=place, **_columns(figures)))
        elif any(getattr(row, name) != value for name, value in _columns(figures).items()):
            for name, value in _columns(figures).items():
                setattr(row, name, value)
            changed.append(row)
    FacilityFigures.objects.bulk_create(new, batch_size=1_000)
    FacilityFigures.objects.bulk_update(changed, [*NAMES, "burning"], batch_size=500)
    gone = [row.pk for row in stored.values()]
    if gone:
        FacilityFigures.objects.filter(pk__in=among(gone)).delete()
    return len(new) + len(changed) + len(gone)


def _columns(figures: Figures) -> dict[str, Any]:
    return dict(zip(NAMES, astuple(figures), strict=True)) | {"burning": figures.burning}
