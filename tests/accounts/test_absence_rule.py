"""Leaves: recorded with history, by whoever may; what lapses meanwhile is found until it no longer does."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.models import Finding
from accounts.services.logins import record_login
from accounts.services.places import keep_in_use
from accounts.services.rules.sweep import check_rules
from audit.models import AuditEvent
from facilities.access import NotAllowed
from staff.models import Absence
from staff.services.absences import AbsenceRefused, end_absence, record_absence
from systems.models import System, SystemRole
from tests.accounts.holding import held
from tests.accounts.rules import found
from tests.conftest import NOON, TODAY
from tests.reminders.test_tick import ask

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def away(cast, until=None, since=TODAY, who="alice"):
    return record_absence(
        scope=cast.scope(who), person=cast.people["henry"], away_from_on=since, away_to_on=until, at=NOON
    )


def lapsing():
    return {key: json.loads(finding.facts)["lapses_on"] for key, finding in found("absence-lapse").items()}


def test_what_lapses_during_an_absence_is_found_and_what_lapses_after_it_is_not(cast):
    account = held(cast, "iqies", person="henry", last_login=TODAY - 50 * DAY)  # its last safe day is in ten days
    absence = away(cast)
    assert lapsing() == {f"account:{account.pk}": (TODAY + 10 * DAY).isoformat()}
    absence = end_absence(scope=cast.scope("alice"), absence=absence, last_day_on=TODAY + 9 * DAY, at=NOON)
    assert lapsing() == {}
    end_absence(scope=cast.scope("alice"), absence=absence, last_day_on=TODAY + 10 * DAY, at=NOON)
    assert len(lapsing()) == 1


def test_an_absence_that_has_not_begun_is_found_on_its_first_day_by_a_tick_alone(cast):
    held(cast, "iqies", person="henry", last_login=TODAY - 50 * DAY)
    away(cast, since=TODAY + DAY)
    ask(NOON)
    assert not Finding.objects.filter(kind="absence-lapse").exists()
    ask(NOON + DAY)
    assert Finding.objects.open().get(kind="absence-lapse").severity == "medium"


def test_a_login_told_late_takes_it_away(cast):
    viewer = SystemRole.objects.filter(system__slug="iqies", slug="provider-assessment-viewer")
    account = held(cast, "iqies", person="henry", last_login=TODAY - 50 * DAY, roles=list(viewer))
    away(cast, until=TODAY + 20 * DAY)
    assert len(lapsing()) == 1
    record_login(scope=cast.scope("alice"), account=account, happened_on=TODAY - DAY, at=NOON)
    check_rules(at=NOON, since=NOON, full=False)
    open_ones = Finding.objects.open().filter(kind="absence-lapse")
    assert not open_ones.exists(), "the login itself has to list the facility"
    assert check_rules(at=NOON, since=NOON, full=True).differences == 0


def test_neither_a_window_of_our_own_nor_a_closed_system_takes_anything_away(cast):
    for system, days in (("harp", 85), ("qies", 50)):
        held(cast, system, person="henry", last_login=TODAY - days * DAY)
    away(cast)
    ask(NOON)
    henrys = Finding.objects.filter(account__person=cast.people["henry"], kind="absence-lapse")
    assert not henrys.exists(), "HARP publishes no limit, and of QIES only the closing is asked"
    keep_in_use(
        scope=cast.scope("alice"), facility=cast.oak, system=System.objects.get(slug="qies"), reason="x", at=NOON
    )
    ask(NOON + timedelta(minutes=1))
    assert henrys.open().get().account.system.slug == "qies"


def test_history_is_kept_and_each_step_is_in_the_chain(cast):
    absence = away(cast)
    end_absence(scope=cast.scope("carol"), absence=absence, last_day_on=TODAY + DAY, at=NOON)
    assert list(Absence.objects.order_by("pk").values_list("valid_to", "voided_at")) == [
        (None, NOON),
        (TODAY + DAY, None),
    ]
    current = Absence.objects.known().get()
    assert end_absence(scope=cast.scope("alice"), absence=current, last_day_on=TODAY - DAY, at=NOON) is None
    acts = AuditEvent.objects.filter(action__startswith="absence.").order_by("seq")
    assert list(acts.values_list("action", flat=True)) == ["absence.recorded", "absence.ended", "absence.voided"]
    with pytest.raises(AbsenceRefused, match="corrected meanwhile"):
        end_absence(scope=cast.scope("alice"), absence=absence, last_day_on=TODAY, at=NOON)


@pytest.mark.parametrize(
    ("since", "until", "field"),
    [(TODAY, TODAY - DAY, "away_to_on"), (TODAY + DAY, None, "away_from_on"), (TODAY - DAY, TODAY, "away_from_on")],
)
def test_a_time_that_cannot_be_is_refused(cast, since, until, field):
    away(cast, until=TODAY + 5 * DAY)
    with pytest.raises(AbsenceRefused) as refused:
        away(cast, since=since, until=until)
    assert refused.value.field == field
    assert Absence.objects.count() == 1
    away(cast, since=TODAY + 6 * DAY)


def test_a_holder_records_her_own_and_a_stranger_none(cast):
    away(cast, who="henry", until=TODAY)
    for who in ("olga", "audrey"):
        with pytest.raises(NotAllowed):
            away(cast, who=who, since=TODAY + 9 * DAY)
    assert Absence.objects.count() == 1


def test_the_pages_record_an_absence_and_its_end(client, cast):
    held(cast, "qies", person="henry", last_login=TODAY)
    client.force_login(cast.carol)
    person = cast.people["henry"]
    url = reverse("web:person-away", args=["riverside", person.pk])
    assert client.post(url, {"away_from_on": "2026-11-20", "away_to_on": "2026-11-01"}).status_code == 200
    assert client.post(url, {"away_from_on": "2026-11-20", "away_to_on": ""}).url == person.get_absolute_url()
    absence = Absence.objects.known().get()
    end = reverse("web:absence-end", args=["riverside", absence.pk])
    assert "Away from Fri 20 Nov 2026" in client.get(person.get_absolute_url()).content.decode()
    client.post(end, {"last_day_on": "2026-12-24"})
    assert Absence.objects.known().get().valid_to.isoformat() == "2026-12-24"
