"""A role on a lasting account that was wanted until a day: from the request over tick and mail to its removal."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.errors import AccountRefused
from accounts.models import Certification, Deadline, Finding, RoleGrant
from accounts.policy.requesting import Kind
from accounts.services.inventory import regain_account, report_loss
from accounts.services.logins import refresh_clocks
from accounts.services.requests.undoing import undo
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import mails_to, text
from tests.reminders.making import DAY, administrator, started
from tests.reminders.test_tick import ask
from tests.requests.scenes import role, running, viewer
from tests.requests.test_ending import done, standing

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
UNTIL = TODAY + 20 * DAY
WANTED = {"kind": Kind.ADDITIONAL_ROLE, "role": "provider-administrator"}


@pytest.fixture
def account(cast):
    """Henry's iQIES account of old, on which he views assessments; Riverside's reminders are started."""
    with time_machine.travel(NOON, tick=False):
        yield held(started(cast), last_login=TODAY, roles=[viewer()], person="henry")


def until(account):
    """Return the role that was wanted until a day, with its date and whether that is open."""
    grant = RoleGrant.objects.known().get(account=account, role=role("provider-administrator"))
    deadline = Deadline.objects.filter(grant=grant, kind="temporary").first()
    return grant, deadline and (deadline.due_on, deadline.closed_at is None)


def test_it_ends_on_its_day_is_told_of_and_stays_a_finding_until_its_removal_is_finished(
    client, cast, account, mailoutbox
):
    administrator(cast, "fay", cast.oak)
    request = running(cast, account=account, wanted_until=UNTIL, **WANTED)
    late = {"wanted_until": TODAY - DAY, "at": NOON - 2 * DAY}
    with pytest.raises(AccountRefused, match="that day lies before"):
        done(cast, running(cast, account=account, kind=Kind.ADDITIONAL_ROLE, role="pbj-viewer", **late))
    done(cast, request)
    grant, ends = until(account)
    assert (grant.valid_to, grant.temporary, ends) == (UNTIL, True, (UNTIL, True))
    account.refresh_from_db()
    assert (account.term, account.lasts_until) == ("lasting", None)
    for day in (6, 19, 21):
        ask(NOON + day * DAY)
    said = [text(mail) for mail in mails_to(mailoutbox, "henry")]
    assert any("role Provider Administrator at Oak House is wanted until Thu 10 Dec" in one for one in said)
    assert all("Nobody has said yet" not in one for one in said[:-1] if "is wanted until" in one), "not before the day"
    assert any("Where it is needed for longer, ask for that before" in one for one in said)
    assert any("was wanted until Thu 10 Dec" in text(mail) for mail in mails_to(mailoutbox, "fay"))
    finding = Finding.objects.open().get(deadline__grant=grant)
    assert (finding.kind, finding.account, finding.facility) == ("lapse", account, cast.oak)
    assert not RoleGrant.objects.in_force(UNTIL + DAY).filter(pk=grant.pk).exists()
    with time_machine.travel(NOON + 21 * DAY, tick=False):
        client.force_login(cast.alice)
        today, page, findings = (
            client.get(address).content.decode()
            for address in (
                reverse("web:today", args=["riverside"]),
                account.get_absolute_url(),
                reverse("web:findings", args=["riverside"]),
            )
        )
        for shown in (today, page, findings):
            assert "was wanted until Thu 10 Dec" in shown
        removal = f"{reverse('web:request-new', args=['riverside'])}?kind=removal&grant={grant.pk}"
        assert removal.replace("&", "&amp;") in page
        asked = client.get(removal)
        assert [line.sentence for line in asked.context["lines"]] == [
            "Henry Test’s iQIES account: Provider Administrator at Oak House is to be removed."
        ]
        why = Deadline.objects.get(grant=grant, kind="temporary")
        assert client.get(reverse("web:deadline-why", args=["riverside", why.pk])).status_code == 200
    gone = running(cast, kind=Kind.REMOVAL, role="", account=account, grant=grant, at=NOON + 21 * DAY)
    before = standing(cast)
    done(cast, gone, on=UNTIL + DAY, at=NOON + 21 * DAY)
    grant, ends = until(account)
    assert (grant.valid_to, grant.temporary, ends) == (UNTIL + DAY, False, None)
    assert not Deadline.objects.open().filter(kind="temporary").exists()
    finding.refresh_from_db()
    assert finding.closed_at is not None
    account.refresh_from_db()
    assert account.status == "active", "the lasting role stays"
    undo(scope=cast.scope("carol"), request=gone, reason="It is still there.", at=NOON + 21 * DAY + timedelta(hours=1))
    grant, ends = until(account)
    assert (grant.temporary, ends) == (True, (UNTIL, True)), "and so is its date"
    assert before == standing(cast)


def test_asked_for_anew_it_goes_further_and_a_changed_role_ends_as_well(cast, account):
    done(cast, running(cast, account=account, wanted_until=UNTIL, **WANTED))
    longer = running(cast, account=account, wanted_until=None, **WANTED)
    before = standing(cast)
    done(cast, longer, on=TODAY)
    lasting = RoleGrant.objects.known().get(account=account, role=role("provider-administrator"), valid_to=None)
    assert not Deadline.objects.open().filter(kind="temporary").exists()
    undo(scope=cast.scope("carol"), request=longer, reason="Not longer.", at=NOON + timedelta(hours=1))
    assert standing(cast) == before
    assert not RoleGrant.objects.known().filter(pk=lasting.pk).exists()
    old = account.grants.known().get(role=viewer())
    change = {"kind": Kind.ROLE_CHANGE, "role": "pbj-viewer", "account": account, "grant": old}
    done(cast, running(cast, wanted_until=UNTIL, **change))
    new = account.grants.known().get(role=role("pbj-viewer"))
    assert (new.valid_to, new.temporary) == (UNTIL, True)
    assert Deadline.objects.open().get(grant=new).due_on == UNTIL


def provider(account):
    """Return when each known row of the role says that it was held, and which is to end on a day."""
    rows = RoleGrant.objects.known().filter(account=account, role=role("provider-administrator"))
    return list(rows.order_by("valid_from", "pk").values_list("valid_from", "valid_to", "temporary"))


def test_lost_and_back_it_is_held_until_its_day_and_after_it_only_with_a_decision(cast, account):
    def lose(days):
        day, at = TODAY + days * DAY, NOON + days * DAY
        report_loss(scope=cast.scope("carol"), account=account, loss="inactive", lost_on=day, at=at)
        account.refresh_from_db()

    def regain(days, **asked):
        """By hand, or by a request."""
        day, at = TODAY + days * DAY, NOON + days * DAY
        if asked:
            done(cast, running(cast, kind=Kind.REACTIVATION, account=account, at=at, **asked), on=day, at=at)
        else:
            regain_account(scope=cast.scope("carol"), account=account, regained_on=day, at=at)
        account.refresh_from_db()

    done(cast, running(cast, account=account, wanted_until=UNTIL, **WANTED))
    ways = ({}, {"role": ""}, {"role": "provider-administrator"})
    for number, asked in enumerate(ways):
        lose(1 + 2 * number)
        assert not RoleGrant.objects.to_end().filter(account=account).exists()
        regain(2 + 2 * number, **asked)
        assert provider(account)[-1] == (TODAY + (2 + 2 * number) * DAY, UNTIL, True), asked
        assert Deadline.objects.open().get(grant__account=account, kind="temporary").due_on == UNTIL
    lose(22)
    before = provider(account)
    with pytest.raises(AccountRefused, match="that day has passed"):
        regain(23, role="provider-administrator")
    regain(23, role="")
    assert provider(account) == before, "its day has passed"
    assert account.status == "active"
    lose(24)
    regain(25)
    assert provider(account) == before


def test_asked_for_again_it_never_gets_shorter_nor_is_held_twice_on_a_day(cast, account):
    done(cast, running(cast, account=account, wanted_until=UNTIL, **WANTED))
    first = provider(account)
    assert first == [(TODAY, UNTIL, True)]
    shorter = running(cast, account=account, wanted_until=UNTIL - 10 * DAY, **WANTED)
    done(cast, shorter)
    assert provider(account) == first, "the later day stays"
    longer, at = UNTIL + 20 * DAY, NOON + 23 * DAY
    done(cast, running(cast, account=account, wanted_until=longer, at=at, **WANTED), on=TODAY + 23 * DAY, at=at)
    assert provider(account) == [(TODAY, UNTIL, False), (TODAY + 23 * DAY, longer, True)], "no day is added to the past"
    again = running(cast, account=account, wanted_until=longer + DAY, at=at, **WANTED)
    before = standing(cast)
    done(cast, again, on=TODAY + 23 * DAY, at=at)
    assert provider(account) == [(TODAY, UNTIL, False), (TODAY + 23 * DAY, longer + DAY, True)], "once on its first day"
    undo(scope=cast.scope("carol"), request=again, reason="Not longer.", at=at + timedelta(hours=1))
    assert standing(cast) == before


def test_a_role_until_a_day_that_lasts_for_years_is_certified_by_the_year(cast):
    account = held(cast, "idm", last_login=TODAY, person="henry")
    account.grants.update(valid_to=TODAY + 730 * DAY, temporary=True)
    refresh_clocks([account.pk], at=NOON)
    assert Deadline.objects.open().filter(grant__account=account, kind="certification").exists()
    asked = {"kind": Kind.CERTIFICATION, "role": "", "account": account, "grant": account.grants.get(), "system": "idm"}
    done(cast, running(cast, **asked))
    assert Certification.objects.get(grant__account=account).certified_on == TODAY
