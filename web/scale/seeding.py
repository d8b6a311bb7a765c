"""Fill a database with organizations, facilities and people who hold accounts, as an import would have written them.

Everything follows from the arguments: the same seed gives the same rows. Memory stays flat: people are written in
batches, each one transaction with its audit events and, by `accounts.services.clocks`, its deadlines.
"""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts.models import PortalAccount
from accounts.services.clocks import Chains, recompute
from audit.context import request_id
from audit.services import Ref
from facilities.models import Organization
from systems.models import System
from systems.policy import EASTERN
from systems.selectors import policy_chains
from systems.services import load_catalogue
from web.scale.holdings import SLUGS, HoldingsMaker, Surface
from web.scale.idleness import idleness
from web.scale.records import Batch, Place, Roles, roles_by_system
from web.scale.writing import analyze

BATCH = 20_000  # accounts written in one transaction
PER_ORGANIZATION = 200  # facilities
SOME_PLACES = 0.05  # share of people who work at more than one facility


class SeedRefused(Exception):
    """The population cannot be made as asked; ``place`` is the option to blame."""

    def __init__(self, code: str, message: str, place: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.place = code, message, place


@dataclass(frozen=True, slots=True)
class Population:
    """What is asked for. ``due_share``: of the accounts, inside the ladder or past it on ``on``. ``events``: logins.

    Every known last login is an event anyway; ``events`` above their number adds older ones.
    """

    facilities: int
    accounts: int
    on: date
    seed: int = 1
    due_share: float = 0.15
    events: int = 0
    organizations: int = 0  # 0: one for every PER_ORGANIZATION facilities

    def __post_init__(self) -> None:
        for option, value, least in (
            ("--facilities", self.facilities, 1),
            ("--accounts", self.accounts, 1),
            ("--seed", self.seed, 0),
            ("--events", self.events, 0),
            ("--organizations", self.organizations, 0),
        ):
            if value < least:
                raise SeedRefused("number", f"use a whole number from {least}, not {value}", option)
        if not 0 <= self.due_share <= 1:
            raise SeedRefused("number", f"a share lies between 0 and 1, not at {self.due_share}", "--due-share")
        if not date(2020, 1, 1) <= self.on <= date(2100, 1, 1):
            raise SeedRefused("date", "use a day between 2020 and 2100", "--on")

    @property
    def at(self) -> datetime:
        """When the rows were recorded: the midnight, US Eastern, in which the day begins."""
        return datetime.combine(self.on, time.min, ZoneInfo(EASTERN))


@dataclass(frozen=True, slots=True)
class SeededOrganization:
    """One organization that was made, with its counts."""

    slug: str
    facilities: int
    accounts: int
    people: int


def slugs_of(population: Population) -> dict[str, int]:
    """Return the slugs of the organizations to be made, each with its number of facilities."""
    usual = max(min(2, population.facilities), round(population.facilities / PER_ORGANIZATION))
    count = min(population.organizations or usual, population.facilities)
    few, more = divmod(population.facilities, count)
    return {f"scale-{population.seed}-{number + 1:03d}": few + (1 if number < more else 0) for number in range(count)}


def seed_scale(*, population: Population, progress: Callable[[str], None] = lambda _: None) -> list[SeededOrganization]:
    """Make the population; return its organizations. Raises SeedRefused where they exist already."""
    slugs = slugs_of(population)
    there = Organization.objects.filter(slug__in=slugs).order_by("slug").values_list("slug", flat=True).first()
    if there is not None:
        raise SeedRefused("exists", f"{there} exists already; choose another seed or an empty database", "--seed")
    token = request_id.set(f"seed-scale-{population.seed}")
    try:
        if not System.objects.exists():
            load_catalogue(actor=Ref("command:seed_scale", "manage.py seed_scale"), at=population.at)
        return _Seeder(population, progress).run(slugs)
    finally:
        request_id.reset(token)


class _Seeder:
    """One run. Holds the chance, the counters and the batch under way."""

    def __init__(self, population: Population, progress: Callable[[str], None]) -> None:
        self.population = population
        self._progress = progress
        self._chains = policy_chains()
        self._rng = random.Random(f"scale-{population.seed}")  # noqa: S311  # nosec B311  (made-up data)
        surfaces, self._systems = _surfaces(self._chains, population.on)
        self._roles: Roles = roles_by_system(self._systems)
        years = random.Random(f"years-{population.seed}")  # noqa: S311  # nosec B311
        self._maker = HoldingsMaker(surfaces, population.due_share, self._rng, years)
        self._batch = Batch(population.on, population.at, population.seed, self._systems, self._roles)
        self._accounts = self._events = self._people = self._facilities = 0
        self._analyzed = 0

    def run(self, slugs: dict[str, int]) -> list[SeededOrganization]:
        made = []
        for slug, facilities in slugs.items():
            before = Counter(accounts=self._accounts, people=self._people)
            self._organization(slug, facilities)
            accounts, people = self._accounts - before["accounts"], self._people - before["people"]
            made.append(SeededOrganization(slug, facilities, accounts, people))
        self._write()
        analyze()
        return made

    def _organization(self, slug: str, facilities: int) -> None:
        places = self._batch.add_organization(slug, facilities, self._facilities)
        for position, place in enumerate(places):
            self._facilities += 1
            share = self.population.accounts * self._facilities // self.population.facilities
            if position == 0:
                self._person(place, places, office="organization")
            self._person(place, places, office="facility")
            while self._accounts < share:
                self._person(place, places)
                if self._batch.accounts >= BATCH:
                    self._write()

    def _person(self, place: Place, places: list[Place], office: str = "") -> None:
        rng = self._rng
        where = [place]
        if rng.random() < SOME_PLACES and len(places) > 1:
            others = rng.sample(places, min(len(places), rng.randint(2, 3)))
            where += [other for other in others if other is not place][:2]
        held = self._maker.make(administrator=bool(office), most=max(0, self.population.accounts - self._accounts))
        self._people += 1
        self._accounts += len(held)
        for holding in held:
            self._events += len(holding.own) + len(holding.from_surfaces)
        owed = self.population.events * self._accounts // self.population.accounts - self._events
        for holding in held if owed > 0 else ():
            added = self._maker.add_history(holding, max(1, owed // len(held)))
            self._events += len(added) * (1 + self._batch.counts_twice(holding, held, added))
        self._batch.add_person(self._people, where, held, office, rng)

    def _write(self) -> None:
        """Write what waits in one transaction: rows, deadlines, and what the audit chain says about them."""
        with transaction.atomic():
            first, last = self._batch.write_rows()
            if last:
                accounts = PortalAccount.objects.filter(pk__gte=first, pk__lte=last)
                recompute(accounts=accounts, at=self.population.at, chains=self._chains)
            self._batch.write_audit()
        if self._accounts >= 2 * self._analyzed:
            analyze()
            self._analyzed = self._accounts
        self._progress(f"{self._accounts} of {self.population.accounts} accounts")


def _surfaces(chains: Chains, on: date) -> tuple[dict[str, Surface], dict[str, int]]:
    """Return the systems that people hold accounts on, and their keys."""
    found = {system.slug: system for system in System.objects.filter(slug__in=SLUGS).select_related("sign_in_via")}
    if missing := sorted(SLUGS - found.keys()):
        raise SeedRefused("catalogue", f"the catalogue has no {', '.join(missing)}; run `manage.py load_catalogue`")
    surfaces = {}
    for slug, system in found.items():
        clock = idleness(system_id=system.pk, kind="inactivity", chains=chains, on=on)
        if clock is None:
            raise SeedRefused("catalogue", f"{slug} has no inactivity clock")
        password = idleness(system_id=system.pk, kind="password", chains=chains, on=on)
        yearly = idleness(system_id=system.pk, kind="certification", chains=chains, on=on)
        authority = system.sign_in_via.slug if system.sign_in_via else None
        surfaces[slug] = Surface(slug, authority, system.counts_at_authority, clock, password, yearly)
    return surfaces, {slug: system.pk for slug, system in found.items()}
