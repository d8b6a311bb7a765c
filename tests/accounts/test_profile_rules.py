"""Contact data and addenda: asked only once the organization wants it, found on the day, gone when put right."""

import json
from datetime import timedelta

import pytest
from django.db import transaction

from accounts.errors import AccountRefused
from accounts.models import Acknowledgement, HouseRule, ProfileCheck, RoleNeed
from accounts.policy.people import profile_is_stale
from accounts.services.checks import check_profile, void_profile_check
from accounts.services.inventory import regain_account, report_loss
from accounts.services.role_needs import state_need, void_need
from accounts.services.rules.sweep import check_rules
from audit.models import AuditEvent
from facilities.access import NotAllowed
from facilities.services.rechecks import recheck
from staff.services.people import PersonFacts, correct_person, end_employment
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.accounts.rules import found
from tests.conftest import NOON, TODAY

db = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def wanted(organization, rule, since=TODAY):
    return HouseRule.objects.create(
        organization=organization, rule=rule, enabled_on=since, recorded_at=NOON, recorded_by="x"
    )


def new_phone(cast, name="henry", phone="555-0199", at=NOON):
    who = cast.people[name]
    who.refresh_from_db()
    facts = PersonFacts(who.first_name, who.last_name, who.email, phone, who.employee_number or "")
    correct_person(scope=cast.scope("alice"), person=who, version=who.version, facts=facts, at=at)


def facts_of(kind, at=NOON):
    return {key: (finding.severity, json.loads(finding.facts)) for key, finding in found(kind, at).items()}


@pytest.mark.parametrize(
    ("changed", "confirmed", "enabled", "stale"),
    [(0, -1, 0, True), (0, 0, 0, False), (0, -1, 1, False), (1, 0, 1, True), (0, 1, -5, False)],
)
def test_a_profile_is_stale_after_a_change_that_nobody_has_checked_since(changed, confirmed, enabled, stale):
    days = (TODAY + each * DAY for each in (changed, confirmed, enabled))
    assert profile_is_stale(*days) is stale


class TestProfiles:
    pytestmark = db

    def test_changed_contact_data_ask_for_a_look_at_each_profile_until_somebody_looked(self, cast):
        account = held(cast, "qies", person="henry", last_login=TODAY)
        held(cast, "qies", person="carol", last_login=TODAY)
        wanted(cast.riverside, "R-43")
        assert found("stale-profile") == {}, "nothing has changed yet"
        new_phone(cast)
        facts = {
            "system": "qies", "changed_on": TODAY.isoformat(), "checked_on": None, "rule_on": TODAY.isoformat(),
        }  # fmt: skip
        assert facts_of("stale-profile") == {f"account:{account.pk}": ("medium", facts)}
        check = check_profile(scope=cast.scope("carol"), account=account, checked_on=TODAY, at=NOON)
        assert check_rules(at=NOON, since=NOON, full=False).closed == 1
        void_profile_check(scope=cast.scope("carol"), check=check, at=NOON)
        assert check_rules(at=NOON, since=NOON, full=False).opened == 1
        assert check_rules(at=NOON, since=NOON, full=True).differences == 0

    def test_a_check_of_the_day_before_the_change_does_not_help(self, cast):
        account = held(cast, "qies", person="henry", last_login=TODAY)
        wanted(cast.riverside, "R-43")
        check_profile(scope=cast.scope("henry"), account=account, checked_on=TODAY - DAY, at=NOON)
        new_phone(cast)
        assert list(found("stale-profile")) == [f"account:{account.pk}"]

    def test_changes_from_before_the_rule_and_of_organizations_without_it_are_not_asked(self, cast):
        held(cast, "qies", person="henry", last_login=TODAY)
        new_phone(cast)
        assert found("stale-profile") == {}
        rule = wanted(cast.riverside, "R-43", TODAY + DAY)
        wanted(cast.hilltop, "R-43")
        assert found("stale-profile", NOON + DAY) == {}
        new_phone(cast, phone="555-0198", at=NOON + DAY)
        assert len(found("stale-profile", NOON + DAY)) == 1
        HouseRule.objects.filter(pk=rule.pk).update(voided_at=NOON)
        assert found("stale-profile", NOON + DAY) == {}

    def test_the_profile_is_the_one_of_the_authority_and_whoever_left_is_not_asked(self, cast):
        iqies = held(cast, "iqies", person="henry", last_login=TODAY)
        wanted(cast.riverside, "R-43")
        new_phone(cast)
        assert list(found("stale-profile")) == [f"account:{iqies.identity_id}"]
        employment = cast.people["henry"].employments.get()
        end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=TODAY, at=NOON)
        assert len(found("stale-profile")) == 1, "still at work today"
        assert found("stale-profile", NOON + DAY) == {}

    def test_what_cannot_be_is_refused_and_the_same_day_again_writes_nothing(self, cast):
        account = held(cast, "iqies", person="henry", last_login=TODAY)
        profile = account.identity
        for scope in (cast.scope("olga"), cast.scope("audrey")):
            with pytest.raises(NotAllowed):
                check_profile(scope=scope, account=profile, checked_on=TODAY, at=NOON)
        with pytest.raises(AccountRefused, match="signs in through"):
            check_profile(scope=cast.scope("carol"), account=account, checked_on=TODAY, at=NOON)
        for day in (TODAY + 2 * DAY, profile.opened_on - DAY):
            with pytest.raises(AccountRefused) as refused:
                check_profile(scope=cast.scope("carol"), account=profile, checked_on=day, at=NOON)
            assert refused.value.field == "checked_on"
        assert not ProfileCheck.objects.exists()
        first = check_profile(scope=cast.scope("carol"), account=profile, checked_on=TODAY, at=NOON)
        assert check_profile(scope=cast.scope("henry"), account=profile, checked_on=TODAY, at=NOON) == first
        void_profile_check(scope=cast.scope("carol"), check=first, at=NOON)
        void_profile_check(scope=cast.scope("carol"), check=first, at=NOON)
        acts = AuditEvent.objects.filter(action__startswith="profile.").order_by("seq")
        assert list(acts.values_list("action", flat=True)) == ["profile.checked", "profile.check-voided"]


class TestPrivileged:
    pytestmark = db

    def official(self, cast, person="henry"):
        role = SystemRole.objects.filter(system__slug="iqies", privileged=True).order_by("position")[0]
        return held(cast, "iqies", person=person, roles=[role], last_login=TODAY), role

    def acknowledge(self, cast, document, person="henry"):
        Acknowledgement.objects.create(
            organization=cast.riverside, person=cast.people[person], document=document, acknowledged_on=TODAY,
            recorded_at=NOON, recorded_by="x",
        )  # fmt: skip
        with transaction.atomic():
            recheck([cast.oak.pk])

    def test_privileged_people_without_the_addendum_are_found_once_the_organization_asks_for_it(self, cast):
        _, role = self.official(cast)
        held(cast, "qies", person="carol", last_login=TODAY)
        assert found("privileged-open") == {}
        wanted(cast.riverside, "R-15")
        facts = {"roles": [f"{role.name} on iQIES"], "rule_on": TODAY.isoformat()}
        key = f"person:{cast.people['henry'].pk}"
        assert facts_of("privileged-open")[key] == ("high", facts)
        self.acknowledge(cast, "rules")
        assert key in found("privileged-open"), "the rules of behavior are another document"
        self.acknowledge(cast, "addendum")
        assert check_rules(at=NOON, since=NOON, full=False).closed == 1
        assert key not in found("privileged-open")
        assert check_rules(at=NOON, since=NOON, full=True).differences == 0

    def test_an_ended_role_and_somebody_who_left_are_not_asked(self, cast):
        account, _ = self.official(cast)
        wanted(cast.riverside, "R-15")
        account.grants.update(valid_to=TODAY)
        assert len(found("privileged-open")) == 2, "in force on its last day: no addendum, no need"
        assert found("privileged-open", NOON + DAY) == {}
        account.grants.update(valid_to=None)
        assert len(found("privileged-open", NOON + DAY)) == 2
        employment = cast.people["henry"].employments.get()
        end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=TODAY, at=NOON)
        assert found("privileged-open", NOON + DAY) == {}

    def test_each_privileged_role_asks_why_it_is_needed_until_somebody_says_so(self, cast):
        account, role = self.official(cast)
        second, plain = account.grants.get(), SystemRole.objects.filter(system__slug="iqies", privileged=False)[0]
        second.pk, second.facility = None, cast.elm
        second.save()
        wanted(cast.riverside, "R-15")
        self.acknowledge(cast, "addendum")
        key, name = f"account:{account.pk}", role.name
        facts = {"system": "iqies", "rule_on": TODAY.isoformat(), "unexplained": [f"{name} at Oak House"]}
        both = {**facts, "unexplained": [f"{name} at Oak House", f"{name} at Elm House"]}
        assert facts_of("privileged-open") == {key: ("high", both)}
        at_elm = state_need(scope=cast.scope("olga"), grant=second, need="Approves at Elm", at=NOON)
        assert facts_of("privileged-open") == {key: ("high", facts)}
        grant = account.grants.get(facility=cast.oak)
        state_need(scope=cast.scope("carol"), grant=grant, need="Approves there", at=NOON)
        assert check_rules(at=NOON, since=NOON, full=False).closed == 1
        report_loss(scope=cast.scope("alice"), account=account, loss="disabled", lost_on=TODAY, at=NOON)
        account = regain_account(scope=cast.scope("alice"), account=account, regained_on=TODAY, at=NOON + DAY / 24)
        assert found("privileged-open", NOON + DAY / 24) == {}, "it was given back, not granted for something else"
        void_need(scope=cast.scope("olga"), need=at_elm, reason="Not hers", at=NOON + DAY / 24)
        void_need(scope=cast.scope("olga"), need=at_elm, reason="Not hers", at=NOON + DAY / 24)
        assert check_rules(at=NOON + DAY / 24, since=NOON, full=False).opened == 1
        acts = AuditEvent.objects.filter(action__startswith="role.need").order_by("seq")
        stated = "role.need-stated"
        assert list(acts.values_list("action", flat=True)) == [stated, stated, "role.need-voided"]
        account.grants.filter(valid_to=None).update(role=plain)
        assert found("privileged-open", NOON + DAY) == {}, "what can raise nobody's rights is not asked"

    def test_a_need_is_refused_without_right_words_or_a_role_in_force_and_said_anew_keeps_the_old_one(self, cast):
        account, _ = self.official(cast)
        grant = account.grants.get()
        for name in ("olga", "henry", "audrey"):
            with pytest.raises(NotAllowed):
                state_need(scope=cast.scope(name), grant=grant, need="Why not", at=NOON)
        carol = cast.scope("carol")
        for need, code in (("  ", ""), ("x" * 301, ""), ("her password is Winter2026!", "secret")):
            with pytest.raises(AccountRefused) as refused:
                state_need(scope=carol, grant=grant, need=need, at=NOON)
            assert refused.value.field == "need"
            assert refused.value.code == code or not code
        first = state_need(scope=carol, grant=grant, need=" Approves all ", at=NOON)
        assert state_need(scope=carol, grant=grant, need="Approves all", at=NOON) == first
        second = state_need(scope=cast.scope("alice"), grant=grant, need="Backup of Ruth", at=NOON)
        first.refresh_from_db()
        assert (first.voided_at, second.recorded_by) == (NOON, cast.alice.email)
        account.grants.update(valid_to=TODAY)
        with pytest.raises(AccountRefused, match="has ended"):
            state_need(scope=carol, grant=grant, need="For later", at=NOON + DAY)
        assert RoleNeed.objects.known().get() == second
