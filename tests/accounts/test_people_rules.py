"""Access that outlives the work, and user IDs of several people: found on the day, gone when put right."""

import json
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.finding_words import About, sentence
from accounts.models import PortalAccount
from accounts.policy.people import Time, gap_severity, id_passed_on, last_day, moved_on
from accounts.services.inventory import correct_account, remove_account
from accounts.services.rules.sweep import check_rules
from staff.services.people import employ_person, end_employment
from tests.accounts.holding import held
from tests.accounts.rules import found
from tests.conftest import NOON, TODAY

db = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def leave(cast, name="henry", last_day_on=TODAY, at=NOON):
    for employment in cast.people[name].employments.filter(valid_to=None, voided_at=None):
        end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=last_day_on, at=at)


def of(kind, at=NOON):
    return {key: (finding.severity, json.loads(finding.facts)) for key, finding in found(kind, at).items()}


class TestLeavers:
    pytestmark = db

    def test_the_gap_begins_on_the_day_after_and_is_worse_a_day_later(self, cast):
        account = held(cast, "qies", person="henry", last_login=TODAY)
        leave(cast)
        assert of("leaver-access") == {}, "on the last day it is due, no gap yet"
        roles = [{"role": "Individual user", "facility": cast.oak.pk, "place": "Oak House"}]
        facts = {"system": "qies", "left_on": TODAY.isoformat(), "roles": roles}
        assert of("leaver-access", NOON + DAY) == {f"account:{account.pk}": ("high", facts)}
        assert of("leaver-access", NOON + 2 * DAY) == {f"account:{account.pk}": ("critical", facts)}

    def test_the_sweep_notices_by_the_day_alone(self, cast):
        held(cast, "qies", person="henry", last_login=TODAY)
        leave(cast)
        check_rules(at=NOON, since=None, full=True)
        assert check_rules(at=NOON + DAY, since=NOON, full=False).opened == 1
        assert check_rules(at=NOON + DAY, since=NOON + DAY, full=False).opened == 0
        check_rules(at=NOON + 2 * DAY, since=NOON + DAY, full=False)
        assert of("leaver-access", NOON + 2 * DAY)
        assert check_rules(at=NOON + 3 * DAY, since=NOON + 2 * DAY, full=True).differences == 0

    def test_each_system_is_a_removal_of_its_own_and_the_identity_stays(self, cast):
        held(cast, "iqies", person="henry", last_login=TODAY)
        held(cast, "casper", person="henry", last_login=TODAY)
        leave(cast)
        systems = {facts["system"] for _, facts in of("leaver-access", NOON + DAY).values()}
        assert systems == {"iqies", "casper", "qies"}, "not HARP: the identity is the person's own"

    def test_a_removed_account_closes_it(self, cast):
        account = held(cast, "qies", person="henry", last_login=TODAY)
        leave(cast, last_day_on=TODAY - 3 * DAY)
        assert list(of("leaver-access")) == [f"account:{account.pk}"]
        remove_account(scope=cast.scope("alice"), account=account, removed_on=TODAY, at=NOON)
        check_rules(at=NOON, since=NOON, full=False)
        assert of("leaver-access") == {}

    def test_whoever_works_elsewhere_has_moved_and_not_left(self, cast):
        account = held(cast, "qies", person="henry", last_login=TODAY)
        leave(cast, last_day_on=TODAY - 3 * DAY)
        employ_person(
            scope=cast.scope("alice"), person=cast.people["henry"], facility=cast.elm, job_title="",
            starts_on=TODAY - DAY, at=NOON,
        )  # fmt: skip
        assert of("leaver-access") == {}
        key = f"account:{account.pk}/facility:{cast.oak.pk}"
        assert of("moved-access")[key][0] == "medium"
        assert of("moved-access", NOON + 40 * DAY)[key][0] == "high"

    def test_whoever_never_worked_there_has_not_moved_and_never_employed_has_not_left(self, cast):
        held(cast, "qies", person="olga", facility="oak", last_login=TODAY)  # works at Elm House, serves Oak House
        held(cast, "qies", person="alice", facility="oak", last_login=TODAY)  # no employment on record at all
        assert of("moved-access") == {}
        assert of("leaver-access") == {}


def test_what_somebody_who_left_still_has_is_said_with_roles_and_places():
    roles = [{"role": role, "place": "Oak House"} for role in ("Viewer", "Submitter", "Official", "Administrator")]
    about = About(person="Henry Test", system="iQIES", on=TODAY)

    def said(some):
        return sentence("leaver-access", {"left_on": "2026-11-14", "roles": some}, about)

    start = "Henry Test left on Sat 14 Nov 2026 and still has iQIES"
    assert said(roles[:1]) == f"{start} (Viewer at Oak House): have it removed."
    assert "(Viewer at Oak House, Submitter at Oak House, Official at Oak House and one more)" in said(roles)
    assert said([]) == f"{start}: have it removed."


class TestUserIds:
    pytestmark = db

    def test_one_id_of_two_people_is_found_for_both_whatever_its_case(self, cast):
        one = held(cast, "qies", person="henry", user_id="SHARED1", last_login=TODAY)
        two = held(cast, "qies", person="olga", facility="elm", user_id="shared1", last_login=TODAY)
        answer = of("shared-id")
        assert answer[f"account:{one.pk}"] == ("critical", {"system": "qies", "people": [cast.people["olga"].pk]})
        assert answer[f"account:{two.pk}"][1]["people"] == [cast.people["henry"].pk]

    def test_blanks_in_an_id_make_it_no_other(self, cast):
        held(cast, "qies", person="henry", user_id="SHA RED 1", last_login=TODAY)
        held(cast, "qies", person="olga", facility="elm", user_id="shared1", last_login=TODAY)
        held(cast, "qies", person="carol", user_id="SHARED 2", last_login=TODAY)
        assert {facts["people"][0] for _, facts in of("shared-id").values()} == {
            cast.people["henry"].pk,
            cast.people["olga"].pk,
        }

    def test_putting_one_right_closes_both_also_at_another_facility(self, cast):
        held(cast, "qies", person="henry", user_id="SHARED1", last_login=TODAY)
        two = held(cast, "qies", person="olga", facility="elm", user_id="SHARED1", last_login=TODAY)
        assert len(of("shared-id")) == 2
        correct_account(
            scope=cast.scope("alice"), account=two, version=two.version, user_id="OWN2", password_changed_on=None,
            note="", at=NOON,
        )  # fmt: skip
        check_rules(at=NOON, since=NOON, full=False)
        assert check_rules(at=NOON, since=NOON, full=True).differences == 0
        assert of("shared-id") == {}

    def test_the_same_id_on_another_system_or_of_another_tenant_is_no_matter(self, cast):
        held(cast, "qies", person="henry", user_id="SAME", last_login=TODAY)
        held(cast, "cmsnet", person="olga", facility="elm", user_id="SAME", last_login=TODAY)
        PortalAccount.objects.create(
            organization=cast.hilltop, person=cast.people["mallory"], user_id="SAME", opened_on=TODAY,
            system=PortalAccount.objects.filter(system__slug="qies")[0].system,
        )  # fmt: skip
        assert of("shared-id") == {}

    def test_an_id_passed_on_within_three_years_is_found_and_later_not(self, cast):
        first = held(cast, "qies", person="henry", user_id="AGAIN", last_login=TODAY - 9 * DAY)
        remove_account(scope=cast.scope("alice"), account=first, removed_on=TODAY - 5 * DAY, at=NOON)
        second = held(cast, "qies", person="olga", facility="elm", user_id="again", opened_on=TODAY, last_login=TODAY)
        severity, facts = of("id-reuse")[f"account:{second.pk}"]
        assert (severity, facts["people"], facts["years"]) == ("high", [cast.people["henry"].pk], 3)
        PortalAccount.objects.filter(pk=first.pk).update(opened_on=date(2019, 1, 1), removed_on=date(2023, 11, 20))
        assert of("id-reuse") == {}


@pytest.mark.parametrize(
    ("opened_on", "ended_on", "passed"),
    [
        (date(2026, 11, 19), date(2023, 11, 20), True),
        (date(2026, 11, 20), date(2023, 11, 20), False),
        (date(2027, 2, 27), date(2024, 2, 29), True),
        (date(2027, 2, 28), date(2024, 2, 29), False),
        (date(2020, 1, 1), date(2024, 2, 29), False),
    ],
)
def test_three_years_are_counted_by_the_calendar(opened_on, ended_on, passed):
    assert id_passed_on(opened_on, ended_on, 3) is passed


def test_a_gap_of_one_day_is_high_and_of_two_critical():
    assert [gap_severity(TODAY, TODAY + days * DAY) for days in (1, 2, 30)] == ["high", "critical", "critical"]


days = st.dates(date(2026, 1, 1), date(2026, 3, 1))
times = st.lists(
    st.builds(
        lambda facility, since, length: Time(facility, since, since + length * DAY if length is not None else None),
        st.integers(1, 3),
        days,
        st.none() | st.integers(0, 40),
    ),
    max_size=5,
)


@given(times, days)
def test_nobody_is_a_leaver_and_at_work_at_once(known, on):
    works = any(time.since <= on and (time.until is None or time.until >= on) for time in known)
    comes = any(time.since > on for time in known)
    left = last_day(known, on)
    assert (left is not None) == (bool(known) and not works and not comes)
    if left:
        assert left < on
        assert left == max(time.until for time in known)


@given(times, days, st.integers(1, 3))
def test_a_mover_works_elsewhere_and_once_worked_there(known, on, facility):
    moved = moved_on(known, facility, on)
    if moved is not None:
        assert moved < on
        assert last_day(known, on) is None
        assert any(time.facility != facility and time.since <= on for time in known)
