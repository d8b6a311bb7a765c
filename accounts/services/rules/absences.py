"""Access that will lapse while its holder is away (R-40): nobody signs in for somebody else.

Only limits that CMS publishes take access away; an organization's own window does not. On a system that has closed
nothing is asked but closing the account (R-47).
"""

from collections.abc import Iterator
from typing import Final

from accounts.models import Deadline, Finding, PortalAccount
from accounts.models.watch import Severity
from accounts.policy.people import lapses_while_away
from accounts.services.rules.found import Found, Rule, Slice
from audit.bulk import among
from staff.models import Absence

_KIND: Final = Finding.Kind.ABSENCE_LAPSE.value


def lapsing_while_away(part: Slice) -> Iterator[Found]:
    """Yield one finding per running account whose last safe day lies within an absence that has begun."""
    away = Absence.objects.in_force(part.on).filter(person__in=among(part.people)).order_by("valid_from")
    times = {person: (since, until) for person, since, until in away.values_list("person_id", "valid_from", "valid_to")}
    clocks = Deadline.objects.open().filter(
        kind=Deadline.Kind.INACTIVITY,
        policy__isnull=False,
        muted=False,
        account__in=PortalAccount.objects.running().filter(person__in=among(times)),
    )
    columns = ("account_id", "account__person_id", "account__system__slug", "due_on")
    for key, person, system, lapses_on in clocks.order_by("account_id").values_list(*columns):
        since, until = times[person]
        if lapses_while_away(lapses_on, since, until):
            facts = {
                "system": system,
                "lapses_on": lapses_on.isoformat(),
                "away_from_on": since.isoformat(),
                "away_to_on": until.isoformat() if until else None,
            }
            yield Found(_KIND, f"account:{key}", Severity.MEDIUM.value, facts, person=person, account=key)


RULE: Final = Rule("absence-lapse", "Will lapse during an absence", (_KIND,), "person", lapsing_while_away, True)
