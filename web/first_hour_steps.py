"""The five steps of a first hour as the checklist shows them: what is done, what is next, and the deed for each."""

from datetime import datetime
from typing import Any

from django.urls import reverse

from accounts.words import day, listed
from facilities.access import Action, Scope
from facilities.models import Facility, FirstHourMark
from systems.policy import day_in
from web.first_hour import FACILITY, STEPS, Progress, gaps

Item = dict[str, Any]
_STEP = FirstHourMark.Step


def checklist(scope: Scope, progress: Progress, at: datetime, address: str) -> list[Item]:
    """Return the steps for components/checklist.html; ``address`` gets the test digest. One query at most."""
    return [_item(scope, step, progress, at, address) for step in STEPS]


def _item(scope: Scope, step: str, progress: Progress, at: datetime, address: str) -> Item:
    words, place, mark = STEPS[step], progress.place, progress.marks.get(step)
    done = step in progress.done
    item: Item = {
        "label": words.title if place or step != FACILITY else "Register a facility",
        "hint": words.why,
        "done": done or mark is not None,
        "next": step == progress.next,
    }
    slug = scope.organization.slug
    if mark is not None and not done and place is not None:
        at_zone = day_in(mark.marked_at, scope.organization.zone)
        why = f": {mark.reason}" if mark.reason else ""
        return item | {
            "words": mark.get_state_display(),
            "note": f"{mark.get_state_display()}{why} ({mark.marked_by}, {day(at_zone)})",
            "undo_url": reverse("web:first-hour-unmark", args=[slug, place.pk, step]),
        }
    if step == FACILITY:
        return item | ({} if done else _register(scope))
    if place is None and step != _STEP.TEST:
        return item  # nothing of it can be done before there is a facility
    deed = _DEEDS[step](scope, place, at, address, done)
    if place is not None and not done:
        aside = reverse("web:first-hour-mark", args=[slug, place.pk, step])
        deed["links"] = [*deed.get("links", []), {"label": "Set aside", "url": aside}]
    return item | deed


def _register(scope: Scope) -> Item:
    if not scope.may(Action.REGISTER_FACILITY):
        return {}
    return {"url": reverse("web:facility-register", args=[scope.organization.slug]), "deed": "Register a facility"}


def _people(scope: Scope, place: Facility, at: datetime, address: str, done: bool) -> Item:
    slug = scope.organization.slug
    if done:
        return {}
    add = f"{reverse('web:person-add', args=[slug])}?facility={place.pk}"
    if not scope.may(Action.IMPORT_PEOPLE):
        return {"url": add, "deed": "Add a person"}
    paste = reverse("web:import-new", args=[slug])
    return {"url": paste, "deed": "Paste your people", "links": [{"label": "Add one by hand", "url": add}]}


def _officials(scope: Scope, place: Facility, at: datetime, address: str, done: bool) -> Item:
    slug = scope.organization.slug
    if done:
        return {}
    people = f"{reverse('web:people', args=[slug])}?facility={place.pk}"
    item: Item = {"url": people, "deed": "Choose who it is"}
    lacking = gaps(place, at)
    if lacking:
        item["note"] = f"Nobody is known as Security Official of {listed(lacking)} here."
    if scope.may(Action.IMPORT_ACCOUNTS):
        paste = f"{reverse('web:import-new', args=[slug])}?kind=accounts"
        item["links"] = [{"label": "Paste accounts", "url": paste}]
    return item


def _hearing(scope: Scope, place: Facility, at: datetime, address: str, done: bool) -> Item:
    if done:
        return {}
    if not scope.may(Action.START_REMINDERS):
        return {"note": "An administrator of the whole organization starts them."}
    return {"url": reverse("web:start-reminders", args=[scope.organization.slug]), "deed": "See who would get what"}


def _test(scope: Scope, place: Facility | None, at: datetime, address: str, done: bool) -> Item:
    return {
        "post_url": reverse("web:first-hour-test", args=[scope.organization.slug]),
        "fields": [{"name": "facility", "value": place.pk}] if place else [],
        "deed": "Send me another" if done else "Send me a test digest",
        "note": f"It goes to {address} and to nobody else.",
    }


_DEEDS: dict[str, Any] = {
    _STEP.PEOPLE.value: _people,
    _STEP.OFFICIALS.value: _officials,
    _STEP.HEARING.value: _hearing,
    _STEP.TEST.value: _test,
}
