"""Forms about what people state of a facility: who submits what, who keeps the record, what is still in use there."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.http import QueryDict

from accounts.models import FacilityStream
from accounts.selectors import StreamHere
from accounts.services.places import StreamStatement
from staff.models import Person
from web.forms.people import day_field
from web.forms.secrets import SecretFree

USUAL = ""


class StreamForm(SecretFree):
    """Who submits one stream of a facility."""

    through = forms.ChoiceField(label="Who submits it", required=False)
    through_name = forms.CharField(
        label="Name of the office or third party", max_length=120, required=False, help_text="Needed for a third party."
    )

    def __init__(self, data: QueryDict | None, *, here: StreamHere) -> None:
        self.here = here
        stated = here.stated
        initial = {
            "through": stated.through if stated else USUAL,
            "through_name": stated.through_name if stated else "",
        }
        super().__init__(data, prefix=here.stream.slug, initial=initial)
        usual = "As usual: our own people" if here.usual else "As usual: not sent here"
        choices = [(USUAL, usual), *FacilityStream.Through.choices]
        self.fields["through"].choices = choices  # type: ignore[attr-defined]
        self.fields["since"] = day_field(
            "Since", required=False, help_text="Empty: as far back as we know. A day keeps what was said before it."
        )

    @property
    def typed(self) -> bool:
        """Whether anything about this stream is new."""
        return self.is_bound and self.has_changed()

    @property
    def statement(self) -> StreamStatement:
        """What was typed, for the service."""
        data = self.cleaned_data
        return StreamStatement(self.here.stream, data["through"], data["through_name"], data["since"])


def stream_forms(data: QueryDict | None, streams: Sequence[StreamHere]) -> list[StreamForm]:
    """Return a form for each stream."""
    return [StreamForm(data, here=here) for here in streams]


class KeeperForm(forms.Form):
    """Who keeps the backup record from which day."""

    def __init__(self, *args: Any, people: QuerySet[Person], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["person"] = forms.ModelChoiceField(
            people,
            label="Person",
            empty_label="Choose a person",
            error_messages={"required": "Choose a person.", "invalid_choice": "Choose somebody who works here."},
        )
        self.fields["since"] = day_field("Since")
        self.initial.setdefault("since", today)


class KeeperEndForm(forms.Form):
    """The last day on which somebody keeps the record."""

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["last_on"] = day_field("Last day")
        self.initial.setdefault("last_on", today)


class InUseForm(SecretFree):
    """Why a closed system is still in use at a facility."""

    reason = forms.CharField(
        label="Why it is still in use here",
        max_length=300,
        help_text="Kept with the facility and in the audit trail.",
        error_messages={"required": "Say why it is still in use."},
    )
