"""Today tells each member what waits for her, soonest first, and nothing of anybody else's."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse

from accounts.models import AccessRequest, HouseWindow
from accounts.services.figures import keep_figures
from accounts.services.inventory import regain_account, report_loss
from accounts.services.logins import record_login, refresh_clocks
from accounts.services.places import keep_in_use
from accounts.services.requests.gone import draft_reactivation
from accounts.services.rules.sweep import check_rules
from facilities.models import Membership
from staff.services.absences import record_absence
from staff.services.people import end_employment
from systems.models import System
from tests.conftest import NOON, TODAY
from tests.web.holdings import address, crowd, held
from web.agenda import SHOWN

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
TODAY_PAGE = "/o/riverside/"
QUERIES = (
    43  # three for what stands beside the list, eleven for the requests that wait, came back or are not sent yet,
    # one for whose asker left, one for the member's own accounts that no longer work
)


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def page(client, user, path=TODAY_PAGE):
    client.force_login(user)
    answer = client.get(path)
    assert answer.status_code == 200
    return answer


def titles(answer):
    return [section["title"] for section in answer.context["sections"]]


def sentences(answer, slug):
    return [row["sentence"] for s in answer.context["sections"] if s["slug"] == slug for row in s["rows"]]


def test_a_login_of_this_week_is_a_sentence_with_one_button_and_the_reason(client, cast):
    held(cast, ago=57)
    answer = page(client, cast.carol)
    assert titles(answer) == ["This week"]
    assert sentences(answer, "week") == ["Sign in to iQIES by Mon 23 Nov (in three days): last seen 57 days ago."]
    html = answer.content.decode()
    assert "One login is due this week; nothing is late." in html
    assert "I signed in today" in html
    assert "Another day" in html
    assert "IQ-INACT-1" in html  # the fact behind the rule
    assert "typed for somebody else" in html  # what the date rests on
    assert "by Mon 23 Nov, 11 p.m. in Chicago" in html


def test_sections_appear_only_when_something_is_in_them_and_in_order(client, cast):
    held(cast, slug="iqies", ago=75)  # past its last safe day, and not signed in since
    late = held(cast, slug="casper", ago=66)
    record_login(scope=cast.scope("carol"), account=late, happened_on=TODAY, at=NOON)
    held(cast, slug="idm", ago=57)
    held(cast, slug="cmsnet", ago="unknown")
    held(cast, slug="qies", ago=45)
    answer = page(client, cast.carol)
    assert titles(answer) == ["Late", "Check your roles", "This week", "Later", "Unknown logins"]
    assert sentences(answer, "check") == [
        "Check your CASPER roles: you signed in on Fri 20 Nov, after the last safe day (Sat 14 Nov)."
    ]
    assert sentences(answer, "late")[0].startswith("Your iQIES roles are presumed revoked")


def test_who_lost_her_roles_reads_what_happened_and_the_way_back_until_they_are_back(client, cast):
    lost = held(cast, ago=75)
    report_loss(scope=cast.scope("alice"), account=lost, loss="roles_revoked", lost_on=TODAY, at=NOON)
    assert "lost" not in [section["slug"] for section in page(client, cast.alice).context["sections"]]
    answer = page(client, cast.carol)
    [row] = next(section["rows"] for section in answer.context["sections"] if section["slug"] == "lost")
    assert row["sentence"] == "Your iQIES roles were revoked: told here on Fri 20 Nov."
    assert answer.context["sentence"].endswith("One account of yours no longer works.")
    [way] = row["links"]
    assert client.get(way["url"], follow=True).status_code == 200
    draft_reactivation(scope=cast.scope("carol"), account=lost, at=NOON)
    answer = page(client, cast.carol)
    firsts = {section["title"]: section["rows"][0]["links"][0] for section in answer.context["sections"][:2]}
    way = reverse("web:request", args=["riverside", AccessRequest.objects.get().pk])
    assert firsts == {
        "No longer working": {"label": "See the request", "url": way},
        "Your drafts, not sent yet": {"label": "Look and send", "url": way},
    }
    assert "One draft of yours waits to be sent." in answer.context["sentence"]
    regain_account(scope=cast.scope("alice"), account=lost, regained_on=TODAY, at=NOON)
    assert "No longer working" not in titles(page(client, cast.carol))


def test_nobody_is_asked_for_a_login_to_a_system_that_has_closed_for_the_facility(client, cast):
    held(cast, slug="cmsnet", ago="unknown")
    assert titles(page(client, cast.carol)) == ["Unknown logins"]
    check_rules(at=NOON, since=None, full=True)
    assert titles(page(client, cast.carol)) == []
    cmsnet = System.objects.get(slug="cmsnet")
    keep_in_use(scope=cast.scope("alice"), facility=cast.oak, system=cmsnet, reason="Old reports are read", at=NOON)
    check_rules(at=NOON, since=NOON, full=False)
    assert titles(page(client, cast.carol)) == ["Unknown logins"]


def test_what_is_far_away_is_not_shown_but_the_next_date_is(client, cast):
    held(cast, ago=10)
    answer = page(client, cast.carol)
    assert titles(answer) == []
    assert "Nothing is late and nothing is due soon." in answer.content.decode()
    assert "The next date is Sat 9 Jan 2027 (in 50 days)." in answer.content.decode()


def test_a_coordinator_is_told_whom_to_remind_never_to_sign_in_herself(client, cast):
    held(cast, "henry", ago=57)
    mine = page(client, cast.henry)
    assert sentences(mine, "week")[0].startswith("Sign in to iQIES by")
    hers = page(client, cast.carol)
    assert sentences(hers, "week") == [
        "Remind Henry Test, or arrange cover: the iQIES roles are revoked after Mon 23 Nov (in three days)."
    ]
    assert "Henry signed in today" in hers.content.decode()
    assert "I signed in today" not in hers.content.decode()


def test_a_holder_sees_only_what_is_hers(client, cast):
    held(cast, "henry", ago=57)
    held(cast, "carol", ago=57)
    assert len(sentences(page(client, cast.henry), "week")) == 1
    assert len(sentences(page(client, cast.carol), "week")) == 2


def test_nothing_of_another_facility_or_tenant_is_shown(client, cast):
    held(cast, "carol", ago=57)
    assert sentences(page(client, cast.olga), "week") == []
    assert sentences(page(client, cast.mallory, "/o/hilltop/"), "week") == []
    client.force_login(cast.mallory)
    assert client.get(TODAY_PAGE).status_code == 404
    client.force_login(cast.nobody)
    assert client.get(TODAY_PAGE).status_code == 404


def test_an_auditor_reads_and_gets_no_button(client, cast):
    held(cast, ago=57)
    answer = page(client, cast.audrey)
    assert len(sentences(answer, "week")) == 1
    assert "signed in today" not in answer.content.decode()
    assert "Record several logins" not in answer.content.decode()


def test_a_leaver_is_not_to_be_reminded_but_the_account_is_to_be_removed(client, cast):
    held(cast, "henry", ago=57)
    employment = cast.people["henry"].employments.known().get()
    end_employment(scope=cast.scope("alice"), employment=employment, last_day_on=TODAY - timedelta(days=6), at=NOON)
    answer = page(client, cast.carol)
    assert sentences(answer, "week")[0].startswith("Henry Test left on Sat 14 Nov (six days ago)")
    assert "Henry signed in today" not in answer.content.decode()


def test_a_recorded_login_stays_struck_through_until_midnight_eastern(client, cast):
    account = held(cast, ago=57)
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON + timedelta(minutes=1))
    answer = page(client, cast.carol)
    assert sentences(answer, "done") == ["Sign in to iQIES"]
    assert "Signed in today, recorded. Next: by Tue 19 Jan 2027 (in 60 days)." in answer.content.decode()
    assert "Undo" in answer.content.decode()
    assert sentences(page(client, cast.alice), "done") == []  # recorded by somebody else
    late_evening, after_midnight = NOON + timedelta(hours=11, minutes=59), NOON + timedelta(hours=12)
    with time_machine.travel(late_evening, tick=False):
        assert sentences(page(client, cast.carol), "done")
    with time_machine.travel(after_midnight, tick=False):
        assert not sentences(page(client, cast.carol), "done")


def test_a_login_that_one_recorded_is_gone_with_the_right_to_read_it(client, cast):
    account = held(cast, "henry", ago=57)
    record_login(scope=cast.scope("carol"), account=account, happened_on=TODAY, at=NOON + timedelta(minutes=1))
    assert sentences(page(client, cast.carol), "done")
    Membership.objects.filter(user=cast.carol).update(facility=cast.elm)
    assert sentences(page(client, cast.carol), "done") == []


def test_a_house_window_says_whose_rule_it_is_and_is_never_late(client, cast):
    held(cast, slug="harp", ago=100)
    answer = page(client, cast.carol)
    assert titles(answer) == ["This week"]
    html = answer.content.decode()
    assert "CMS publishes no limit" in html
    assert "Presumed lapsed" not in html


def test_a_stricter_house_window_brings_a_login_forward(client, cast):
    account = held(cast, ago=30)
    assert titles(page(client, cast.carol)) == []
    HouseWindow.objects.create(
        organization=cast.riverside, system=System.objects.get(slug="iqies"), mention_days=20, flag_days=33
    )
    with transaction.atomic():
        refresh_clocks([account.pk], at=NOON)
    assert sentences(page(client, cast.carol), "week") == [
        "Sign in to iQIES by Mon 23 Nov (in three days): last seen 30 days ago."
    ]


def test_a_deletion_outshines_the_lapse_that_leads_to_it(client, cast):
    held(cast, slug="qies", ago=350)
    answer = page(client, cast.carol)
    rows = [row for section in answer.context["sections"] for row in section["rows"]]
    assert [row["sentence"] for row in rows] == [
        "Your QIES account is deleted after Sat 5 Dec (in 15 days): last seen 350 days ago."
    ]


def test_a_password_is_due_by_its_own_clock(client, cast):
    held(cast, slug="qies", ago=1, password_changed_on=TODAY - timedelta(days=56))
    answer = page(client, cast.carol)
    assert sentences(answer, "week") == [
        "Change your QIES password by Tue 24 Nov (in four days): last changed 56 days ago."
    ]


def test_long_sections_are_cut_but_never_before_the_members_own_row(client, cast):
    crowd(cast, SHOWN + 3, ago=58)
    held(cast, "alice", ago=55)  # later than everybody else's
    answer = page(client, cast.alice)
    section = answer.context["sections"][0]
    assert len(section["rows"]) == SHOWN + 1
    assert any(row["sentence"].startswith("Sign in to iQIES") for row in section["rows"])
    assert section["more_url"].endswith("?standing=soon")
    assert "More than eight logins are due this week" in answer.content.decode()
    keep_figures(at=NOON)
    assert "11 accounts are due this week; nothing is late." in page(client, cast.alice).content.decode()
    assert "More than seven logins are due this week" in page(client, cast.carol).content.decode(), "not of all of it"


def test_the_page_costs_the_same_with_two_accounts_and_with_thirty(client, cast, django_assert_num_queries):
    crowd(cast, 2)
    page(client, cast.alice)  # the session writes its own rows once
    with django_assert_num_queries(QUERIES):
        client.get(TODAY_PAGE)
    crowd(cast, SHOWN - 2)
    with django_assert_num_queries(QUERIES):
        client.get(TODAY_PAGE)
    crowd(cast, 30 - SHOWN)
    with django_assert_num_queries(QUERIES + 1):  # a section that is cut asks for the member's own rows as well
        client.get(TODAY_PAGE)


def test_who_leads_a_first_hour_is_shown_the_way_and_others_what_they_may_do(client, cast):
    shown = page(client, cast.alice).content.decode()
    assert "Getting started at Oak House</a>: two of five steps done; next: say who the Security Officials are" in shown
    assert "Reminders have not been started" not in shown
    for who, deed in ((cast.carol, True), (cast.henry, False), (cast.audrey, False)):
        shown = page(client, who).content.decode()
        assert "Getting started" not in shown
        assert (address("person-add") in shown) is deed


def test_a_page_of_today_stays_light(client, cast):
    crowd(cast, SHOWN + 2, ago=58)
    crowd(cast, SHOWN + 2, ago=75)
    crowd(cast, SHOWN + 2, ago="unknown")
    assert len(page(client, cast.alice).content) < 150_000


def test_today_never_changes_anything_and_takes_no_post(client, cast):
    client.force_login(cast.carol)
    assert client.post(TODAY_PAGE).status_code == 405
    assert client.head(address("today")).status_code == 200


def test_beside_the_list_stand_the_weeks_my_absence_and_where_it_burns(client, cast):
    held(cast, "carol", ago=70)
    record_absence(
        scope=cast.scope("alice"), person=cast.people["alice"], away_from_on=TODAY, away_to_on=TODAY, at=NOON
    )
    keep_figures(at=NOON)
    text = page(client, cast.alice).content.decode()
    assert "Where it burns" in text
    assert "One account is late" in text
    assert "Away from Fri 20 Nov 2026 to Fri 20 Nov 2026." in text
    assert reverse("web:forecast-beside", args=["riverside"]) in text
    mine = page(client, cast.carol).content.decode()
    assert "Where it burns" not in mine, "only who looks after many"
    assert "I will be away" in mine


def test_the_weeks_beside_today_say_what_their_page_says(client, cast):
    held(cast, "carol", ago=55)
    client.force_login(cast.carol)
    beside = client.get(reverse("web:forecast-beside", args=["riverside"]))
    whole = client.get(reverse("web:forecast", args=["riverside"]))
    assert beside.context["forecast"] == whole.context["forecast"]
    assert beside.context["forecast"].total >= 1
    client.force_login(cast.mallory)
    assert client.get(reverse("web:forecast-beside", args=["riverside"])).status_code == 404
