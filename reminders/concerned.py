"""What a deadline hangs on, and who is concerned where that is a role, a person, a facility, an obligation or a step.

Of accounts `reminders.holding` says who hears. What is said here about people in SQL is said in `reminders.audience`
again, as a condition on what was planned.
"""

from dataclasses import dataclass
from typing import Final

from reminders.deputies import HEARD as DEPUTIES
from reminders.leaving import GONE, MAILED
from systems.selectors import official_roles

_NOTHING: Final = "CAST(NULL AS bigint)"


@dataclass(frozen=True, slots=True)
class Concern:
    """How one kind of subject leads to people: joins from deadline ``d``, and columns of what they find."""

    joins: str
    person: str = _NOTHING
    facility: str = _NOTHING
    system: str = _NOTHING
    running: str = "1 = 1"
    deciding: str = _NOTHING  # the request about which somebody has to decide here
    shared: str = "0"  # 1: those who look after the place hear as soon as the person does


_CONCERNS: Final = {
    "account": Concern(
        "JOIN accounts_portalaccount a ON a.id = d.account_id", person="a.person_id", running="a.status <> 'removed'"
    ),
    "grant": Concern(
        "JOIN accounts_rolegrant g ON g.id = d.grant_id JOIN accounts_portalaccount a ON a.id = g.account_id",
        person="a.person_id",
        facility="g.facility_id",
        system="a.system_id",
        running="a.status <> 'removed'",
    ),
    "person": Concern("JOIN staff_person q ON q.id = d.person_id", person="q.id"),
    "facility": Concern("JOIN facilities_facility f ON f.id = d.facility_id", facility="f.id"),
    "obligation": Concern("JOIN accounts_obligation b ON b.id = d.obligation_id", facility="b.facility_id"),
    # Whose turn it is: the person, officials on CMS's side, who decides here, or whoever asked and the place. The
    # removal of her own access nobody carries out: who asked, else those who look after the place.
    "request_step": Concern(
        "JOIN accounts_requeststep s ON s.id = d.request_step_id JOIN accounts_accessrequest q ON q.id = s.request_id",
        person="CASE WHEN s.actor = 'holder' AND q.kind <> 'removal' THEN q.beneficiary_person_id"
        " WHEN s.actor IN ('holder', 'facility', 'help-desk', 'cms')"
        " AND (q.kind <> 'removal' OR q.requester_person_id <> q.beneficiary_person_id) THEN q.requester_person_id END",
        facility="q.facility_id",
        system="CASE WHEN s.actor = 'official' THEN q.system_id END",
        running="s.state = 'open'",
        deciding="CASE WHEN s.actor = 'approver' THEN q.id END",
        shared="CASE WHEN s.actor IN ('facility', 'help-desk', 'cms') THEN 1 ELSE 0 END",
    ),
}
_IN_FORCE: Final = "g.voided_at IS NULL AND g.valid_from <= {today} AND (g.valid_to IS NULL OR g.valid_to >= {today})"
_TERM: Final = (
    "{row}.voided_at IS NULL AND {row}.valid_from <= {today} AND ({row}.valid_to IS NULL OR {row}.valid_to >= {today})"
)
_WORKS: Final = "e.voided_at IS NULL AND (e.valid_to IS NULL OR e.valid_to >= {today})"
# Whoever left hears nothing, also where the membership was left open.
_ADMINISTRATOR: Final = (
    "m.role = 'administrator' AND m.ended_at IS NULL AND u.id = m.user_id AND u.is_active"
    " AND p.user_id = u.id AND p.organization_id = r.organization_id AND p.email > ''"
    f" AND NOT {GONE}"
)
# Somebody hears from the first step on without being an administrator.
_OWNED: Final = (
    "((r.person_id IS NOT NULL AND NOT r.has_left AND r.holder = r.first)"
    " OR EXISTS (SELECT 1 FROM approvers v WHERE v.id = r.id))"
)
# Who asked, gets it, or asked first, of request ``q``: none of them decides.
CONCERNED: Final = "q.requester_person_id, q.beneficiary_person_id, COALESCE(q.asked_first_person_id, 0)"
# Members ``m`` (user ``u``, person ``p``) who may decide request ``q``, for rows ``r``.
DECIDES: Final = (
    "q.id = r.deciding_id AND m.organization_id = r.organization_id AND m.ended_at IS NULL"
    " AND (m.facility_id IS NULL OR m.facility_id = q.facility_id)"
    " AND (m.role = 'administrator' OR (m.role = 'approver' AND (q.role_id IS NULL OR EXISTS ("
    "SELECT 1 FROM systems_systemrole w WHERE w.id = q.role_id AND NOT w.privileged))))"
    " AND u.id = m.user_id AND u.is_active AND p.user_id = u.id AND p.organization_id = r.organization_id"
    f" AND p.user_confirmed_at IS NOT NULL AND p.id NOT IN ({CONCERNED})"
)
# The decisions about request ``q`` as it is now.
_GIVEN: Final = "FROM accounts_approval z WHERE z.request_id = q.id AND z.revision = q.revision AND z.voided_at IS NULL"
_DECIDED: Final = f"EXISTS (SELECT 1 {_GIVEN} AND p.id IN (z.approver_person_id, COALESCE(z.in_place_of_id, 0)))"
# Who is away and has somebody to decide in her place hears none of it: her deputy does.
_PRESENT: Final = "NOT EXISTS (SELECT 1 FROM stand_ins t WHERE t.id = {row}.id AND t.absent_id = {person})"  # noqa: S608  (constants)
# Who decides about a request, where a step waits for that; nothing else is planned with it, as planning it takes time.
_DECIDERS: Final = f"""deciders AS MATERIALIZED (  -- who has not decided yet; the outside deputy where they are too few
    SELECT DISTINCT r.id, r.organization_id, p.id AS person_id
      FROM {{rows}} r CROSS JOIN accounts_accessrequest q CROSS JOIN facilities_membership m CROSS JOIN users_user u
           CROSS JOIN staff_person p
     WHERE {DECIDES} AND NOT {GONE} AND NOT {_DECIDED}
), stand_ins AS MATERIALIZED (  -- who stands in for a decider who is away, as `accounts.services.requests.deciders`
    SELECT DISTINCT c.id, c.person_id AS absent_id, p.id AS person_id
      FROM deciders c CROSS JOIN staff_absence y CROSS JOIN staff_deputy s CROSS JOIN staff_person p
           CROSS JOIN {{rows}} r CROSS JOIN accounts_accessrequest q
     WHERE y.person_id = c.person_id AND {_TERM.replace("{row}", "y")}
       AND s.decides AND s.person_id = c.person_id AND {_TERM.replace("{row}", "s")}
       AND p.id = s.deputy_id AND p.organization_id = c.organization_id AND p.email > ''
       AND p.user_id IS NOT NULL AND p.user_confirmed_at IS NOT NULL AND NOT {GONE}
       AND r.id = c.id AND q.id = r.deciding_id AND p.id NOT IN ({CONCERNED})
), """  # noqa: S608  (constants only, as in what follows)
_DECIDING: Final = f"""
     UNION
    SELECT c.id, c.person_id FROM deciders c JOIN staff_person p ON p.id = c.person_id
     WHERE p.email > '' AND {_PRESENT.format(row="c", person="c.person_id")}
     UNION
    SELECT t.id, t.person_id FROM stand_ins t
     UNION
    SELECT r.id, p.id
      FROM {{rows}} r JOIN accounts_accessrequest q ON q.id = r.deciding_id
           JOIN accounts_requesthouse h ON h.organization_id = r.organization_id
           JOIN staff_person p ON p.id = h.outside_deputy_id
     WHERE p.email > '' AND p.id NOT IN ({CONCERNED}) AND NOT {_DECIDED}
       AND (SELECT COUNT(*) FROM deciders c WHERE c.id = r.id) < q.approvers_needed - (SELECT COUNT(*) {_GIVEN})"""  # noqa: S608
_MAY_BE_AWAY: Final = (("v", "v.person_id"), ("r", "p.id"))  # of those who look after a place, and of those above
# From ``reached`` on, where planning and telling beforehand (`reminders.coming`) have the same to ask.
_PEOPLE: Final = f"""{{deciders}}officials AS MATERIALIZED (  -- by key: joined, PostgreSQL would read all accounts
    SELECT r.id, r.organization_id, r.person_id, {{today}} AS today,
           (SELECT a.person_id FROM accounts_portalaccount a
             WHERE a.id = g.account_id AND a.system_id = r.system_id AND a.status = 'active') AS official_id
      FROM {{rows}} r CROSS JOIN accounts_rolegrant g
     WHERE g.facility_id = r.facility_id AND g.role_id IN ({{officials}}) AND {_IN_FORCE}
), approvers AS MATERIALIZED (
    SELECT DISTINCT r.id, p.id AS person_id
      FROM officials r CROSS JOIN staff_person p
     WHERE p.id = r.official_id AND p.organization_id = r.organization_id
       AND (r.person_id IS NULL OR p.id <> r.person_id) AND p.email > '' AND NOT {GONE}{{deciding}}
), here AS MATERIALIZED (  -- at the facility of the deadline, else where its person works
    SELECT r.id, p.id AS person_id
      FROM {{rows}} r CROSS JOIN facilities_membership m CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE m.facility_id = r.facility_id AND m.organization_id = r.organization_id AND {_ADMINISTRATOR}
     UNION
    SELECT r.id, p.id
      FROM {{rows}} r CROSS JOIN staff_employment e CROSS JOIN facilities_membership m CROSS JOIN users_user u
           CROSS JOIN staff_person p
     WHERE r.facility_id IS NULL AND e.person_id = r.person_id AND e.valid_from <= {{today}} AND {_WORKS}
       AND m.facility_id = e.facility_id AND m.organization_id = r.organization_id AND {_ADMINISTRATOR}
), placed AS MATERIALIZED (
    SELECT r.*, CASE WHEN r.shared = 0 AND {_OWNED} THEN r.facility ELSE r.first END AS joined_here,
           CASE WHEN {_OWNED} OR EXISTS (SELECT 1 FROM here v WHERE v.id = r.id)
                THEN r.organization ELSE r.first END AS joined_above
      FROM {{rows}} r
), heard AS (
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, r.person_id AS recipient_id, r.holder AS joins
      FROM placed r WHERE NOT r.has_left AND r.step <= r.holder AND {MAILED}
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, v.person_id, r.approver
      FROM placed r JOIN approvers v ON v.id = r.id WHERE r.step <= r.approver
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, v.person_id, r.joined_here
      FROM placed r JOIN here v ON v.id = r.id WHERE r.step <= r.joined_here{{here_present}}
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, p.id, r.joined_above
      FROM placed r CROSS JOIN facilities_membership m CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE r.step <= r.joined_above
       AND m.organization_id = r.organization_id AND m.facility_id IS NULL AND {_ADMINISTRATOR}{{above_present}}
     UNION ALL {{deputies}}
)"""


def columns_of(subject: str) -> dict[str, str]:
    """Return how one kind of subject is joined to deadline ``d``, and the columns of what that finds."""
    concern = _CONCERNS[subject]
    return {
        "joined": concern.joins,
        "person": concern.person,
        "place": concern.facility,
        "system": concern.system,
        "running": concern.running,
        "deciding": concern.deciding,
        "shared": concern.shared,
    }


def concerned(subject: str, *, rows: str, today: str) -> str:
    """Return the part of a statement that ends with ``heard``: who hears of what is in ``rows``."""
    waits = _CONCERNS[subject].deciding != _NOTHING
    officials = ", ".join(str(int(pk)) for pk in sorted(official_roles())) or "0"
    deputies = DEPUTIES.format(rows="placed", today=today)
    deciders, deciding = (part.format(rows=rows, today=today) if waits else "" for part in (_DECIDERS, _DECIDING))
    here, above = (" AND " + _PRESENT.format(row=row, person=person) if waits else "" for row, person in _MAY_BE_AWAY)
    return _PEOPLE.format(
        rows=rows,
        today=today,
        officials=officials,
        deputies=deputies,
        deciders=deciders,
        deciding=deciding,
        here_present=here,
        above_present=above,
    )
