"""Narrowing down requests, and what people type about one: reasons, questions, comments, what came of a step."""

from datetime import date, datetime
from typing import Any, Final

from django import forms

from accounts.policy.requesting import KIND_WORDS, STATE_WORDS
from facilities.access import Scope
from systems.models import System
from systems.policy import EASTERN, day_in, latest_day
from web.forms.lists import ALL, ListFilter, OneOf, Search
from web.forms.secrets import SecretFree

VIEWS: Final = (("mine", "My requests"), ("inbox", "Waiting for me"), ("all", "All"))


class RequestFilter(ListFilter):
    """Person, state, kind, system, facility; the bundle, where the address names one; and which of the three views."""

    unfiltered = ("show",)
    show = forms.ChoiceField(choices=VIEWS, required=False, widget=forms.HiddenInput)
    q = Search("Person")
    state = forms.ChoiceField(
        label="Stands",
        choices=[ALL, *STATE_WORDS.items()],
        required=False,
        error_messages={"invalid_choice": "No request can stand so."},
    )
    kind = forms.ChoiceField(
        label="Kind",
        choices=[ALL, *KIND_WORDS.items()],
        required=False,
        error_messages={"invalid_choice": "There is no such kind of request."},
    )

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, scope=scope, **kwargs)
        systems = {system.slug: system for system in System.objects.order_by("position", "slug")}
        self.fields["system"] = OneOf(
            systems,
            "There is no such system.",
            label="System",
            choices=[ALL, *((slug, system.name) for slug, system in systems.items())],
        )
        if scope.reads is not None and not scope.reads:
            del self.fields["facility"]
        if self.data.get("bundle"):
            self.fields["bundle"] = forms.IntegerField(
                label="Asked together as no.",
                min_value=1,
                max_value=2**63 - 1,
                required=False,
                error_messages={"invalid": "There is no such bundle."},
            )
        self.order_fields(["show", "q", "state", "kind", "system", "facility", "bundle"])
        self.dress()


def _words(label: str, most: int, **more: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        required=False,
        widget=forms.Textarea({"rows": 3, "class": "form-control"}),
        error_messages={"max_length": f"That is too long: at most {most:,} characters."},
        **more,
    )


class ReasonForm(SecretFree, forms.Form):
    """Why something is decided, sent back or withdrawn."""

    reason = _words("Reason", 500)


class CommentForm(SecretFree, forms.Form):
    """What somebody wants to say."""

    text = _words("Your comment", 1000)


class OutcomeForm(SecretFree, forms.Form):
    """What came of a step, and on which day."""

    on = forms.DateField(
        label="On",
        error_messages={"required": "Say on which day.", "invalid": "That is no day. Write it like 2026-11-20."},
    )
    note = _words("Note", 500)

    def __init__(self, *args: Any, at: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["on"].initial = day_in(at, EASTERN)
        bounds = {"class": "form-control", "type": "date", "max": latest_day(at).isoformat()}
        self.fields["on"].widget = forms.DateInput(bounds, format="%Y-%m-%d")

    @property
    def day(self) -> date:
        """The day that was typed."""
        on: date = self.cleaned_data["on"]
        return on
