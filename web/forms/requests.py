"""Forms about requests. What is wanted stands in the address; what is typed stands here."""

from typing import Any

from django import forms

from web.forms.secrets import SecretFree

_WRONG_DAY = {"invalid": "That is no day. Write it like 2026-12-01."}


def _day(label: str, help_text: str = "") -> forms.DateField:
    widget = forms.DateInput({"type": "date", "class": "form-control"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, help_text=help_text, widget=widget, error_messages=_WRONG_DAY)


class TypedForm(SecretFree):
    """Why, and from when until when; asked about every request."""

    reason = forms.CharField(
        label="Why it is needed",
        max_length=500,
        required=False,
        help_text="In a sentence, for whoever decides. Never write a password, a code or an SSN.",
        widget=forms.Textarea({"rows": 2, "class": "form-control"}),
    )
    still_needed_reason = forms.CharField(
        label="Why it is still needed here", max_length=500, required=False,
        widget=forms.Textarea({"rows": 2, "class": "form-control"}),
    )  # fmt: skip
    wanted_on = _day("Wanted from", "Empty: as soon as possible.")
    wanted_until = _day("Only until", "The last day, where it is temporary. Empty: lasting.")

    def __init__(
        self,
        *args: Any,
        needs_reason: bool,
        closed: bool = False,
        lasting: bool = False,
        removal: bool = False,
        **kwargs: Any,
    ) -> None:
        """``needs_reason``: somebody decides; ``closed``: the system has closed there; ``lasting``: no days asked."""
        super().__init__(*args, **kwargs)
        if removal:
            self.fields["reason"].label = "Why it is to be removed"
            self.fields["wanted_on"].label = "To be removed on"
        if needs_reason:
            self.fields["reason"].required = True
            self.fields["reason"].error_messages["required"] = "Say why it is needed: whoever decides reads it."
        if closed:
            self.fields["still_needed_reason"].required = True
            self.fields["still_needed_reason"].error_messages["required"] = "Say why it is still needed here."
        else:
            del self.fields["still_needed_reason"]
        if lasting:
            del self.fields["wanted_until"]

    @property
    def typed(self) -> dict[str, Any]:
        """What was typed, as requests keep it."""
        names = ("reason", "still_needed_reason", "wanted_on", "wanted_until")
        return {name: self.cleaned_data[name] for name in names if name in self.fields}


class SendForm(TypedForm):
    """The last step: what was typed, and why it goes on where nobody may decide."""

    unapproved_reason = forms.CharField(
        label="Go on without a second person, because",
        max_length=500,
        required=False,
        help_text="It stays in the evidence, with a finding.",
        widget=forms.Textarea({"rows": 2, "class": "form-control"}),
    )

    def __init__(self, *args: Any, nobody: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not nobody:
            del self.fields["unapproved_reason"]


class ChangeForm(SendForm):
    """What is asked for, changed by who asked."""

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, roles: Any, facilities: Any, **kwargs: Any) -> None:
        """``roles``, ``facilities``: querysets to choose from, None where they are fixed."""
        super().__init__(*args, **kwargs)
        if facilities is not None:
            self.fields["facility"] = forms.ModelChoiceField(facilities, label="Facility", empty_label=None)
        if roles is not None:
            self.fields["role"] = forms.ModelChoiceField(roles, label="Role", empty_label=None)
        self.order_fields(["version", "role", "facility"])


class ManyForm(SendForm):
    """One wish for many."""

    count = forms.IntegerField(widget=forms.HiddenInput)  # how many the page said it would ask for

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, needs_reason=True, **kwargs)
        reason = self.fields["reason"]
        reason.label, reason.help_text = "Why", "The same for all of them."
        reason.error_messages["required"] = "Say why: it stands on every one of the requests."
