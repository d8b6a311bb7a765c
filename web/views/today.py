"""Today: what this member has to do, soonest first."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.consequences import upper
from accounts.models import Deadline
from accounts.sentences import good_day, the_one_sentence
from accounts.words import count_noun
from facilities.access import Action, Scope
from users.models import User
from web.agenda import SHOWN, Agenda, Section, agenda, asked_for
from web.beside import beside
from web.first_hour import line_for_today
from web.requests.listing import desk_of
from web.requests.waiting import Waiting, waiting_for
from web.rows import deadline_row, done_row, lost_row, unknown_row
from web.scope import ScopedRequest, organization_page


@require_safe
@organization_page
def today(request: ScopedRequest) -> HttpResponse:
    """Show the greeting, the one sentence that matters, and a row with one button for everything that waits."""
    scope, now = request.scope, timezone.now()
    day = agenda(scope=scope, at=now)
    user: User = request.user  # type: ignore[assignment]
    desk = desk_of(scope, day.on)
    waiting = waiting_for(desk)
    request.waiting = {"web:today": _own_count(day), "web:requests": waiting.count}  # type: ignore[attr-defined]
    started = line_for_today(scope, empty=day.bare, at=now)
    panels = beside(scope, day.on)
    hour = now.astimezone(ZoneInfo(scope.organization.zone)).hour
    return render(
        request,
        "web/today.html",
        {
            "greeting": f"{good_day(hour)}, {user.name.split()[0]}" if user.name.strip() else good_day(hour),
            "sentence": f"{the_one_sentence(day.tally(panels.kept))} {_lost_words(day)}{waiting.sentence}".strip(),
            "sections": list(_sections(scope, day, waiting)),
            "day": day,
            "started": started,
            "may_add": _works(scope),
            "record_url": reverse("web:logins-record", args=[scope.organization.slug])
            if _may_record(day, scope)
            else "",
            "reminders_url": "" if started and day.bare else _reminders_url(scope),
            "beside": panels,
        },
    )


def _sections(scope: Scope, day: Agenda, waiting: Waiting) -> Any:
    """Yield the sections that are not empty, each with a way to the rest of its rows."""
    named: tuple[tuple[str, str, Section, str], ...] = (
        ("late", "Late", day.late, "late"),
        ("check", "Check your roles", day.check, "check-roles"),
        ("week", "This week", day.week, "soon"),
        ("later", "Later", day.later, "soon"),
    )
    everything = reverse("web:accounts", args=[scope.organization.slug])
    for slug, title, section, standing in named:
        rows = [
            deadline_row(scope, day.dossiers[row.account_id], row)
            for row in _ordered(section.deadlines)
            if row.account_id is not None
        ]
        rows += day.duties.get(slug, [])[:SHOWN]
        if rows:
            more = f"{everything}?standing={standing}" if section.more else ""
            yield {"slug": slug, "title": title, "rows": rows, "more_url": more}
        if slug == "check" and day.lost:
            rows = [lost_row(scope, day.dossiers[each.pk], asked_for(each)) for each in day.lost]
            yield {"slug": "lost", "title": "No longer working", "rows": rows, "more_url": ""}
        if slug == "week":
            yield from waiting.sections
    if day.unknown:
        rows = [unknown_row(scope, day.dossiers[account.pk]) for account in day.unknown]
        more = f"{everything}?standing=unknown" if day.unknown_more else ""
        yield {"slug": "unknown", "title": "Unknown logins", "rows": rows, "more_url": more}
    if day.done:
        rows = [done_row(scope, day.dossiers[event.account_id], event) for event in day.done]
        yield {"slug": "done", "title": "Done today", "rows": rows, "more_url": ""}


def _ordered(deadlines: list[Deadline]) -> list[Deadline]:
    """Return rows by date although the member's own ones were read separately: first come the soonest."""
    return sorted(deadlines, key=lambda row: (row.target_on or row.due_on, row.pk))


def _own_count(day: Agenda) -> int:
    rows = [*day.late.deadlines, *day.check.deadlines, *day.week.deadlines]
    own = sum(1 for row in rows if row.account_id and day.dossiers[row.account_id].own)
    return own + sum(1 for each in day.lost if asked_for(each) is None)


def _lost_words(day: Agenda) -> str:
    if not day.lost:
        return ""
    return f"{upper(count_noun(len(day.lost), 'account of yours no longer works,accounts of yours no longer work'))}. "


def _may_record(day: Agenda, scope: Scope) -> bool:
    return any(dossier.may(scope, Action.RECORD_LOGIN) for dossier in day.dossiers.values())


def _reminders_url(scope: Scope) -> str:
    """Return where reminders are started, for administrators of an organization that has not."""
    if scope.organization.reminders_started_at or not scope.may(Action.START_REMINDERS):
        return ""
    return reverse("web:start-reminders", args=[scope.organization.slug])


def _works(scope: Scope) -> bool:
    return scope.may(Action.EDIT_PERSON, [place for _, place in scope.roles if place is not None])
