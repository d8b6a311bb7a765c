"""Lasting deputies: named once, ended on a day, apart from those of an absence, and every step in the chain."""

from datetime import timedelta

import pytest
from django.urls import reverse

from audit.models import AuditEvent
from facilities.access import NotAllowed
from staff.models import Deputy, Employment
from staff.services.absences import end_absence, record_absence
from staff.services.deputies import DeputyRefused, end_deputy, name_deputy
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
DAY = timedelta(days=1)


def name(cast, who="henry", deputy="carol", since=TODAY, by="alice"):
    return name_deputy(
        scope=cast.scope(by), person=cast.people[who], deputy=cast.people[deputy], since=since, at=NOON
    )  # fmt: skip


def end(cast, deputy, on):
    return end_deputy(scope=cast.scope("alice"), deputy=deputy, last_day_on=on, at=NOON)


def acts():
    found = AuditEvent.objects.filter(action__startswith="deputy.").order_by("seq")
    return list(found.values_list("action", "subject_label"))


def test_a_named_deputy_stands_in_until_it_is_ended(cast):
    named = name(cast)
    assert (named.valid_from, named.valid_to, named.absence) == (TODAY, None, None)
    ended = end(cast, named, TODAY + 5 * DAY)
    assert Deputy.objects.known().get() == ended
    assert ended.valid_to == TODAY + 5 * DAY
    assert acts() == [("deputy.named", "Henry Test"), ("deputy.ended", "Henry Test")]


def test_a_button_pressed_twice_writes_once(cast):
    named = name(cast)
    assert name(cast) == named
    ended = end(cast, named, TODAY)
    assert end(cast, named, TODAY) == ended
    assert end(cast, ended, TODAY) == ended
    assert end(cast, ended, TODAY - DAY) is None
    assert end(cast, ended, TODAY - DAY) is None
    assert [action for action, _ in acts()] == ["deputy.named", "deputy.ended", "deputy.voided"]


def test_an_end_that_somebody_else_has_told_meanwhile_is_not_overwritten(cast):
    named = name(cast)
    end(cast, named, TODAY)
    with pytest.raises(DeputyRefused, match="corrected meanwhile"):
        end(cast, named, TODAY + DAY)
    with pytest.raises(DeputyRefused, match="corrected meanwhile"):
        end(cast, named, TODAY - DAY)
    assert Deputy.objects.known().get().valid_to == TODAY


@pytest.mark.parametrize(
    ("who", "deputy", "why"),
    [
        ("henry", "henry", "Somebody else of your organization"),
        ("henry", "mallory", "Somebody else of your organization"),
        ("henry", "olga", "Olga Test does not work here after Thu 19 Nov 2026"),
        ("olga", "carol", "Olga Test does not work here after Thu 19 Nov 2026"),
        ("henry", "audrey", "Audrey Test has no work e-mail"),
    ],
)
def test_who_cannot_stand_in_is_refused_with_the_reason(cast, who, deputy, why):
    Employment.objects.filter(person=cast.people["olga"]).update(valid_to=TODAY - DAY)
    cast.people["audrey"].email = ""
    cast.people["audrey"].save(update_fields=["email"])
    with pytest.raises(DeputyRefused, match=why):
        name(cast, who, deputy)
    assert acts() == []
    assert name(cast, "henry", "carol")


def test_two_times_of_one_deputy_do_not_overlap(cast):
    ended = end(cast, name(cast), TODAY + 5 * DAY)
    with pytest.raises(DeputyRefused, match="from Fri 20 Nov 2026 until Wed 25 Nov 2026 already"):
        name(cast, since=ended.valid_to)
    later = name(cast, since=ended.valid_to + DAY)
    with pytest.raises(DeputyRefused, match="from Thu 26 Nov 2026 already"):
        end(cast, ended, TODAY + 9 * DAY)
    assert set(Deputy.objects.known()) == {ended, later}
    assert end(cast, ended, TODAY + 4 * DAY).valid_to == TODAY + 4 * DAY


@pytest.mark.parametrize(("by", "may"), [("carol", True), ("henry", True), ("olga", False), ("audrey", False)])
def test_coordinators_of_the_place_and_the_person_herself_may_name(cast, by, may):
    if may:
        assert name(cast, by=by)
    else:
        with pytest.raises(NotAllowed):
            name(cast, by=by)


def test_the_end_of_an_absence_leaves_a_lasting_deputy_of_the_same_days_alone(cast):
    named = name(cast)
    absence = record_absence(
        scope=cast.scope("alice"), person=cast.people["henry"], away_from_on=TODAY, away_to_on=None, at=NOON,
        deputy=cast.people["carol"],
    )  # fmt: skip
    assert Deputy.objects.known().count() == 2
    end_absence(scope=cast.scope("alice"), absence=absence, last_day_on=TODAY - DAY, at=NOON)
    assert Deputy.objects.known().get() == named


def moved_to_elm(cast):
    """Return a colleague of Carol and Henry who works at Elm House since today."""
    grace = factories.PersonFactory(organization=cast.riverside, first_name="Grace", last_name="Test")
    factories.EmploymentFactory(facility=cast.oak, person=grace, valid_to=TODAY - DAY)
    factories.EmploymentFactory(facility=cast.elm, person=grace, valid_from=TODAY)
    cast.people["grace"] = grace
    return grace


def test_where_somebody_worked_before_nobody_names_or_ends_who_hears_of_her(client, cast):
    grace = moved_to_elm(cast)
    named = name(cast, "grace", "alice", by="olga")
    absence = {"person": grace, "away_from_on": TODAY, "away_to_on": None, "at": NOON}
    carol = cast.scope("carol")
    for deed in (
        lambda: name(cast, "grace", "carol", by="carol"),
        lambda: end_deputy(scope=carol, deputy=named, last_day_on=TODAY, at=NOON),
        lambda: record_absence(scope=carol, deputy=cast.people["carol"], **absence),
    ):
        with pytest.raises(NotAllowed):
            deed()
    client.force_login(cast.carol)
    told = client.get(grace.get_absolute_url()).content.decode()
    for view, key in (("person-deputy", grace.pk), ("person-away", grace.pk), ("deputy-end", named.pk)):
        assert page(view, cast, key) not in told
        assert client.get(page(view, cast, key)).status_code == 403
    assert list(Deputy.objects.known()) == [named]
    assert record_absence(scope=cast.scope("olga"), **absence)


def test_who_worked_there_before_is_no_reason_to_offer_the_colleagues_of_then(client, cast):
    grace = moved_to_elm(cast)
    client.force_login(cast.alice)
    offered = client.get(page("person-deputy", cast, grace.pk)).context["form"].fields["deputy"].queryset
    assert {person.first_name for person in offered} == {"Alice", "Olga"}


def page(view, cast, pk):
    return reverse(f"web:{view}", args=["riverside", pk])


def test_both_pages_tell_who_stands_in_and_the_last_day_is_recorded_there(client, cast):
    henry, carol = cast.people["henry"], cast.people["carol"]
    client.force_login(cast.carol)
    form = {"deputy": carol.pk, "since": "2026-11-01"}
    assert client.post(page("person-deputy", cast, henry.pk), form).status_code == 302
    named = Deputy.objects.get()
    told = client.get(henry.get_absolute_url()).content.decode()
    assert "Carol Test always stands in, since Sun 1 Nov 2026." in told
    assert page("deputy-end", cast, named.pk) in told
    told = client.get(carol.get_absolute_url()).content.decode()
    assert "Always stands in for Henry Test, since Sun 1 Nov 2026." in told
    assert page("deputy-end", cast, named.pk) not in told
    for _ in range(2):
        assert client.post(page("deputy-end", cast, named.pk), {"last_day_on": "2035-12-31"}).status_code == 302
    assert "until Mon 31 Dec 2035." in client.get(henry.get_absolute_url()).content.decode()
    assert client.get(page("deputy-end", cast, named.pk)).status_code == 404


def test_the_page_offers_colleagues_and_administrators_whom_the_member_sees_and_nobody_else(client, cast):
    henry = cast.people["henry"]
    url = page("person-deputy", cast, henry.pk)
    client.force_login(cast.alice)
    offered = client.get(url).context["form"].fields["deputy"].queryset
    assert {person.first_name for person in offered} == {"Alice", "Carol"}
    for stranger in ("olga", "mallory", "henry"):
        answer = client.post(url, {"deputy": cast.people[stranger].pk, "since": TODAY.isoformat()})
        assert "Choose somebody of this list" in answer.content.decode()
    assert not Deputy.objects.exists()
    client.force_login(cast.henry)
    assert "You see nobody whom you could name" in client.get(url).content.decode()


def test_a_deputy_who_has_left_is_told_as_such(client, cast):
    name(cast)
    Employment.objects.filter(person=cast.people["carol"]).update(valid_to="2025-01-31")
    client.force_login(cast.alice)
    told = client.get(cast.people["henry"].get_absolute_url()).content.decode()
    assert "Carol Test has left, so nothing arrives: name somebody else." in told
