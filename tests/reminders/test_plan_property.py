"""For any deadlines, people and reminders already there, the planner plans what a loop over single deadlines would."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import (
    AccessRequest,
    Deadline,
    HouseWindow,
    Obligation,
    RequestHouse,
    RequestStep,
    RoleGrant,
)
from accounts.services.lapses import days_by_zone
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.models import Reminder
from reminders.services.plan import plan_due
from staff.models import Absence, Deputy
from systems.models import Policy, System, SystemRole
from systems.selectors import official_roles
from tests import factories
from tests.conftest import NOON, TODAY
from tests.reminders.making import DAY, started
from tests.reminders.plan_oracle import expected

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
ON_ACCOUNTS = ("inactivity", "password", "deletion", "temporary", "removal")
KINDS = (
    *(*ON_ACCOUNTS, "inactivity", "certification", "acknowledgement", "obligation", "review"),
    *("request-step", "request-step"),
)
ACTORS = ("holder", "official", "facility", "help-desk", "cms", "approver", "approver")
SYSTEMS = ("iqies", "idm", "qies", "mycgs", "harp", "psr")


class World:
    """A random organization."""

    def __init__(self, cast, chance):
        self.cast, self.chance = cast, chance
        self.places = [cast.oak, cast.elm]
        self.people = [self.person(n) for n in range(6)] + [cast.people[name] for name in ("alice", "henry", "carol")]
        self.systems = {slug: System.objects.get(slug=slug) for slug in SYSTEMS}
        self.accounts = [self.account() for _ in range(7)]
        for slug in ("harp", "iqies"):
            if chance.random() < 0.4:
                HouseWindow.objects.create(
                    organization=cast.riverside, system=self.systems[slug], mention_days=40,
                    flag_days=chance.choice([45, 70, 100]), enabled=chance.random() < 0.7,
                )  # fmt: skip
        if chance.random() < 0.7:
            RequestHouse.objects.create(organization=cast.riverside, outside_deputy=self.one(self.people))
        for number in range(16):
            self.deadline(number)
        for _ in range(4):
            self.stand_in()

    def one(self, some):
        return self.chance.choice(list(some))

    def day(self, least, most):
        return TODAY + self.chance.randrange(least, most) * DAY

    def person(self, number):
        chance, place = self.chance, self.one(self.places)
        user = factories.UserFactory(is_active=chance.random() < 0.8) if chance.random() < 0.7 else None
        mail = f"p{number}@example.org" if chance.random() < 0.8 else ""
        person = factories.PersonFactory(
            organization=self.cast.riverside, email=mail, user=user,
            user_confirmed_at=NOON if user and chance.random() < 0.8 else None,
        )  # fmt: skip
        if user and chance.random() < 0.7:
            factories.MembershipFactory(
                user=user, organization=self.cast.riverside, facility=self.one([*self.places, None]),
                role=self.one([Role.ADMINISTRATOR, Role.ADMINISTRATOR, Role.APPROVER, Role.COORDINATOR]),
                ended_at=NOON if chance.random() < 0.2 else None,
            )  # fmt: skip
        for _ in range(chance.randrange(0, 3)):
            since = self.day(-400, 5)
            if not person.employments.filter(facility=place, valid_from=since).exists():
                factories.EmploymentFactory(
                    facility=place, person=person, valid_from=since,
                    valid_to=self.one([None, since, max(since, self.day(-3, 3))]),
                    voided_at=NOON if chance.random() < 0.2 else None,
                )  # fmt: skip
        return person

    def account(self):
        system = self.one(self.systems.values())
        status = self.one(["active", "active", "lost", "removed"])
        account = factories.AccountFactory(
            person=self.one(self.people), system=system, status=status, loss="locked" if status == "lost" else "",
            removed_on=TODAY if status == "removed" else None,
        )  # fmt: skip
        roles = list(SystemRole.objects.filter(system=system))
        for place in self.places:
            if self.chance.random() < 0.6:
                since = self.day(-300, 3)
                factories.GrantFactory(
                    account=account, facility=place, role=self.one(roles), valid_from=since,
                    valid_to=self.one([None, None, max(since, self.day(-2, 3))]),
                    voided_at=NOON if self.chance.random() < 0.15 else None,
                )  # fmt: skip
        return account

    def stand_in(self):
        """Let somebody have a deputy, and perhaps be away."""
        person, deputy = self.chance.sample(self.people, 2)
        since = self.day(-9, 5)
        until = self.one([None, max(since, self.day(-2, 9))])
        times = {"organization": self.cast.riverside, "recorded_at": NOON, "recorded_by": "test", "valid_to": until}
        times["voided_at"] = NOON if self.chance.random() < 0.15 else None
        Deputy.objects.get_or_create(person=person, deputy=deputy, defaults={**times, "valid_from": since})
        if self.chance.random() < 0.6:
            Absence.objects.get_or_create(person=person, valid_from=since, defaults=times)

    def deadline(self, number):
        organization = self.cast.riverside
        kind = self.one(KINDS)
        due_on = self.day(-6, 66 if kind == "certification" else 34)
        facts = {"policy": None, "target_on": None}
        if kind in ON_ACCOUNTS:
            account = facts["account"] = self.one(self.accounts)
            policy = Policy.objects.filter(system=account.system, kind=kind, limit_days__isnull=False).first()
            if kind == "inactivity":
                facts["policy"] = policy
                if policy and self.chance.random() < 0.4:
                    facts["target_on"] = due_on - self.chance.randrange(1, 12) * DAY
            elif kind == "password":
                facts["policy"] = policy or Policy.objects.filter(kind="password", limit_days=30).first()
        elif kind == "certification":
            grants = list(RoleGrant.objects.all())
            if not grants:
                return
            facts["grant"] = self.one(grants)
        elif kind == "acknowledgement":
            facts["person"] = self.one(self.people)
        elif kind == "request-step":
            facts["request_step"] = self.step()
        elif kind == "review":
            facts["facility"] = self.one(self.places)
        else:
            facts["obligation"] = Obligation.objects.create(
                organization=organization, facility=self.one(self.places), kind="other", title="A report",
                typed_due_on=due_on, recorded_at=NOON, recorded_by="test",
            )  # fmt: skip
        Deadline.objects.create(
            organization=organization, kind=kind, subject_key=f"drawn:{number}", zone="America/New_York",
            basis_on=TODAY, due_on=due_on, cycle=self.chance.randrange(1, 3), muted=self.chance.random() < 0.1,
            closed_at=NOON if self.chance.random() < 0.1 else None, **facts,
        )  # fmt: skip

    def step(self):
        role = self.one(SystemRole.objects.filter(system=self.systems["iqies"]))
        request = AccessRequest.objects.create(
            organization=self.cast.riverside, kind="new-account", system=role.system, role=role, approval="needed",
            facility=self.one(self.places), requester_person=self.one(self.people),
            beneficiary_person=self.one(self.people), created_at=NOON, approvers_needed=self.one([1, 1, 2]),
        )  # fmt: skip
        return RequestStep.objects.create(
            organization=self.cast.riverside, request=request, position=1, key_in_list="a-step", title="A step",
            actor=self.one(ACTORS), state="open", started_on=TODAY,
        )  # fmt: skip

    def write_some(self):
        """Let a few reminders be there already, of this cycle and of earlier ones."""
        for deadline in Deadline.objects.all():
            for person in self.chance.sample(self.people, 2):
                Reminder.objects.get_or_create(
                    organization=self.cast.riverside, deadline=deadline, cycle=self.chance.randrange(1, 3),
                    step=self.one([366, 60, 30, 20, 14, 10, 7, 5, 2, 1, 0, -1]), recipient=person,
                    defaults={"planned_at": NOON, "state": self.one(["planned", "skipped", "in_digest", "superseded"])},
                )  # fmt: skip

    def change(self):
        """Let somebody leave, an administrator come, a clock start anew."""
        person = self.one(self.people)
        person.employments.filter(valid_to=None, valid_from__lte=TODAY).update(valid_to=TODAY)
        Membership.objects.filter(user=self.one(self.people).user).update(role=Role.ADMINISTRATOR)
        deadline = self.one(Deadline.objects.all())
        deadline.cycle, deadline.due_on = deadline.cycle + 1, deadline.due_on + 9 * DAY
        deadline.save()


def ledger():
    rows = Reminder.objects.values_list("deadline", "cycle", "step", "recipient", "state")
    return {tuple(key): state for *key, state in rows}


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(chance=st.randoms(use_true_random=False))
def test_the_planner_plans_what_a_loop_over_deadlines_would_and_once(cast, chance):
    with transaction.atomic():
        world = World(started(cast), chance)
        world.write_some()
        at = NOON
        for pause in (0, 1, 14):
            at += pause * DAY
            before = ledger()
            wanted = expected(set(official_roles()), days_by_zone(at), set(before))
            planned = plan_due(at=at)
            assert ledger() == before | wanted
            assert planned == list(wanted.values()).count("planned")
            assert plan_due(at=at) == 0
            assert ledger() == before | wanted
            world.change()
        transaction.set_rollback(True)
