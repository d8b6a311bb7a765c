"""Settings: members, invitations, the start of reminders."""

from datetime import date

import pytest
import time_machine
from django.core import mail
from django.urls import reverse

from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.rules.sweep import check_rules
from audit.models import AuditEvent
from facilities.models import Invitation, Membership
from facilities.services.members import usable_invitation
from reminders.models import MailHold, Reminder
from reminders.services.plan import plan_due
from reminders.services.plan_findings import plan_findings
from systems.models import System
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


def address(name, cast, *args):
    return reverse(f"web:{name}", args=[cast.riverside.slug, *args])


def hold(cast, person, slug, last_login):
    system = System.objects.get(slug=slug)
    facts = AccountFacts(system, [system.roles.first()], date(2025, 1, 1), last_login)
    add_accounts(scope=cast.scope("alice"), person=person, facility=cast.oak, accounts=[facts], at=NOON)


# --- members -----------------------------------------------------------------------------------


def test_those_who_read_everything_see_the_members_and_others_only_themselves(client, cast):
    url = address("settings", cast)
    client.force_login(cast.audrey)
    page = client.get(url)
    assert [each.user.email for each in page.context["page"].rows] == sorted(
        f"{name}@example.org" for name in ("alice", "audrey", "carol", "henry", "olga")
    )
    assert address("member-invite", cast).encode() not in page.content
    client.force_login(cast.carol)
    page = client.get(url)
    assert "page" not in page.context
    assert b"alice@example.org" not in page.content
    assert page.context["mine"] == ["Coordinator at Oak House"]


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("carol", 403), ("audrey", 403), ("mallory", 404)])
@pytest.mark.parametrize("page", ["member-invite", "start-reminders"])
def test_members_and_reminders_are_the_administrators_matter(client, cast, page, who, status):
    client.force_login(getattr(cast, who))
    assert client.get(address(page, cast)).status_code == status
    if status != 200:
        assert client.post(address(page, cast), {"email": "x@example.org", "role": "holder"}).status_code == status
        assert not Invitation.objects.exists()
    cast.riverside.refresh_from_db()
    assert cast.riverside.reminders_started_at is None


def test_members_are_listed_with_the_same_number_of_queries_for_2_and_for_30(
    client, cast, django_assert_max_num_queries, django_assert_num_queries
):
    client.force_login(cast.alice)
    client.get(address("settings", cast))
    with django_assert_max_num_queries(17) as few:
        client.get(address("settings", cast))
    for _ in range(30):
        factories.MembershipFactory(organization=cast.riverside, facility=cast.oak)
    with django_assert_num_queries(len(few)):
        client.get(address("settings", cast))


# --- inviting ----------------------------------------------------------------------------------


def test_the_link_is_shown_once_and_mailed_to_the_invited(client, cast, settings):
    settings.SITE_URL = "https://keeper.example.org"
    client.force_login(cast.alice)
    typed = {"email": "New@Example.org", "role": "coordinator", "facility": cast.oak.pk}
    page = client.post(address("member-invite", cast), typed, headers={"host": "evil.example"})
    link = page.context["link"]
    assert link.startswith("https://keeper.example.org/join/")
    assert link in page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    [sent] = mail.outbox
    assert sent.to == ["new@example.org"]
    assert link in sent.body
    assert "alice@example.org invites you to Riverside Care" in sent.body
    invitation = usable_invitation(token=link.rstrip("/").rpartition("/")[2], at=NOON)
    assert (invitation.role, invitation.facility, invitation.organization) == ("coordinator", cast.oak, cast.riverside)
    assert link not in client.get(address("settings", cast)).content.decode()
    assert AuditEvent.objects.filter(action="member.invited").count() == 1


def test_while_mail_is_on_hold_the_link_is_handed_over_by_hand(client, cast):
    MailHold.objects.create(reason="restored", held_at=NOON)
    client.force_login(cast.alice)
    page = client.post(address("member-invite", cast), {"email": "new@example.org", "role": "holder"})
    assert page.context["mailed"] is False
    assert page.context["link"] in page.content.decode()
    assert mail.outbox == []


def test_a_mail_server_that_is_down_does_not_lose_the_invitation(client, cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9  # nobody listens there
    client.force_login(cast.alice)
    page = client.post(address("member-invite", cast), {"email": "new@example.org", "role": "holder"})
    assert b"The mail did not leave" in page.content
    assert Invitation.objects.get().revoked_at is None


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"email": "nonsense", "role": "holder"}, "email"),
        ({"email": "x@example.org", "role": "king"}, "role"),
        ({"email": "carol@example.org", "role": "auditor", "facility": "summit"}, "facility"),
        ({"email": "audrey@example.org", "role": "auditor"}, "email"),
    ],
)
def test_what_cannot_be_invited_is_said_beside_the_field(client, cast, typed, field):
    client.force_login(cast.alice)
    if typed.get("facility") == "summit":
        typed = typed | {"facility": cast.summit.pk}
    page = client.post(address("member-invite", cast), typed)
    assert set(page.context["form"].errors) == {field}
    assert not Invitation.objects.exists()
    assert mail.outbox == []


# --- ending ------------------------------------------------------------------------------------


def test_a_role_is_taken_away_after_naming_it(client, cast):
    membership = Membership.objects.get(user=cast.carol)
    client.force_login(cast.alice)
    url = address("member-end", cast, membership.pk)
    page = client.get(url)
    assert b"End Carol Test" in page.content
    membership.refresh_from_db()
    assert membership.ended_at is None
    client.post(url)
    membership.refresh_from_db()
    assert membership.ended_at == NOON
    assert AuditEvent.objects.filter(action="member.removed").count() == 1
    client.force_login(cast.carol)
    assert client.get(address("facilities", cast)).status_code == 404


def test_the_last_administrator_stays_until_there_is_another(client, cast):
    mine = Membership.objects.get(user=cast.alice)
    client.force_login(cast.alice)
    url = address("member-end", cast, mine.pk)
    assert "last administrator" in client.post(url).context["refused"]
    factories.MembershipFactory(user=cast.nobody, organization=cast.riverside, role="administrator")
    assert client.post(url).status_code == 302


@pytest.mark.parametrize(("who", "status"), [("alice", 200), ("carol", 403), ("audrey", 403), ("mallory", 404)])
def test_ending_a_membership_is_the_administrators_matter(client, cast, who, status):
    client.force_login(getattr(cast, who))
    url = address("member-end", cast, Membership.objects.get(user=cast.olga).pk)
    assert client.get(url).status_code == status


def test_another_tenants_membership_is_not_found(client, cast):
    theirs = Membership.objects.get(user=cast.mallory)
    client.force_login(cast.alice)
    assert client.post(address("member-end", cast, theirs.pk)).status_code == 404
    theirs.refresh_from_db()
    assert theirs.ended_at is None


# --- reminders ---------------------------------------------------------------------------------


def test_the_preview_names_exactly_those_who_are_then_planned(client, cast):
    hold(cast, cast.people["henry"], "iqies", date(2026, 9, 25))  # due in four days: the facility hears too
    hold(cast, cast.people["carol"], "qies", date(2026, 11, 19))  # far away
    hold(cast, cast.people["audrey"], "iqies", date(2026, 8, 1))  # passed
    boss = factories.PersonFactory(organization=cast.riverside, user=cast.nobody)
    factories.MembershipFactory(user=cast.nobody, organization=cast.riverside, facility=cast.oak, role="administrator")
    gone = factories.EmploymentFactory(facility=cast.oak, valid_to=date(2026, 11, 1)).person
    hold(cast, gone, "iqies", date(2026, 10, 6))  # too early for the facility, but a leaver's dates are its own
    silent = factories.PersonFactory(organization=cast.riverside, email="")
    hold(cast, silent, "iqies", date(2026, 9, 25))
    check_rules(at=NOON, since=None, full=True)
    client.force_login(cast.alice)
    page = client.get(address("start-reminders", cast))
    shown = {person: (dates, findings) for person, dates, findings in page.context["first"].people}
    assert page.context["first"].unreachable == 1
    assert Reminder.objects.count() == 0
    client.post(address("start-reminders", cast))
    plan_due(at=NOON)
    plan_findings(at=NOON)
    planned: dict = {}
    for reminder in Reminder.objects.filter(state=Reminder.State.PLANNED).select_related("recipient"):
        dates, findings = planned.setdefault(reminder.recipient, (set(), set()))
        (dates if reminder.deadline_id else findings).add(reminder.deadline_id or reminder.finding_id)
    assert shown == {person: (len(dates), len(findings)) for person, (dates, findings) in planned.items()}
    assert shown[boss][1] > 0, "somebody has left Oak House and still has access"
    assert cast.people["henry"] in shown
    assert boss in shown
    assert gone not in shown
    assert cast.people["carol"] not in shown


def test_reminders_start_once_and_only_by_post(client, cast):
    client.force_login(cast.alice)
    url = address("start-reminders", cast)
    client.get(url)
    cast.riverside.refresh_from_db()
    assert cast.riverside.reminders_started_at is None
    client.post(url)
    client.post(url)
    cast.riverside.refresh_from_db()
    assert cast.riverside.reminders_started_at == NOON
    assert AuditEvent.objects.filter(action="reminders.started").count() == 1
    assert f"{TODAY.year}" in client.get(url).context["started_on"]


def test_another_tenants_dates_are_not_in_the_preview(client, cast):
    hold(cast, cast.people["henry"], "iqies", date(2026, 9, 25))
    client.force_login(cast.mallory)
    page = client.get(reverse("web:start-reminders", args=[cast.hilltop.slug]))
    assert page.context["first"].people == []


def test_a_member_who_left_is_shown_as_still_a_member(client, cast):
    client.force_login(cast.alice)
    page = client.get(address("settings", cast)).content.decode()
    assert "still a member" not in page
    cast.people["olga"].employments.update(valid_to=date(2026, 11, 14))
    for user in (cast.alice, cast.audrey):
        client.force_login(user)
        page = client.get(address("settings", cast)).content.decode()
        assert page.count("still a member") == 1
        assert "Left on Sat 14 Nov 2026, still a member" in page[page.index("olga@example.org") :]
