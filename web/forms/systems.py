"""The calculator's question; it is part of the address, so that an answer can be sent to somebody else."""

from datetime import date
from typing import Any

from django import forms
from django.http import QueryDict

from web.forms.people import DAY, NEVER, UNKNOWN

FIELDS = ("login", "last_login", "granted_on", "on")


def day_field(label: str, hint: str = "") -> forms.DateField:
    """Return a day that may stay empty."""
    return forms.DateField(
        label=label,
        help_text=hint,
        required=False,
        widget=forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
        error_messages={"invalid": "That is no day of the calendar. Write it like 2026-11-20."},
    )


class CalculatorForm(forms.Form):
    """When somebody last signed in, when access was granted, and from which day to look."""

    login = forms.ChoiceField(
        label="The last login",
        choices=[(DAY, "Signed in on a day I know"), (NEVER, "Never signed in"), (UNKNOWN, "I do not know")],
        widget=forms.RadioSelect({"class": "form-check-input"}),
        error_messages={"invalid_choice": "Choose one of the three."},
    )
    last_login = day_field("That day", "As it was in US Eastern time, in which CMS counts.")
    granted_on = day_field("Access granted on", "Where nobody signed in yet, and for the yearly certification.")
    on = day_field("Seen from", "Today in US Eastern time, unless you say otherwise.")

    def __init__(self, data: QueryDict, *, today: date) -> None:
        """Read the query string; `last_login` may also be ``never`` or ``unknown``, as the command `explain` has it."""
        self.asked = any(data.get(name) for name in FIELDS)
        values: dict[str, Any] = {name: data.get(name, "").strip() for name in FIELDS}
        said = values["last_login"].lower()
        if said in {NEVER, UNKNOWN}:
            values |= {"login": said, "last_login": ""}
        if not values["login"]:
            values["login"] = DAY if said or not values["granted_on"] else NEVER
        values["on"] = values["on"] or today.isoformat()
        super().__init__(values if self.asked else None, initial=values)

    def clean(self) -> dict[str, Any]:
        """Refuse a day that is missing, or that lies after the day asked about."""
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("login") == DAY and not cleaned.get("last_login") and "last_login" not in self.errors:
            self.add_error("last_login", "Say on which day, or choose one of the other answers.")
        return cleaned
