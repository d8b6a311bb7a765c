"""What the style page shows; every name is invented, every day stands still so that screenshots compare."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, Submit
from django import forms

from systems.policy import Standing
from web.clocks import Clock, draw_clock
from web.guides.citing import Cite
from web.style_requests import changes, steps

ON = date(2026, 11, 21)
TOLD_AT = datetime(2026, 11, 13, 12, 0, tzinfo=UTC)


VIEWS = {
    "links": [
        {"name": "Late at Maple Court", "url": "#table", "shared": True},
        {"name": "My CASPER people", "url": "#table", "current": True, "edit_url": "#table"},
    ],
    "all_url": "#table",
    "save_url": "#table",
}


class FilterSample(forms.Form):
    """Filters of a list, one of which cannot mean anything."""

    system = forms.ChoiceField(choices=[("", "All"), ("iqies", "iQIES")], widget=forms.Select({"class": "form-select"}))
    standing = forms.ChoiceField(
        choices=[("", "All"), ("soon", "Soon")],
        widget=forms.Select({"class": "form-select"}),
        error_messages={"invalid_choice": "There is no such standing."},
    )


@dataclass(frozen=True)
class SamplePerson:
    """A person that exists on this page only."""

    first_name: str
    last_name: str
    get_absolute_url: str = "#chips"

    def __str__(self) -> str:
        return f"{self.first_name} {self.last_name}"


@dataclass(frozen=True)
class SamplePlace:
    """A facility or organization that exists on this page only."""

    name: str
    ccn: str | None = None
    pk: int = 0
    get_absolute_url: str = "#chips"


def frame_samples() -> dict[str, Any]:
    """Return what the frame shows around the samples."""
    entries = [
        ("Today", "today", 2),
        ("Facilities", "facilities", 0),
        ("People", "people", 0),
        ("Accounts", "accounts", 0),
    ]
    nav = [
        {"label": label, "icon": icon, "url": "#main", "primary": True, "active": label == "Today", "count": count}
        for label, icon, count in entries
    ]
    nav.append(
        {"label": "Settings", "icon": "settings", "url": "#forms", "primary": False, "active": False, "count": 0}
    )
    places = [SamplePlace("Maple Court (sample)", "015009", 1), SamplePlace("Birch House (sample)", "015010", 2)]
    chain = SamplePlace("Sample Care Group", pk=1)
    return {
        "nav": nav,
        "organization": chain,
        "facility": places[0],
        "switcher": {"facilities": places, "all_url": "#chips", "organizations": [chain]},
        "crumbs": [{"label": "Facilities", "url": "#main"}, {"label": "Maple Court (sample)", "url": "#chips"}],
    }


def samples() -> dict[str, Any]:
    """Return one sample of everything; all names are invented."""
    return {
        "on": ON,
        "standings": list(Standing),
        "grades": ["A", "B", "C", "D"],
        "cites": cites(),
        "clocks": [clock for _, clock in clocks()],
        "why": why(),
        "house_why": {
            "house": True,
            "facts": [{"text": "Jane Sample was last seen on Sun 4 Oct 2026.", "grade": "D"}],
            "rule": "HARP: mention at 60 days without a login, flag at 90. CMS publishes no limit for it.",
            "clears": "A login to HARP, or to a system that signs in through it.",
        },
        "rows": rows(),
        "person": SamplePerson("Jane", "Sample"),
        "licensed": SamplePlace("Maple Annex (sample)"),
        "checklist": checklist(),
        "changes": changes(),
        "steps": steps(),
        "table": table(),
        "views": VIEWS,
        "filter": FilterSample({"filter-system": "iqies", "filter-standing": "nonsense"}, prefix="filter"),
        "chips": [{"text": "System: iQIES", "url": "#table"}, {"text": "Standing: Soon", "url": "#table"}],
        "timeline": timeline(),
        "form": SampleForm(),
        "refused": SampleForm({"name": "", "last_login": "2026-13-01", "system": ""}),
        "ending": EndingSample(prefix="ending"),
    }


def clocks() -> list[tuple[Standing, Clock]]:
    """Return a clock in every standing."""
    windows: list[tuple[Standing, date | None, int]] = [
        (Standing.FINE, ON - timedelta(days=9), 60),
        (Standing.SOON, ON - timedelta(days=48), 60),
        (Standing.LATE, ON - timedelta(days=63), 60),
        (Standing.PRESUMED_LAPSED, ON - timedelta(days=80), 60),
        (Standing.CHECK_ROLES, ON - timedelta(days=70), 60),
        (Standing.UNKNOWN, None, 60),
        (Standing.CLOSED, ON - timedelta(days=120), 180),
    ]
    return [(standing, _clock(standing, basis_on, limit)) for standing, basis_on, limit in windows]


def _clock(standing: Standing, basis_on: date | None, limit: int) -> Clock:
    due_on = basis_on + timedelta(days=limit) if basis_on else None
    ticks = [due_on - timedelta(days=left) for left in (20, 10, 5, 2)] if due_on else []
    return draw_clock(standing=standing, on=ON, basis_on=basis_on, due_on=due_on, ticks=ticks)


def cites() -> list[dict[str, Any]]:
    """Return a value that a document says, and one that only we read into it."""
    return [
        {"text": "Sign in at least every 60 days.", "cite": Cite("FACT-1", "O2", page="#cites")},
        {"text": "It begins on 1 April.", "cite": Cite("FACT-2", "O17", "our reading: no source says it", "#cites")},
    ]


def why() -> dict[str, Any]:
    """Return a full answer to "why?"."""
    return {
        "facts": [
            {"text": "Jane Sample signed in to iQIES on Sun 4 Oct 2026.", "grade": "B"},
            {"text": "iQIES counts days in US Eastern time."},
        ],
        "rule": "iQIES revokes the roles of accounts without a login for more than 60 days.",
        "source": {
            "title": "A notice of the system’s operator (sample)",
            "url": "https://example.org/notice",
            "dated": date(2024, 5, 20),
            "confidence": "read in the original",
            "fact": "FACT-ID",
        },
        "clears": "A login to iQIES on or before Thu 3 Dec 2026.",
        "told": [{"who": "Jane Sample", "at": TOLD_AT}],
    }


def rows() -> list[dict[str, Any]]:
    """Return rows of Today: late, soon, somebody else's, unknown, done."""
    drawn = dict(clocks())
    record = {"label": "I signed in today", "url": "/nowhere/", "fields": [{"name": "on", "value": ON.isoformat()}]}
    another = {"url": "/nowhere/", "value": ON.isoformat(), "max": ON.isoformat()}
    return [
        {
            "id": "row-late",
            "standing": Standing.PRESUMED_LAPSED,
            "sentence": "Check your iQIES roles: the last safe day was Tue 1 Nov.",
            "url": "#rows",
            "detail": "Roles revoked for inactivity have to be approved again by Ana Ruiz.",
            "clock": drawn[Standing.PRESUMED_LAPSED],
            "why": why(),
            "deeds": [
                {"label": "They are still there", "url": "/nowhere/"},
                {"label": "They are gone", "url": "/nowhere/", "kind": "secondary"},
            ],
        },
        {
            "id": "row-soon",
            "standing": Standing.SOON,
            "sentence": "Sign in to iQIES by Thu 3 Dec (12 days): last seen 48 days ago.",
            "url": "#rows",
            "detail": "After that your iQIES roles are revoked and Ana Ruiz must approve them again.",
            "clock": drawn[Standing.SOON],
            "why": why(),
            "deeds": [record],
            "another_day": another,
        },
        {
            "id": "row-other",
            "standing": Standing.SOON,
            "sentence": "Remind Bea Sample, or arrange cover: her QIES account lapses on Thu 3 Dec.",
            "url": "#rows",
            "clock": drawn[Standing.SOON],
            "why": why(),
            "another_day": another,
        },
        {
            "id": "row-unknown",
            "standing": Standing.UNKNOWN,
            "sentence": "Nobody knows when Cy Sample last signed in to CASPER.",
            "detail": "Until somebody asks, no date can be given.",
            "links": [{"label": "Tell the date", "url": "#rows"}],
        },
        {
            "id": "row-done",
            "sentence": "Sign in to QIES by Mon 30 Nov (in nine days).",
            "done": "Recorded today. Next: Tue 19 Jan 2027.",
            "undo_url": "/nowhere/",
        },
    ]


def checklist() -> list[dict[str, Any]]:
    """Return the first steps, some of them done."""
    return [
        {"label": "Register your facility", "done": True},
        {"label": "Settle who hears what", "done": True, "words": "Done elsewhere", "undo_url": "#checklist"},
        {
            "label": "Add one person with her CMS accounts",
            "hint": "Systems, user IDs and the day of the last login, as far as you know it.",
            "url": "#checklist", "deed": "Add a person", "next": True, "links": [{"label": "Set aside", "url": "#"}],
        },
        {"label": "Start reminders", "hint": "You see first who would get what.", "url": "#checklist", "deed": "Look"},
    ]  # fmt: skip


def table() -> dict[str, Any]:
    """Return a list page's table."""
    names = [("Jane Sample", Standing.SOON, "Thu 3 Dec 2026"), ("Bea Sample", Standing.FINE, "Sun 10 Jan 2027")]
    body = [
        {
            "pick": {"name": "account", "value": count, "form": "picked", "label": f"Tick {name}"},
            "cells": [
                {"text": name, "url": "#table", "note": "MDS coordinator"},
                {"text": "iQIES"},
                {"standing": standing},
                {"text": lapses},
                {"text": str(count)},
            ],
        }
        for count, (name, standing, lapses) in enumerate(names, start=2)
    ]
    columns = [{"label": label} for label in ("Person", "System", "Standing", "Last safe day")]
    return {"columns": [*columns, {"label": "Roles", "number": True}], "rows": body}


def timeline() -> list[dict[str, Any]]:
    """Return a history with a correction and something to come."""
    return [
        {"on": date(2026, 12, 3), "title": "Last safe day", "future": True},
        {"at": TOLD_AT, "title": "Reminder sent to Jane Sample", "text": "Second step: ten days before."},
        {"on": date(2026, 10, 4), "title": "Signed in to iQIES", "grade": "B", "by": "Jane Sample"},
        {"on": date(2026, 9, 30), "title": "Signed in to iQIES", "grade": "D", "voided": "typed for the wrong person."},
    ]


class SampleForm(forms.Form):
    """Never saved; shows labels, help, remarks and the button."""

    name = forms.CharField(label="Name", max_length=80, help_text="As the HR record has it.")
    last_login = forms.DateField(label="Last signed in on", widget=forms.DateInput({"type": "date"}))
    system = forms.ChoiceField(label="System", choices=[("", "Choose one"), ("iqies", "iQIES"), ("qies", "QIES")])
    known = forms.ChoiceField(
        label="How do you know?",
        choices=[("saw", "I saw it in the system"), ("said", "She told me")],
        widget=forms.RadioSelect,
        required=False,
    )
    cover = forms.BooleanField(label="She is the only one who can submit", required=False)

    def __init__(self, data: dict[str, str] | None = None) -> None:
        super().__init__(data, prefix="refused" if data else None)
        if data:  # the page shows the form twice; ids must differ
            self.data = {f"refused-{name}": value for name, value in data.items()}
        self.helper = FormHelper()
        self.helper.form_action = "/nowhere/"
        self.helper.layout = Layout(*self.fields, Submit("save" if data is None else "save-again", "Save this person"))


class EndingSample(forms.Form):
    """A deed that takes something away, as its own page asks for it."""

    ended_on = forms.DateField(
        label="Removed on", initial=ON, widget=forms.DateInput({"type": "date"}), help_text="The day CASPER stopped."
    )

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.helper = FormHelper()
        self.helper.form_tag = False
        self.helper.disable_csrf = True
