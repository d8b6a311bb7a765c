"""A role on a lasting account that was wanted until a day: from the request over tick and mail to its removal."""

from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.errors import AccountRefused
from accounts.models import Deadline, Finding, RoleGrant
from accounts.policy.requesting import Kind
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
    before = standing(cast)
    with pytest.raises(AccountRefused, match="that day lies before"):
        done(
            cast, running(cast, account=account, wanted_until=TODAY - DAY, kind=Kind.ADDITIONAL_ROLE, role="pbj-viewer")
        )
    done(cast, request)
    grant, ends = until(account)
    assert (grant.valid_to, grant.temporary, ends) == (UNTIL, True, (UNTIL, True))
    account.refresh_from_db()
    assert (account.term, account.lasts_until) == ("lasting", None)
    for day in (6, 19, 21):
        ask(NOON + day * DAY)
    said = [text(mail) for mail in mails_to(mailoutbox, "henry")]
    assert any("role Provider Administrator at Oak House is wanted until Thu 10 Dec" in one for one in said)
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
            "Henry Test’s iQIES account: Provider Administrator at Oak House is to go."
        ]
        why = Deadline.objects.get(grant=grant, kind="temporary")
        assert client.get(reverse("web:deadline-why", args=["riverside", why.pk])).status_code == 200
    gone = running(cast, kind=Kind.REMOVAL, role="", account=account, grant=grant, at=NOON + 21 * DAY)
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
    assert before["accounts"] == standing(cast)["accounts"]


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
