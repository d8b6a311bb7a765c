"""Access that has outlived the work: of people who left (R-33, R-34), and at facilities they have left (R-38)."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from accounts.models import Finding, PortalAccount, RoleGrant
from accounts.policy.people import Time, gap_severity, last_day, move_severity, moved_on
from accounts.services.rules.found import Found, Rule, Slice
from audit.bulk import among
from staff.models import Employment

_LEFT, _MOVED = Finding.Kind.LEAVER_ACCESS.value, Finding.Kind.MOVED_ACCESS.value


def times_of(part: Slice) -> dict[int, list[Time]]:
    """Return the times at facilities of everybody of the slice, wherever. One query per slice."""
    if "times" not in part.read:
        part.read["times"] = times_among(part.people)
    found: dict[int, list[Time]] = part.read["times"]
    return found


def times_among(people: Iterable[int]) -> dict[int, list[Time]]:
    """Return the times at facilities of these people. One query."""
    times: dict[int, list[Time]] = defaultdict(list)
    rows = Employment.objects.known().filter(person__in=among(people)).order_by()
    columns = ("person_id", "facility_id", "valid_from", "valid_to", "job_title")
    for person, facility, since, until, title in rows.values_list(*columns):
        times[person].append(Time(facility, since, until, title))
    return times


def left_with_access(part: Slice) -> Iterator[Found]:
    """Yield one finding per account of somebody who left (`PortalAccountQuerySet.left_open`)."""
    last = {person: day for person, times in times_of(part).items() if (day := last_day(times, part.on))}
    accounts = PortalAccount.objects.filter(person__in=among(last)).left_open(part.on).order_by("pk")
    rows = accounts.values_list("pk", "person_id", "system__slug")
    roles = _roles_kept(last, part) if last else {}
    for account, person, system in rows:
        yield Found(
            kind=_LEFT,
            subject_key=f"account:{account}",
            severity=gap_severity(last[person], part.on),
            facts={"system": system, "left_on": last[person].isoformat(), "roles": roles.get(account, [])},
            person=person,
            account=account,
        )


def _roles_kept(people: Collection[int], part: Slice) -> dict[int, list[dict[str, object]]]:
    """Return account -> roles in force of people who left, each with its facility. One query."""
    found: dict[int, list[dict[str, object]]] = defaultdict(list)
    rows = (
        RoleGrant.objects.in_force(part.on)
        .filter(account__person__in=among(people))
        .order_by("account_id", "facility__name", "facility_id", "role__name", "role_id")
        .values_list("account_id", "role__name", "facility_id", "facility__name")
        .distinct()
    )
    for account, role, facility, place in rows:
        found[account].append({"role": role, "facility": facility, "place": place})
    return found


def moved_with_access(part: Slice) -> Iterator[Found]:
    """Yield one finding per account and facility where somebody has a role and, unlike once, no work any more."""
    times = times_of(part)
    grants = (
        RoleGrant.objects.in_force(part.on)
        .filter(account__person__in=among(part.people), account__status=PortalAccount.Status.ACTIVE)
        .order_by("account_id", "facility_id")
        .values_list("account_id", "facility_id", "account__person_id", "account__system__slug", "facility__name")
        .distinct()
    )
    for account, facility, person, system, place in grants:
        last_on = moved_on(times.get(person, ()), facility, part.on)
        if last_on is not None:
            yield Found(
                kind=_MOVED,
                subject_key=f"account:{account}/facility:{facility}",
                severity=move_severity(last_on, part.on),
                facts={"system": system, "facility": facility, "place": place, "left_on": last_on.isoformat()},
                person=person,
                account=account,
            )


LEFT: Final = Rule("leaver-access", "Left and still has access", (_LEFT,), "person", left_with_access)
MOVED: Final = Rule("moved-access", "Access where they no longer work", (_MOVED,), "person", moved_with_access)
