"""Who hears of what is wrong now, and when: when it is found, a week and a month later, and when it gets worse.

Said twice: as the statement that plans, and as the condition on what was planned that it may still be told. A passed
date is a finding without mails of its own; its deadline's ladder tells of it (`reminders.ladder`).
"""

from datetime import date
from typing import Final

from django.db.models import Case, Exists, F, IntegerField, OuterRef, Q, QuerySet, Value, When

from accounts.models import Finding, RequestHouse, RoleGrant
from accounts.models.watch import Severity
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.audience import has_left
from reminders.concerned import CONCERNED, DECIDES
from reminders.leaving import GONE
from staff.models import Employment

# Minus the days since it was found: a step is due from that day on until the next one is.
STEPS: Final = (0, -7, -30)
ABOVE_FROM: Final = -7  # the organization's administrators hear of what is high or critical from this step on
# The cycle of a reminder: who was told of it at one severity is told anew at a worse one. Below medium nobody is.
CYCLES: Final = {Severity.MEDIUM.value: 1, Severity.HIGH.value: 2, Severity.CRITICAL.value: 3}
# What a holder can mend alone; of what a privileged account lacks only somebody else can say the need.
OWN_KINDS: Final = (Finding.Kind.STALE_PROFILE.value, Finding.Kind.PRIVILEGED_OPEN.value)

# What went on without a second person: the outside deputy looks at it where nobody of the organization may.
_UNSEEN: Final = Finding.Kind.UNAPPROVED_REQUEST.value
_CYCLE: Final = "CASE f.severity " + " ".join(f"WHEN '{name}' THEN {cycle}" for name, cycle in CYCLES.items()) + " END"
_STEP: Final = (
    "CASE " + " ".join(f"WHEN f.opened_on <= '{{since{-step}}}' THEN {step}" for step in STEPS[:0:-1]) + " ELSE 0 END"
)
_WORKS: Final = "e.voided_at IS NULL AND (e.valid_to IS NULL OR e.valid_to >= '{today}')"
_STAYS: Final = "NOT " + GONE.replace("{today}", "'{today}'")
# Whoever left hears nothing, also where the membership was left open.
_ADMINISTRATOR: Final = (
    "m.role = 'administrator' AND m.ended_at IS NULL"
    " AND u.id = m.user_id AND u.is_active"
    " AND p.user_id = u.id AND p.organization_id = w.organization_id AND p.email > ''"
    f" AND {_STAYS}"
)
# CROSS JOIN keeps the written order on SQLite, which would begin with all people. For each finding it would also go
# through all members of the organization: so those of a facility are asked for by facility alone, and who administers
# the organization is looked up once. Literals are days, numbers and names of ours; nothing here was typed by people.
_HEARD: Final = f"""
WITH wrong AS MATERIALIZED (
    SELECT f.id, f.organization_id, f.kind, f.facility_id, f.account_id,
           COALESCE(f.person_id, a.person_id) AS person_id, {_CYCLE} AS cycle, {_STEP} AS step,
           CASE WHEN f.kind = '{_UNSEEN}' THEN CAST(substr(f.subject_key, 9) AS bigint) END AS deciding_id
      FROM facilities_organization o CROSS JOIN accounts_finding f
      LEFT JOIN accounts_portalaccount a ON a.id = f.account_id
     WHERE f.organization_id = o.id AND {{started}} AND o.zone = %s AND f.closed_at IS NULL AND f.deadline_id IS NULL
       AND f.severity IN ({", ".join(repr(name) for name in CYCLES)})
), placed AS (
    SELECT w.id, w.facility_id FROM wrong w WHERE w.facility_id IS NOT NULL
     UNION
    SELECT w.id, g.facility_id FROM wrong w CROSS JOIN accounts_rolegrant g
     WHERE w.facility_id IS NULL AND g.account_id = w.account_id AND g.voided_at IS NULL
       AND (g.valid_to IS NULL OR g.valid_to >= '{{today}}')
     UNION
    SELECT w.id, e.facility_id FROM wrong w CROSS JOIN staff_employment e
     WHERE w.facility_id IS NULL AND w.account_id IS NULL AND e.person_id = w.person_id AND {_WORKS}
), here AS MATERIALIZED (  -- nobody looks after what is wrong with herself, as long as somebody else does
    SELECT DISTINCT w.id, p.id AS recipient_id
      FROM wrong w CROSS JOIN placed l CROSS JOIN facilities_membership m CROSS JOIN users_user u
           CROSS JOIN staff_person p
     WHERE l.id = w.id AND m.facility_id = l.facility_id AND {_ADMINISTRATOR}
       AND (w.person_id IS NULL OR p.id <> w.person_id)
), above AS MATERIALIZED (
    SELECT w.organization_id, p.id AS recipient_id
      FROM (SELECT DISTINCT organization_id FROM wrong) w CROSS JOIN facilities_membership m CROSS JOIN users_user u
           CROSS JOIN staff_person p
     WHERE m.organization_id = w.organization_id AND m.facility_id IS NULL AND {_ADMINISTRATOR}
), heard AS (
    SELECT v.id, v.recipient_id FROM here v
     UNION
    SELECT w.id, b.recipient_id
      FROM wrong w CROSS JOIN above b
     WHERE b.organization_id = w.organization_id
       AND ((w.step <= {ABOVE_FROM} AND w.cycle >= {CYCLES[Severity.HIGH.value]})
            OR NOT EXISTS (SELECT 1 FROM here v WHERE v.id = w.id))
       AND (w.person_id IS NULL OR b.recipient_id <> w.person_id
            OR (NOT EXISTS (SELECT 1 FROM here v WHERE v.id = w.id)
                AND NOT EXISTS (SELECT 1 FROM above c
                     WHERE c.organization_id = w.organization_id AND c.recipient_id <> w.person_id)))
     UNION
    SELECT w.id, p.id FROM wrong w CROSS JOIN staff_person p
     WHERE w.kind IN ({", ".join(repr(kind) for kind in OWN_KINDS)})
       AND (w.kind <> '{Finding.Kind.PRIVILEGED_OPEN.value}' OR w.account_id IS NULL)
       AND p.id = w.person_id AND p.organization_id = w.organization_id AND p.email > ''
       AND {_STAYS}
     UNION
    SELECT r.id, p.id
      FROM wrong r CROSS JOIN accounts_accessrequest q CROSS JOIN accounts_requesthouse h CROSS JOIN staff_person p
     WHERE r.deciding_id IS NOT NULL AND q.id = r.deciding_id AND h.organization_id = r.organization_id
       AND p.id = h.outside_deputy_id AND p.organization_id = r.organization_id AND p.email > ''
       AND p.user_confirmed_at IS NOT NULL AND p.id NOT IN ({CONCERNED})
       AND {_STAYS} AND EXISTS (SELECT 1 FROM facilities_membership m
                          WHERE m.user_id = p.user_id AND m.organization_id = r.organization_id AND m.ended_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM facilities_membership m CROSS JOIN users_user u CROSS JOIN staff_person p
                        WHERE {DECIDES} AND {_STAYS})
)
SELECT w.organization_id, w.id AS finding_id, w.cycle, w.step, h.recipient_id
  FROM heard h JOIN wrong w ON w.id = h.id
 WHERE NOT EXISTS (
       SELECT 1 FROM reminders_reminder x WHERE x.finding_id = h.id AND x.recipient_id = h.recipient_id
          AND (x.cycle > w.cycle OR (x.cycle = w.cycle AND x.step <= w.step)))"""  # noqa: S608


def heard(on: date, *, started: str) -> str:
    """Return the statement that selects (organization, finding, cycle, step, recipient) of what is to be told.

    Its first parameter that is not of ``started`` is the zone of organizations. ``started``: a condition on ``o``,
    whose parameters come first.
    """
    since = {f"since{-step}": date.fromordinal(on.toordinal() + step).isoformat() for step in STEPS}
    return _HEARD.format(started=started, today=on.isoformat(), **since)


def gravity(path: str = "finding__") -> Case:
    """Return, for rows that reach their finding by a path, 0 for critical, more for what is less bad."""
    whens = [When(**{f"{path}severity": name, "then": Value(-cycle)}) for name, cycle in CYCLES.items()]
    return Case(*whens, default=Value(0), output_field=IntegerField())


def truthful(on: date) -> Q:
    """Return the condition on reminders of findings that they still say something true, to somebody who may hear it."""
    current = Q(
        finding__closed_at=None,
        finding__severity__in=CYCLES,
        finding__organization=F("organization"),
        recipient__organization=F("organization"),
    )
    others = Q(Exists(_looks_after(on))) | Q(Exists(_from_outside()))
    return current & ((others & ~has_left(on, "recipient")) | _own(on))


def _from_outside() -> QuerySet[RequestHouse]:
    """Return that the recipient is outside deputy, for what went on without a second person."""
    unseen = Finding.objects.filter(pk=OuterRef(OuterRef("finding")), kind=_UNSEEN)
    return RequestHouse.objects.filter(
        Exists(unseen), organization=OuterRef("organization"), outside_deputy=OuterRef("recipient")
    )


def _looks_after(on: date) -> QuerySet[Membership]:
    """Return the administrators' memberships of the recipient that reach the finding: nobody reads on after leaving."""
    ends = Q(valid_to=None) | Q(valid_to__gte=on)
    granted = RoleGrant.objects.known().filter(ends, account=OuterRef(OuterRef("finding__account")))
    works = Employment.objects.known().filter(ends, person=OuterRef(OuterRef("finding__person")))
    here = (
        Q(facility=None)
        | Q(facility=OuterRef("finding__facility"))
        | Q(Exists(granted.filter(facility=OuterRef("facility"))))
        | Q(Exists(works.filter(facility=OuterRef("facility"))))
    )
    return Membership.objects.open().filter(
        here,
        role=Role.ADMINISTRATOR,
        organization=OuterRef("organization"),
        user__is_active=True,
        user__people=OuterRef("recipient"),
    )


def _own(on: date) -> Q:
    about = Q(finding__person=F("recipient")) | Q(finding__account__person=F("recipient"))
    others = Q(finding__kind=Finding.Kind.PRIVILEGED_OPEN, finding__account__isnull=False)
    return Q(finding__kind__in=OWN_KINDS) & ~others & about & ~has_left(on, "recipient")
