"""Moves and their facilities as tables: on the page, and as a file."""

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

from django.urls import reverse

from accounts.moving import Goal
from accounts.policy.moving import ENOUGH, Readiness, State, Step
from accounts.words import count_noun, count_word, day, in_days, listed
from facilities.access import Scope
from facilities.models.tenancy import FacilityQuerySet
from systems.policy import Standing
from web.forms.moves import READINESS
from web.keyset import in_slices
from web.moving import BY_NAME, Line, Progress, lines
from web.templatetags.words import count_digits

NAMED: Final = 2  # officials whose names stand in a cell
MOVES_COLUMNS: Final = ("What moves", "From", "To", "First day there", "Facilities ready")


def origins(goal: Goal) -> str:
    """Return the old systems as words: ``QIES, CASPER and CMSNet``."""
    return listed(system.name for system in goal.origins)


def move_row(scope: Scope, found: Progress, on: date) -> dict[str, Any]:
    """Return a move as a row for `components/table.html`."""
    goal, move = found.goal, found.goal.move
    words, standing = "Not all ready", _unready(goal, on)
    if found.ready == found.facilities:
        words, standing = "All ready", Standing.FINE
    elif found.ready + found.unknown == found.facilities:
        words, standing = "Not all known", Standing.UNKNOWN
    return {
        "cells": [
            {"text": goal.name, "url": reverse("web:move", args=[scope.organization.slug, move.key])},
            {"text": origins(goal), "note": f"until {day(move.last_on)}" if move.last_on else ""},
            {"text": goal.to.name},
            {"text": day(move.starts_on) or "Not found", "note": in_days(move.starts_on, on), "date": True},
            {
                "text": "",
                "standing": standing,
                "words": words,
                "note": f"{count_digits(found.ready)} of {count_digits(found.facilities)}",
            },
        ]
    }


def columns(goal: Goal) -> tuple[str, ...]:
    """Return the headings of a move's facilities, on the page and in the file."""
    return (
        "Facility", "Standing", "Holders", f"With {goal.authority.name}", "With second factor", "With new role",
        "Security Official", "Second person", "Tool", "Next",
    )  # fmt: skip


def table_rows(goal: Goal, found: Sequence[Line], on: date) -> list[dict[str, Any]]:
    """Return the lines as rows for `components/table.html`."""
    return [{"cells": _cells(goal, line, on)} for line in found]


def _cells(goal: Goal, line: Line, on: date) -> list[dict[str, Any]]:
    state, place = line.state, line.place
    standing = {Readiness.READY: Standing.FINE, Readiness.UNKNOWN: Standing.UNKNOWN}.get(line.standing)
    untold = sum(each.identity is not None and each.factor is None for each in state.holders)
    number = f"CCN {place.ccn}" if place.ccn else "Licensed only"
    return [
        {"text": place.name, "url": place.get_absolute_url(), "note": f"{number} · {place.state}"},
        {"text": "", "standing": standing or _unready(goal, on), "words": READINESS[line.standing]},
        {"text": count_digits(len(state.holders)) if state.holders else "Nobody"},
        {"text": _share(state, Step.IDENTITY), "date": True},
        {"text": _share(state, Step.FACTOR), "note": f"{count_word(untold)} not told" if untold else "", "date": True},
        {"text": _share(state, Step.ROLE), "date": True},
        {"text": _officials(line)},
        {"text": "Yes" if len(state.able) >= ENOUGH else "No", "note": _able(line)},
        {"text": listed(tool for _, tool in state.tools) or "None"},
        {"text": line.deed.text, "url": line.deed.url},
    ]


def file_lines(scope: Scope, goal: Goal, rows: FacilityQuerySet, on: date) -> Iterator[tuple[object, ...]]:
    """Yield a line of the file for each facility, by name. As many queries for each slice as `lines` takes."""
    for some in in_slices(rows.select_related("organization"), by=BY_NAME):
        for line in lines(scope, goal, some, on):
            state = line.state
            yield (
                line.place.label,
                READINESS[line.standing],
                len(state.holders),
                *(_having(state, step) for step in (Step.IDENTITY, Step.FACTOR, Step.ROLE)),
                listed(line.officials) or ("not needed" if state.officials is None else "nobody"),
                "yes" if len(state.able) >= ENOUGH else "no",
                listed(tool for _, tool in state.tools),
                line.deed.text,
            )


def _unready(goal: Goal, on: date) -> Standing:
    """Return how what is not ready looks: late once the day has come, or none is known."""
    starts_on = goal.move.starts_on
    return Standing.SOON if starts_on is not None and on < starts_on else Standing.LATE


def _share(state: State, step: Step) -> str:
    """Return ``3 of 5``."""
    return f"{count_digits(_having(state, step))} of {count_digits(len(state.holders))}" if state.holders else "–"


def _having(state: State, step: Step) -> int:
    """Return how many holders have it. Without an account there is nothing to have a second factor on."""
    lacking = {*state.without(step), *(state.without(Step.IDENTITY) if step is Step.FACTOR else ())}
    return len(state.holders) - len(lacking)


def _officials(line: Line) -> str:
    if line.state.officials is None:
        return "Not needed"
    more = len(line.officials) - NAMED
    shown = line.officials[:NAMED] if more <= 0 else [*line.officials[: NAMED - 1], f"{more + 1} more"]
    return listed(shown) or "Nobody"


def _able(line: Line) -> str:
    if line.only:
        return f"only {line.only}"
    return count_noun(len(line.state.able), "person,people") if line.state.able else "nobody"
