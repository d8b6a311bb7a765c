"""Whether somebody has left, as a condition in statements; whom nobody ever employed here has not.

One look by key for each row that asks. Written as two EXISTS, PostgreSQL answered it for a few people by reading the
employments of all.
"""

from typing import Final

# ``{who}`` is the key of a person, ``{today}`` the day on which it is asked.
LEFT: Final = (
    "COALESCE((SELECT max(COALESCE(e.valid_to, '9999-12-31')) FROM staff_employment e"
    " WHERE e.person_id = {who} AND e.voided_at IS NULL) < {today}, FALSE)"
)
# The same of the person ``p`` who would hear; the day is still to be filled in.
GONE: Final = LEFT.replace("{who}", "p.id")
# Whether whom a row ``r`` is about has an address.
MAILED: Final = "(SELECT p.email FROM staff_person p WHERE p.id = r.person_id) > ''"
