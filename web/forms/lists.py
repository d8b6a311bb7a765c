"""How people narrow down and sort the long lists; every combination is an address that can be kept."""

from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Exists, OuterRef
from django.utils.functional import cached_property

from accounts.models import PortalAccount
from facilities.access import Scope
from facilities.models import Facility
from systems.models import System, SystemRole
from web.account_filters import HELD, HOLDERS, LOGINS, STANDINGS, Choice
from web.forms.facilities import facility_field
from web.people_filters import HOLDINGS, STATES

ORDERS = (Choice("", "Last safe day"), Choice("name", "Name"))
ALL = ("", "All")


def choices_of(choices: tuple[Choice, ...]) -> list[tuple[str, str]]:
    """Return the choices as a form field wants them."""
    return [(choice.slug, choice.label) for choice in choices]


class OneOf(forms.TypedChoiceField):
    """One of some objects that are named in the address by a slug; ``None`` when nothing is chosen."""

    def __init__(self, objects: dict[str, Any], unknown: str, **kwargs: Any) -> None:
        errors = {"invalid_choice": unknown}
        super().__init__(coerce=objects.__getitem__, empty_value=None, required=False, error_messages=errors, **kwargs)


class Search(forms.CharField):
    """A few words, of which beginnings are looked for."""

    def __init__(self, label: str) -> None:
        super().__init__(label=label, max_length=80, required=False, widget=forms.TextInput({"type": "search"}))
        self.validators = [each for each in self.validators if not isinstance(each, ProhibitNullCharactersValidator)]

    def to_python(self, value: Any) -> str:
        """Return the words; a NUL, which PostgreSQL does not take, is left out."""
        return str(super().to_python(str(value or "").replace("\0", "")))


class Choose(forms.ChoiceField):
    """One of some fixed values, or nothing."""

    def __init__(self, label: str, choices: list[tuple[str, str]], unknown: str) -> None:
        super().__init__(label=label, choices=choices, required=False, error_messages={"invalid_choice": unknown})


class ListFilter(forms.Form):
    """Filters of one list. What makes no sense is told and left out; the other filters hold."""

    unfiltered = ("sort",)  # fields that change the order and leave nothing out
    of_a_place = True  # the list can be narrowed down to one facility

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.of_a_place:
            return
        places = Facility.objects.visible_to(scope).open().select_related("organization").order_by("name", "pk")
        self.fields["facility"] = facility_field(places, required=False, empty="All")
        self.fields["facility"].error_messages["invalid_choice"] = "There is no such facility among yours."

    @cached_property
    def chosen(self) -> dict[str, Any]:
        """The values that hold, by field."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}

    @property
    def filters(self) -> dict[str, Any]:
        """The values that leave rows out."""
        return {name: value for name, value in self.chosen.items() if name not in self.unfiltered}

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What holds, as names and values of the address, in the order of the fields."""
        return [(name, str(self.data.get(name, "")).strip()) for name in self.fields if name in self.chosen]

    @property
    def query(self) -> str:
        """What holds, as the query string of the list's first page."""
        return urlencode(self.kept)

    def chips(self) -> list[dict[str, str]]:
        """Return a chip for each filter in force, with the address of the list without it."""
        return [
            {"text": self._named(name), "url": "?" + urlencode([pair for pair in self.kept if pair[0] != name])}
            for name in self.filters
        ]

    def sentence(self) -> str:
        """Return the filters in force as words, such as ``System: iQIES; Standing: Soon``."""
        return "; ".join(self._named(name) for name in self.filters)

    def _named(self, name: str) -> str:
        field, value = self.fields[name], self.chosen[name]
        words: dict[Any, Any] = dict(cast(Any, field).choices) if isinstance(field, forms.ChoiceField) else {}
        return f"{field.label}: {words.get(value, value) if isinstance(value, str) else value}"

    def dress(self) -> None:
        """Give every field the look of a filter."""
        for field in self.fields.values():
            listed = isinstance(field.widget, forms.Select)
            field.widget.attrs["class"] = "form-select" if listed else "form-control"
            field.help_text = ""


class AccountFilter(ListFilter):
    """System, role, facility, whether it is held, standing, last login, holder, name or user ID; and the order."""

    q = Search("Name or user ID")
    standing = Choose("Standing", [ALL, *choices_of(STANDINGS)], "There is no such standing.")
    holder = Choose("Holder", [ALL, *choices_of(HOLDERS)], "Choose between those who work here and those who left.")
    held = Choose(
        "Role held", [ALL, *choices_of(HELD)], "Choose between roles that are held now and roles that have ended."
    )
    login = Choose(
        "Last login",
        [ALL, *choices_of(LOGINS)],
        "Choose between logins that are not known and accounts never signed in to.",
    )
    sort = Choose("Sorted by", choices_of(ORDERS), "The list can be sorted by last safe day or by name.")

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, scope=scope, **kwargs)
        systems = {system.slug: system for system in systems_held(scope)}
        self.fields["system"] = _system_field(systems)
        self.fields["role"] = _role_field(systems, str(self.data.get("system", "")))
        self.order_fields(["q", "system", "role", "facility", "held", "standing", "login", "holder", "sort"])
        self.dress()


def systems_held(scope: Scope) -> list[System]:
    """Return the systems on which somebody of the organization holds an account. One query."""
    held = PortalAccount.objects.filter(organization=scope.organization, system=OuterRef("pk"))
    return list(System.objects.filter(Exists(held)).order_by("position", "slug"))


def _system_field(systems: dict[str, System]) -> forms.Field:
    return OneOf(
        systems,
        "Nobody here holds an account on such a system.",
        label="System",
        choices=[ALL, *((slug, system.name) for slug, system in systems.items())],
    )


def _role_field(systems: dict[str, System], only: str) -> forms.Field:
    """Return the roles of the chosen system, or of all of them, grouped by system."""
    shown = [systems[only]] if only in systems else list(systems.values())
    roles: dict[str, SystemRole] = {}
    groups: dict[int, list[tuple[str, str]]] = {system.pk: [] for system in shown}
    found = SystemRole.objects.filter(system__in=shown).order_by("system", "position", "slug")
    slugs = {system.pk: system.slug for system in shown}
    for role in found:
        key = f"{slugs[role.system_id]}:{role.slug}"
        roles[key] = role
        groups[role.system_id].append((key, role.name))
    choices: list[Any] = [(system.name, groups[system.pk]) for system in shown if groups[system.pk]]
    return OneOf(
        roles,
        "There is no such role on that system.",
        label="Role",
        choices=[ALL, *(choices[0][1] if len(choices) == 1 else choices)],
    )


class PeopleFilter(ListFilter):
    """Name or employee number, facility, whether somebody works here, and whether they hold anything."""

    q = Search("Name or employee number")
    state = Choose("Who", [ALL, *choices_of(STATES)], "Choose between those who work here, who left, and vendors.")
    holds = Choose("Accounts", [ALL, *choices_of(HOLDINGS)], "Choose between people with and without an account.")

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, scope=scope, **kwargs)
        self.order_fields(["q", "facility", "state", "holds"])
        self.dress()


class PlaceAndSystem(ListFilter):
    """System and facility: for what is about accounts and no list of them."""

    def __init__(self, *args: Any, scope: Scope, **kwargs: Any) -> None:
        super().__init__(*args, scope=scope, **kwargs)
        self.fields["system"] = _system_field({system.slug: system for system in systems_held(scope)})
        self.order_fields(["system", "facility"])
        self.dress()
