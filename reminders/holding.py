"""Who hears of an account's deadline: the part that planning and telling beforehand have in common.

A part of a statement over ``{rows}``: deadlines with the step that is due, the steps at which facility and organization
join, and whether the holder has left. ``{today}`` is the day on which it is asked. Administrators are looked up once for
each facility, not for each of its deadlines.
"""

from typing import Final

from reminders.leaving import GONE

# CROSS JOIN keeps the written order on SQLite, which would begin with all people.
_ADMINISTRATOR: Final = (
    "m.role = 'administrator' AND m.ended_at IS NULL AND u.id = m.user_id AND u.is_active"
    f" AND p.user_id = u.id AND p.organization_id = r.organization_id AND p.email > '' AND NOT {GONE}"
)
HEARD: Final = f"""there AS MATERIALIZED (
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, r.facility, g.facility_id, {{today}} AS today
      FROM {{rows}} r CROSS JOIN accounts_rolegrant g
     WHERE (r.has_left OR r.step <= r.facility)
       AND g.account_id = r.account_id AND g.voided_at IS NULL AND g.valid_from <= {{today}}
       AND (g.valid_to IS NULL OR g.valid_to >= {{today}})
), administrators AS MATERIALIZED (
    SELECT r.facility_id, r.organization_id, r.today, p.id AS person_id
      FROM (SELECT DISTINCT facility_id, organization_id, today FROM there) r CROSS JOIN facilities_membership m
           CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE m.facility_id = r.facility_id AND {_ADMINISTRATOR}
), heard AS (
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, r.person_id AS recipient_id, r.holder AS joins
      FROM {{rows}} r JOIN staff_person p ON p.id = r.person_id
     WHERE p.email > '' AND NOT r.has_left
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, v.person_id, r.facility
      FROM there r JOIN administrators v
           ON v.facility_id = r.facility_id AND v.organization_id = r.organization_id AND v.today = r.today
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, p.id, r.organization
      FROM {{rows}} r CROSS JOIN facilities_membership m CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE r.step <= r.organization
       AND m.organization_id = r.organization_id AND m.facility_id IS NULL AND {_ADMINISTRATOR}
     UNION ALL {{deputies}}
)"""  # noqa: S608  (constants only)
