"""What people correct on an account, and how they narrow down the list."""

from datetime import date, datetime
from typing import Any

from django import forms

from accounts.models import PortalAccount
from accounts.services.logins import EARLIEST
from facilities.access import Scope
from facilities.models import Facility
from systems.models import System
from systems.policy import EASTERN, day_in, latest_day
from web.account_filters import STANDINGS
from web.forms.facilities import facility_field
from web.forms.secrets import SecretFree


def day_input(latest: date) -> forms.DateInput:
    """Return the browser's own day picker, bounded by what the services accept."""
    return forms.DateInput({"type": "date", "min": EARLIEST.isoformat(), "max": latest.isoformat()}, format="%Y-%m-%d")


class AccountForm(SecretFree):
    """User ID, day of the last password change and a note. Never a password."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    user_id = forms.CharField(
        label="User ID",
        max_length=80,
        required=False,
        help_text="As the system shows it. Empty means nobody has told us.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    password_changed_on = forms.DateField(
        label="Password last changed on",
        required=False,
        help_text="Only the day. The password itself is never asked for and never kept.",
    )
    note = forms.CharField(
        label="Note", max_length=300, required=False, help_text="What a colleague should know. No secrets."
    )

    def __init__(self, *args: Any, account: PortalAccount, latest: date, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "version": account.version,
                "user_id": account.user_id or "",
                "password_changed_on": account.password_changed_on,
                "note": account.note,
            },
        )
        super().__init__(*args, **kwargs)
        if account.identity_id is not None:
            del self.fields["user_id"]  # it stands at the sign-in authority only
        self.fields["password_changed_on"].widget = day_input(latest)


class DayForm(forms.Form):
    """The day on which an account was removed, or came back."""

    on = forms.DateField(error_messages={"required": "Say on which day."})

    def __init__(self, *args: Any, label: str, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].label = label
        self.fields["on"].initial = day_in(at, EASTERN)
        self.fields["on"].widget = day_input(latest_day(at))


class LossForm(DayForm):
    """What happened to an account that no longer works, and on which day."""

    loss = forms.ChoiceField(
        label="What happened",
        choices=[("", "Choose"), *PortalAccount.Loss.choices],
        error_messages={"required": "Say what happened to the account."},
    )
    field_order = ("loss", "on")

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, label="Since", at=at, **kwargs)


class AccountFilter(forms.Form):
    """Three ways to narrow down the list of accounts; every combination is an address that can be kept."""

    standing = forms.ChoiceField(choices=[("", "All"), *((s.slug, s.label) for s in STANDINGS)], required=False)

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        held = PortalAccount.objects.filter(organization=scope.organization).order_by().values("system")
        systems = System.objects.filter(pk__in=held)
        self.fields["system"] = forms.ModelChoiceField(systems, to_field_name="slug", required=False, empty_label="All")
        places = Facility.objects.visible_to(scope).open().select_related("organization").order_by("name", "pk")
        self.fields["facility"] = facility_field(places, required=False, empty="All")
        self.order_fields(["system", "facility", "standing"])
        for field in self.fields.values():
            listed = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if listed else "form-control"
