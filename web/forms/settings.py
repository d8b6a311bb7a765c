"""Forms of the settings: inviting members; and of the page on which an invitation is accepted."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from accounts.services.house_windows import Wanted
from facilities.models import Facility
from facilities.models.tenancy import Role
from users.models import User
from web.forms.facilities import facility_field
from web.forms.secrets import SecretFree

ROLE_WORDS = {
    Role.HOLDER: "sees and records the own accounts only",
    Role.COORDINATOR: "adds people and accounts, records logins",
    Role.APPROVER: "a coordinator who also decides",
    Role.ADMINISTRATOR: "decides everything, also who is a member and which rules apply",
    Role.AUDITOR: "reads everything, changes nothing",
}


class InviteForm(SecretFree):
    """Whom to let in, as what, and where."""

    email = forms.EmailField(label="Work e-mail", help_text="The link in the mail works once and for 14 days.")
    role = forms.ChoiceField(
        label="Role", choices=[(role.value, f"{role.label}: {words}") for role, words in ROLE_WORDS.items()]
    )

    def __init__(self, *args: Any, places: QuerySet[Facility], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everywhere = "All facilities, also future ones"
        self.fields["facility"] = facility_field(places, label="Where", required=False, empty=everywhere)
        if isinstance(self.fields["facility"], forms.CharField):
            self.fields["facility"].help_text = "CCN or full name of one facility; empty means all of them."
        self.initial.setdefault("role", Role.COORDINATOR)


class CalendarForm(forms.Form):
    """Whose dates go into the member's calendar; asked only of those who look after other people's."""

    OWN, ALL = "own", "all"
    dates = forms.ChoiceField(
        label="Which dates",
        choices=[(OWN, "My own dates"), (ALL, "Also my facilities’, 13 weeks ahead")],
        widget=forms.RadioSelect,
        initial=OWN,
    )


class WindowForm(forms.Form):
    """How often people have to sign in to a system: an own number of days, or what holds without one.

    ``limited``: CMS publishes a limit, so there is nothing to switch off and its ladder of reminders holds.
    """

    flag_days = forms.IntegerField(label="Days", required=False, min_value=1)
    mark = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, limited: bool, usual: str, longest: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(Wanted.OWN, "Sign in at least every so many days"), (Wanted.USUAL, usual)]
        self.fields["wanted"] = forms.ChoiceField(
            label="What holds here",
            choices=choices if limited else [*choices, (Wanted.OFF, "No dates for this system")],
            widget=forms.RadioSelect,
        )
        self.fields["flag_days"].help_text = f"At most {longest}. Counts only with the first choice."
        if not limited:
            self.fields["mention_days"] = forms.IntegerField(
                label="First reminder after", required=False, min_value=1, help_text="Days. Empty: after two thirds."
            )
        self.order_fields(["wanted", "flag_days", "mention_days", "mark"])


class JoinForm(SecretFree):
    """Name and password of somebody who accepts an invitation."""

    name = forms.CharField(
        label="Your name",
        max_length=150,
        widget=forms.TextInput({"autocomplete": "name"}),
        error_messages={"required": "Give your name."},
    )
    password = forms.CharField(
        label="Choose a password for Portalkeeper",
        strip=False,
        error_messages={"required": "Choose a password."},
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        rules = [text.rstrip(".") for text in password_validators_help_texts()]
        self.fields["password"].help_text = "Not one you use on a CMS system. " + ". ".join(rules[1:2]) + "."

    def clean(self) -> dict[str, Any]:
        """Hold the password against the same rules as a later change of it."""
        cleaned = super().clean()
        if cleaned.get("password"):
            try:
                validate_password(cleaned["password"], User(email=self.email, name=cleaned.get("name", "")))
            except ValidationError as exc:
                self.add_error("password", exc)
        return cleaned
