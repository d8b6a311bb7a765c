"""Who hears of an account's deadline: the part that planning and telling beforehand have in common.

A part of a statement that begins with ``reached``: deadlines with the step that is due, the steps at which facility and
organization join, and whether the holder has left. ``{today}`` is the day on which it is asked.
"""

from typing import Final

from reminders.deputies import GONE

HEARD: Final = f"""heard AS (
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, r.person_id AS recipient_id, r.holder AS joins
      FROM reached r JOIN staff_person p ON p.id = r.person_id
     WHERE p.email > '' AND NOT r.has_left
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, p.id, r.facility
      FROM reached r CROSS JOIN accounts_rolegrant g CROSS JOIN facilities_membership m CROSS JOIN users_user u
           CROSS JOIN staff_person p
     WHERE (r.has_left OR r.step <= r.facility)
       AND g.account_id = r.account_id AND g.voided_at IS NULL AND g.valid_from <= {{today}}
       AND (g.valid_to IS NULL OR g.valid_to >= {{today}})
       AND m.facility_id = g.facility_id AND m.role = 'administrator' AND m.ended_at IS NULL
       AND u.id = m.user_id AND u.is_active
       AND p.user_id = u.id AND p.organization_id = r.organization_id AND p.email > '' AND NOT {GONE}
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, p.id, r.organization
      FROM reached r CROSS JOIN facilities_membership m CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE r.step <= r.organization
       AND m.organization_id = r.organization_id AND m.facility_id IS NULL AND m.role = 'administrator'
       AND m.ended_at IS NULL
       AND u.id = m.user_id AND u.is_active
       AND p.user_id = u.id AND p.organization_id = r.organization_id AND p.email > '' AND NOT {GONE}
     UNION ALL {{deputies}}
)"""  # noqa: S608  (constants only)
