"""What a facility owes, and what was certified or acknowledged, as people type it."""

from datetime import datetime
from typing import Any, Final

from django import forms

from accounts.models import AccessReview, Acknowledgement, Obligation
from accounts.services.obligations import COUNTED, kinds_at
from facilities.models import Facility
from systems.policy import latest_day
from web.forms.accounts import DayForm, day_input
from web.forms.secrets import SecretFree


class CertifiedForm(DayForm, SecretFree):
    """The day on which a role was certified, and by whom."""

    by = forms.CharField(
        label="Certified by", max_length=120, required=False, help_text="As far as you know. May stay empty."
    )


class NeedForm(SecretFree):
    """Why a privileged role is needed."""

    need = forms.CharField(
        label="Why it is needed",
        max_length=300,
        help_text="Kept on the account's page and in the audit trail, with who said it and when.",
        error_messages={"required": "Say why the role is needed."},
    )


class TakeBackForm(SecretFree):
    """Why something recorded does not count."""

    reason = forms.CharField(
        label="Why",
        max_length=300,
        help_text="It stays in the history with this reason.",
        error_messages={"required": "Say why it is taken back."},
    )


class AcknowledgedForm(DayForm, SecretFree):
    """Which document somebody acknowledged, and on which day."""

    document = forms.ChoiceField(label="What was acknowledged", choices=Acknowledgement.Document.choices)
    version = forms.CharField(
        label="Version", max_length=60, required=False, help_text="As the document calls itself. May stay empty."
    )
    field_order = ("document", "on", "version")


class ReviewedForm(DayForm):
    """What was reviewed at a facility, and on which day."""

    extent = forms.ChoiceField(label="What was reviewed", choices=AccessReview.Extent.choices)
    field_order = ("extent", "on")


_EVENTS: Final = {
    Obligation.Kind.LTCMI.value: "first LTCMI accepted on",
    Obligation.Kind.MFT_FILE.value: "report delivered on",
}


class ObligationForm(SecretFree):
    """A day that somebody types; in Texas also the LTCMI window, at a hospital also a report that waits."""

    kind = forms.ChoiceField(label="What is owed", choices=Obligation.Kind.choices)
    event_on = forms.DateField(label="It happened on", required=False, help_text="The last day is counted from it.")
    title = forms.CharField(label="In a few words", max_length=120, required=False)
    due_on = forms.DateField(
        label="Last day", required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, facility: Facility, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["event_on"].widget = day_input(latest_day(at))
        kinds = kinds_at(facility)
        self.fields["kind"].choices = [each for each in Obligation.Kind.choices if each[0] in kinds]  # type: ignore[attr-defined]
        counted = " or ".join(_EVENTS[kind] for kind in kinds if kind in COUNTED)
        self.fields["event_on"].label = counted[:1].upper() + counted[1:]
        if counted:
            self.fields["title"].help_text = self.fields["due_on"].help_text = "Only for what stands under Other."
        else:
            del self.fields["event_on"]
            self.fields["kind"].widget = forms.HiddenInput()
            self.fields["kind"].initial = Obligation.Kind.OTHER
