"""The day of a login, for one account, for several or for very many at once."""

from datetime import datetime
from typing import Any

from django import forms

from accounts.services.logins import EARLIEST
from systems.policy import EASTERN, day_in, latest_day
from web.forms.secrets import SecretFree


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


class SeenForm(LoginDayForm):
    """What the system shows of somebody's last login, and on which day it was looked at."""

    seen_on = forms.DateField(
        label="Looked at on",
        error_messages={"required": "Say when you looked.", "invalid": "That is no day. Write it like 2026-11-20."},
    )

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, at=at, **kwargs)
        self.fields["on"].label = "Last login that the system shows"
        self.fields["on"].initial = None
        self.fields["seen_on"].initial = day_in(at, EASTERN)
        self.fields["seen_on"].widget = self.fields["on"].widget


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


class ManyLoginsForm(SecretFree, LoginDayForm):
    """One day for all selected accounts, and who told it how."""

    told = forms.CharField(
        label="Who told you, and how",
        max_length=200,
        help_text="Such as “Jane Sample, list of the morning meeting”. It stays in the audit record.",
        error_messages={"required": "Say who told you, and how."},
        widget=forms.TextInput({"class": "form-control"}),
    )
    count = forms.IntegerField(widget=forms.HiddenInput)  # what the page said is selected
