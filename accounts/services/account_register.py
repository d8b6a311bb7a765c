"""What the register holds that a list of accounts is compared with: people, their user IDs, open accounts."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from accounts.lists.words import SystemWords
from accounts.models import Certification, PortalAccount, RoleGrant
from accounts.policy.holders import Holder, id_key
from accounts.policy.listing import Held
from accounts.services.contradictions import sightings_in
from facilities.models import Organization
from staff.models import Employment, Person

Key = tuple[int, int]  # person and system


def authority_of(system: SystemWords) -> int:
    """Return the key of the system at which its users have their ID."""
    return system.authority or system.key


def known_holders(organization: Organization, named: Mapping[Key, str], *, by_place: bool) -> list[Holder]:
    """Return the people of the register with their user IDs (``named``: see `user_ids`) and places. Three queries.

    ``by_place``: whether places are asked for at all; only where rows give names are they needed. One query without.
    """
    places = _places(organization) if by_place else {}
    ids: dict[int, set[tuple[int, str]]] = defaultdict(set)
    for (person, system), user_id in named.items():
        ids[person].add((system, id_key(user_id)))
    none: frozenset[Any] = frozenset()
    people = Person.objects.filter(organization=organization).order_by("pk")
    columns = people.values_list("pk", "first_name", "last_name", "employee_number", "email")
    return [
        Holder(
            key, first, last, number or "", email.lower(), frozenset(places.get(key, none)),
            frozenset(ids.get(key, none)),
        )
        for key, first, last, number, email in columns.iterator()
    ]  # fmt: skip


def _places(organization: Organization) -> dict[int, set[int]]:
    """Return where people work, worked or hold access."""
    places: dict[int, set[int]] = defaultdict(set)
    worked = Employment.objects.known().filter(organization=organization).order_by()
    for person, facility in worked.values_list("person_id", "facility_id").distinct().iterator():
        places[person].add(facility)
    granted = RoleGrant.objects.known().filter(organization=organization).order_by()
    for person, facility in granted.values_list("account__person_id", "facility_id").distinct().iterator():
        places[person].add(facility)
    return places


def user_ids(organization: Organization) -> dict[Key, str]:
    """Return the known user IDs of open accounts by person and system; of two the older account's. One query."""
    named = PortalAccount.objects.open().filter(organization=organization, user_id__isnull=False).order_by("-pk")
    rows = named.values_list("person_id", "system_id", "user_id").iterator()
    return {(person, system): user_id or "" for person, system, user_id in rows}


def held_accounts(organization: Organization, keys: Iterable[Key]) -> dict[Key, Held]:
    """Return the open accounts of these people on these systems; of two on one system the older one.

    With the roles that are held as far as anybody said, also until a day.
    """
    wanted = set(keys)
    systems = {system for _, system in wanted}
    accounts = PortalAccount.objects.open().filter(organization=organization, system__in=systems).order_by("-pk")
    columns = ("pk", "person_id", "system_id", "status", "login_state", "last_login_on", "opened_on")
    found: dict[Key, Held] = {}
    seen = sightings_in(organization)
    for key, person, system, status, state, last, opened in accounts.values_list(*columns).iterator():
        if (person, system) in wanted:
            others = found[person, system].others + 1 if (person, system) in found else 0
            found[person, system] = Held(key, status, state, last, opened, {}, {}, seen.get(key, ()), others)
    grants = {each.key: each.grants for each in found.values()}
    rows = RoleGrant.objects.to_end().filter(organization=organization, account__system__in=systems)
    for key, account, facility, role in (
        rows.order_by().values_list("pk", "account_id", "facility_id", "role_id").iterator()
    ):
        if account in grants:
            grants[account][facility, role] = key
    certified = {each.key: each.certified for each in found.values()}
    lasts = Q(grant__valid_to=None) | Q(grant__temporary=True)
    told = Certification.objects.known().filter(
        lasts, organization=organization, grant__voided_at=None, grant__account__system__in=systems
    )
    days = told.order_by("certified_on").values_list(
        "grant__account_id", "grant__facility_id", "grant__role_id", "certified_on"
    )
    for account, facility, role, day in days.iterator():
        if account in certified:
            certified[account][facility, role] = day
    return found
