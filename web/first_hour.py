"""The first hour of a facility: five steps from an empty page to the first digest, computed from what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from accounts.models import PortalAccount, RoleGrant
from accounts.words import count_word
from facilities.access import Action, Scope
from facilities.models import Facility, FirstHourMark
from reminders.audience import has_left
from reminders.models import TrialMail
from staff.models import Employment
from systems.models import System
from systems.policy import EASTERN, day_in
from systems.selectors import roles_of_officials, systems_that_need_officials

# On Today only: a facility that has been here for a quarter has long found its way, or its findings tell the rest.
YOUNG: Final = timedelta(days=90)
LOOKED_AT: Final = 20  # of them, the newest: what a facility still lacks takes five questions each
_MARKS: Final = FirstHourMark.Step
FACILITY: Final = "facility"


@dataclass(frozen=True, slots=True)
class Words:
    """How a step is called: its title, what it is for, and as the next deed in a sentence."""

    title: str
    why: str
    deed: str


STEPS: Final[Mapping[str, Words]] = {
    FACILITY: Words(
        "Register the facility",
        "Its CCN, state and ZIP Code are checked against CMS’s directory, because every account belongs to a CCN.",
        "register a facility",
    ),
    _MARKS.PEOPLE.value: Words(
        "Bring in your people",
        "Paste the list that your HR program shows, so that everybody who holds accounts is known here and nobody who"
        " leaves is overlooked.",
        "paste your people",
    ),
    _MARKS.OFFICIALS.value: Words(
        "Say who the Security Officials are",
        "They approve everybody else’s roles on CMS’s side: without one, nobody new gets in and nobody who lost roles"
        " gets them back.",
        "say who the Security Officials are",
    ),
    _MARKS.HEARING.value: Words(
        "Settle who hears what",
        "Nobody gets mail before reminders are started; you see first who would get what.",
        "settle who hears what",
    ),
    _MARKS.TEST.value: Words(
        "Send yourself a test digest",
        "It shows what today’s mail would say, and whether mail from here reaches you.",
        "send yourself a test digest",
    ),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a facility (none: an organization without one) has come. ``done`` and ``marks`` by step."""

    place: Facility | None
    done: frozenset[str] = frozenset()
    marks: Mapping[str, FirstHourMark] = field(default_factory=dict)

    @property
    def next(self) -> str:
        """The first step that is not through, empty when all are."""
        return next((step for step in STEPS if step not in self.done and step not in self.marks), "")

    @property
    def count(self) -> int:
        """How many steps are through."""
        return sum(1 for step in STEPS if step in self.done or step in self.marks)

    @property
    def sentence(self) -> str:
        """Such as ``two of five steps done; next: paste your people``."""
        if not self.next:
            return "all five steps are done"
        done = count_word(self.count) if self.count else "none"
        return f"{done} of five steps done; next: {STEPS[self.next].deed}"


def led(scope: Scope) -> QuerySet[Facility]:
    """Return the facilities in business whose first hour the member leads."""
    places = Facility.objects.filter(organization=scope.organization).open()
    here = scope.acts_at(Action.LEAD_FIRST_HOUR)
    return places if here is None else places.filter(pk__in=here)


def with_facts(places: QuerySet[Facility], scope: Scope, at: datetime) -> QuerySet[Facility]:
    """Annotate what is so at each facility (``has_*``) and what was set aside (``mark_*``)."""
    on = day_in(at, EASTERN)
    lasting = Q(valid_to=None) | Q(valid_to__gte=on)
    working = Employment.objects.known().filter(lasting, facility=OuterRef("pk"))
    tried = TrialMail.objects.filter(organization=scope.organization, state=TrialMail.State.SENT)
    marks = FirstHourMark.objects.filter(organization=scope.organization, facility=OuterRef("pk"))
    return places.annotate(
        has_people=Exists(working),
        has_official=Exists(_officials(on).filter(facility=OuterRef("pk"))),
        has_gap=Exists(_without_official(on).filter(facility=OuterRef("pk"))),
        has_test=Exists(tried.filter(Q(facility=None) | Q(facility=OuterRef("pk")))),
        **{f"mark_{step}": Exists(marks.filter(step=step)) for step in _MARKS.values},
    )


def _held(on: date) -> QuerySet[RoleGrant]:
    """Return the roles in force on accounts that run, of people who have not left: as R-16 counts them."""
    running = RoleGrant.objects.in_force(on).filter(account__status=PortalAccount.Status.ACTIVE)
    return running.exclude(has_left(on, "account__person"))


def _officials(on: date) -> QuerySet[RoleGrant]:
    return _held(on).filter(role__in=roles_of_officials().values("pk"))


def _without_official(on: date) -> QuerySet[RoleGrant]:
    """Return roles at facilities on systems that need an official there, where nobody is one (R-16)."""
    there = _officials(on).filter(facility=OuterRef("facility"), role__system=OuterRef("role__system"))
    return _held(on).filter(~Exists(there), role__system__in=systems_that_need_officials().values("system"))


def _through(hearing: bool) -> Q:
    """Return the condition that every step of an annotated facility is done or set aside."""
    through = Q(has_people=True) | Q(mark_people=True)
    through &= Q(has_official=True, has_gap=False) | Q(mark_officials=True)
    through &= Q(has_test=True) | Q(mark_test=True)
    return through if hearing else through & Q(mark_hearing=True)


def unfinished(places: QuerySet[Facility], scope: Scope, at: datetime) -> QuerySet[Facility]:
    """Return those of the facilities that are not through, annotated with their facts."""
    hearing = scope.organization.reminders_started_at is not None
    return with_facts(places, scope, at).exclude(_through(hearing))


def progress_of(place: Any, scope: Scope, marks: Mapping[str, FirstHourMark] | None = None) -> Progress:
    """Return the progress of a facility annotated by `with_facts`; without ``marks`` only which there are is known."""
    facts = {
        FACILITY: True,
        _MARKS.PEOPLE.value: place.has_people,
        _MARKS.OFFICIALS.value: place.has_official and not place.has_gap,
        _MARKS.HEARING.value: scope.organization.reminders_started_at is not None,
        _MARKS.TEST.value: place.has_test,
    }
    if marks is None:
        facts |= {step: True for step in _MARKS.values if getattr(place, f"mark_{step}")}
    return Progress(place, frozenset(step for step, so in facts.items() if so), marks or {})


def without_facility(scope: Scope, at: datetime) -> Progress:
    """Return the progress of an organization that has no facility yet. One query."""
    done = {_MARKS.HEARING.value} if scope.organization.reminders_started_at else set()
    if TrialMail.objects.filter(organization=scope.organization, state=TrialMail.State.SENT).exists():
        done.add(_MARKS.TEST.value)
    return Progress(None, frozenset(done))


def gaps(place: Facility, at: datetime) -> list[str]:
    """Return the names of systems in use at a facility that need a Security Official and have none. One query."""
    lacking = _without_official(day_in(at, EASTERN)).filter(facility=place)
    return list(System.objects.filter(pk__in=lacking.values("role__system")).values_list("name", flat=True))


def line_for_today(scope: Scope, *, empty: bool, at: datetime) -> dict[str, str] | None:
    """Return the one line of Today for administrators, None for others and once all is through.

    Only the newest 20 young facilities are looked at, however many there are; where those are through and there are
    more, the line says so and leads to the page of all. ``label`` of the link, its ``url``, what is ``said`` beside it;
    ``all_url`` where there are further facilities; ``deed`` and ``deed_url`` for an empty page. Nothing is asked for
    who leads nobody's first hour, else one query; where none waits a second, and a third where nothing has a date.
    """
    places = scope.acts_at(Action.LEAD_FIRST_HOUR)
    if places is not None and not places:
        return None
    slug = scope.organization.slug
    young = led(scope).filter(created_at__gte=at - YOUNG).order_by("-created_at", "-pk")
    newest = Facility.objects.filter(pk__in=young.values("pk")[:LOOKED_AT])
    waiting = list(unfinished(newest, scope, at).order_by("pk")[:2])
    if not waiting and young[LOOKED_AT : LOOKED_AT + 1].exists():
        url = reverse("web:first-hours", args=[slug])
        through = f"the newest {LOOKED_AT} facilities are through; see whether an older one is not"
        return {"label": "Getting started", "said": through, "url": url, "deed_url": url, "deed": "See all facilities"}
    if not waiting:
        if not empty or scope.acts_at(Action.REGISTER_FACILITY) is not None or led(scope).exists():
            return None
        register = reverse("web:facility-register", args=[slug])
        return {
            "label": "Getting started",
            "said": without_facility(scope, at).sentence,
            "url": reverse("web:first-hours", args=[slug]),
            "deed_url": register,
            "deed": "Register a facility",
        }
    first, *others = waiting
    said = {"label": f"Getting started at {first.name}", "said": progress_of(first, scope).sentence}
    all_url = reverse("web:first-hours", args=[slug]) if others else ""
    url = reverse("web:first-hour", args=[slug, first.pk])
    return said | {"url": url, "all_url": all_url, "deed_url": url, "deed": "Go on with the first steps"}
