"""Reviews of access (R-52): owed where the organization wants them and somebody has access, through commands alone."""

import pytest
from django.urls import reverse

from accounts.errors import AccountRefused
from accounts.models import AccessReview, Deadline, Finding, PortalAccount
from accounts.services.access_reviews import record_review, void_review
from accounts.services.duties import switch_rule
from accounts.services.inventory import remove_account
from audit.models import AuditEvent
from facilities.access import NotAllowed
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import mails_to, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_duties import granted, planned
from tests.reminders.test_tick import ask, everything

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """Riverside with one official at Oak House, its reminders started and the rule switched on."""
    started(cast)
    administrator(cast, "fay", cast.oak)
    granted(cast, "carol", "official", opened_on=TODAY)
    switch_rule(scope=cast.scope("alice"), rule="R-52", on=True, at=NOON)
    return cast


def owed(place, extent="privileges"):
    return Deadline.objects.get(kind="review", subject_key=f"facility:{place.pk}/{extent}")


def reviewed(cast, on, extent="privileges", who="alice"):
    return record_review(scope=cast.scope(who), facility=cast.oak, extent=extent, reviewed_on=on, at=NOON + 91 * DAY)


def lapsed(deadline):
    return list(Finding.objects.open().filter(deadline=deadline).values_list("severity", "facility__name"))


def test_the_first_reviews_are_counted_from_the_day_of_the_rule_where_somebody_has_access(riverside):
    assert owed(riverside.oak).due_on == TODAY + 90 * DAY
    assert owed(riverside.oak, "accounts").due_on == TODAY + 365 * DAY
    assert not Deadline.objects.filter(kind="review", facility=riverside.elm).exists(), "nobody has access there"
    assert not Deadline.objects.filter(kind="review").exclude(organization=riverside.riverside).exists()


def test_who_runs_the_facility_is_reminded_a_missed_review_is_found_and_a_recorded_one_ends_it(
    riverside, mailoutbox, client, time_machine
):
    deadline = owed(riverside.oak)
    for left in (15, 14, 7, 1):
        ask(NOON + (90 - left) * DAY)
    assert {("Fay", 14), ("Fay", 7), ("Fay", 1)} <= planned(deadline)
    assert "Review all privileged roles at Oak House by " in text(mails_to(mailoutbox, "fay")[-1])
    ask(NOON + 91 * DAY)
    assert lapsed(deadline) == [("medium", "Oak House")]
    time_machine.move_to(NOON + 91 * DAY, tick=False)
    client.force_login(riverside.alice)
    said = client.get(reverse("web:findings", args=["riverside"])).content.decode()
    assert "The review of all privileged roles at Oak House was due by " in said
    assert reverse("web:facility-reviewed", args=["riverside", riverside.oak.pk]) in said
    review = reviewed(riverside, TODAY + 91 * DAY)
    assert lapsed(deadline) == []
    assert owed(riverside.oak).due_on == TODAY + 181 * DAY
    assert owed(riverside.oak, "accounts").due_on == TODAY + 365 * DAY, "that is another review"
    void_review(scope=riverside.scope("alice"), review=review, at=NOON + 91 * DAY)
    ask(NOON + 91 * DAY)
    assert lapsed(deadline) == [("medium", "Oak House")]
    acts = AuditEvent.objects.filter(action__startswith="access.review").order_by("seq")
    assert list(acts.values_list("action", flat=True)) == ["access.reviewed", "access.review-voided"]


def test_administrators_record_reviews_and_nothing_impossible(riverside):
    for who in ("carol", "audrey", "olga"):
        with pytest.raises(NotAllowed):
            reviewed(riverside, TODAY, who=who)
    for wrong in ({"on": TODAY + 200 * DAY}, {"on": TODAY, "extent": "everything"}):
        with pytest.raises(AccountRefused):
            reviewed(riverside, **wrong)
    assert not AccessReview.objects.exists()
    assert reviewed(riverside, TODAY) == reviewed(riverside, TODAY)


def test_without_the_rule_or_the_access_nothing_is_owed_and_a_repeated_tick_writes_nothing(riverside):
    ask(NOON + DAY)
    before = everything()
    ask(NOON + DAY)
    assert everything() == before
    account = PortalAccount.objects.get(person=riverside.people["carol"], system__slug="psr")
    remove_account(scope=riverside.scope("alice"), account=account, removed_on=TODAY, at=NOON + DAY)
    ask(NOON + 2 * DAY)
    assert owed(riverside.oak).closed_at is not None
    assert owed(riverside.oak, "accounts").closed_at is None, "her account at the authority is still there"
    switch_rule(scope=riverside.scope("alice"), rule="R-52", on=False, at=NOON + 2 * DAY)
    assert not Deadline.objects.open().filter(kind="review").exists()
