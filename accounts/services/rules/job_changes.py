"""Another job at the same facility, and nobody has looked at the roles from before (R-38)."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Final

from django.db.models import Max

from accounts.models import AccessLook, Finding, PortalAccount, RoleGrant
from accounts.policy.people import JobChange, job_change, move_severity
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.leavers import times_of
from audit.bulk import among
from facilities.models import Facility

_KIND: Final = Finding.Kind.JOB_CHANGE.value
_WORKING: Final = (PortalAccount.Status.ACTIVE, PortalAccount.Status.LOST)
Job = tuple[int, int]  # person and facility


def find(part: Slice) -> Iterator[Found]:
    """Yield one finding per person and facility with roles from before a change of job that nobody looked at since."""
    changes = _not_looked_at(_changes(part))
    systems = _held_before(part, changes)
    places = {facility for _, facility in systems}
    names = dict(Facility.objects.filter(pk__in=among(places)).values_list("pk", "name"))
    for (person, facility), held in sorted(systems.items()):
        change = changes[person, facility]
        yield Found(
            kind=_KIND,
            subject_key=f"person:{person}/facility:{facility}",
            severity=move_severity(change.changed_on, part.on),
            facts={
                "facility": facility,
                "place": names[facility],
                "changed_on": change.changed_on.isoformat(),
                "was": change.was,
                "now": change.now,
                "systems": sorted(held),
            },
            person=person,
        )


def _changes(part: Slice) -> dict[Job, JobChange]:
    return {
        (person, facility): change
        for person, times in times_of(part).items()
        for facility in {time.facility for time in times}
        if len(times) > 1 and (change := job_change(times, facility, part.on)) is not None
    }


def _not_looked_at(changes: dict[Job, JobChange]) -> dict[Job, JobChange]:
    looks = AccessLook.objects.known().filter(person__in=among({person for person, _ in changes})).order_by()
    last = looks.values_list("person_id", "facility_id").annotate(last_on=Max("looked_on"))
    looked = {(person, facility): last_on for person, facility, last_on in last}
    return {job: each for job, each in changes.items() if job not in looked or looked[job] < each.changed_on}


def _held_before(part: Slice, changes: dict[Job, JobChange]) -> dict[Job, set[str]]:
    """Return the systems on which roles from before the change are still in force."""
    held: dict[Job, set[str]] = defaultdict(set)
    people = {person for person, _ in changes}
    grants = RoleGrant.objects.in_force(part.on).filter(account__person__in=among(people), account__status__in=_WORKING)
    columns = ("account__person_id", "facility_id", "valid_from", "account__system__slug")
    for person, facility, since, system in grants.order_by().values_list(*columns):
        change = changes.get((person, facility))
        if change is not None and since < change.changed_on:
            held[person, facility].add(system)
    return held


RULE: Final = Rule("job-change", "Changed jobs, access not looked at since", (_KIND,), "person", find)
