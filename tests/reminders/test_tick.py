"""A tick runs what is due, once; time passes by ``--at``, without any broker."""

import json
import threading
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.models import Count, Max

from accounts.models import Finding
from accounts.services import recomputation
from accounts.services.logins import record_login
from audit.commands import CommandFailed
from audit.models import AuditEvent
from imports.models import Import, ImportRow
from reminders.exclusive import only_one
from reminders.models import Delivery, Digest, MailHold, Reminder, SweepRun, TrialMail
from reminders.services import tick as ticking
from reminders.services.forgetting import forget_mails
from reminders.services.tick import run_tick
from reminders.services.trials import send_trial
from reminders.tasks import tick as tick_task
from systems.models import Policy
from tests.conftest import NOON, TODAY
from tests.reminders.mailbox import mails_to, text
from tests.reminders.making import DAY, held, only_published_limits, started
from tests.reminders.peer import smtp_peer

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture
def riverside(cast):
    """The cast, with Riverside's reminders started."""
    return started(cast)


def ask(at):
    """Run the command; return its JSON document and whether it ended well."""
    out = StringIO()
    try:
        call_command("tick", "--json", "--at", at if isinstance(at, str) else at.isoformat(), stdout=out)
    except CommandFailed:
        return json.loads(out.getvalue()), False
    return json.loads(out.getvalue()), True


def everything():
    """Return rows and the largest key of every table of ours, SweepRun's left out."""
    found = {}
    for model in apps.get_models():
        if model is not SweepRun and model._meta.app_label not in {"sessions", "contenttypes"}:
            found[model._meta.label] = tuple(model._base_manager.aggregate(n=Count("pk"), last=Max("pk")).values())
    return found


def test_the_document_has_the_promised_keys(riverside):
    held(riverside, left=-1)
    document, ok = ask(NOON)
    assert ok
    assert datetime.fromisoformat(document["at"]) == NOON
    assert list(document["sweeps"]) == [
        "deadlines",
        "duties",
        "steps",
        "lapses",
        "findings",
        "reminders",
        "imports",
        "digests",
        "mail",
        "figures",
    ]
    for counts in document["sweeps"].values():
        assert list(counts) == ["opened", "closed", "planned", "sent", "superseded", "failed", "seconds"]
    assert document["sweeps"]["lapses"]["opened"] == 1
    assert document["sweeps"]["mail"]["sent"] == document["sweeps"]["digests"]["planned"] > 0


def test_a_week_by_tick_alone_one_mail_on_each_step_and_a_finding_at_the_end(riverside, mailoutbox, settings):
    settings.REDIS_URL = ""
    settings.CELERY_BROKER_URL = ""
    only_published_limits(riverside)
    held(riverside, left=5)
    for day in range(8):
        ask(NOON + day * DAY)
    henrys = mails_to(mailoutbox, "henry")
    assert [mail["Date"].datetime for mail in henrys] == [NOON, NOON + 3 * DAY, NOON + 6 * DAY]
    assert ["(in five days)" in text(henrys[0]), "(in two days)" in text(henrys[1])] == [True, True]
    assert "presumed revoked" in text(henrys[2])
    assert Finding.objects.open().filter(kind="lapse").count() == 1
    assert SweepRun.objects.count() == 8


def test_after_three_dark_days_one_mail_has_the_latest_step_and_the_missed_one_is_recorded(riverside, mailoutbox):
    held(riverside, left=11)
    ask(NOON)
    ask(NOON + 7 * DAY)
    henrys = mails_to(mailoutbox, "henry")
    assert len(henrys) == 2
    assert "(in four days)" in text(henrys[1])
    states = dict(Reminder.objects.filter(recipient=riverside.people["henry"]).values_list("step", "state"))
    assert states == {20: "in_digest", 10: "skipped", 5: "in_digest"}


def test_a_repeated_tick_writes_nothing_but_its_own_row(riverside):
    for left, name in ((20, "henry"), (5, "carol"), (-3, "olga")):
        held(riverside, left=left, person=name)
    ask(NOON)
    before, runs = everything(), SweepRun.objects.count()
    document, ok = ask(NOON)
    assert ok
    assert everything() == before
    assert SweepRun.objects.count() == runs + 1
    assert {name: sum(list(counts.values())[:-1]) for name, counts in document["sweeps"].items()} == {
        "duties": 0,
        "steps": 0,
        "lapses": 0,
        "findings": 0,
        "reminders": 0,
        "imports": 0,
        "digests": 0,
        "mail": 0,
        "figures": 0,
    }


def test_what_is_kept_of_an_imported_file_goes_when_it_can_be_taken_back_no_more(riverside):
    source = Import.objects.create(
        organization=riverside.riverside,
        kind=Import.Kind.STAFF,
        file_name="roster.csv",
        sha256="0" * 64,
        applied_at=NOON,
        applied_by="a test",
    )
    ImportRow.objects.create(
        organization=riverside.riverside, source=source, kind="joiner", cells='["Ada"]', change='{"person": 1}'
    )
    document, _ = ask(NOON + 30 * DAY)
    assert document["sweeps"]["imports"]["closed"] == 0
    assert ImportRow.objects.get().cells == '["Ada"]'
    document, _ = ask(NOON + 31 * DAY)
    assert document["sweeps"]["imports"]["closed"] == 1
    assert (ImportRow.objects.get().cells, ImportRow.objects.get().change) == ("", "")
    assert ask(NOON + 31 * DAY)[0]["sweeps"]["imports"]["closed"] == 0


def test_a_login_silences_the_ladder_until_the_new_cycle_is_near(riverside, mailoutbox):
    account = held(riverside, left=5)
    ask(NOON)
    record_login(scope=riverside.scope("henry"), account=account, happened_on=TODAY, at=NOON)
    for day in (3, 6, 39):
        ask(NOON + day * DAY)
    assert len(mails_to(mailoutbox, "henry")) == 1
    ask(NOON + 40 * DAY)
    assert len(mails_to(mailoutbox, "henry")) == 2


def test_an_instant_before_the_last_run_is_refused_and_the_same_one_is_not(riverside):
    ask(NOON)
    document, ok = ask(NOON - timedelta(seconds=1))
    assert not ok
    assert document["errors"][0]["code"] == "before_last_run"
    assert document["sweeps"] == {}
    assert ask(NOON)[1]


@time_machine.travel(NOON, tick=False)
def test_far_ahead_of_the_clock_is_refused_when_mail_goes_to_real_mailboxes(cast, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    document, ok = ask(NOON + timedelta(hours=1, seconds=1))
    assert (ok, document["errors"][0]["code"]) == (False, "ahead_of_clock")
    assert ask(NOON + timedelta(hours=1))[1]


@pytest.mark.parametrize("word", ["", "tomorrow", "2026-13-01", "12:00", "0001-01-01T00:00+14:00", "9999-12-31"])
def test_what_is_no_instant_is_refused_with_its_place(catalogue, word):
    document, ok = ask(word)
    assert not ok
    assert (document["errors"][0]["code"], document["errors"][0]["place"]) == ("not_an_instant", "--at")
    assert (document["at"], document["sweeps"]) == (None, {})


def test_instants_may_be_written_in_the_usual_ways(catalogue):
    given = ["2026-11-20", "2026-11-20T17:30Z", "2026-11-20T12:45-05:00", "2026-11-20 18:00"]
    told = [datetime.fromisoformat(ask(text)[0]["at"]) for text in given]
    assert told == [datetime(2026, 11, 20, 17 + minutes // 60, minutes % 60, tzinfo=UTC) for minutes in (0, 30, 45, 60)]


def test_while_mail_is_held_nothing_leaves_and_the_tick_says_so(riverside, mailoutbox):
    held(riverside, left=5)
    hold = MailHold.objects.create(reason="restored", held_at=NOON)
    document, ok = ask(NOON)
    assert ok
    assert document["held"] is True
    assert mailoutbox == []
    assert not Digest.objects.exists()
    call_command("release_mail", stdout=StringIO())
    hold.refresh_from_db()
    assert hold.released_at is not None
    document, _ = ask(NOON + 3 * DAY)
    assert "held" not in document
    henrys = mails_to(mailoutbox, "henry")
    assert len(henrys) == 1
    assert "(in two days)" in text(henrys[0])


def test_a_sweep_that_fails_is_told_and_the_others_go_on(riverside, mailoutbox, monkeypatch):
    held(riverside, left=5)

    def broken(*, at):
        raise ZeroDivisionError("henry@example.org")

    monkeypatch.setattr(ticking, "sweep_lapses", broken)
    document, ok = ask(NOON)
    assert not ok
    assert document["errors"] == [{"sweep": "lapses", "code": "failed", "message": "ZeroDivisionError"}]
    assert len(mails_to(mailoutbox, "henry")) == 1
    assert SweepRun.objects.get().error == "lapses: ZeroDivisionError"
    assert SweepRun.objects.get().ended_at is not None


def test_a_mail_server_that_is_down_ends_the_tick_with_an_error(riverside, settings):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    held(riverside, left=5)
    document, ok = ask(NOON)
    assert not ok
    assert document["errors"][0]["sweep"] == "mail"
    assert document["sweeps"]["digests"]["planned"] == 2, "Henry's, and Alice's of what is wrong at Oak House"


def test_a_new_catalogue_is_followed_once_and_an_old_one_costs_nothing(riverside, monkeypatch):
    held(riverside, left=40)
    asked = []
    real = recomputation.recompute_outdated
    monkeypatch.setattr(ticking, "recompute_outdated", lambda **given: asked.append(1) or real(**given))
    ask(NOON)
    ask(NOON)
    assert len(asked) == 1
    policy = Policy.objects.get(system__slug="iqies", kind="inactivity")
    Policy.objects.filter(pk=policy.pk).update(limit_days=50, revision=policy.revision + 1)
    ask(NOON)
    document, _ = ask(NOON)
    assert len(asked) == 2
    assert "deadlines" not in document["sweeps"]


def test_the_scheduled_task_runs_now_and_shrugs_at_a_run_from_the_future(riverside, mailoutbox):
    with time_machine.travel(NOON, tick=False):
        held(riverside, left=5)
        tick_task()
    assert SweepRun.objects.get().at == NOON
    assert len(mails_to(mailoutbox, "henry")) == 1
    with time_machine.travel(NOON - DAY, tick=False):
        tick_task()
    assert SweepRun.objects.count() == 1


def test_everything_a_tick_writes_is_in_the_chain_once_per_rule(riverside):
    held(riverside, left=-1)
    ask(NOON)
    actions = AuditEvent.objects.filter(chain=riverside.riverside.key).values_list("action", flat=True)
    for action in ("finding.lapse-opened", "digests.assembled", "digests.sent"):
        assert list(actions).count(action) == 1
    rules = AuditEvent.objects.filter(chain=riverside.riverside.key, action="reminders.planned")
    assert sorted(rules.values_list("subject_key", flat=True)) == ["rule:findings", "rule:ladder"]


@pytest.mark.django_db(transaction=True)
def test_of_two_runs_at_once_the_second_says_so_and_ends_well(catalogue):
    held_it, let_go = threading.Event(), threading.Event()
    ours = []

    def first():
        with only_one() as mine:
            ours.append(mine)
            held_it.set()
            let_go.wait(20)
        connection.close()

    runner = threading.Thread(target=first)
    runner.start()
    try:
        assert held_it.wait(20)
        document, ok = ask(NOON)
    finally:
        let_go.set()
        runner.join()
    assert ours == [True]
    assert (ok, document["overlapping"], document["sweeps"]) == (True, True, {})
    assert not SweepRun.objects.exists()
    assert "overlapping" not in ask(NOON)[0]


def test_a_tick_reaches_a_real_mailbox(riverside, settings):
    with smtp_peer() as peer:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", peer.port
        held(riverside, left=5)
        held(riverside, left=2, person="olga")
        with time_machine.travel(NOON, tick=True):
            done = run_tick(at=NOON)
        assert done.errors == []
        assert {address for address, _ in peer.mails} == {
            "henry@example.org",
            "olga@example.org",
            "alice@example.org",
        }
        assert peer.connections == 1
        assert Delivery.objects.filter(outcome="sent").count() == 3


def test_the_text_of_mails_ends_after_30_days_and_their_hash_stays(riverside):
    held(riverside, left=5, person="henry")
    ask(NOON)
    send_trial(scope=riverside.scope("alice"), at=NOON)
    sent, waiting = Digest.objects.filter(state="sent").order_by("pk")
    Digest.objects.filter(pk=waiting.pk).update(state="ready", sent_at=None)  # it may still be sent
    kept = [sent.message_sha256, TrialMail.objects.get().message_sha256]
    assert forget_mails(at=NOON + 30 * DAY) == 0
    later = NOON + 30 * DAY + timedelta(seconds=1)
    assert ticking._forget(later)["closed"] == 2
    sent.refresh_from_db()
    trial = TrialMail.objects.get()
    assert (sent.message, trial.message) == ("", "")
    assert [sent.message_sha256, trial.message_sha256] == kept
    assert Digest.objects.get(pk=waiting.pk).message
    assert forget_mails(at=later) == 0
