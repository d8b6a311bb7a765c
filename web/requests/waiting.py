"""What Today shows of requests: decisions that wait for the member, and her open steps."""

from dataclasses import dataclass
from typing import Any, Final

from django.db.models import F
from django.urls import reverse

from accounts.models import AccessRequest
from accounts.words import count_noun
from web.requests.listing import READ_WITH, Desk
from web.requests.rows import decision_rows, step_rows

SHOWN: Final = 7  # of each kind; the list of requests has the rest
_STEP_READS: Final = tuple(f"request__{name}" for name in READ_WITH)


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits, in one sentence, and the sections that are not empty."""

    count: int
    sentence: str
    sections: list[dict[str, Any]]


def waiting_for(desk: Desk) -> Waiting:
    """Return what waits for the member, the oldest decision and the soonest step first.

    Six queries at most, two more for the outside deputy and where somebody left whose requests run.
    """
    decisions = list(desk.decisions.select_related(*READ_WITH).order_by("pk")[: SHOWN + 1])
    steps = list(
        desk.steps().select_related(*_STEP_READS).order_by(F("due_on").asc(nulls_last=True), "pk")[: SHOWN + 1]
    )
    looks = list(desk.to_look_at().select_related(*READ_WITH).order_by("pk")[: SHOWN + 1]) if desk.reach.outside else []
    orphans = _orphans(desk, decisions) if desk.gone else []
    asked_back, drafts = (
        list(desk.drafts(sent_back=back).select_related(*READ_WITH).order_by("pk")[: SHOWN + 1])
        for back in (True, False)
    )
    left = {each.pk: words for each in (*decisions, *orphans) if (words := desk.left_words(each))}
    more = f"{reverse('web:requests', args=[desk.scope.organization.slug])}?show=inbox"
    sections = []
    if decisions:
        rows = decision_rows(decisions[:SHOWN], desk.on, left=left)
        sections.append(_section("decisions", "Waiting for your decision", rows, more, len(decisions)))
    if asked_back:
        rows = decision_rows(asked_back[:SHOWN], desk.on, deed=("Sent back", "Look and answer"))
        sections.append(_section("request-questions", "Sent back to you", rows, more, len(asked_back)))
    if drafts:
        rows = decision_rows(drafts[:SHOWN], desk.on, deed=("Draft", "Look and send"))
        sections.append(_section("request-drafts", "Your drafts, not sent yet", rows, more, len(drafts)))
    if looks:
        rows = decision_rows(looks[:SHOWN], desk.on, deed=("Look", "Look at it"))
        sections.append(
            _section("request-looks", "Without a second person: for you to look at", rows, more, len(looks))
        )
    if orphans:
        deed = ("Asker left", "Take over or withdraw")
        rows = decision_rows(orphans[:SHOWN], desk.on, deed=deed, left=left)
        sections.append(_section("request-orphans", "Asked for by somebody who has left", rows, more, len(orphans)))
    if steps:
        instead = {each.request_id: desk.stands_in_words(each.request) for each in steps}
        rows = step_rows(steps[:SHOWN], desk.on, instead)
        sections.append(_section("request-steps", "Your steps of requests", rows, more, len(steps)))
    return Waiting(desk.waiting_count().number, _sentence(len(decisions), len(asked_back), len(drafts)), sections)


def _orphans(desk: Desk, decisions: list[AccessRequest]) -> list[AccessRequest]:
    """Return what somebody asked for who has left, apart from what stands among the decisions already."""
    rest = desk.to_take_over().exclude(pk__in=[each.pk for each in decisions])
    parts = (part.select_related(*READ_WITH).order_by("pk")[: SHOWN + 1] for part in (rest, desk.to_try_again()))
    return [each for part in parts for each in part][: SHOWN + 1]


def _section(slug: str, title: str, rows: list[dict[str, Any]], more_url: str, found: int) -> dict[str, Any]:
    more = more_url if found > SHOWN else ""
    return {"slug": slug, "title": title, "rows": rows, "more_url": more, "more_words": "in the list of requests"}


def _sentence(decisions: int, questions: int, drafts: int) -> str:
    told = []
    if decisions:
        told.append(f"{_counted(decisions, 'request waits,requests wait')} for your decision.")
    if questions:
        told.append(f"{_counted(questions, 'request,requests')} came back to you with a question.")
    if drafts:
        told.append(f"{_counted(drafts, 'draft of yours waits,drafts of yours wait')} to be sent.")
    return " ".join(told)


def _counted(found: int, nouns: str) -> str:
    return f"More than {count_noun(SHOWN, nouns)}" if found > SHOWN else count_noun(found, nouns).capitalize()
