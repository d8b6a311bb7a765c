"""Forms that end a request: with proof, or with a reason; and who decides where nobody else may."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from django import forms
from django.conf import settings
from django.db.models import QuerySet
from django.utils.html import format_html

from accounts.models import AccessRequest, PortalAccount, RequestHouse, RequestStep
from accounts.services.requests.cms_side import Outcome, Said, day_field_of, outcome_field
from accounts.services.requests.evidence import Upload
from staff.models import Person
from systems.policy import latest_day
from web.forms.people import day_field
from web.forms.secrets import SecretFree

Proof = AccessRequest.Proof
LONGEST = 500
_CAME_OF_IT = [
    (Outcome.DONE.value, "Done, or approved"),
    (Outcome.REFUSED.value, "Refused"),
    (Outcome.NOT_NEEDED.value, "It was not needed here"),
]


class ReasonForm(SecretFree):
    """Why something did not work, or is undone; or what somebody wants to add."""

    reason = forms.CharField(
        max_length=LONGEST,
        widget=forms.Textarea({"rows": 3}),
        error_messages={"max_length": f"Say it in {LONGEST} characters at most."},
    )

    def __init__(self, *args: Any, label: str, needed: str = "", help_text: str = "", **kwargs: Any) -> None:
        """``needed``: what is said where it is empty; without it the field may stay empty."""
        super().__init__(*args, **kwargs)
        field = self.fields["reason"]
        field.label, field.required, field.help_text = label, bool(needed), help_text
        field.error_messages["required"] = needed


class FinishForm(SecretFree):
    """From which day it holds, and what proves it."""

    proof = forms.ChoiceField(
        label="How it is known",
        choices=[
            (Proof.NOTE.value, "In words"),
            (Proof.FILE.value, "By a file"),
            (Proof.SEEN.value, "Somebody saw it"),
        ],
        widget=forms.RadioSelect,
        initial=Proof.NOTE.value,
        error_messages={"required": "Say how it is known."},
    )
    proof_text = forms.CharField(
        label="In words",
        max_length=LONGEST,
        required=False,
        help_text="Who said so, when, with which number of the case. No secrets.",
        widget=forms.Textarea({"rows": 3}),
    )
    file = forms.FileField(
        label="File",
        required=False,
        help_text="PDF, PNG, JPEG or plain text, up to 5 MB. Without passwords and numbers of patients.",
        widget=forms.FileInput({"accept": ".pdf,.png,.jpg,.jpeg,.txt"}),
        error_messages={"empty": "The file is empty.", "missing": "No file arrived. Please choose it again."},
    )

    def __init__(
        self,
        *args: Any,
        day_label: str,
        people: QuerySet[Person],
        at: Any,
        with_user_id: bool,
        with_factor: bool = False,
        flaw_of: Callable[[str], str] | None = None,
        cms_steps: Sequence[RequestStep] = (),
        page: str = "",
        arrived: int = 0,
        **kwargs: Any,
    ) -> None:
        """``arrived``: bytes of the whole request; a file beyond the cap is not taken in at all.

        ``flaw_of``: says what is unwise about a user ID, nothing where nothing is. ``cms_steps``: those still open on
        CMS's side, each of which is asked about; ``page``: where they stand.
        """
        super().__init__(*args, **kwargs)
        self.arrived, self.flaw = arrived, ""
        self.fields["effective_on"] = day_field(day_label, latest=latest_day(at))
        self.fields["seen_by"] = forms.ModelChoiceField(
            people,
            label="Seen in the system by",
            required=False,
            empty_label="Choose somebody",
            error_messages={"invalid_choice": "Choose somebody of this list."},
        )
        if with_user_id:
            self._ask_for_user_id(flaw_of)
        if with_factor:
            self._ask_for_factor()
        self.cms_steps = cms_steps
        asked = [name for step in cms_steps for name in self._ask_about(step, page, latest_day(at))]
        self.order_fields(
            [*asked, "effective_on", "user_id", "keep_id", "factor", "proof", "proof_text", "file", "seen_by"]
        )

    def _ask_for_user_id(self, flaw_of: Callable[[str], str] | None) -> None:
        """Ask for the user ID; where one was typed that is unwise, also whether it is kept."""
        self.fields["user_id"] = forms.CharField(
            label="User ID",
            max_length=80,
            required=False,
            help_text="As the system shows it. Empty means nobody has told us.",
            widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
        )
        self.flaw = flaw_of(self.data.get("user_id", "").strip()) if flaw_of and self.is_bound else ""
        if self.flaw:
            label = "It is registered like this already: keep it"
            self.fields["keep_id"] = forms.BooleanField(label=label, required=False)

    def _ask_for_factor(self) -> None:
        kinds = [choice for choice in PortalAccount.Factor.choices if choice[0] != PortalAccount.Factor.UNKNOWN]
        self.fields["factor"] = forms.ChoiceField(
            label="Second factor that was set up",
            choices=[("", "Nobody has told us"), *kinds],
            required=False,
            help_text="Its kind only. Roles that are asked for next may want one.",
            error_messages={"invalid_choice": "Choose a kind of this list."},
        )

    def _ask_about(self, step: RequestStep, page: str, latest: date) -> tuple[str, str]:
        """Ask whether CMS's side did a step, and when."""
        outcome, on = outcome_field(step), day_field_of(step)
        self.fields[outcome] = forms.ChoiceField(
            label=f"Still open: {step.title}",
            choices=_CAME_OF_IT,
            widget=forms.RadioSelect,
            help_text=format_html(
                'CMS’s side does this. <a href="{}#step-{}">See the step<span class="visually-hidden"> {}</span></a>',
                page,
                step.pk,
                step.title,
            ),
            error_messages={
                "required": f"“{step.title}” is still open. Say whether CMS’s side did it.",
                "invalid_choice": "Choose one of these answers.",
            },
        )
        self.fields[on] = day_field("Done on", latest=latest, required=False, help_text="Only where it was done.")
        return outcome, on

    @property
    def cms_side(self) -> dict[int, Said]:
        """What is said of the steps that were open on CMS's side, by key."""
        typed = self.cleaned_data
        return {
            step.pk: Said(typed.get(outcome_field(step), ""), typed.get(day_field_of(step))) for step in self.cms_steps
        }

    def clean(self) -> dict[str, Any]:
        """Want the proof that was chosen; a file that was too large never arrived."""
        cleaned = super().clean()
        if self.flaw and not cleaned.get("keep_id"):
            self.add_error("user_id", f"{self.flaw} Choose another one if it is not registered yet; else tick below.")
        proof = cleaned.get("proof")
        if self.arrived > settings.FILE_UPLOAD_MAX_MEMORY_SIZE and not cleaned.get("file"):
            self.add_error("file", "The file is larger than 5 MB. Make the picture smaller, or keep one page.")
        elif proof != Proof.FILE and cleaned.get("file"):
            self.add_error("proof", "You chose a file as well: say “By a file” here, and it is kept beside the words.")
        elif proof == Proof.NOTE and not cleaned.get("proof_text") and "proof_text" not in self.errors:
            self.add_error("proof_text", "Say in words how it is known.")
        elif proof == Proof.SEEN and not cleaned.get("seen_by") and "seen_by" not in self.errors:
            self.add_error("seen_by", "Say who of the organization saw it in the system.")
        return cleaned

    @property
    def upload(self) -> Upload | None:
        """The file that was chosen as proof, still in memory."""
        file = self.cleaned_data.get("file")
        if not file or self.cleaned_data["proof"] != Proof.FILE:
            return None
        return Upload(file.name, file.read())


class FinishManyForm(FinishForm):
    """The same for several requests at once: one day and one proof hold for all. A file belongs to one."""

    seen = forms.CharField(widget=forms.HiddenInput)  # which requests the page named

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, with_user_id=False, **kwargs)
        del self.fields["file"]
        proof = self.fields["proof"]
        proof.choices = [choice for choice in proof.choices if choice[0] != Proof.FILE]  # type: ignore[attr-defined]


class DecidersForm(forms.Form):
    """Who decides where nobody else may, and whether privileged roles take two people."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    two_for_privileged = forms.BooleanField(
        label="Two people approve privileged roles",
        required=False,
        help_text="Roles that can raise others’ rights, such as Security Official.",
    )

    def __init__(self, *args: Any, house: RequestHouse, people: QuerySet[Person], **kwargs: Any) -> None:
        names = ("version", "outside_deputy", "two_for_privileged")
        kwargs.setdefault("initial", {name: getattr(house, name) for name in names})
        super().__init__(*args, **kwargs)
        self.fields["outside_deputy"] = forms.ModelChoiceField(
            people,
            label="Outside deputy",
            required=False,
            empty_label="Nobody",
            help_text="Decides where everybody else who may has asked for it or gets it.",
            error_messages={"invalid_choice": "Choose a confirmed member of this list."},
        )
        self.order_fields(["outside_deputy", "two_for_privileged", "version"])
