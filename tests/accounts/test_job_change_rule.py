"""Another job at the same facility: roles from before are asked about until somebody looked at them."""

import json
from datetime import date, timedelta

import pytest

from accounts.errors import AccountRefused
from accounts.models import AccessLook, Finding
from accounts.policy.people import JobChange, Time, job_change
from accounts.services.checks import review_job_change
from accounts.services.rules.sweep import check_rules
from audit.models import AuditEvent
from facilities.access import NotAllowed
from staff.services.people import employ_person, end_employment
from tests.accounts.holding import held
from tests.accounts.rules import found
from tests.conftest import NOON, TODAY

db = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)
OAK, ELM = 1, 2
YEAR = date(2025, 1, 1)


def times(*titles, facility=OAK, until=None):
    """Return one time a year, each with its title; the last one ends on ``until``."""
    starts = [date(2020 + year, 1, 1) for year in range(len(titles))]
    ends = [start - DAY for start in starts[1:]] + [until]
    return [Time(facility, *known) for known in zip(starts, ends, titles, strict=True)]


@pytest.mark.parametrize(
    ("known", "changed"),
    [
        (times("Nurse", "MDS coordinator"), JobChange(date(2021, 1, 1), "Nurse", "MDS coordinator")),
        (times("Nurse", " nurse "), None),
        (times("Nurse", ""), None),
        (times("Nurse", "", "Cook"), JobChange(date(2022, 1, 1), "Nurse", "Cook")),
        (times("Nurse", "Cook", "Cook"), JobChange(date(2021, 1, 1), "Nurse", "Cook")),
        (times("Nurse", "Cook", until=date(2024, 12, 31)), None),
        ([*times("Nurse"), *times("Cook", facility=ELM)], None),
        (times("Nurse"), None),
    ],
)
def test_a_job_has_changed_where_titles_say_so_and_somebody_still_works_there(known, changed):
    assert job_change(known, OAK, YEAR) == changed


def test_a_job_that_begins_tomorrow_has_not_changed_today():
    known = [Time(OAK, date(2020, 1, 1), YEAR, "Nurse"), Time(OAK, YEAR + DAY, None, "Cook")]
    assert job_change(known, OAK, YEAR) is None
    assert job_change(known, OAK, YEAR + DAY) == JobChange(YEAR + DAY, "Nurse", "Cook")


def test_two_jobs_that_begin_on_one_day_are_no_change_whichever_is_read_first():
    both = [Time(OAK, date(2020, 1, 1), None, "Nurse"), Time(OAK, date(2020, 1, 1), None, "Cook")]
    later = [*both, Time(OAK, date(2022, 1, 1), None, "Director")]
    assert job_change(both, OAK, YEAR) is job_change(both[::-1], OAK, YEAR) is None
    assert job_change(later, OAK, YEAR) == job_change(later[::-1], OAK, YEAR)
    assert job_change(later, OAK, YEAR).changed_on == date(2022, 1, 1)


def another_job(cast, title="Director", name="henry", last_day_on=TODAY - DAY):
    """End the job that somebody has and let the next one begin on the day after."""
    employment = cast.people[name].employments.get(valid_to=None, voided_at=None)
    end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=last_day_on, at=NOON)
    employ_person(
        scope=cast.scope("alice"), person=cast.people[name], facility=employment.facility, job_title=title,
        starts_on=last_day_on + DAY, at=NOON,
    )  # fmt: skip


def look(cast, who="carol", facility=None, name="henry", at=NOON):
    return review_job_change(scope=cast.scope(who), person=cast.people[name], facility=facility or cast.oak, at=at)


@pytest.fixture
def key(cast):
    return f"person:{cast.people['henry'].pk}/facility:{cast.oak.pk}"


class TestFindings:
    pytestmark = db

    def test_roles_from_before_are_asked_about_until_somebody_looked(self, cast, key):
        held(cast, "qies", person="henry", last_login=TODAY)
        another_job(cast)
        finding = found("job-change")[key]
        facts = json.loads(finding.facts)
        assert (finding.severity, facts["was"], facts["now"]) == ("medium", "MDS coordinator", "Director")
        assert (facts["place"], facts["systems"]) == ("Oak House", ["qies"])
        look(cast)
        assert check_rules(at=NOON, since=NOON, full=False).closed == 1
        assert check_rules(at=NOON, since=NOON, full=True).differences == 0
        another_job(cast, "Cook", last_day_on=TODAY)
        assert key in found("job-change", NOON + DAY), "the look was at the job before"

    def test_roles_given_for_the_new_job_and_the_same_job_again_are_not_asked_about(self, cast, key):
        another_job(cast)
        account = held(cast, "qies", person="henry", opened_on=TODAY, last_login=TODAY)
        another_job(cast, name="carol", title="MDS Coordinator")
        held(cast, "qies", person="carol", last_login=TODAY)
        assert found("job-change") == {}
        account.grants.update(valid_from=TODAY - DAY)
        assert list(found("job-change")) == [key]
        account.grants.update(valid_to=TODAY)
        assert found("job-change", NOON + DAY) == {}

    def test_days_alone_bring_it_and_make_it_worse_after_thirty(self, cast):
        held(cast, "qies", person="henry", last_login=TODAY)
        another_job(cast, last_day_on=TODAY)
        check_rules(at=NOON, since=None, full=True)
        seen, last = {}, NOON
        for days in (1, 31, 32):
            at = NOON + days * DAY
            check_rules(at=at, since=last, full=False)
            seen[days] = [finding.severity for finding in Finding.objects.open().filter(kind="job-change")]
            last = at
        assert seen == {1: ["medium"], 31: ["medium"], 32: ["high"]}
        assert check_rules(at=last, since=last, full=True).differences == 0

    def test_a_look_is_recorded_once_by_somebody_else_who_may(self, cast):
        another_job(cast)
        another_job(cast, name="carol")
        for who in ("olga", "audrey", "henry"):
            with pytest.raises(NotAllowed):
                look(cast, who)
        with pytest.raises(NotAllowed, match="Somebody else"):
            look(cast, "carol", name="carol")
        with pytest.raises(AccountRefused, match="does not work at Elm House"):
            look(cast, "alice", facility=cast.elm)
        assert not AccessLook.objects.exists()
        assert look(cast) == look(cast, "alice")
        assert AuditEvent.objects.filter(action="access.looked-at").count() == 1
