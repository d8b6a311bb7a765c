"""Why a step of a facility's first hour is set aside."""

from django import forms

from facilities.models import FirstHourMark
from web.forms.secrets import SecretFree


class MarkForm(SecretFree):
    """Done elsewhere, or not needed and why."""

    state = forms.ChoiceField(
        label="What about it",
        choices=FirstHourMark.State.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Say whether it was done elsewhere or is not needed."},
    )
    reason = forms.CharField(
        label="Why, or where",
        max_length=300,
        required=False,
        help_text="Needed for a step that is not needed. Kept with the facility and in the audit trail.",
    )
