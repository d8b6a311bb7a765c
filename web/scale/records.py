"""The rows of the population: what people hold, turned into rows of the tables, and told to the audit chain."""

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.db import connection
from django.db.models import CharField, F, Model, QuerySet, Value
from django.db.models.functions import Cast, Concat, JSONObject

from accounts.models import LoginEvent, PortalAccount, RoleGrant
from audit.services import Ref, record_many
from facilities.models import Facility, Membership, Organization
from facilities.models.tenancy import Role
from facilities.zones import zone_of
from staff.models import Employment, Person
from systems.models import SystemRole
from users.models import User
from web.scale.holdings import Holding
from web.scale.writing import Table

Roles = dict[str, tuple[list[int], list[int]]]  # slug -> keys of roles for everybody, and of privileged ones

# State, its CCN prefix, a ZIP Code and city of it.
_STATES = (
    ("AL", "01", "35203", "Birmingham"),
    ("AZ", "03", "85004", "Phoenix"),
    ("CA", "05", "90012", "Los Angeles"),
    ("CO", "06", "80202", "Denver"),
    ("FL", "10", "33130", "Miami"),
    ("GA", "11", "30303", "Atlanta"),
    ("HI", "12", "96813", "Honolulu"),
    ("IL", "14", "60601", "Chicago"),
    ("NY", "33", "10001", "New York"),
    ("OH", "36", "43215", "Columbus"),
    ("PA", "39", "19103", "Philadelphia"),
    ("TX", "45", "75201", "Dallas"),
)
_FIRST_SNF, _SNF_NUMBERS = 5_000, 1_500  # CCN range of skilled nursing facilities
_FIRST_NAMES = (
    "Alma", "Boris", "Clara", "Diego", "Elena", "Felix", "Greta", "Hugo", "Irma", "Jonas", "Karin", "Luis", "Mara",
    "Nils", "Opal", "Pablo", "Quinn", "Rosa", "Stefan", "Thea", "Ulric", "Vera", "Walter", "Xenia", "Yusuf", "Zelda",
)  # fmt: skip
_LAST_NAMES = (
    "Ashsample", "Birchsample", "Cedarsample", "Dogwoodsample", "Elmsample", "Firsample", "Ginkgosample",
    "Hazelsample", "Ivysample", "Junipersample", "Larchsample", "Maplesample", "Oaksample", "Pinesample",
    "Rowansample", "Sprucesample", "Tamaracksample", "Willowsample",
)  # fmt: skip
_JOBS = ("MDS coordinator", "PBJ clerk", "Director of nursing", "Biller", "Quality nurse", "Registrar")
_LEFT = 0.02  # share of people whose employment has ended while their accounts are still open
_ID_UNKNOWN = 0.03
_SECOND_ROLE = 0.1
_SAYS = "Synthetic population"
_PROOFED = frozenset({"harp", "idm"})


@dataclass(frozen=True, slots=True)
class Place:
    """A facility that was made."""

    key: int
    organization: int
    slug: str


class Batch:
    """Rows that wait for the next transaction, table by table in the order of their foreign keys."""

    def __init__(self, on: date, at: datetime, seed: int, systems: dict[str, int], roles: Roles) -> None:
        self._on, self._seed, self._systems, self._roles = on, seed, systems, roles
        self._at = at
        self._stored_at = connection.ops.adapt_datetimefield_value(at)
        self._days: dict[int, str] = {}
        self.organizations = Table(
            Organization, "slug", "name", "zone", "reminders_started_at", "is_demo", "created_at"
        )
        self.users = Table(
            User, "email", "name", "password", "is_active", "is_staff", "is_superuser", "is_demo", "joined_at"
        )
        self.addresses = Table(EmailAddress, "user", "email", "verified", "primary")
        self.facilities = Table(
            Facility, "organization", "name", "ccn", "extension", "licensed_only", "provider_type", "address", "city",
            "state", "zip_code", "zone", "override_reason", "version", "created_at",
        )  # fmt: skip
        self.memberships = Table(Membership, "user", "organization", "facility", "role", "created_at")
        self.people = Table(
            Person, "organization", "first_name", "last_name", "email", "phone", "employee_number", "affiliation",
            "user", "user_confirmed_at", "version", "created_at",
        )  # fmt: skip
        self.employments = Table(
            Employment, "organization", "person", "facility", "job_title", "valid_from", "valid_to", "recorded_at"
        )
        self.portal_accounts = Table(
            PortalAccount, "organization", "person", "system", "identity", "user_id", "status", "loss", "lost_at",
            "term", "opened_on", "removed_on", "login_state", "last_login_on", "counts_from_on", "history_from_on",
            "password_changed_on", "proofing", "second_factor", "note", "version", "created_at",
        )  # fmt: skip
        self.grants = Table(
            RoleGrant, "organization", "account", "facility", "role", "valid_from", "valid_to", "evidence",
            "recorded_at",
        )  # fmt: skip
        self.logins = Table(
            LoginEvent, "organization", "account", "happened_on", "grade", "source", "via", "recorded_by",
            "recorded_at",
        )  # fmt: skip
        self._ranges: dict[type[Model], tuple[int, int]] = {}

    @property
    def accounts(self) -> int:
        """How many accounts wait to be written."""
        return len(self.portal_accounts)

    def add_organization(self, slug: str, facilities: int, numbered_from: int) -> list[Place]:
        """Add an organization whose reminders have started, and its facilities."""
        number = slug.rpartition("-")[2]
        name = f"Sample Care Group {self._seed}-{number}"
        key = self.organizations.add(slug, name, "America/New_York", self._stored_at, False, self._stored_at)
        return [self._add_facility(key, slug, numbered_from + position) for position in range(facilities)]

    def _add_facility(self, organization: int, slug: str, number: int) -> Place:
        state, prefix, zip_code, city = _STATES[number % len(_STATES)]
        ccn = f"{prefix}{_FIRST_SNF + number // len(_STATES) % _SNF_NUMBERS:04d}"
        key = self.facilities.add(
            organization, f"{city} Sample Nursing Center {number + 1}", ccn, "", False, "SNF",
            f"{number + 1} Sample Street", city, state, zip_code, zone_of(state, zip_code), _SAYS, 1, self._stored_at,
        )  # fmt: skip
        return Place(key, organization, slug)

    def add_person(
        self, number: int, places: list[Place], held: list[Holding], office: str, rng: random.Random
    ) -> None:
        """Add a person who works at these places, as administrator of ``office`` if given, with what they hold."""
        home = places[0]
        first, last = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES)
        email = f"{first}.{last}.{number}@{home.slug}.example".lower()
        user = self._add_user(home, email, f"{first} {last}", office) if office else None
        person = self.people.add(
            home.organization, first, last, email, "", f"S{number:07d}", "employee", user,
            self._stored_at if user else None, 1, self._stored_at,
        )  # fmt: skip
        left = None if office or rng.random() >= _LEFT else rng.randint(1, 60)
        job = "Administrator" if office else rng.choice(_JOBS)
        since = max((holding.opened for holding in held), default=700) + rng.randint(0, 400)
        if left is not None:
            left = min(left, since)  # who never used a young account may have come only lately
        for place in places:
            self.employments.add(
                place.organization, person, place.key, job, self._day(since), self._day(left), self._stored_at
            )
        made: dict[str, int] = {}
        keys: dict[int, int] = {}
        for holding in held:
            slug = holding.surface.slug
            made[slug] = self._add_account(holding, home, person, made.get(holding.surface.authority or ""), rng)
            keys[id(holding)] = made[slug]
            self._add_grants(holding, made[slug], places, bool(office), rng)
        self._add_logins(held, keys, home.organization)

    def _add_user(self, home: Place, email: str, name: str, office: str) -> int:
        # "!" = a password nobody can type; such a user gets in by a test's or benchmark's own doing only.
        user = self.users.add(email, name, "!synthetic", True, False, False, False, self._stored_at)
        self.addresses.add(user, email, True, True)
        place = home.key if office == "facility" else None
        self.memberships.add(user, home.organization, place, Role.ADMINISTRATOR.value, self._stored_at)
        return user

    def _add_account(self, holding: Holding, home: Place, person: int, identity: int | None, rng: random.Random) -> int:
        slug, never = holding.surface.slug, holding.state == "never"
        known = holding.state == "known"
        user_id = None
        if identity is None and rng.random() >= _ID_UNKNOWN:
            user_id = f"S{person:06d}{slug[:3].upper()}"
        return self.portal_accounts.add(
            home.organization, person, self._systems[slug], identity, user_id, holding.status,
            *(("inactive", self._stored_at) if holding.status == "lost" else ("", None)), "lasting",
            self._day(holding.opened),
            self._day(holding.ended) if holding.status == "removed" else None, holding.state,
            self._day(min(holding.days)) if known else None, self._day(holding.counts_from) if known else None,
            self._day(holding.opened) if never else None, self._day(holding.password_changed),
            "done" if slug in _PROOFED else "unknown", "app" if slug in _PROOFED else "unknown", "", 1,
            self._stored_at,
        )  # fmt: skip

    def _add_grants(
        self, holding: Holding, account: int, places: list[Place], office: bool, rng: random.Random
    ) -> None:
        plain, privileged = self._roles[holding.surface.slug]
        roles = [rng.choice((privileged or plain) if office else plain)]
        if len(plain) > 1 and rng.random() < _SECOND_ROLE:
            roles += [role for role in [rng.choice(plain)] if role not in roles]
        for place in places:
            for role in roles:
                self.grants.add(
                    place.organization, account, place.key, role, self._day(holding.opened),
                    self._day(holding.ended), "User list", self._stored_at,
                )  # fmt: skip

    def _add_logins(self, held: list[Holding], keys: dict[int, int], organization: int) -> None:
        events: dict[tuple[int, int], int] = {}
        for holding in held:
            account = keys[id(holding)]
            for day in holding.own:
                events[account, day] = self.logins.add(
                    organization, account, self._day(day), "D", "file", None, _SAYS, self._stored_at
                )
        for holding in held:
            account = keys[id(holding)]
            # Two surfaces on one day count once, as the product records it.
            for day, surface in dict(reversed(holding.from_surfaces)).items():
                via = events[keys[id(surface)], day]
                self.logins.add(organization, account, self._day(day), "D", "authority", via, _SAYS, self._stored_at)

    def counts_twice(self, holding: Holding, held: list[Holding], added: list[int]) -> bool:
        """Let older logins of a surface count at its authority as well; return whether they do."""
        surface = holding.surface
        for authority in held:
            if surface.counts_at_authority and authority.surface.slug == surface.authority:
                authority.from_surfaces += [(day, holding) for day in added]
                return True
        return False

    def _day(self, back: int | None) -> str | None:
        if back is None:
            return None
        found = self._days.get(back)
        if found is None:
            found = self._days[back] = (self._on - timedelta(days=back)).isoformat()
        return found

    def write_rows(self) -> tuple[int, int]:
        """Write all waiting rows; return first and last key of the accounts among them, (0, 0) without any."""
        tables = (
            self.organizations, self.users, self.addresses, self.facilities, self.memberships, self.people,
            self.employments, self.portal_accounts, self.grants, self.logins,
        )  # fmt: skip
        self._ranges = {table.model: table.keys for table in tables}
        for table in tables:
            table.write()
        return self._ranges[PortalAccount]

    def write_audit(self) -> None:
        """Record what the last `write_rows` wrote, as an import would: an act a kind of row, an item a row."""
        actor = Ref("command:seed_scale", "manage.py seed_scale")
        subject = Ref(f"import:scale-{self._seed}", _SAYS)
        for action, rows in self._acts():
            record_many(action=action, actor=actor, subject=subject, at=self._at, rows=rows)

    def _acts(self) -> list[tuple[str, "QuerySet[Any, Any]"]]:
        started = self._written(Organization, "organization", {"slug": F("slug")}, organization="pk")
        return [
            ("organization.created", started),
            ("reminders.started", started),
            (
                "facility.imported",
                self._written(Facility, "facility", {"ccn": F("ccn"), "state": F("state"), "zip": F("zip_code")}),
            ),
            (
                "membership.granted",
                self._written(Membership, "membership", {"role": F("role"), "user": _key("user", "user_id")}),
            ),
            (
                "person.imported",
                self._written(Person, "person", {"employee_number": F("employee_number")}),
            ),
            (
                "account.imported",
                self._written(
                    PortalAccount,
                    "account",
                    {
                        "person": _key("person", "person_id"),
                        "system": F("system_id"),
                        "status": F("status"),
                        "opened_on": F("opened_on"),
                        "last_login": F("last_login_on"),
                    },
                ),
            ),
        ]

    def _written(
        self, model: type[Model], kind: str, payload: dict[str, Any], organization: str = "organization_id"
    ) -> "QuerySet[Any, Any]":
        first, last = self._ranges[model]
        rows: QuerySet[Any, Any] = model._base_manager.filter(pk__gte=first, pk__lte=last)
        return rows.annotate(
            chain=_key("organization", organization), subject_key=_key(kind, "pk"), payload=JSONObject(**payload)
        )


def _key(kind: str, column: str) -> Concat:
    return Concat(Value(f"{kind}:"), Cast(column, CharField()), output_field=CharField())


def roles_by_system(systems: dict[str, int]) -> Roles:
    """Return the roles that the catalogue lists, by system; everybody's fall back to all where all are privileged."""
    found: Roles = {slug: ([], []) for slug in systems}
    rows = SystemRole.objects.filter(system__in=systems.values()).order_by("system", "position", "pk")
    for slug, key, privileged in rows.values_list("system__slug", "pk", "privileged"):
        found[slug][1 if privileged else 0].append(key)
    return {slug: (plain or privileged, privileged) for slug, (plain, privileged) in found.items()}
