"""Moves of streams to other systems: which there are, and which facilities are ready for one."""

from typing import Any

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.moving import Goal, Goals, goals
from accounts.words import day_in as told_day
from systems.models import StreamPath
from systems.policy import EASTERN, day_in
from web.keyset import count_of, page_of
from web.move_table import MOVES_COLUMNS, columns, file_lines, move_row, origins, table_rows
from web.moving import BY_NAME, SIZE, facilities_as_asked, lines, progress
from web.scope import ScopedRequest, organization_page
from web.views.exports import Export, send_listing
from web.views.facilities import facility_crumbs


@require_safe
@organization_page
def moves(request: ScopedRequest) -> HttpResponse:
    """List the moves that concern the member's facilities."""
    found = goals(day_in(timezone.now(), EASTERN))
    rows = [move_row(request.scope, each, found.on) for each in progress(request.scope, found)]
    return render(request, "web/moves.html", {"rows": rows, "columns": [{"label": label} for label in MOVES_COLUMNS]})


@require_safe
@organization_page
def move(request: ScopedRequest, key: str) -> HttpResponse:
    """List the facilities of one move with what is there, what is missing, and the next deed."""
    scope = request.scope
    found, goal = _asked(key)
    listing = facilities_as_asked(scope, goal, found, request.GET)
    form = listing.form
    page = page_of(request, listing.rows.select_related("organization"), by=BY_NAME, size=SIZE)
    return render(
        request,
        "web/move.html",
        {
            "goal": goal,
            "lead": _lead(goal, found),
            "form": form,
            "chips": form.chips(),
            "filtered": bool(form.filters),
            "columns": [{"label": label} for label in columns(goal)],
            "rows": table_rows(goal, lines(scope, goal, page.rows, found.on), found.on),
            "page": page,
            "count": count_of(listing.rows),
            "source": _source(goal),
            "crumbs": [
                *facility_crumbs(request),
                {"label": "Moves", "url": reverse("web:moves", args=[scope.organization.slug])},
            ],
        },
    )


@require_POST
@organization_page
def move_export(request: ScopedRequest, key: str) -> HttpResponseBase:
    """Send every facility of a move that matches the filters sent along."""
    scope = request.scope
    found, goal = _asked(key)
    listing = facilities_as_asked(scope, goal, found, request.POST)
    export = Export(
        words="these facilities",
        action="move.exported",
        name=f"move-{key}",
        home=reverse("web:move", args=[scope.organization.slug, key]),
        columns=columns(goal),
        about={"move": key},
    )
    return send_listing(request, export, listing, lambda on: file_lines(scope, goal, listing.rows, on))


def _asked(key: str) -> tuple[Goals, Goal]:
    """Return the move that the address names. Raises Http404 where the catalogue has none of that name."""
    found = goals(day_in(timezone.now(), EASTERN))
    goal = found.called(key)
    if goal is None:
        raise Http404("The catalogue has no such move.")
    return found, goal


def _lead(goal: Goal, found: Goals) -> str:
    """Return from where to where it moves, and when."""
    starts_on = goal.move.starts_on
    moves_or_moved = "moves" if starts_on and starts_on > found.on else "moved"
    when = f"on {told_day(starts_on, found.on)}" if starts_on else "on a day that was not found"
    return f"{goal.name} {moves_or_moved} from {origins(goal)} to {goal.to.name} {when}."


def _source(goal: Goal) -> Any:
    """Return what says so: the newest of the catalogue's rows behind the move. One query."""
    old = StreamPath.objects.current().filter(stream__slug=goal.move.stream, replaced_by=goal.to)
    return old.select_related("source").order_by("-until_on", "pk").first()
