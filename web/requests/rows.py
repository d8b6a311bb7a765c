"""Requests as rows of a table and of Today: sentences, with what waits. A fixed number of queries."""

from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any, Final

from django.db.models import Count

from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import State
from accounts.words import count_word
from web.requests.words import asked, last_day, look_of, stands, step_words, was_sent_back

COLUMNS: Final = ("What is asked for", "Where it stands", "Next")
_OPEN = RequestStep.State.OPEN
_SHORT: Final[dict[str, str]] = {
    State.DRAFT: "Draft",
    State.SUBMITTED: "To decide",
    State.APPROVED: "Approved",
    State.REJECTED: "Rejected",
    State.WITHDRAWN: "Withdrawn",
    State.IN_PROGRESS: "Running",
    State.DONE: "Done",
    State.FAILED: "Did not work",
}


def request_rows(
    requests: Sequence[AccessRequest],
    on: date,
    *,
    decidable: frozenset[int] = frozenset(),
    left: Mapping[int, str] = MappingProxyType({}),
    instead: Mapping[int, str] = MappingProxyType({}),
) -> Any:
    """Return the rows of the table. Two queries.

    ``decidable``: keys of requests that can be ticked for a decision; ``left``: by key that who asked has left;
    ``instead``: by key for whom the member stands in.
    """
    steps = _next_steps(requests)
    together = _together(requests)
    rows = [
        _row(request, steps.get(request.pk), together.get(request.bundle_id or 0, 0), request.pk in decidable, on)
        for request in requests
    ]
    for row, request in zip(rows, requests, strict=True):
        if request.pk in left:
            following = row["cells"][2]
            if request.state == State.FAILED:
                following["text"] = "Try it again, or withdraw it"
            elif request.pk not in steps:
                once = request.asked_first_person_id is not None
                following["text"] = "See it through, or withdraw it" if once else "Take it over, or withdraw it"
        if words := left.get(request.pk) or instead.get(request.pk):
            row["cells"][2]["note"] = f"{row['cells'][2]['note']}. {words}".removeprefix(". ")
    return rows


def first_open_steps(requests: Sequence[AccessRequest]) -> dict[int, RequestStep]:
    """Return by request its first open step. One query."""
    return {key: step for key, step in _next_steps(requests).items() if step.state == _OPEN}


def _next_steps(requests: Sequence[AccessRequest]) -> dict[int, RequestStep]:
    """Return by request its first open step; where none is open the first that did not work. One query."""
    found: dict[int, RequestStep] = {}
    rows = RequestStep.objects.filter(request__in=requests, state__in=[_OPEN, RequestStep.State.FAILED])
    for step in rows.order_by("request", "position"):
        known = found.setdefault(step.request_id, step)
        if known.state != _OPEN and step.state == _OPEN:
            found[step.request_id] = step
    return found


def _together(requests: Sequence[AccessRequest]) -> dict[int, int]:
    """Return by bundle how many were asked for together. One query where there are any."""
    bundles = {request.bundle_id for request in requests} - {None}
    if not bundles:
        return {}
    counted = AccessRequest.objects.filter(bundle__in=bundles).order_by().values_list("bundle")
    return dict(counted.annotate(count=Count("pk")))


def _row(request: AccessRequest, step: RequestStep | None, together: int, decidable: bool, on: date) -> dict[str, Any]:
    due_on = last_day(step) if step and step.state == _OPEN else None
    note = f"One of {count_word(together)} asked for together" if together > 1 else ""
    row: dict[str, Any] = {
        "cells": [
            {"text": f"{asked(request)}.", "url": request.get_absolute_url(), "note": note},
            {
                "standing": look_of(request, due_on, on),
                "words": "Sent back" if was_sent_back(request) else _SHORT[request.state],
                "text": stands(request, on),
            },
            _next(request, step, on),
        ]
    }
    if decidable:
        row["pick"] = {
            "name": "request",
            "value": f"{request.pk}:{request.revision}",
            "form": "decide-ticked",
            "label": f"Tick {asked(request)}",
        }
    return row


def _next(request: AccessRequest, step: RequestStep | None, on: date) -> dict[str, str]:
    if step is not None and step.state == _OPEN:
        return {"text": step.title, "note": step_words(step, on)}
    if was_sent_back(request):
        return {"text": "Answer the question, then send it again", "note": ""}
    if request.state == State.DRAFT:
        return {"text": "Look it over and send it", "note": ""}
    running = request.state in (State.APPROVED, State.IN_PROGRESS)
    return {"text": f"{step.title}: did not work" if step and running else "Nothing is open", "note": ""}


def decision_rows(
    requests: Sequence[AccessRequest],
    on: date,
    deed: tuple[str, str] = ("Decide", "Look and decide"),
    left: Mapping[int, str] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Return rows for `components/row_action.html` of requests that wait for the member's decision. One query.

    ``deed``: what she has to do, in a word and on the button; ``left``: by key that who asked has left.
    """
    steps = first_open_steps(requests)
    rows = []
    for request in requests:
        due_on = steps[request.pk].due_on if request.pk in steps else None
        who = left.get(request.pk) or f"Asked for by {request.requester_person}."
        rows.append(
            {
                "id": f"request-{request.pk}",
                "standing": look_of(request, due_on, on),
                "words": deed[0],
                "sentence": f"{asked(request)}.",
                "url": request.get_absolute_url(),
                "detail": f"{who} {stands(request, on)}",
                "links": [{"label": deed[1], "url": request.get_absolute_url()}],
            }
        )
    return rows


def step_rows(
    steps: Sequence[RequestStep], on: date, instead: Mapping[int, str] = MappingProxyType({})
) -> list[dict[str, Any]]:
    """Return rows for `components/row_action.html` of open steps, read with their requests and what these name.

    ``instead``: by request for whom the member stands in.
    """
    rows = []
    for step in steps:
        due = step_words(step, on)
        rows.append(
            {
                "id": f"request-step-{step.pk}",
                "standing": look_of(step.request, last_day(step) or on, on),
                "words": None if last_day(step) else "To do",
                "sentence": f"{step.title}{f', {due}' if due else ''}.",
                "url": f"{step.request.get_absolute_url()}#step-{step.pk}",
                "detail": f"{asked(step.request)}. {instead.get(step.request_id, '')}".rstrip(),
                "links": [{"label": "Go to the step", "url": f"{step.request.get_absolute_url()}#step-{step.pk}"}],
            }
        )
    return rows
