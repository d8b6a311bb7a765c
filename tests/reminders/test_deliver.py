"""Digests leave over a real SMTP conversation: one connection a batch, each outcome written down, none twice."""

from datetime import timedelta

import pytest
from django.core.mail.backends.locmem import EmailBackend as OutboxBackend
from django.db import connection

from accounts.services.logins import record_login
from audit.models import AuditEvent
from reminders.models import Delivery, Digest, MailHold, Reminder
from reminders.services import deliver as delivery
from reminders.services.deliver import Delivered, deliver
from reminders.services.digests import assemble
from reminders.services.plan import plan_due
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import outbox, read, text
from tests.reminders.making import DAY, held, started
from tests.reminders.peer import smtp_peer

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
FIVE_MINUTES = timedelta(minutes=5)


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started."""
    return started(cast)


@pytest.fixture
def peer(settings):
    """A real SMTP server, and the settings that send there."""
    with smtp_peer() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", running.port, 10
        yield running


def ready(cast, *names, at=NOON):
    """Write a digest for each of these members, due in five days."""
    for name in names:
        held(cast, left=5, person=name)
    plan_due(at=at)
    assemble(at=at)


def state(name):
    return Digest.objects.get(person__first_name=name.title()).state


def test_a_digest_arrives_byte_for_byte_as_it_was_stored(riverside, peer):
    ready(riverside, "henry")
    assert deliver(at=NOON) == Delivered(sent=1)
    digest = Digest.objects.get()
    (address, raw) = peer.mails[0]
    assert address == "henry@example.org"
    assert raw.rstrip() == digest.message.replace("\n", "\r\n").encode().rstrip()
    assert "Sign in to iQIES" in text(read(raw))
    assert (digest.state, digest.sent_at, digest.attempts) == (Digest.State.SENT, NOON, 1)
    assert Delivery.objects.get().outcome == Delivery.Outcome.SENT


def test_many_digests_share_one_connection(riverside, peer, monkeypatch):
    monkeypatch.setattr(delivery, "BATCH", 2)
    ready(riverside, "henry", "carol", "olga", "audrey", "alice")
    assert deliver(at=NOON).sent == 5
    assert peer.connections == 1
    assert len({address for address, _ in peer.mails}) == 5


def test_what_was_accepted_is_never_sent_again(riverside, peer):
    ready(riverside, "henry")
    deliver(at=NOON)
    assert deliver(at=NOON + DAY) == Delivered()
    assert len(peer.mails) == 1


def test_a_recipient_refused_for_good_is_set_aside_and_the_run_goes_on(riverside, peer):
    ready(riverside, "alice", "henry", "olga")
    peer.replies["henry@example.org"] = "550 No such mailbox"
    assert deliver(at=NOON) == Delivered(sent=2, failed=1)
    assert (state("henry"), state("olga")) == (Digest.State.FAILED, Digest.State.SENT)
    assert Delivery.objects.get(outcome="refused").detail == "recipient refused: 550"
    assert deliver(at=NOON + DAY) == Delivered()


def test_a_recipient_refused_for_now_is_tried_again_later_and_later(riverside, peer):
    ready(riverside, "henry", "olga")
    peer.replies["henry@example.org"] = "450 Greylisted"
    assert deliver(at=NOON) == Delivered(sent=1, deferred=1)
    assert deliver(at=NOON + FIVE_MINUTES - timedelta(seconds=1)) == Delivered()
    assert deliver(at=NOON + FIVE_MINUTES) == Delivered(deferred=1)
    assert deliver(at=NOON + 2 * FIVE_MINUTES) == Delivered()
    peer.replies.clear()
    assert deliver(at=NOON + 3 * FIVE_MINUTES) == Delivered(sent=1)
    assert [row.outcome for row in Delivery.objects.filter(digest__person__first_name="Henry").order_by("pk")] == [
        "deferred",
        "deferred",
        "sent",
    ]


def test_a_mail_the_server_will_not_have_is_set_aside(riverside, peer):
    ready(riverside, "henry", "olga")
    peer.after = ["554 Looks like spam"]
    assert deliver(at=NOON) == Delivered(sent=1, failed=1)


def test_a_cut_connection_is_opened_again_for_the_rest(riverside, peer):
    peer.hang_up_after = 1
    ready(riverside, "alice", "henry", "olga")
    first = deliver(at=NOON)
    peer.hang_up_after = None
    second = deliver(at=NOON + DAY / 12)
    assert (first.problem, second.problem) == ("", "")
    assert peer.connections > 1
    assert Digest.objects.filter(state=Digest.State.SENT).count() == 3


def test_a_server_that_cannot_be_reached_is_told_and_claims_nothing(riverside, peer, settings):
    ready(riverside, "henry")
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    done = deliver(at=NOON)
    assert done.problem.startswith("the mail server cannot be used")
    digest = Digest.objects.get()
    assert (digest.state, digest.attempts, digest.lease) == (Digest.State.READY, 0, "")
    settings.EMAIL_PORT = port
    assert deliver(at=NOON) == Delivered(sent=1)


def test_a_run_that_died_after_sending_sends_again_under_the_same_message_id(riverside, peer, monkeypatch):
    ready(riverside, "henry")

    def die(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(delivery, "_write_down", die)
        with pytest.raises(KeyboardInterrupt):
            deliver(at=NOON)
    assert deliver(at=NOON + FIVE_MINUTES) == Delivered()
    assert deliver(at=NOON + 2 * FIVE_MINUTES) == Delivered(sent=1)
    first, second = (read(raw)["Message-ID"] for _, raw in peer.mails)
    assert first == second == Digest.objects.get().message_id


def test_nothing_leaves_while_mail_is_held_and_all_of_it_afterwards(riverside, peer):
    ready(riverside, "henry")
    hold = MailHold.objects.create(reason="restored", held_at=NOON)
    assert deliver(at=NOON) == Delivered()
    assert peer.connections == 0
    hold.released_at = NOON
    hold.save(update_fields=["released_at"])
    assert deliver(at=NOON) == Delivered(sent=1)


def test_a_waiting_digest_without_anything_true_left_is_taken_back(riverside, mailoutbox):
    account = held(riverside, left=5)
    ready(riverside)
    record_login(scope=riverside.scope("henry"), account=account, happened_on=TODAY, at=NOON)
    assert deliver(at=NOON + FIVE_MINUTES) == Delivered(superseded=1)
    assert mailoutbox == []
    assert (Digest.objects.get().state, Reminder.objects.get(step=5).state) == ("withdrawn", "superseded")


def test_after_dark_days_of_the_server_one_mail_arrives_not_one_a_day(riverside, peer, settings):
    held(riverside, left=5)
    port, settings.EMAIL_PORT = settings.EMAIL_PORT, 9
    for day in range(4):
        ready(riverside, at=NOON + day * DAY)
        assert deliver(at=NOON + day * DAY).sent == 0
    settings.EMAIL_PORT = port
    deliver(at=NOON + 3 * DAY)
    henrys = [read(raw) for address, raw in peer.mails if address == "henry@example.org"]
    assert len(henrys) == 1
    assert "(in two days)" in text(henrys[0])


def test_sent_digests_are_in_the_audit_chain_of_their_organization(riverside, mailoutbox):
    ready(riverside, "henry", "olga")
    deliver(at=NOON)
    event = AuditEvent.objects.get(action="digests.sent")
    assert (event.chain, event.item_count) == (riverside.riverside.key, 2)


class WatchingBackend(OutboxBackend):
    """The test outbox, noting whether a transaction is open while it is used."""

    inside: list[bool] = []

    def send_messages(self, messages):
        self.inside.append(connection.in_atomic_block)
        return super().send_messages(messages)


@pytest.mark.django_db(transaction=True)
def test_mail_is_sent_outside_any_transaction(catalogue, cast, settings, mailoutbox):
    settings.EMAIL_BACKEND = f"{__name__}.WatchingBackend"
    WatchingBackend.inside = []
    ready(started(cast), "henry")
    deliver(at=NOON)
    assert WatchingBackend.inside == [False]
    assert len(outbox(mailoutbox)) == 1


def test_a_second_deliverer_finds_nothing_left_to_claim(riverside):
    ready(riverside, "henry", "olga")
    assert len(delivery._claim(NOON)) == 2
    assert delivery._claim(NOON) == []
    assert len(delivery._claim(NOON + delivery.LEASE)) == 2


def test_the_outbox_is_in_order_of_writing_and_only_ready_ones(riverside):
    ready(riverside, "henry", "olga", "carol")
    first = Digest.objects.order_by("pk").first()
    Digest.objects.filter(pk=first.pk).update(state=Digest.State.FAILED)
    claimed = [digest.pk for digest in delivery._claim(NOON)]
    assert claimed == sorted(claimed)
    assert len(claimed) == 2
    assert first.pk not in claimed
