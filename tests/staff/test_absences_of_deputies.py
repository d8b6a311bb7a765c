"""Deputies who were written before a deputy named her absence are tied to it by the migration."""

from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection

from staff.models import Deputy
from staff.services.absences import end_absence, record_absence
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def away(cast, name, until, deputy="carol"):
    return record_absence(
        scope=cast.scope("alice"), person=cast.people[name], away_from_on=TODAY, away_to_on=until, at=NOON,
        deputy=cast.people[deputy],
    )  # fmt: skip


def named_for_good(cast, name, deputy, since=TODAY):
    return Deputy.objects.create(
        organization=cast.riverside, person=cast.people[name], deputy=cast.people[deputy], valid_from=since,
        recorded_at=NOON, recorded_by="test",
    )  # fmt: skip


def test_each_known_deputy_gets_the_absence_with_which_she_was_written(cast):
    bounded, open_ended = away(cast, "henry", TODAY + 9 * DAY), away(cast, "olga", None)
    lasting, earlier = named_for_good(cast, "henry", "olga"), named_for_good(cast, "olga", "henry", TODAY - DAY)
    corrected = away(cast, "carol", TODAY + DAY, deputy="henry")
    ended = end_absence(scope=cast.scope("alice"), absence=corrected, last_day_on=TODAY, at=NOON + DAY)
    Deputy.objects.update(absence=None)
    name_absences = import_module("staff.migrations.0006_name_absences_of_deputies").name_absences
    for _ in range(2):
        name_absences(apps, SimpleNamespace(connection=connection))
        tied = Deputy.objects.exclude(absence=None).order_by("absence").values_list("absence", "person")
        assert set(tied) == {(each.pk, each.person_id) for each in (bounded, open_ended, ended)}
    assert set(Deputy.objects.known().filter(absence=None)) == {lasting, earlier}
