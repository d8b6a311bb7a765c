"""Who stands in for somebody: hears what she hears while she is away, else joins with the facility's administrators.

Said three times: as part of the statements that plan, as conditions on querysets, and as words for the letters.
Nothing goes to a deputy for somebody who has left.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, Final, NamedTuple

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.models import Deadline, RoleGrant
from accounts.words import day
from facilities.access import READERS
from facilities.models import Membership
from reminders.leaving import GONE
from staff.models import Absence, Deputy, Employment


def _in_force(row: str) -> str:
    return (
        f"{row}.voided_at IS NULL AND {row}.valid_from <= {{today}}"
        f" AND ({row}.valid_to IS NULL OR {row}.valid_to >= {{today}})"
    )


_AWAY: Final = f"EXISTS (SELECT 1 FROM staff_absence x WHERE x.person_id = r.person_id AND {_in_force('x')})"  # noqa: S608  (constants only, as in what follows)
# The later of two steps: where the holder hears only afterwards (of certifications), no deputy hears before.
_JOINS: Final = f"CASE WHEN {_AWAY} OR r.holder < r.facility THEN r.holder ELSE r.facility END"
# A part of `reminders.holding` and `reminders.concerned`; ``{rows}`` has the steps at which others join.
HEARD: Final = f"""
    SELECT r.id, r.organization_id, r.cycle, r.climb, r.step, p.id AS recipient_id, {_JOINS} AS joins
      FROM {{rows}} r CROSS JOIN staff_deputy s CROSS JOIN staff_person p
     WHERE NOT r.has_left AND s.person_id = r.person_id AND {_in_force("s")}
       AND p.id = s.deputy_id AND p.organization_id = r.organization_id AND p.email > '' AND NOT {GONE}
       AND r.step <= {_JOINS}"""  # noqa: S608


def deputies(deadlines: QuerySet[Deadline], on: date, *, away: bool) -> QuerySet[Deadline]:
    """Annotate ``heard`` with each deputy of the account's holder, of holders who are away or of those who are not."""
    absent = Exists(Absence.objects.in_force(on).filter(person=OuterRef("account__person")))
    path = "account__person__deputies__"
    ends = Q(**{f"{path}valid_to": None}) | Q(**{f"{path}valid_to__gte": on})
    found = deadlines.filter(
        ends,
        absent if away else ~absent,
        **{f"{path}voided_at": None, f"{path}valid_from__lte": on, f"{path}deputy__email__gt": ""},
    )
    return found.annotate(heard=F(f"{path}deputy"))


def stands_in(on: date) -> Q:
    """Return the condition on reminders that the recipient is a deputy of whoever the deadline is about."""
    request = "deadline__request_step__request__"
    subject = ["deadline__account__person", "deadline__person", "deadline__grant__account__person"]
    subject += [f"{request}beneficiary_person", f"{request}requester_person"]
    about = Q()
    for path in subject:
        about |= Q(person=OuterRef(path))
    return Q(Exists(Deputy.objects.in_force(on).filter(about, deputy=OuterRef("recipient"))))


class Note(NamedTuple):
    """What a deputy is told beside a date; ``beyond``: she may not open the page where it stands."""

    before: str
    after: str = ""
    beyond: bool = False

    def beside(self, detail: str) -> str:
        """Return what stands below the sentence."""
        return " ".join(filter(None, (self.before, detail, self.after)))


_Told = tuple[int, int, int | None]  # reader, whom it is about, the account it is about (None: what she owes herself)


def notes(rows: Mapping[int, Iterable[Mapping[str, Any]]], on: date) -> dict[_Told, Note]:
    """Return what to tell deputies beside the rows of their digests (reader -> rows). At most four queries."""
    told = {(reader, row["holder"], row["account"]) for reader, these in rows.items() for row in these if row["holder"]}
    words = _for_whom({reader for reader, _, _ in told}, on)
    mine = {each for each in told if each[:2] in words}
    beyond = _beyond(mine) if mine else {}
    return {each: Note(words[each[:2]], beyond.get(each, ""), each in beyond) for each in mine}


def _for_whom(people: Iterable[int], on: date) -> dict[tuple[int, int], str]:
    """Return (deputy, person) -> the words that tell the deputy why she reads about the other. One query."""
    rows = Deputy.objects.in_force(on).filter(deputy__in=set(people)).select_related("person").order_by("valid_from")
    return {
        (row.deputy_id, row.person_id): f"You stand in for {row.person}"
        + (f" until {day(row.valid_to)}." if row.valid_to else ".")
        for row in rows
    }


def _beyond(told: Collection[_Told]) -> dict[_Told, str]:
    """Return what of it the deputy may not open, with the words that say whom to ask. Three queries."""
    readers = Membership.objects.open().filter(
        role__in=READERS,
        user__is_active=True,
        user__people__in={reader for reader, _, _ in told},
        user__people__organization=F("organization"),
    )
    reads: dict[int, set[int | None]] = defaultdict(set)
    for reader, place in readers.values_list("user__people", "facility_id"):
        reads[reader].add(place)
    granted = RoleGrant.objects.known().filter(account__in={account for _, _, account in told if account})
    worked = Employment.objects.known().filter(person__in={person for _, person, account in told if not account})
    places: dict[tuple[str, int | None], dict[int, str]] = defaultdict(dict)
    for what, rows, column in (("account", granted, "account_id"), ("person", worked, "person_id")):
        for key, place, name in rows.order_by("facility_id").values_list(column, "facility_id", "facility__name"):
            places[what, key][place] = name
    found = {}
    for each in told:
        reader, person, account = each
        there = places["account", account] if account else places["person", person]
        if None not in reads[reader] and reads[reader].isdisjoint(there):
            whom = next(iter(there.values()), "your organization")
            found[each] = f"You cannot open it here: ask an administrator of {whom}."
    return found
