"""What people state of a facility: each statement is kept, voided and inserted, recorded, and wakes the rules."""

from datetime import timedelta

import pytest

from accounts.models import FacilityStream, RecordKeeper
from accounts.models.register import SystemInUse
from accounts.services.places import (
    PlaceRefused,
    StreamStatement,
    end_in_use,
    end_keeper,
    keep_in_use,
    name_keeper,
    state_streams,
)
from accounts.services.rules.sweep import check_rules
from audit.models import AuditEvent
from facilities.access import NotAllowed
from facilities.models import Recheck
from systems.models import Stream, System
from tests.accounts.holding import held
from tests.accounts.rules import found
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
LATER = NOON + timedelta(minutes=5)


def say(cast, through, name="", since=None, *, by="carol", stream="pbj", at=NOON):
    new = StreamStatement(Stream.objects.get(slug=stream), through, name, since)
    return state_streams(scope=cast.scope(by), facility=cast.oak, statements=[new], at=at)


def known(cast):
    rows = FacilityStream.objects.known().filter(facility=cast.oak).order_by("valid_to", "pk")
    return [(row.through, row.valid_from, row.valid_to) for row in rows]


def acts():
    return list(
        AuditEvent.objects.filter(action__startswith="facility.").order_by("seq").values_list("action", flat=True)
    )


def woken(cast):
    return set(Recheck.objects.values_list("facility", flat=True)) == {cast.oak.pk}


def test_who_submits_is_kept_recorded_and_looked_at(cast):
    Recheck.objects.all().delete()
    assert say(cast, "corporate", "Main office") == 1
    assert (known(cast), acts(), woken(cast)) == ([("corporate", None, None)], ["facility.streams-stated"], True)
    assert say(cast, "corporate", "Main office", at=LATER) == 0
    assert acts() == ["facility.streams-stated"], "said again, nothing is written"
    assert say(cast, "", at=LATER) == 1
    assert known(cast) == []
    assert FacilityStream.objects.count() == 1, "what was taken back is still there, voided"


def test_a_change_from_a_day_on_keeps_what_was_before(cast):
    say(cast, "corporate", "Main office")
    say(cast, "own", since=TODAY, at=LATER)
    assert sorted(known(cast)) == [("corporate", None, TODAY - timedelta(days=1)), ("own", TODAY, None)]
    with pytest.raises(PlaceRefused, match="give a later day"):
        say(cast, "none", since=TODAY, at=LATER)


def test_a_third_party_has_a_name(cast):
    with pytest.raises(PlaceRefused, match="which third party"):
        say(cast, "third-party", "  ")
    assert say(cast, "third-party", "Data Partners") == 1


def test_only_who_works_there_may_say_so(cast):
    for other in ("olga", "audrey", "henry"):
        with pytest.raises(NotAllowed):
            say(cast, "corporate", by=other)
    with pytest.raises(PlaceRefused, match="does not belong"):
        state_streams(scope=cast.scope("mallory"), facility=cast.oak, statements=[], at=NOON)
    assert say(cast, "corporate", by="carol") == 1


def test_what_was_said_closes_the_finding_in_the_next_run(cast):
    key = f"facility:{cast.oak.pk}/stream:pbj"
    assert key in found("no-account")
    say(cast, "corporate", at=LATER)
    assert check_rules(at=LATER, since=NOON, full=False).closed == 1
    assert check_rules(at=LATER, since=LATER, full=True).differences == 0


def test_a_keeper_is_named_once_and_ended_on_a_day(cast):
    henry = cast.people["henry"]
    keeper = name_keeper(scope=cast.scope("carol"), facility=cast.oak, person=henry, since=TODAY, at=NOON)
    again = name_keeper(scope=cast.scope("carol"), facility=cast.oak, person=henry, since=TODAY, at=LATER)
    assert (again, woken(cast)) == (keeper, True)
    with pytest.raises(PlaceRefused, match="before the first one"):
        end_keeper(scope=cast.scope("carol"), keeper=keeper, last_on=TODAY - timedelta(days=1), at=LATER)
    ended = end_keeper(scope=cast.scope("carol"), keeper=keeper, last_on=TODAY, at=LATER)
    assert (ended.valid_from, ended.valid_to) == (TODAY, TODAY)
    assert RecordKeeper.objects.get(pk=keeper.pk).voided_at == LATER
    with pytest.raises(PlaceRefused, match="corrected meanwhile"):
        end_keeper(scope=cast.scope("carol"), keeper=keeper, last_on=TODAY, at=LATER)
    assert acts() == ["facility.keeper-named", "facility.keeper-ended"]


def test_a_keeper_works_for_the_organization(cast):
    for stranger, why in (("alice", "does not work here"), ("mallory", "does not belong")):
        with pytest.raises(PlaceRefused, match=why):
            name_keeper(
                scope=cast.scope("alice"), facility=cast.oak, person=cast.people[stranger], since=TODAY, at=NOON
            )
    assert name_keeper(
        scope=cast.scope("alice"), facility=cast.oak, person=cast.people["olga"], since=TODAY, at=NOON
    ), "she works at Elm House and may keep the record of Oak House"


def test_a_closed_system_is_kept_in_use_by_an_administrator_with_a_reason_and_given_up_again(cast):
    cmsnet = System.objects.get(slug="cmsnet")
    held(cast, "cmsnet")
    alice = {"scope": cast.scope("alice"), "facility": cast.oak, "system": cmsnet}
    assert f"facility:{cast.oak.pk}/system:cmsnet" in found("closed-system")
    with pytest.raises(NotAllowed):
        keep_in_use(**alice | {"scope": cast.scope("carol")}, reason="Old reports", at=NOON)
    with pytest.raises(PlaceRefused, match="Say why"):
        keep_in_use(**alice, reason=" ", at=NOON)
    stated = keep_in_use(**alice, reason="Old reports", at=NOON)
    assert keep_in_use(**alice, reason="Other words", at=LATER) == stated
    assert AuditEvent.objects.get(action="facility.system-in-use").reason == "Old reports"
    assert found("closed-system") == {}
    assert end_in_use(**alice, at=LATER)
    assert not end_in_use(**alice, at=LATER)
    assert SystemInUse.objects.get().voided_at == LATER
    assert f"facility:{cast.oak.pk}/system:cmsnet" in found("closed-system")


def test_a_live_system_cannot_be_kept_in_use(cast):
    with pytest.raises(PlaceRefused, match="has not closed"):
        keep_in_use(
            scope=cast.scope("alice"),
            facility=cast.oak,
            system=System.objects.get(slug="iqies"),
            reason="Because",
            at=NOON,
        )
