"""Who will be told, who else there is, and what if somebody left today: on pages, within everybody's rights."""

import html as html_lib
import re
from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.signals import post_init
from django.test.utils import CaptureQueriesContext

from accounts.models import Deadline, Finding, RoleGrant
from accounts.services.obligations import Owed, add_obligation
from accounts.services.rules.sweep import check_rules
from reminders.models import Reminder
from reminders.services.tick import run_tick
from staff.models import Employment, Person
from staff.services.deputies import name_deputy
from systems.models import SystemRole
from tests import factories
from tests.accounts.holding import held as holding
from tests.conftest import NOON, TODAY
from tests.reminders.making import administrator, started
from tests.web.holdings import address, crowd, held
from web.others import SHOWN, others
from web.quits import _summary

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
PART = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


def words(response):
    """Return what a page says, without its tags."""
    assert response.status_code == 200
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return " ".join(html_lib.unescape(text).split())


def official(cast, person, **more):
    role = SystemRole.objects.get(system__slug="iqies", slug="provider-security-official")
    return holding(cast, "iqies", person=person, roles=[role], last_login=TODAY, **more)


def part_of(deadline):
    return address("deadline-why", deadline.pk)


# Who will be told


def test_the_why_of_a_date_names_the_coming_days_and_who_hears(client, cast):
    started(cast)
    administrator(cast, "fay", cast.oak)
    account = held(cast, "henry", ago=53)
    deadline = account.deadlines.get(kind="inactivity")
    client.force_login(cast.alice)
    part = client.get(part_of(deadline), headers=PART)
    said = words(part)
    assert "Tue 24 Nov" not in said, "only days with a step"
    assert "Fri 20 Nov 2026 (today): Henry Test" in said
    assert "Sun 22 Nov 2026 (in two days): Henry Test and Fay Test (administrator)" in said
    assert "Alice Test (administrator)" in said
    assert b"<html" not in part.content
    assert said.split("Who else")[0].strip() in words(client.get(part_of(deadline))), "also without a script"
    assert "Sun 22 Nov 2026 (in two days): Henry Test and Fay Test (administrator)" in words(
        client.get(address("account", account.pk))
    )


def test_before_reminders_are_started_nobody_is_named(client, cast):
    account = held(cast, ago=53)
    client.force_login(cast.carol)
    deadline = account.deadlines.get(kind="inactivity")
    assert "Nobody: reminders have not been started." in words(client.get(part_of(deadline), headers=PART))
    assert "Nobody: reminders have not been started." in words(client.get(address("account", account.pk)))


def test_of_a_quiet_date_nobody_hears(client, cast):
    started(cast)
    account = held(cast, ago=53)
    Deadline.objects.update(muted=True)
    client.force_login(cast.alice)
    said = words(client.get(part_of(account.deadlines.get(kind="inactivity")), headers=PART))
    assert "Nobody: the system has closed there" in said


def test_rows_of_today_and_of_findings_lead_to_it(client, cast):
    started(cast)
    official(cast, "carol")
    account = held(cast, "olga", facility=cast.elm, ago=53)
    check_rules(at=NOON, since=None, full=True)
    client.force_login(cast.alice)
    today = client.get(address("today")).content.decode()
    assert f'hx-get="{part_of(account.deadlines.get(kind="inactivity"))}"' in today
    one = Finding.objects.get(kind="one-official", facility=cast.oak)
    page = client.get(address("findings")).content.decode()
    assert f'hx-get="{address("finding-why", one.pk)}"' in page
    assert f'<a href="{address("person-quits", cast.people["carol"].pk)}">If Carol Test left today</a>' in page
    assert "Fri 20 Nov 2026 (today): Alice Test (administrator)" in words(
        client.get(address("finding-why", one.pk), headers=PART)
    )
    assert "is the only Security Official" in words(client.get(address("finding-why", one.pk)))


def test_the_why_of_a_duty_says_what_clears_it_and_who_hears(client, cast):
    started(cast)
    fay = administrator(cast, "fay", cast.oak)
    owed = Owed("other", title="Send the plan", due_on=TODAY + timedelta(days=7))
    obligation = add_obligation(scope=cast.scope("alice"), facility=cast.oak, owed=owed, at=NOON)
    url = address("deadline-why", Deadline.objects.get(obligation=obligation).pk)
    client.force_login(cast.carol)
    assert f'hx-get="{url}"' in client.get(address("today")).content.decode()
    said = words(client.get(url, headers=PART))
    assert "What clears it The note on the facility’s page that it is done." in said
    assert "Fri 20 Nov 2026 (today): an administrator of Oak House" in said
    assert str(fay) not in said
    client.force_login(cast.olga)
    assert client.get(url, headers=PART).status_code == 404


def test_a_holder_reads_of_administrators_by_role_and_a_coordinator_names_of_her_own_facility(client, cast):
    started(cast)
    factories.EmploymentFactory(facility=cast.oak, person=administrator(cast, "fay", cast.oak))
    for name in ("gus", "hal"):
        administrator(cast, name, cast.elm)
    held(cast, "henry", ago=53)
    account = held(cast, "henry", facility=cast.elm, ago=53)
    url = part_of(account.deadlines.get(kind="inactivity"))
    client.force_login(cast.henry)
    said = words(client.get(url, headers=PART))
    assert "an administrator of Oak House" in said
    assert "two administrators of Elm House" in said
    assert "an administrator of the organization" in said
    assert not any(name in said for name in ("Fay", "Gus", "Hal ", "Alice"))
    client.force_login(cast.carol)
    said = words(client.get(url, headers=PART))
    assert "Fay Test (administrator)" in said
    assert "two administrators of Elm House" in said
    assert not any(name in said for name in ("Gus", "Hal ", "Alice"))
    client.force_login(cast.alice)
    assert "Gus Test (administrator)" in words(client.get(url, headers=PART))


def test_who_was_told_is_called_as_who_will_be(client, cast):
    started(cast)
    administrator(cast, "fay", cast.oak)
    for name in ("gus", "hal"):
        administrator(cast, name, cast.elm)
    held(cast, "henry", ago=57)
    account = held(cast, "henry", facility=cast.elm, ago=57)
    run_tick(at=NOON)
    deadline = account.deadlines.get(kind="inactivity")
    sent = Reminder.objects.filter(deadline=deadline, digest__sent_at__isnull=False)
    heard = set(sent.values_list("recipient__first_name", flat=True))
    assert heard >= {"Henry", "Fay", "Gus", "Hal"}
    names = ("Fay", "Gus", "Hal ", "Alice")
    client.force_login(cast.henry)
    for url in (address("today"), address("account", account.pk)):
        said = words(client.get(url)).partition("Who was told")[2]
        assert "Henry Test, Fri 20 Nov 2026" in said
        assert "an administrator of Oak House, Fri 20 Nov 2026" in said
        assert "two administrators of Elm House, Fri 20 Nov 2026" in said
        assert not any(name in words(client.get(url)) for name in names), url
    assert "Mail to an administrator of Oak House" in words(client.get(address("account", account.pk)))
    client.force_login(cast.alice)
    said = words(client.get(address("account", account.pk)))
    assert "Gus Test (administrator), Fri 20 Nov 2026" in said
    assert "Mail to Fay Test (administrator)" in said


def test_how_far_a_day_is_counts_from_the_day_of_its_zone(client, cast, time_machine):
    started(cast)
    account = held(cast, "henry", ago=53)
    deadline = account.deadlines.get(kind="inactivity")
    Deadline.objects.filter(pk=deadline.pk).update(zone="Pacific/Honolulu")
    time_machine.move_to(NOON.replace(day=21, hour=7), tick=False)  # Saturday in the east, Friday on Hawaii
    client.force_login(cast.alice)
    assert "Sun 22 Nov 2026 (in two days): Henry Test" in words(client.get(part_of(deadline), headers=PART))


# Who else


def test_the_account_says_who_else_holds_the_system_there(client, cast):
    mine = held(cast, "carol", ago=5)
    client.force_login(cast.carol)
    assert "Who else at Oak House Nobody else." in words(client.get(address("account", mine.pk)))
    other = held(cast, "henry", ago=58)
    held(cast, "olga", facility=cast.elm, ago=5)
    page = client.get(address("account", mine.pk))
    assert f'<a href="{address("account", other.pk)}">Henry Test</a>' in page.content.decode()
    assert "Who else at Oak House Henry Test Soon" in words(page)
    assert "Olga Test" not in words(page)


def test_of_many_the_first_are_named_and_the_list_has_the_rest(client, cast, django_assert_num_queries):
    mine = held(cast, "carol", ago=5)
    url = address("account", mine.pk)
    client.force_login(cast.carol)
    crowd(cast, 2)
    client.get(url)
    with CaptureQueriesContext(connection) as few:
        client.get(url)
    crowd(cast, 9)
    with django_assert_num_queries(len(few)):
        page = client.get(url)
    assert "All 12 accounts there" in words(page)
    assert f"?system=iqies&amp;facility={cast.oak.pk}" in page.content.decode()


def test_people_are_read_only_of_the_accounts_that_are_shown(cast):
    account = held(cast, "carol", ago=5)
    crowd(cast, SHOWN + 3)
    place = (cast.oak.pk, account.system_id)
    scope, carol = cast.scope("alice"), cast.people["carol"]
    read = []

    def count(**made):
        read.append(made["instance"])

    post_init.connect(count, sender=Person)
    try:
        found = others(scope, carol, [place], TODAY)[place]
    finally:
        post_init.disconnect(count, sender=Person)
    assert [each.name.split()[-1] for each in found.people] == [f"{number:03d}" for number in range(SHOWN)]
    assert (len(read), found.all) == (SHOWN, SHOWN + 4)


def test_a_holder_hears_how_many_others_there_are_but_not_who(client, cast):
    mine = held(cast, "henry", ago=5)
    held(cast, "carol", ago=5)
    client.force_login(cast.henry)
    said = words(client.get(address("account", mine.pk)))
    assert "Who else at Oak House One other person" in said
    assert "Carol" not in said


# If somebody left today


def test_the_page_says_what_would_be_missing_who_covers_it_and_what_to_do_first(client, cast):
    official(cast, "carol")
    official(cast, "henry")
    name_deputy(
        scope=cast.scope("alice"), person=cast.people["henry"], deputy=cast.people["carol"], since=TODAY, at=NOON
    )
    client.force_login(cast.alice)
    person = client.get(address("person", cast.people["carol"].pk)).content.decode()
    assert address("person-quits", cast.people["carol"].pk) in person
    page = client.get(address("person-quits", cast.people["carol"].pk))
    said = words(page)
    assert "If Carol Test left today" in said
    assert "One account would have to be removed" in said
    assert "Henry Test is the only Security Official of Oak House on iQIES" in said
    assert "MDS 3.0 assessments: Henry Test could still submit it." in said
    assert "Nobody would stand in for Henry Test." in said
    (there,) = page.context["page"].places
    assert all(row["links"] for row in there.rows)
    assert not Finding.objects.exists(), "it only foretells"


def test_of_somebody_who_left_the_open_accounts_are_told_though_no_role_is_left(client, cast):
    held(cast, "carol", ago=5)
    RoleGrant.objects.update(valid_to=TODAY - timedelta(days=2))
    Employment.objects.filter(person=cast.people["carol"]).update(valid_to=TODAY - timedelta(days=2))
    client.force_login(cast.alice)
    page = client.get(address("person-quits", cast.people["carol"].pk))
    said = words(page)
    assert "Carol Test left on Wed 18 Nov 2026" in said
    assert "One account has to be removed; nothing would be wrong" in said
    assert [each["system"] for each in page.context["page"].elsewhere] == ["iQIES"]
    client.force_login(cast.henry)
    own = words(client.get(address("person-quits", cast.people["henry"].pk)))
    assert "Nothing would be wrong that is not wrong now." in own


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0, 1), "One thing that is wrong now would be graver."),
        ((0, 2, 1), "Two things would be wrong that are not wrong now, and one would be graver."),
        (
            (1, 1, 2),
            "One account would have to be removed, one thing would be wrong that is not wrong now, "
            "and two would be graver.",
        ),
        ((1, 0, 0), "One account would have to be removed; nothing would be wrong that is not wrong now."),
    ],
)
def test_what_is_wrong_already_is_not_counted_as_new(counts, said):
    assert _summary(*counts, has_left=False) == said


def test_a_coordinator_reads_of_her_own_facility_only(client, cast):
    factories.EmploymentFactory(facility=cast.elm, person=cast.people["carol"])
    official(cast, "carol")
    official(cast, "carol", facility="elm")
    official(cast, "olga", facility="elm")
    client.force_login(cast.olga)
    said = words(client.get(address("person-quits", cast.people["carol"].pk)))
    assert "Olga Test is the only Security Official of Elm House" in said
    assert "Oak House" not in said
    client.force_login(cast.alice)
    both = client.get(address("person-quits", cast.people["carol"].pk)).context["page"].places
    assert {there.facility.name for there in both} == {"Oak House", "Elm House"}


def test_a_holder_reads_her_own_page_without_the_names_of_others(client, cast):
    official(cast, "henry")
    official(cast, "carol")
    client.force_login(cast.henry)
    said = words(client.get(address("person-quits", cast.people["henry"].pk)))
    assert "Oak House: Only one Security Official." in said
    assert "One other person could still submit it." in said or "one other person could still submit it." in said
    assert "Carol" not in said
    assert client.get(address("person-quits", cast.people["carol"].pk)).status_code == 404


def test_the_page_costs_the_same_for_one_account_and_for_many(client, cast, django_assert_num_queries):
    official(cast, "carol")
    held(cast, "henry")
    client.force_login(cast.alice)
    url = address("person-quits", cast.people["carol"].pk)
    client.get(url)
    with django_assert_num_queries(49) as few:
        assert client.get(url).status_code == 200
    for _ in range(3):
        place = factories.FacilityFactory(organization=cast.riverside)
        factories.EmploymentFactory(facility=place, person=cast.people["carol"])
        crowd(cast, 3, facility=place)
        for slug in ("iqies", "casper", "qies"):
            held(cast, "carol", slug, ago=5, facility=place)
    with django_assert_num_queries(len(few)):
        client.get(url)
