"""The calculator's answer in sentences: what `systems.explaining` finds, and the organization's own rule beside it."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from accounts.models import HouseWindow
from accounts.words import count_noun, day, in_days
from facilities.models import Organization
from reminders.ladder import first_step
from systems.explaining import ExplainedDeadline, Explanation
from systems.models import Confidence, System
from systems.policy import overdue, standing, target_on
from web.clocks import Clock, draw_clock
from web.guides.citing import Bibliography, Cite, weakness
from web.guides.limits import rule_words, span_words, title_of
from web.standings import limit_in_days

_SINCE: Final = {"certification": "the grant"}


@dataclass(frozen=True, slots=True)
class Row:
    """The answer for one kind of deadline."""

    title: str
    sentence: str
    after: str
    cure: str
    clock: Clock
    rule: str  # with its days in force, and why this very date may be weaker
    cite: Cite


@dataclass(slots=True)
class Answer:
    """What the page says to one question; `house` is the organization's own rule, never a citation."""

    question: str
    unknown: bool
    never_without_grant: bool
    rows: list[Row] = field(default_factory=list)
    not_counted: list[dict[str, str]] = field(default_factory=list)
    published: bool = True
    house: str = ""
    marks: list[dict[str, Any]] = field(default_factory=list)


def answer(
    *,
    found: Explanation,
    organization: Organization,
    bibliography: Bibliography,
    login: date | None,
    granted_on: date | None,
    never: bool,
) -> Answer:
    """Return the sentences for an explanation. One query, for the organization's own window."""
    basis = login or granted_on
    published = "inactivity" in {row.kind for row in found.deadlines} or "inactivity" in found.not_counted
    told = Answer(
        question=_question(found, login, granted_on, never=never),
        unknown=found.unknown and not (never and granted_on is None),
        never_without_grant=never and granted_on is None,
        published=published,
        house=_house(found, organization, basis if login or never else None, published=published),
    )
    since = "the last login" if login else "the grant"
    told.rows = [_row(each, found.system, since, bibliography) for each in found.deadlines]
    if not found.unknown:
        told.not_counted = [{"title": title_of(kind), "needs": needs} for kind, needs in found.not_counted.items()]
    told.marks = [{"kind": each.kind, "basis_on": each.basis_on, "due_on": each.due.due_on} for each in found.deadlines]
    return told


def _question(found: Explanation, login: date | None, granted_on: date | None, *, never: bool) -> str:
    if login:
        words = f"Last signed in on {day(login)}"
    elif never:
        words = "Never signed in"
    else:
        words = "Last login not known"
    granted = f", granted on {day(granted_on)}" if granted_on else ""
    return f"{words}{granted}, seen from {day(found.on)}"


def _row(each: ExplainedDeadline, system: System, since: str, bibliography: Bibliography) -> Row:
    policy, due_on = each.policy, each.due.due_on
    near = in_days(due_on, each.on)
    if each.overdue:
        sentence = f"The last safe day was {day(due_on)} ({near})."
    else:
        sentence = f"Last safe day: {day(due_on)} ({near})."
    how = standing(
        on=each.on,
        due_on=due_on,
        soon_days=first_step(each.kind, limit_in_days(policy.limit_days, policy.limit_years)),
        consequence=policy.consequence,
    )
    return Row(
        title=title_of(each.kind),
        sentence=sentence,
        after=policy.consequence_text,
        cure=policy.cure_text,
        clock=draw_clock(
            standing=how,
            on=each.on,
            basis_on=each.basis_on,
            due_on=due_on,
            since=_SINCE.get(each.kind, since),
        ),
        rule=" ".join(filter(None, [rule_words(policy), span_words(policy, each.on), _caught(each), _doubt(each)])),
        cite=bibliography.cite(policy),
    )


def _caught(each: ExplainedDeadline) -> str:
    """Return why the last safe day is the eve of the rule: it shortened a limit that this clock still kept."""
    start = each.policy.effective_from
    if start is None or each.due.version.safe_until(each.basis_on) >= each.due.due_on:
        return ""
    return f"Whoever was idle for longer when it began was too late on {day(start)} itself."


def _doubt(each: ExplainedDeadline) -> str:
    """Return why this very date is weaker than the rule it rests on."""
    policy = each.policy
    if policy.start_confidence == Confidence.INFERENCE and policy.effective_from:
        moved = each.confidence == Confidence.INFERENCE
        weak = "so this date is our reading" if moved else "which does not move this date"
        note = f" ({policy.start_note})" if policy.start_note else ""
        return f"That the rule began on {day(policy.effective_from)} is assumed{note}, {weak}."
    if each.confidence != policy.confidence:
        return f"This date: {weakness(each.confidence)}."
    return ""


def house_words(organization: Organization, system: System) -> str:
    """Return the organization's own rule for a system without a published limit. One query."""
    rule = _window(organization, system)
    if not rule.enabled:
        return f"{organization.name} has switched its own rule for {system.name} off."
    return f"Your rule: a login every {count_noun(rule.flag_days, 'day,days')}; no rule of CMS."


def _window(organization: Organization, system: System) -> HouseWindow:
    """Return the stored window; without one the product's own defaults hold, unsaved."""
    stored = HouseWindow.objects.filter(organization=organization, system=system).first()
    return stored or HouseWindow(organization=organization, system=system)


def _house(found: Explanation, organization: Organization, basis: date | None, *, published: bool) -> str:
    """Return the organization's own rule with its day; nothing where CMS's limit is stricter."""
    rule = _window(organization, found.system)
    if published and (rule.pk is None or not rule.enabled):
        return ""
    if not rule.enabled:
        return f"{organization.name} has switched its own rule for {found.system.name} off."
    words = f"Your rule: a login every {count_noun(rule.flag_days, 'day,days')}"
    aim = None
    if basis:
        since = rule.counts_from_on
        aim = target_on(basis_on=basis, due_on=None, house_days=rule.flag_days, house_from=since)
    cms = next((each.due.due_on for each in found.deadlines if each.kind == "inactivity"), None)
    if cms is not None and (aim is None or aim >= cms):
        return ""
    end = "stricter than CMS’s, whose date stays as it is" if published else "no rule of CMS"
    if aim is None:
        return f"{words}; {end}."
    past = "was due by" if overdue(aim, found.on) else "by"
    return f"{words}, {past} {day(aim)} ({in_days(aim, found.on)}); {end}."
