"""The day of a login, for one account or for several at once."""

from datetime import datetime
from typing import Any

from django import forms

from accounts.services.logins import EARLIEST
from systems.policy import EASTERN, day_in, latest_day


class LoginDayForm(forms.Form):
    """A calendar day on which somebody signed in; whether it may be that day, the service decides."""

    on = forms.DateField(
        label="Last signed in on",
        help_text="The day as it was in US Eastern time, in which CMS counts.",
        error_messages={"required": "Say on which day.", "invalid": "That is no day. Write it like 2026-11-20."},
    )

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = day_in(at, EASTERN)
        latest = latest_day(at)
        bounds = {"class": "form-control", "type": "date", "min": EARLIEST.isoformat(), "max": latest.isoformat()}
        self.fields["on"].widget = forms.DateInput(bounds, format="%Y-%m-%d")


class SeveralLoginsForm(LoginDayForm):
    """One day for the ticked accounts."""

    def __init__(self, *args: Any, choices: list[tuple[int, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["accounts"] = forms.TypedMultipleChoiceField(
            label="Accounts",
            coerce=int,
            choices=choices,
            widget=forms.CheckboxSelectMultiple,
            error_messages={"required": "Tick at least one account."},
        )
