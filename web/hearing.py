"""Who hears what of a facility, in words: asked of the ladders and steps by which mails are planned."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.db.models import Q, QuerySet

from accounts.models import PortalAccount, RoleGrant
from accounts.words import count_noun, count_word, listed
from facilities.models import Facility
from facilities.models.tenancy import Role
from reminders.audience import has_left
from reminders.found import ABOVE_FROM, STEPS
from reminders.ladder import LONG_CLOCK_DAYS, Audience, Ladder, ladder_of
from staff.models import Deputy, Employment, Person

NAMED: Final = 5
NOBODY: Final = "nobody so far"


@dataclass(frozen=True, slots=True)
class Hearer:
    """One kind of people who hear: who they are, which of them there are, and what each gets."""

    who: str
    people: str
    what: str
    nobody: bool = False


def who_hears(place: Facility, on: date) -> list[Hearer]:
    """Return who hears of a facility's dates and findings, holders first. Four queries."""
    ladder = ladder_of("inactivity", LONG_CLOCK_DAYS)
    assert ladder is not None
    return [
        _holders(place, ladder, on),
        _deputies(place, ladder, on),
        _administrators(place, ladder, on),
        _above(place, ladder, on),
    ]


def _holders(place: Facility, ladder: Ladder, on: date) -> Hearer:
    granted = RoleGrant.objects.in_force(on).filter(facility=place)
    granted = granted.exclude(account__status=PortalAccount.Status.REMOVED).exclude(has_left(on, "account__person"))
    mails = list(granted.order_by().values_list("account__person", "account__person__email").distinct())
    silent = sum(1 for _, email in mails if not email)
    people = f"{count_noun(len(mails), 'person,people')} so far" if mails else NOBODY
    if silent:
        people += f"; {count_noun(silent, 'has,have')} no work e-mail and can hear nothing"
    steps = f"{listed([count_word(step) for step in ladder.before])} days"
    what = (
        f"Their own dates, and nobody else’s: {steps} before the last safe day of a clock of {LONG_CLOCK_DAYS} days,"
        " and the day after. Shorter clocks begin later."
    )
    return Hearer("Who holds accounts", people, what, nobody=not mails)


def _deputies(place: Facility, ladder: Ladder, on: date) -> Hearer:
    working = Employment.objects.in_force(on).filter(facility=place).values("person")
    named = Deputy.objects.in_force(on).filter(person__in=working)
    people = Person.objects.filter(pk__in=named.values("deputy"))
    joins = _days(ladder.joins(Audience.FACILITY))
    what = (
        "While that person is away, everything that person hears; at other times from the third step on, such as"
        f" {joins} before."
    )
    return _hearer("Who stands in for somebody", people, what)


def _administrators(place: Facility, ladder: Ladder, on: date) -> Hearer:
    later = listed([f"after {_days(-step)}" for step in STEPS[1:]])
    what = (
        f"Everybody’s dates from the third step on, such as {_days(ladder.joins(Audience.FACILITY))} before; of people"
        f" who left, and of what the facility itself owes, every step. Findings when they are found, and again {later}."
    )
    return _hearer(f"Administrators of {place.name}", _in_office(place, Q(user__memberships__facility=place), on), what)


def _above(place: Facility, ladder: Ladder, on: date) -> Hearer:
    last = ladder.joins(Audience.ORGANIZATION)
    what = (
        f"What is still open at the last step, such as {_days(last)} before. Findings that are high or critical after"
        f" {_days(-ABOVE_FROM)}, and all of them at once where a facility has no administrator of its own."
    )
    at_large = Q(user__memberships__facility=None)
    return _hearer("Administrators of the organization", _in_office(place, at_large, on), what)


def _in_office(place: Facility, where: Q, on: date) -> QuerySet[Person]:
    office = where & Q(
        user__memberships__organization=place.organization_id,
        user__memberships__role=Role.ADMINISTRATOR,
        user__memberships__ended_at=None,
        user__is_active=True,
    )
    reached = Person.objects.filter(office, organization=place.organization_id, email__gt="")
    return reached.exclude(has_left(on, "pk")).distinct()


def _hearer(who: str, people: QuerySet[Person], what: str) -> Hearer:
    rows = people.order_by("last_name", "first_name", "pk")[: NAMED + 1]
    names = [str(person) for person in rows]
    said = listed(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
    return Hearer(who, said or NOBODY, what, nobody=not names)


def _days(number: int) -> str:
    return count_noun(number, "day,days")
