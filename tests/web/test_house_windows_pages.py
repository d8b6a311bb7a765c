"""Days between logins on pages: what holds, what a change would do before it is done, and consent by a button."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Deadline, HouseWindow
from accounts.services.house_windows import Wanted, set_window
from audit.models import AuditEvent
from facilities.models import Organization
from reminders.models import Reminder
from reminders.services.plan import plan_due
from systems.models import System
from systems.policy import EASTERN, day_in
from tests.accounts.holding import held

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
OWN = {"wanted": "own", "flag_days": "45", "mark": ""}


def ago(days):
    return day_in(timezone.now(), EASTERN) - timedelta(days=days)


def address(system="iqies"):
    return reverse("web:house-window", args=["riverside", system])


def stored():
    return HouseWindow.objects.count(), AuditEvent.objects.count(), list(Deadline.objects.order_by("pk").values())


@pytest.fixture
def riverside(client, cast):
    """Riverside with one account idle for 10 days and one for 50, seen by its administrator."""
    held(cast, last_login=ago(10))
    held(cast, last_login=ago(50), person="henry")
    client.force_login(cast.alice)
    return cast


def begin(cast):
    Organization.objects.filter(pk=cast.riverside.pk).update(reminders_started_at=timezone.now() - timedelta(days=1))


def words(answer):
    return " ".join(answer.content.decode().split())


def test_looking_says_what_would_happen_and_writes_nothing(client, riverside):
    begin(riverside)
    before = stored()
    answer = client.post(address(), OWN)
    looked = answer.context["looked"]
    assert (looked.moves, looked.overdue, looked.begun) == (2, 1, True)
    # Henry, and his administrator: the day is over. Carol's is far away.
    assert {(person.first_name, count) for person, count in looked.people} == {("Henry", 1), ("Alice", 1)}
    assert "Two dates move." in words(answer)
    assert "One account is too late as of today by your rule." in words(answer)
    assert stored() == before


def test_who_was_said_to_get_mail_is_who_gets_it(client, riverside):
    begin(riverside)
    plan_due(at=timezone.now())
    known = set(Reminder.objects.values_list("pk", flat=True))
    said = {person.pk for person, _ in client.post(address(), OWN).context["looked"].people}
    assert client.post(address(), OWN | {"consent": "yes"}).status_code == 302
    plan_due(at=timezone.now())
    new = Reminder.objects.exclude(pk__in=known).filter(state="planned")
    assert set(new.values_list("recipient", flat=True)) == said


def test_before_reminders_start_nobody_is_said_to_get_mail(client, riverside):
    assert "Reminders are not started, so nobody gets mail." in words(client.post(address(), OWN))


def test_consent_sets_it_and_the_list_tells_it_until_cms_s_limit_is_taken_back(client, riverside):
    done = client.post(address(), OWN | {"consent": "yes"}, follow=True)
    assert "iQIES: sign in at least every 45 days. Set on" in words(done)
    assert "By alice@example.org." in words(client.get(address()))
    window = HouseWindow.objects.get()
    mark = client.get(address()).context["form"]["mark"].value()
    assert mark == f"{window.pk}.1"
    client.post(address(), OWN | {"consent": "yes", "flag_days": "30"})
    assert HouseWindow.objects.get().flag_days == 45, "the page was read before somebody changed it"
    looked = client.post(address(), {"wanted": "usual", "mark": mark}).context["looked"]
    assert (looked.moves, looked.overdue, looked.relieved) == (2, 0, 1)
    client.post(address(), {"wanted": "usual", "mark": mark, "consent": "yes"})
    assert not HouseWindow.objects.exists()


def test_a_button_pressed_twice_sets_it_once(client, riverside):
    for _ in range(2):
        assert client.post(address(), OWN | {"consent": "yes"}).status_code == 302
    assert AuditEvent.objects.filter(action="house-window.set").count() == 1


def test_a_window_that_is_not_shorter_names_the_limit_and_its_source(client, riverside):
    answer = client.post(address(), OWN | {"flag_days": "60"})
    assert answer.context.get("looked") is None
    assert "CMS’s own limit for iQIES is 60 days (IQ-INACT-1," in words(answer)
    assert "at most 59 days." in words(answer)


def test_only_where_cms_publishes_nothing_dates_can_be_switched_off(client, riverside):
    assert "No dates for this system" not in words(client.get(address()))
    answer = client.post(address("harp"), {"wanted": "off", "mark": ""})
    assert answer.context["looked"].moves == 2  # whoever has an iQIES account signs in through one at HARP
    assert client.post(address(), {"wanted": "off", "mark": ""}).context["form"].errors["wanted"]


def test_an_unknown_system_is_not_there(client, riverside):
    assert client.get(address("no-such")).status_code == 404


def test_a_limit_of_cms_that_became_stricter_than_the_window_is_said_to_hold(client, riverside):
    system = System.objects.get(slug="iqies")
    HouseWindow.objects.create(organization=riverside.riverside, system=system, mention_days=50, flag_days=75)
    told = words(client.get(reverse("web:house-windows", args=["riverside"])))
    assert "Sign in at least every 75 days. CMS’s limit is stricter by now and holds." in told


def test_the_list_costs_the_same_however_many_windows_are_set(client, riverside):
    url = reverse("web:house-windows", args=["riverside"])
    client.get(url)

    def cost():
        with CaptureQueriesContext(connection) as asked:
            assert client.get(url).status_code == 200
        return len(asked)

    before = cost()
    for slug in ("iqies", "harp", "qies"):
        set_window(
            scope=riverside.scope("alice"), system=System.objects.get(slug=slug), wanted=Wanted.OWN, flag_days=20,
            mark="", at=timezone.now(),
        )  # fmt: skip
    assert cost() == before
