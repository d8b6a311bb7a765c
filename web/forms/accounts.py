"""What people correct on an account, and how what is about accounts is narrowed down."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django import forms

from accounts.models import PortalAccount
from accounts.services.logins import EARLIEST
from accounts.services.sign_in_facts import TOOL_LENGTH
from accounts.words import day
from systems.policy import EASTERN, day_in, latest_day
from web.forms.secrets import SecretFree
from web.forms.shown import show_instead


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


class VersionedForm(SecretFree):
    """A form about one account that carries the version it was filled in for."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def show_version(self, version: int) -> None:
        """Carry the stored version, so that saving once more is a decision."""
        show_instead(self, "version", str(version))


class TermForm(VersionedForm):
    """How long an account lasts. ``longest``: kind of term -> the last day that the rule allows."""

    term = forms.ChoiceField(label="It is", choices=PortalAccount.Term.choices, widget=forms.RadioSelect)
    lasts_until = forms.DateField(label="Temporary until", required=False)

    def __init__(
        self, *args: Any, account: PortalAccount, longest: Mapping[PortalAccount.Term, date | None], **kwargs: Any
    ) -> None:
        names = ("version", "term", "lasts_until")
        kwargs.setdefault("initial", {name: getattr(account, name) for name in names})
        super().__init__(*args, **kwargs)
        kinds = PortalAccount.Term
        temporary, emergency = longest[kinds.TEMPORARY], longest[kinds.EMERGENCY]
        self.fields["term"].choices = [  # type: ignore[attr-defined]
            (kinds.LASTING.value, "Lasting"),
            (kinds.TEMPORARY.value, "Temporary" + (f", until {day(temporary)} at the latest" if temporary else "")),
            (kinds.EMERGENCY.value, "For an emergency" + (f", until {day(emergency)}" if emergency else "")),
        ]
        until = self.fields["lasts_until"]
        until.widget = day_input(temporary or date.max)
        until.help_text = "Only for a temporary account. Empty means as long as is allowed."


class ToolForm(VersionedForm):
    """Which tool signs in with the account."""

    tool = forms.CharField(
        label="Name of the tool",
        max_length=TOOL_LENGTH,
        required=False,
        help_text="As people here call it. Empty means that only the person signs in. Never a password or key.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, account: PortalAccount, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"version": account.version, "tool": account.used_by_tool})
        super().__init__(*args, **kwargs)


class IdentityForm(VersionedForm):
    """How far identity proofing is, and what kind of second factor a sign-in has. Never a number, a code or a seed."""

    proofing = forms.ChoiceField(label="Identity proofing", choices=PortalAccount.Proofing.choices)
    factor = forms.ChoiceField(
        label="Second factor",
        choices=PortalAccount.Factor.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say what kind of second factor it is."},
    )
    since = forms.DateField(label="Set up on", required=False, help_text="Roughly is fine, and so is no day.")

    def __init__(self, *args: Any, account: PortalAccount, latest: date, **kwargs: Any) -> None:
        kwargs.setdefault(
            "initial",
            {
                "version": account.version,
                "proofing": account.proofing,
                "factor": account.second_factor,
                "since": account.second_factor_on,
            },
        )
        super().__init__(*args, **kwargs)
        self.fields["since"].widget = day_input(latest)


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
