"""Forms about people, their time at facilities, and the rows by which their accounts are typed in."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet
from django.http import QueryDict

from accounts.models import PortalAccount
from accounts.services.inventory import AccountFacts
from accounts.services.logins import EARLIEST
from facilities.access import Scope
from facilities.models import Facility
from staff.models import Person
from staff.services.people import PersonFacts
from systems.models import PolicyKind, StreamPath, System, SystemRole
from systems.selectors import clock_policies, policy_chains
from web.forms.facilities import facility_field
from web.forms.secrets import SecretFree

DAY, NEVER, UNKNOWN = "day", "never", "unknown"


def day_field(label: str, *, latest: date | None = None, required: bool = True, help_text: str = "") -> forms.DateField:
    """Return a field for one calendar day, not before these systems existed nor after ``latest``."""

    def plausible(value: date) -> None:
        if value < EARLIEST:
            raise ValidationError("That day is before any of these systems existed.")
        if latest and value > latest:
            raise ValidationError("That day lies in the future.")

    attrs = {"type": "date", "min": EARLIEST.isoformat()}
    if latest:
        attrs["max"] = latest.isoformat()
    return forms.DateField(
        label=label,
        required=required,
        help_text=help_text,
        validators=[plausible],
        widget=forms.DateInput(attrs, format="%Y-%m-%d"),
        error_messages={"required": "Give a day.", "invalid": "Give a day, such as 2026-11-22."},
    )


class PersonForm(SecretFree):
    """Who somebody is."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    first_name = forms.CharField(label="First name", max_length=80, required=False)
    last_name = forms.CharField(label="Last name", max_length=80, error_messages={"required": "Give the last name."})
    email = forms.EmailField(
        label="Work e-mail", required=False, help_text="Reminders go here. Without it nobody can be reminded."
    )
    phone = forms.CharField(label="Phone", max_length=30, required=False)
    employee_number = forms.CharField(label="Employee number", max_length=40, required=False)
    affiliation = forms.ChoiceField(label="Belongs to us as", choices=Person.Affiliation.choices)

    @property
    def facts(self) -> PersonFacts:
        """What was typed, for the services."""
        names = ("first_name", "last_name", "email", "phone", "employee_number", "affiliation")
        return PersonFacts(**{name: self.cleaned_data[name] for name in names})


class JoinerForm(PersonForm):
    """A new person with facility, job and start; warns when somebody with this address is known already."""

    field_order = ["first_name", "last_name", "email", "phone", "employee_number", "affiliation"]

    def __init__(self, *args: Any, scope: Scope, places: QuerySet[Facility], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scope = scope
        self.same: Person | None = None
        self.fields["facility"] = facility_field(places)
        self.fields["job_title"] = forms.CharField(label="Job", max_length=80, required=False)
        self.fields["starts_on"] = day_field("Works there since")
        self.fields["somebody_else"] = forms.BooleanField(label="This is somebody else", required=False)
        self.initial.setdefault("affiliation", Person.Affiliation.EMPLOYEE)
        self.initial.setdefault("starts_on", today)

    def clean(self) -> dict[str, Any]:
        """Stop once when the work e-mail belongs to a person the member can see."""
        cleaned = super().clean()
        email = cleaned.get("email")
        if email and not cleaned.get("somebody_else"):
            known = Person.objects.visible_to(self.scope).filter(email__iexact=email)
            self.same = known.select_related("organization").order_by("pk").first()
            if self.same is not None:
                self.add_error("email", f"{self.same} has this address already.")
        return cleaned


class EmploymentForm(SecretFree):
    """A further place of work."""

    def __init__(self, *args: Any, places: QuerySet[Facility], today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["facility"] = facility_field(places)
        self.fields["job_title"] = forms.CharField(label="Job", max_length=80, required=False)
        self.fields["starts_on"] = day_field("Works there since")
        self.initial.setdefault("starts_on", today)


class LeavingForm(forms.Form):
    """The last day somebody works at a place; it may lie ahead."""

    last_day_on = day_field("Last day worked", help_text="Access is not needed after this day. It may lie ahead.")


# As `staff.services.standing_in`.
HANDS_ON = (
    "Decides requests in that time only if named by the person herself, or by an administrator of the whole"
    " organization."
)


class AbsenceForm(forms.Form):
    """From when until when somebody is away."""

    away_from_on = day_field("First day away")
    away_to_on = day_field("Last day away", required=False, help_text="Empty while nobody knows it.")

    def __init__(self, *args: Any, colleagues: QuerySet[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if colleagues.exists():  # a holder sees nobody whom she could name
            self.fields["deputy"] = forms.ModelChoiceField(
                colleagues,
                required=False,
                label="Who stands in",
                empty_label="Nobody",
                help_text=f"Hears meanwhile what is due, so that cover is arranged. {HANDS_ON}",
            )


class DeputyForm(forms.Form):
    """Who stands in for somebody, and from when."""

    since = day_field("From", help_text="It may lie ahead.")
    field_order = ("deputy", "since")

    def __init__(self, *args: Any, able: QuerySet[Person], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["deputy"] = forms.ModelChoiceField(
            able,
            label="Who stands in",
            empty_label="Choose somebody",
            help_text=HANDS_ON,
            error_messages={
                "required": "Choose who stands in.",
                "invalid_choice": "Choose somebody of this list: who works at the same facility, or an administrator.",
            },
        )
        self.order_fields(self.field_order)


class PlaceForm(forms.Form):
    """At which facility the accounts are for."""

    def __init__(self, *args: Any, places: QuerySet[Facility], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["facility"] = facility_field(places)


class AccountRow(SecretFree):
    """One system with a tick; the rest of the row counts only where it is ticked.

    ``existing`` is the person's open account there: only roles and their start can be added to it.
    """

    hold = forms.BooleanField(required=False)

    def __init__(
        self,
        data: QueryDict | None = None,
        *,
        system: System,
        latest: date,
        password_clock: bool = False,
        existing: PortalAccount | None = None,
    ) -> None:
        super().__init__(data, prefix=f"at-{system.slug}")
        self.system = system
        self.existing = existing
        self.roles: Sequence[SystemRole] = list(system.roles.all())
        self.fields["hold"].label = system.name
        self.fields["roles"] = forms.MultipleChoiceField(
            label="Role" if len(self.roles) == 1 else "Roles",
            choices=[(str(role.pk), role.name) for role in self.roles],
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )
        if len(self.roles) == 1:
            self.initial["roles"] = [str(self.roles[0].pk)]
        if existing is not None:
            self.fields["opened_on"] = day_field("Has these roles since", latest=latest, required=False)
            return
        if system.sign_in_via_id is None:
            self.fields["user_id"] = forms.CharField(
                label="User ID",
                max_length=80,
                required=False,
                help_text="Leave it empty if you do not know it. Never the password.",
                widget=forms.TextInput({"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
            )
        self.fields["opened_on"] = day_field("Opened on", latest=latest, required=False, help_text="Roughly is fine.")
        self.fields["last_login"] = forms.ChoiceField(
            label="Last login",
            choices=[(DAY, "On a day I know"), (NEVER, "Never yet"), (UNKNOWN, "I do not know")],
            widget=forms.RadioSelect,
            required=False,
        )
        self.fields["last_login_on"] = day_field("That day", latest=latest, required=False)
        self.initial["last_login"] = UNKNOWN
        if password_clock:
            self.fields["password_changed_on"] = day_field("Password changed on", latest=latest, required=False)

    @property
    def usual(self) -> bool:
        """Whether providers commonly hold it, or this person does; the others are folded together below."""
        return self.ticked or self.existing is not None or bool(getattr(self.system, "usual", True))

    @property
    def ticked(self) -> bool:
        """Whether this account is to be stored."""
        return bool(self.data.get(self.add_prefix("hold"))) if self.is_bound else False

    def full_clean(self) -> None:
        """An unticked row is never wrong, whatever was left in it."""
        if self.is_bound and not self.ticked:
            self._errors = forms.utils.ErrorDict()
            self.cleaned_data: dict[str, Any] = {}
            return
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        """Tell per row what is missing, in the words of that row."""
        cleaned = super().clean()
        if "roles" in cleaned and not cleaned["roles"]:
            self.add_error("roles", f"Choose at least one role at {self.system.name}.")
        if "opened_on" in cleaned and not cleaned["opened_on"]:
            self.add_error("opened_on", "Say since when.")
        if self.existing is not None:
            return cleaned
        asked, day = cleaned.get("last_login"), cleaned.get("last_login_on")
        if day and asked != DAY:
            if asked == NEVER:
                self.add_error("last_login_on", "You gave a day and said never: which is it?")
            else:
                cleaned["last_login"] = DAY  # a day was typed without the click beside it
        elif asked == DAY and not day and "last_login_on" not in self.errors:
            self.add_error("last_login_on", "Give the day, or say that you do not know it.")
        return cleaned

    @property
    def facts(self) -> AccountFacts:
        """What was typed, for the services."""
        data = self.cleaned_data
        chosen = set(data["roles"])
        last: date | str = data.get("last_login") or UNKNOWN
        return AccountFacts(
            system=self.system,
            roles=[role for role in self.roles if str(role.pk) in chosen],
            opened_on=data["opened_on"],
            last_login=data["last_login_on"] if last == DAY else last,
            user_id=data.get("user_id", ""),
            password_changed_on=data.get("password_changed_on"),
        )


def account_rows(data: QueryDict | None, *, latest: date, person: Person | None = None) -> list[AccountRow]:
    """Return a row for every system of the catalogue, a sign-in authority before what it opens. Four queries.

    Systems over which providers send data, and the authorities that open others, come first; ``usual`` tells them.
    """
    systems = [system for system in _systems(latest) if system.roles.all()]
    existing: dict[int, PortalAccount] = {}
    if person is not None:
        held = PortalAccount.objects.open().filter(organization=person.organization_id, person=person)
        existing = {account.system_id: account for account in held.order_by("-pk")}
    by_authority = sorted(systems, key=lambda each: (_authority(each).position, each.sign_in_via_id is not None))
    chains = policy_chains()
    rows = [
        AccountRow(
            data,
            system=system,
            latest=latest,
            password_clock=(system.pk, PolicyKind.PASSWORD) in chains,
            existing=existing.get(system.pk),
        )
        for system in by_authority
    ]
    return sorted(rows, key=lambda row: not row.usual)


def account_row(slug: str, *, latest: date) -> AccountRow | None:
    """Return the empty row of one system, None where the catalogue has no such system to hold."""
    system = _systems(latest).filter(slug=slug).first()
    if system is None or not system.roles.all():
        return None
    clock = clock_policies().filter(system=system, kind=PolicyKind.PASSWORD).exists()
    return AccountRow(system=system, latest=latest, password_clock=clock)


def _systems(latest: date) -> QuerySet[Any]:
    """Return the catalogue's systems with the roles that can still be held."""
    usable = SystemRole.objects.current().filter(Q(usable_until=None) | Q(usable_until__gte=latest))
    ways = StreamPath.objects.current().filter(system=OuterRef("pk"))
    opened = System.objects.current().filter(sign_in_via=OuterRef("pk"))
    with_roles = Prefetch("roles", usable.order_by("position", "pk"))
    listed = System.objects.current().select_related("sign_in_via").prefetch_related(with_roles)
    return listed.annotate(usual=Exists(ways) | Exists(opened)).order_by("position", "slug")


def _authority(system: System) -> System:
    return system.sign_in_via or system
