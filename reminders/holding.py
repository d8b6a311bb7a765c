"""Who hears of an account's deadline: the parts that planning and telling beforehand have in common.

They read ``{rows}``: deadlines with the step that is due, the steps at which facility and organization join, and
whether the holder has left. ``{today}`` is the day on which it is asked. Planning keeps what each part finds in a table
of its own, telling beforehand strings them together (`holding`).
"""

from typing import Final

from reminders.deputies import HEARD as DEPUTIES
from reminders.leaving import GONE, MAILED

# CROSS JOIN keeps the written order on SQLite, which would begin with all people.
_ADMINISTRATOR: Final = (
    "m.role = 'administrator' AND m.ended_at IS NULL AND u.id = m.user_id AND u.is_active"
    f" AND p.user_id = u.id AND p.organization_id = r.organization_id AND p.email > '' AND NOT {GONE}"
)
# Where the accounts give access, of those that facilities hear of.
THERE: Final = """
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, r.facility, g.facility_id, {today} AS today
      FROM {rows} r CROSS JOIN accounts_rolegrant g
     WHERE (r.has_left OR r.step <= r.facility)
       AND g.account_id = r.account_id AND g.voided_at IS NULL AND g.valid_from <= {today}
       AND (g.valid_to IS NULL OR g.valid_to >= {today})"""
# Who administers there, looked up once for each facility and not for each of its deadlines.
ADMINISTRATORS: Final = f"""
    SELECT r.facility_id, r.organization_id, r.today, p.id AS person_id
      FROM (SELECT DISTINCT facility_id, organization_id, today FROM {{there}}) r CROSS JOIN facilities_membership m
           CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE m.facility_id = r.facility_id AND {_ADMINISTRATOR}"""  # noqa: S608  (constants only, as in what follows)
HEARD: Final = f"""
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, r.person_id AS recipient_id, r.holder AS joins
      FROM {{rows}} r WHERE NOT r.has_left AND {MAILED}
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, v.person_id, r.facility
      FROM {{there}} r JOIN {{administrators}} v
           ON v.facility_id = r.facility_id AND v.organization_id = r.organization_id AND v.today = r.today
     UNION ALL
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, p.id, r.organization
      FROM {{rows}} r CROSS JOIN facilities_membership m CROSS JOIN users_user u CROSS JOIN staff_person p
     WHERE r.step <= r.organization
       AND m.organization_id = r.organization_id AND m.facility_id IS NULL AND {_ADMINISTRATOR}
     UNION ALL {DEPUTIES}"""  # noqa: S608


def holding(*, rows: str, today: str) -> str:
    """Return the part of a statement that ends with ``heard``: who hears of the account's deadlines in ``rows``."""
    there, administrators, heard = (
        part.format(rows=rows, today=today, there="there", administrators="administrators")
        for part in (THERE, ADMINISTRATORS, HEARD)
    )
    return f"there AS MATERIALIZED ({there}), administrators AS MATERIALIZED ({administrators}), heard AS ({heard})"
