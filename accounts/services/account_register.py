"""What the register holds that a list of accounts is compared with: people, their user IDs, open accounts."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from django.db.models import Q
from django.db.models.expressions import Combinable

from accounts.lists.words import SystemWords
from accounts.models import Certification, PortalAccount, RoleGrant
from accounts.policy.holders import Holder, id_key
from accounts.policy.listing import Held
from accounts.services.contradictions import sightings_in
from audit.bulk import among
from facilities.models import Organization
from staff.models import Employment, Person
from staff.policy.names import Named, bare_number, full_name

Key = tuple[int, int]  # person and system


class Row(Named, Protocol):
    """What a row of a list says of a person."""

    @property
    def number(self) -> str: ...
    @property
    def email(self) -> str: ...
    @property
    def user_id(self) -> str: ...


def authority_of(system: SystemWords) -> int:
    """Return the key of the system at which its users have their ID."""
    return system.authority or system.key


@dataclass(slots=True)
class Sought:
    """All that the rows of a list say of people: nobody else of the register can be meant, nor is read into memory."""

    numbers: set[str] = field(default_factory=set)
    emails: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    ids: set[tuple[int, str]] = field(default_factory=set)
    authorities: set[int] = field(default_factory=set)

    def add(self, row: Row, authority: int) -> None:
        """Note what a row says; ``authority``: key of the system at which its user ID is one."""
        self.authorities.add(authority)
        if row.number:
            self.numbers.add(bare_number(row.number))
        if row.email:
            self.emails.add(row.email)
        if row.last_name:
            self.names.add(full_name(row))
        if row.user_id:
            self.ids.add((authority, id_key(row.user_id)))


def known_holders(organization: Organization, sought: Sought) -> list[Holder]:
    """Return the people whom rows may mean, with their places and their user IDs.

    Four queries; those of places only where rows give names, that of user IDs only where they give some. Of user IDs
    those that rows give are told.
    """
    ids = _asked_ids(organization, sought) if sought.ids else {}
    people = Person.objects.filter(organization=organization).order_by("pk")
    columns = people.values_list("pk", "first_name", "last_name", "employee_number", "email")
    meant = {who.key: who for each in columns.iterator() if _is_meant(who := _holder(*each), sought) or who.key in ids}
    places = _places(organization, meant) if sought.names else {}
    for key, who in meant.items():
        meant[key] = who._replace(facilities=places.pop(key, ()), user_ids=ids.pop(key, who.user_ids))
    return list(meant.values())


def _holder(key: int, first: str, last: str, number: str | None, email: str) -> Holder:
    return Holder(key, first, last, number or "", email.lower(), ())


def _is_meant(who: Holder, sought: Sought) -> bool:
    """Return whether a row gives this person's number, e-mail or name."""
    if who.number and bare_number(who.number) in sought.numbers:
        return True
    return who.email in sought.emails or (bool(sought.names) and full_name(who) in sought.names)


def _places(organization: Organization, people: Collection[int]) -> dict[int, tuple[int, ...]]:
    """Return where these people work, worked or hold access."""
    places: dict[int, tuple[int, ...]] = {}
    worked = Employment.objects.known().filter(organization=organization).order_by()
    granted = RoleGrant.objects.known().filter(organization=organization).order_by()
    for rows in (
        worked.values_list("person_id", "facility_id").distinct(),
        granted.values_list("account__person_id", "facility_id").distinct(),
    ):
        for person, facility in rows.iterator():
            if person in people:
                places[person] = (*places.get(person, ()), facility)
    return places


def _asked_ids(organization: Organization, sought: Sought) -> dict[int, tuple[tuple[int, str], ...]]:
    """Return person -> those of her user IDs, with their authorities, that rows give. One query."""
    found: dict[int, tuple[tuple[int, str], ...]] = {}
    for person, system, user_id in _user_ids(organization, sought.authorities):
        asked = system, id_key(user_id)
        if asked in sought.ids:
            found[person] = (*found.get(person, ()), asked)
    return found


def known_ids(organization: Organization, people: Collection[int], authorities: Collection[int]) -> dict[Key, str]:
    """Return the user IDs of these people, by person and authority. One query."""
    rows = _user_ids(organization, authorities, person__in=among(people))
    return {(person, system): user_id for person, system, user_id in rows}


def _user_ids(
    organization: Organization, authorities: Collection[int], **only: Combinable
) -> Iterator[tuple[int, int, str]]:
    """Yield (person, authority, user ID) of open accounts; of two of a person on one system the older account's."""
    rows = PortalAccount.objects.open().filter(
        organization=organization, user_id__isnull=False, system__in=authorities, **only
    )
    before: Key | None = None
    for person, system, user_id in (
        rows.order_by("person", "system", "pk").values_list("person_id", "system_id", "user_id").iterator()
    ):
        if (person, system) != before:
            yield person, system, user_id or ""
        before = (person, system)


def held_accounts(organization: Organization, keys: Iterable[Key]) -> dict[Key, Held]:
    """Return the open accounts of these people on these systems; of two on one system the older one.

    With the roles that are held as far as anybody said, also until a day.
    """
    wanted = set(keys)
    mine = {"organization": organization, "system__in": {system for _, system in wanted}}
    accounts = PortalAccount.objects.open().filter(**mine, person__in=among({person for person, _ in wanted}))
    columns = ("pk", "person_id", "system_id", "status", "login_state", "last_login_on", "opened_on")
    found: dict[Key, Held] = {}
    seen = sightings_in(organization)
    for key, person, system, status, state, last, opened in accounts.order_by("-pk").values_list(*columns).iterator():
        if (person, system) in wanted:
            others = found[person, system].others + 1 if (person, system) in found else 0
            found[person, system] = Held(key, status, state, last, opened, {}, {}, seen.get(key, ()), others)
    grants = {each.key: each.grants for each in found.values()}
    rows = RoleGrant.objects.to_end().filter(organization=organization, account__in=among(grants))
    for key, account, facility, role in (
        rows.order_by().values_list("pk", "account_id", "facility_id", "role_id").iterator()
    ):
        grants[account][facility, role] = key
    certified = {each.key: each.certified for each in found.values()}
    lasts = Q(grant__valid_to=None) | Q(grant__temporary=True)
    told = Certification.objects.known().filter(
        lasts, organization=organization, grant__voided_at=None, grant__account__in=among(certified)
    )
    days = told.order_by("certified_on").values_list(
        "grant__account_id", "grant__facility_id", "grant__role_id", "certified_on"
    )
    for account, facility, role, day in days.iterator():
        certified[account][facility, role] = day
    return found
