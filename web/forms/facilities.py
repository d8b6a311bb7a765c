"""Forms about places, and the field by which every form chooses one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet

from facilities.access import Action, Scope
from facilities.ccn import Kind, read_ccn, state_names
from facilities.checks import FacilityCheck
from facilities.models import Facility
from facilities.zones import all_zones
from web.account_filters import STANDINGS
from web.forms.secrets import SecretFree
from web.forms.shown import show_instead

CHOICES_AT_MOST = 100  # more facilities than this are named by CCN instead of picked from a list
_UNCHOSEN = {"required": "Choose a facility."}
FIELD_OF_PROBLEM = {"ccn": "ccn", "state": "state", "zip": "zip_code", "name": "name"}


def places_for(scope: Scope, action: Action) -> QuerySet[Facility]:
    """Return the open facilities at which the member may do this, by name."""
    mine = Facility.objects.filter(organization=scope.organization).open().order_by("name", "pk")
    if scope.may(action):
        return mine
    return mine.filter(pk__in=[place for _, place in scope.roles if place is not None and scope.may(action, [place])])


class FacilityByNumber(forms.CharField):
    """A facility named by its CCN or its exact name, where a list would be too long."""

    def __init__(self, places: QuerySet[Facility], **kwargs: Any) -> None:
        self.places = places
        super().__init__(help_text="Its CCN or its full name.", **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show a facility by CCN, else name."""
        return (value.ccn or value.name) if isinstance(value, Facility) else value

    def to_python(self, value: Any) -> Any:
        """Return the facility. Raises ValidationError when none or several answer to it."""
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        self.run_validators(text)  # before the query: PostgreSQL takes no NUL
        found = list(self.places.filter(Q(ccn__iexact=text) | Q(name__iexact=text))[:2])
        if len(found) != 1:
            raise ValidationError(
                "No facility of yours has it." if not found else "Several have this name: give the CCN."
            )
        return found[0]


def facility_field(
    places: QuerySet[Facility], *, label: str = "Facility", required: bool = True, empty: str = "Choose a facility"
) -> forms.Field:
    """Return a list of the facilities, or a text field where they are too many to list. One query."""
    listed = list(places[: CHOICES_AT_MOST + 1])
    if len(listed) > CHOICES_AT_MOST:
        return FacilityByNumber(places, label=label, required=required, error_messages=_UNCHOSEN)
    field = forms.ModelChoiceField(places, label=label, required=required, empty_label=empty, error_messages=_UNCHOSEN)
    if required and len(listed) == 1:
        field.empty_label = None
    field.choices = [
        *([("", empty)] if field.empty_label is not None else []),
        *((place.pk, place.label) for place in listed),
    ]
    return field


class FindForm(forms.Form):
    """What is looked for in CMS's directory while somebody types; part of the address, so it stores nothing."""

    find = forms.CharField(
        label="Find it in CMS’s directory",
        max_length=80,
        required=False,
        help_text="By words of its name and town, or by the beginning of its CCN.",
        widget=forms.TextInput(
            {"class": "form-control", "type": "search", "autocomplete": "off", "spellcheck": "false"}
        ),
    )
    in_state = forms.ChoiceField(label="In", required=False, widget=forms.Select({"class": "form-select"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["in_state"].choices = _states("All states")  # type: ignore[attr-defined]


def _states(empty: str) -> list[tuple[str, str]]:
    return [("", empty), *sorted(state_names().items(), key=lambda item: item[1])]


class RegisterForm(SecretFree):
    """A facility as typed. What the directory doubts stands beside the field until a reason overrules it."""

    licensed_only = forms.BooleanField(
        label="It has no CCN", required=False, help_text="Licensed by its state only, not certified by CMS."
    )
    ccn = forms.CharField(
        label="CCN",
        max_length=40,
        required=False,
        help_text="The CMS Certification Number, usually six characters. Pasting it from a list is fine.",
        widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false"}),
    )
    state = forms.ChoiceField(label="State or territory", required=False)
    zip_code = forms.CharField(label="ZIP Code", max_length=20, required=False)
    name = forms.CharField(
        label="Name", max_length=150, required=False, help_text="Left empty, CMS’s name is used where it is known."
    )
    address = forms.CharField(label="Street address", max_length=150, required=False)
    city = forms.CharField(label="City", max_length=80, required=False)
    override_reason = forms.CharField(
        label="Why it is right all the same",
        max_length=300,
        required=False,
        help_text="Kept with the facility and in the audit trail.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["state"].choices = _states("Choose a state")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        typed = data.get("ccn", "").strip()
        if data.get("licensed_only") and typed and read_ccn(typed).kind is not Kind.NO_CCN:
            self.add_error("licensed_only", "Either take the tick away or empty the field CCN: it cannot be both.")
        return data

    @property
    def place(self) -> str:
        """What the check looked at, as one string: a confirmation holds only for the same."""
        data = self.cleaned_data
        number = "N/A" if data["licensed_only"] else data["ccn"].strip().upper()
        return "|".join([number, data["state"], data["zip_code"].strip()])

    def fill_in(self, check: FacilityCheck) -> None:
        """Take over what the directory knows into fields that were left empty, for a person to look at."""
        known = check.provider
        if known is None:
            return
        for name, value in (("name", known.name), ("address", known.address), ("city", known.city)):
            if not self.cleaned_data.get(name) and value:
                self.cleaned_data[name] = value
                show_instead(self, name, value)


class FacilityForm(SecretFree):
    """What may be corrected later; CCN and state make a facility what it is."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    name = forms.CharField(label="Name", max_length=150, error_messages={"required": "Give the name."})
    address = forms.CharField(label="Street address", max_length=150, required=False)
    city = forms.CharField(label="City", max_length=80, required=False)
    zone = forms.ChoiceField(
        label="Time zone", help_text="CMS counts days in US Eastern time; dates show this clock beside it."
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The zone it has stays choosable, whatever the table of zones says today.
        zones: Any = self.fields["zone"]
        zones.choices = [(each, zone_words(each)) for each in sorted({*all_zones(), zone})]


def zone_words(zone: str) -> str:
    """Return an IANA zone as people read it: ``America/New_York`` → ``New York``."""
    return zone.rpartition("/")[2].replace("_", " ")


class FacilityFilter(forms.Form):
    """State, and how some account there stands; every combination is an address that can be kept."""

    standing = forms.ChoiceField(
        label="With an account that is",
        choices=[("", "Anything"), *((choice.slug, choice.label) for choice in STANDINGS if choice.slug != "removed")],
        required=False,
    )

    def __init__(self, *args: Any, places: QuerySet[Facility], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        states = places.order_by("state").values_list("state", flat=True).distinct()
        choices = [("", "All"), *((state, state) for state in states)]
        self.fields["state"] = forms.ChoiceField(label="State", choices=choices, required=False)
        self.order_fields(["state", "standing"])
        for field in self.fields.values():
            field.widget.attrs["class"] = "form-select"
