"""Random histories: who held what on any past day, and what is due, agree with a naive reader of the same acts."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.services.account_list_undo import undo_import
from accounts.services.account_lists import import_account_list
from accounts.services.inventory import AccountFacts, add_accounts, regain_account, remove_account, report_loss
from accounts.services.logins import confirm_roles, record_login, void_login
from facilities.access import Scope
from imports.models import Import
from reminders.services.tick import run_tick
from staff.models import Absence
from staff.services import roster_undo
from staff.services.absences import end_absence, record_absence
from staff.services.rosters import import_roster
from systems.models import System, SystemRole
from systems.policy import day_in
from tests.accounts.oracle import LIMITS, VIA, Register, Row

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)
START = datetime(2026, 1, 5, 17, tzinfo=UTC)
PEOPLE, PLACES = ("carol", "henry", "olga"), ("oak", "elm")
ROLES = {"iqies": ("provider-assessment-viewer", "provider-security-official")}
PLAIN = ("individual-user",)
LISTS = "System,CCN,Last Name,First Name,Work Email,Role,Role Status,Granted On,Last Login"
ROSTER = "employee_number,first_name,last_name,email,job_title,ccn,start_date,end_date,status"


class World:
    """The product and the oracle side by side; every act goes to both."""

    def __init__(self, cast, folder, chance):
        self.cast, self.folder, self.chance = cast, folder, chance
        self.scope = Scope.of_command(cast.riverside, "test")
        self.oracle = Register()
        self.at = START
        self.lists, self.rosters, self.absences = [], [], []
        self.systems = {each.slug: each for each in System.objects.filter(slug__in=LIMITS)}
        self.roles = {
            (r.system.slug, r.slug): r
            for r in SystemRole.objects.filter(system__slug__in=LIMITS).select_related("system")
        }

    @property
    def today(self):
        return day_in(self.at)

    def pick(self, some):
        some = list(some)
        return self.chance.choice(some) if some else None

    def back(self, most):
        return self.today - self.chance.randrange(0, most) * DAY

    def row(self, account):
        return PortalAccount.objects.get(pk=account.key)

    def tie(self, *accounts):
        for account in accounts:
            if not account.key:
                found = PortalAccount.objects.filter(
                    person=self.cast.people[account.person], system__slug=account.system
                )
                account.key = found.latest("pk").pk

    def some(self, *states):
        return self.pick(each for each in self.oracle.accounts if each.status in states)

    def step(self):
        self.at += self.chance.choice([timedelta(hours=1), timedelta(hours=11), DAY, 9 * DAY, 33 * DAY, 50 * DAY])
        self.oracle.act += 1
        act = self.chance.choice(ACTS)
        self.say(f"{self.at:%Y-%m-%d %H:%M}", act.__name__)
        with transaction.atomic():
            act(self)

    def say(self, *words):
        note(" ".join(map(str, words)))

    # acts

    def login(self):
        account = self.some("active")
        if account is None:
            return
        day = self.back(80)
        own = account.person == "henry" and self.chance.random() < 0.5
        scope = self.cast.scope("henry") if own else self.cast.scope("alice")
        self.say(account.person, account.system, day, own)
        record_login(scope=scope, account=self.row(account), happened_on=day, at=self.at)
        self.oracle.login(account, day, "self" if own else "colleague")

    def void(self):
        pairs = [(a, e) for a in self.oracle.accounts for e in a.logins if e.standing]
        if not pairs:
            return
        account, login = self.pick(pairs)
        self.say(account.person, account.system, login.day, login.source)
        event = LoginEvent.objects.standing().get(account=account.key, happened_on=login.day, source=login.source)
        void_login(scope=self.scope, event=event, reason="mistake", at=self.at)
        self.oracle.void(account, login)

    def add(self):
        person, place, system = self.pick(PEOPLE), self.pick(PLACES), self.pick(LIMITS)
        name = self.pick(ROLES.get(system, PLAIN))
        opened = self.back(120)
        last = self.chance.choice(["never", "unknown", max(opened, self.back(80))])
        self.say(person, place, system, name, opened, last)
        known = self.oracle.open(person, system)
        facts = AccountFacts(self.systems[system], [self.roles[system, name]], opened, last)
        add_accounts(
            scope=self.scope,
            person=self.cast.people[person],
            facility=getattr(self.cast, place),
            accounts=[facts],
            at=self.at,
        )
        if known is None:
            made = self.oracle.new(
                person, system, opened, place, self.at, history_from=opened if last == "never" else None
            )
            self.tie(*made)
            account = made[0]
        else:
            account = known
        if isinstance(last, date) and account.status == "active":
            self.oracle.login(account, last, "colleague")
        self.oracle.grant(account, name, place, max(opened, account.opened_on), self.at)

    def lose(self):
        account = self.some("active")
        if account is None:
            return
        on = max(self.back(40), account.opened_on)
        self.say(account.person, account.system, on)
        report_loss(scope=self.scope, account=self.row(account), loss="locked", lost_on=on, at=self.at)
        self.oracle.lose(account, on, self.at)

    def regain(self):
        account = self.some("lost")
        if account is None:
            return
        last = max((r.until for r in account.roles if r.until and not r.voided), default=account.opened_on)
        on = max(self.back(20), last)
        self.say(account.person, account.system, on)
        regain_account(scope=self.scope, account=self.row(account), regained_on=on, at=self.at)
        self.oracle.regain(account, on, self.at)

    def remove(self):
        account = self.some("active", "lost")
        if account is None or any(each.status != "removed" for each in account.below):
            return
        on = max(self.back(10), account.opened_on)
        self.say(account.person, account.system, on)
        remove_account(scope=self.scope, account=self.row(account), removed_on=on, at=self.at)
        self.oracle.remove(account, on, self.at)

    def confirm(self):
        account = self.pick(a for a in self.oracle.accounts if a.status == "active" and a.check_on())
        if account is None:
            return
        there = self.chance.random() < 0.6
        self.say(account.person, account.system, there)
        day = account.check_on()
        confirm_roles(scope=self.scope, account=self.row(account), still_there=there, at=self.at)
        if there:
            account.confirmed_on = day
            self.oracle._touch(account)
        else:
            self.oracle.lose(account, self.today, self.at)

    def list(self):
        places = [(p, s) for p in PEOPLE for s in LIMITS]
        rows = []
        # authorities first, so that a list opens them itself or finds them
        chosen = self.chance.sample(places, self.chance.randrange(1, 5))
        for person, system in sorted(chosen, key=lambda each: each[1] in VIA):
            told = self.chance.choice(["", "never", "day", "day"])
            rows.append(
                Row(
                    person,
                    system,
                    self.pick(PLACES),
                    self.pick(ROLES.get(system, PLAIN)),
                    self.chance.random() < 0.35,
                    self.chance.choice([None, self.back(150)]),
                    self.back(80) if told == "day" else None,
                    told == "never",
                )
            )
        self.say(*rows)
        path = self.folder / "list.csv"
        path.write_text("\n".join([LISTS, *map(self.csv, rows)]))
        report = import_account_list(scope=self.scope, path=path, at=self.at)
        assert not report.unknown_people, report.unknown_people
        told = self.oracle.list(rows, self.today, self.at)
        for each in told:
            self.tie(each.account, *each.made)
        assert bool(told) == bool(report.source), (told, report)
        if told:
            self.lists.append((self.oracle.act, report.source, told, self.at))

    def csv(self, row):
        place, role = getattr(self.cast, row.place), self.roles[row.system, row.role]
        last = "Never" if row.never else row.last_login or ""
        return (
            f"{row.system},{place.ccn},Test,{row.person.title()},{row.person}@example.org,{role.name},"
            f"{'Revoked' if row.gone else 'Active'},{row.granted_on or ''},{last}"
        )

    def undo(self):
        fresh = [each for each in self.lists if self.at - each[3] < 29 * DAY]
        if not fresh:
            return
        chosen = self.chance.choice(fresh)
        self.lists.remove(chosen)
        act, source, told, _ = chosen
        self.say(source)
        done = undo_import(scope=self.scope, source=Import.objects.get(pk=source), at=self.at)
        kept = self.oracle.undo(act, told, self.today, self.at)
        assert sorted(done.kept) == sorted(each.key for each in kept)

    def roster(self):
        path = self.folder / "roster.csv"
        rows = [
            f"{n},{p.title()},Test,{p}@example.org,Nurse,{getattr(self.cast, self.pick(PLACES)).ccn},2024-02-01,,active"
            for n, p in enumerate(PEOPLE, 1)
            if self.chance.random() < 0.8
        ]
        if not rows:
            return
        path.write_text("\n".join([ROSTER, *rows]))
        report = import_roster(scope=self.scope, path=path, at=self.at, allow_mass_leavers=True)
        if report.source:
            self.rosters.append((report.source, self.at))

    def undo_roster(self):
        fresh = [each for each in self.rosters if self.at - each[1] < 29 * DAY]
        if not fresh:
            return
        chosen = self.chance.choice(fresh)
        self.rosters.remove(chosen)
        roster_undo.undo_import(scope=self.scope, source=Import.objects.get(pk=chosen[0]), at=self.at)

    def absent(self):
        person = self.cast.people[self.pick(PEOPLE)]
        if Absence.objects.known().filter(person=person, valid_to=None).exists():
            [absence] = Absence.objects.known().filter(person=person, valid_to=None)
            end_absence(scope=self.scope, absence=absence, last_day_on=self.today, at=self.at)
        elif not Absence.objects.known().filter(person=person, valid_to__gte=self.today).exists():
            record_absence(scope=self.scope, person=person, away_from_on=self.today, away_to_on=None, at=self.at)

    def tick(self):
        result = run_tick(at=self.at)
        assert not result.errors, result.errors

    # comparison

    def check_agreement(self):
        dues = {}
        checks = {}
        for account, kind, due, check in (
            Deadline.objects.open()
            .filter(kind__in=["inactivity", "deletion"])
            .values_list("account", "kind", "due_on", "check_on")
        ):
            dues.setdefault(account, {})[kind] = due
            if kind == "inactivity":
                checks[account] = check
        assert {a.key for a in self.oracle.accounts} == set(PortalAccount.objects.values_list("pk", flat=True))
        for account in self.oracle.accounts:
            row = PortalAccount.objects.get(pk=account.key)
            what = (account.person, account.system, account.key)
            assert row.status == account.status, what
            assert dues.get(account.key, {}) == account.due(), (
                what,
                sorted(account.days()),
                account.history_from,
                row.__dict__,
            )
            assert row.lapses_on == account.due().get("inactivity"), what
            if account.status == "active" and account.basis():
                assert checks[account.key] == account.check_on(), what
        for _ in range(3):
            on = START.date() + self.chance.randrange(-60, max(1, (self.today - START.date()).days + 5)) * DAY
            known_on = START.date() + self.chance.randrange(0, (self.today - START.date()).days + 2) * DAY
            for known in (None, known_on):
                end = datetime.combine(known + DAY, time.min, ZoneInfo("America/New_York")) if known else None
                told = RoleGrant.objects.filter(organization=self.cast.riverside).as_of(on, end)
                mine = sorted(
                    (a.key, r.name, getattr(self.cast, r.place).pk, str(r.since), str(r.until))
                    for a in self.oracle.accounts
                    for r in a.held(on, end)
                )
                found = sorted(
                    (a, r, f, str(s), str(u))
                    for a, r, f, s, u in told.values_list("account", "role__slug", "facility", "valid_from", "valid_to")
                )
                assert found == mine, (on, known)


ACTS = [
    *[World.login, World.add, World.undo] * 2, *[World.list] * 3, World.void, World.lose, World.regain, World.remove,
    World.confirm, World.roster, World.undo_roster, World.absent,
]  # fmt: skip


@settings(max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(chance=st.randoms(use_true_random=False), length=st.integers(4, 16))
def test_any_history_agrees_with_a_naive_reader(cast, tmp_path, chance, length):
    with transaction.atomic():
        world = World(cast, tmp_path, chance)
        for _ in range(length):
            world.step()
            world.check_agreement()
        world.tick()
        world.check_agreement()
        transaction.set_rollback(True)
