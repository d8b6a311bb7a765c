"""Whatever is changed behind our back, the walk names it. The triggers are not installed in these tests."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from audit.canonical import EVENT_COLUMNS, event_hash, instant_text, sha256_hex
from audit.commands import CommandFailed
from audit.models import AuditEvent, AuditItem, ChainHead
from audit.verify import verify_chains
from tests.audit.acts import one_act, some_history

pytestmark = pytest.mark.db_engines
EVENT_NAMES = [*EVENT_COLUMNS, "hash"]
ITEM_NAMES = ["id", "event_id", "ordinal", "subject_key", "payload", "item_hash"]
HEAD_NAMES = ["chain", "seq", "hash", "signature"]


@pytest.fixture
def history(db):
    some_history()
    assert verify_chains().ok


class _Undo(Exception):  # noqa: N818
    pass


def bad_after(change):
    """Return the first fault after a change that is taken back again."""
    found = None
    try:
        with transaction.atomic():
            change()
            found = verify_chains().first_bad
            raise _Undo
    except _Undo:
        pass
    assert found is not None, "the change was not seen"
    return found


def place(change):
    found = bad_after(change)
    return found.chain, found.seq, found.item


def other(value):
    """Return another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1_000_000_000
    if isinstance(value, str):
        return value[:-1] + ("x" if value[-1:] != "x" else "y")
    return value + timedelta(microseconds=1)


def setter(row, name, value):
    return lambda: type(row).objects.filter(pk=row.pk).update(**{name: value})


def home_of(item):
    event = AuditEvent.objects.get(pk=item.event_id)
    return event.chain, event.seq, item.ordinal


def test_the_history_has_every_kind_of_row(history):
    verdict = verify_chains()
    assert (verdict.events, verdict.items) == (9, 8)
    assert set(AuditEvent.objects.values_list("items_kept", "item_count")) == {
        (True, 0),
        (True, 1),
        (True, 2),
        (True, 3),
        (False, 2),
        (False, 3),
    }
    assert [f.column for f in AuditEvent._meta.fields] == EVENT_NAMES
    assert [f.column for f in AuditItem._meta.fields] == ITEM_NAMES
    assert [f.column for f in ChainHead._meta.fields] == HEAD_NAMES


@pytest.mark.parametrize("name", EVENT_NAMES)
def test_a_changed_column_of_any_event_is_named(history, name):
    for event in AuditEvent.objects.all():
        change = setter(event, name, other(getattr(event, name)))
        assert place(change) == (event.chain, event.seq, None)


@pytest.mark.parametrize("name", ITEM_NAMES)
def test_a_changed_column_of_any_item_is_named(history, name):
    for item in AuditItem.objects.all():
        assert place(setter(item, name, other(getattr(item, name)))) == home_of(item)


@pytest.mark.parametrize("name", HEAD_NAMES)
def test_a_changed_column_of_any_head_is_named(history, name):
    for head in ChainHead.objects.all():
        beyond = 1 if name == "seq" else 0  # the first of the events that the head claims
        assert place(setter(head, name, other(getattr(head, name)))) == (head.chain, head.seq + beyond, None)


def test_a_head_set_back_is_named_with_the_event_it_no_longer_covers(history):
    head = ChainHead.objects.get(chain="organization:1")
    assert place(setter(head, "seq", head.seq - 1)) == ("organization:1", head.seq, None)


def test_a_seq_set_back_is_named(history):
    event = AuditEvent.objects.get(chain="organization:1", seq=3)
    assert place(setter(event, "seq", 0))[:2] == ("organization:1", 0)


def test_every_removed_row_is_named(history):
    for event in AuditEvent.objects.all():
        assert place(AuditEvent.objects.filter(pk=event.pk).delete) == (event.chain, event.seq, None)
    for item in AuditItem.objects.all():
        assert place(AuditItem.objects.filter(pk=item.pk).delete) == home_of(item)
    for head in ChainHead.objects.all():
        assert place(ChainHead.objects.filter(pk=head.pk).delete) == (head.chain, head.seq, None)


def test_the_reason_says_which_event_is_missing(history):
    found = bad_after(AuditEvent.objects.filter(chain="organization:1", seq=2).delete)
    assert found.why == "event 2 is missing; the next one is 3"


def test_an_event_removed_with_its_items_is_named(history):
    def remove():
        event = AuditEvent.objects.get(chain="organization:1", seq=2)
        AuditItem.objects.of_event(event.pk).delete()
        event.delete()

    assert place(remove) == ("organization:1", 2, None)


def test_a_removed_tail_is_named_even_if_the_head_goes_back_with_it_and_a_signature_is_kept(history, settings):
    def remove(*, head_too):
        AuditEvent.objects.filter(chain="organization:2", seq=3).delete()
        if head_too:
            last = AuditEvent.objects.get(chain="organization:2", seq=2)
            ChainHead.objects.filter(chain="organization:2").update(seq=2, hash=last.hash)

    assert place(lambda: remove(head_too=False)) == ("organization:2", 3, None)
    settings.AUDIT_SIGNING_KEY = "key"
    call_command("sign_audit", stdout=StringIO())
    assert verify_chains().ok
    assert place(lambda: remove(head_too=True)) == ("organization:2", 2, None)


@pytest.mark.parametrize("head_too", [True, False])
def test_a_chain_removed_whole_is_named(history, head_too):
    def remove():
        AuditItem.objects.filter(event_id__in=AuditEvent.objects.filter(chain="organization:2").values("pk")).delete()
        AuditEvent.objects.filter(chain="organization:2").delete()
        if head_too:
            ChainHead.objects.filter(chain="organization:2").delete()

    assert place(remove) == ("organization:2", 1, None)


def test_a_chain_removed_whole_and_begun_anew_is_named(history):
    def remove():
        AuditItem.objects.filter(event_id__in=AuditEvent.objects.filter(chain="organization:2").values("pk")).delete()
        AuditEvent.objects.filter(chain="organization:2").delete()
        ChainHead.objects.filter(chain="organization:2").delete()
        one_act(chain="organization:2")

    found = bad_after(remove)
    assert (found.chain, found.seq) == ("installation", 3)
    assert "organization:2 was opened before" in found.why


def test_the_chain_of_the_installation_removed_whole_is_named(history):
    def remove():
        AuditEvent.objects.filter(chain="installation").delete()
        ChainHead.objects.filter(chain="installation").delete()

    assert place(remove) == ("organization:1", 1, None)


def copy(row, **changes):
    """Return a function that adds a forged copy of the row."""
    model = type(row)
    values = model.objects.filter(pk=row.pk).values().get()
    return lambda: model.objects.create(**values | changes)


def test_a_forged_event_is_named(history):
    last = AuditEvent.objects.filter(chain="organization:1").order_by("seq").last()
    assert place(copy(last, id=900, seq=last.seq + 1)) == ("organization:1", last.seq + 1, None)
    columns = {name: getattr(last, name) for name in EVENT_COLUMNS}
    columns |= {"id": 900, "seq": last.seq + 1, "prev_hash": last.hash, "item_count": 0}
    fitting = event_hash(columns | {"at": instant_text(last.at)})
    assert place(copy(last, **columns, hash=fitting)) == ("organization:1", last.seq + 1, None)
    assert place(copy(last, id=900, seq=1, chain="organization:9")) == ("organization:9", 1, None)


def test_a_forged_item_is_named(history):
    event = AuditEvent.objects.get(chain="organization:1", item_count=3, items_kept=True)
    item = AuditItem.objects.of_event(event.pk).last()
    assert place(copy(item, id=item.pk + 1, ordinal=3)) == ("organization:1", event.seq, 3)
    swept = AuditEvent.objects.get(chain="organization:1", items_kept=False)
    added = copy(item, id=swept.pk << 24, event_id=swept.pk, ordinal=0)
    assert place(added) == ("organization:1", swept.seq, 0)
    stray = bad_after(copy(item, id=900 << 24, event_id=900, ordinal=0))
    assert (stray.chain, stray.item) == (None, 0)
    assert "belongs to no event" in stray.why


def test_a_forged_head_is_named(history):
    head = ChainHead.objects.get(chain="organization:1")
    assert place(copy(head, chain="organization:9"))[0] == "organization:9"
    assert place(copy(head, chain="organization:9", seq=0, hash=""))[0] == "organization:9"


def test_an_item_forged_together_with_its_hash_still_breaks_the_event(history):
    item = AuditItem.objects.filter(ordinal=1).first()
    payload = json.dumps({"subject": item.subject_key, "login": "2020-01-01"})

    def forge():
        AuditItem.objects.filter(pk=item.pk).update(payload=payload, item_hash=sha256_hex(payload))

    found = bad_after(forge)
    assert (found.chain, found.seq) == home_of(item)[:2]
    assert "digest" in found.why


def test_an_event_forged_together_with_its_hash_still_breaks_the_chain(history):
    event = AuditEvent.objects.get(chain="organization:1", seq=2)
    columns = {name: getattr(event, name) for name in EVENT_COLUMNS} | {"actor_label": "Nobody"}

    def forge():
        fitting = event_hash(columns | {"at": instant_text(event.at)})
        AuditEvent.objects.filter(pk=event.pk).update(actor_label="Nobody", hash=fitting)

    assert place(forge) == ("organization:1", 3, None)


def test_swapped_rows_are_named(history):
    def swap_events():
        both = AuditEvent.objects.filter(chain="organization:1")
        first, second = both.get(seq=1), both.get(seq=2)
        both.filter(pk=first.pk).update(seq=90)
        both.filter(pk=second.pk).update(seq=1)
        both.filter(pk=first.pk).update(seq=2)

    def swap_items():
        event = AuditEvent.objects.get(chain="organization:1", item_count=3, items_kept=True)
        a, b, _ = AuditItem.objects.of_event(event.pk)
        for row, content in ((a, b), (b, a)):
            AuditItem.objects.filter(pk=row.pk).update(
                subject_key=content.subject_key, payload=content.payload, item_hash=content.item_hash
            )

    assert place(swap_events)[:2] == ("organization:1", 1)
    assert place(swap_items)[:2] == ("organization:1", 2)


SQLITE_ONLY = {
    "a whole number where yes or no belongs": "UPDATE audit_auditevent SET items_kept = 5 WHERE id = {id}",
    "text where a number belongs": "UPDATE audit_auditevent SET item_count = 'many' WHERE id = {id}",
    "text for the place in the chain": "UPDATE audit_auditevent SET seq = 'last' WHERE id = {id}",
    "bytes that are no text": "UPDATE audit_auditevent SET reason = CAST(x'ff' AS TEXT) WHERE id = {id}",
    "bytes that look like the text": "UPDATE audit_auditevent SET actor_key = CAST(actor_key AS BLOB) WHERE id = {id}",
    "no instant": "UPDATE audit_auditevent SET at = 'yesterday' WHERE id = {id}",
    "an instant out of the calendar": "UPDATE audit_auditevent SET at = '2026-13-45 00:00:00' WHERE id = {id}",
    "the same instant, cut": "UPDATE audit_auditevent SET at = substr(at, 1, 19) WHERE id = {id}",
    "another event by REPLACE": (
        "REPLACE INTO audit_auditevent SELECT id, chain, seq, actor_key, actor_label, action, subject_key,"
        " subject_label, 'other', request_id, at, item_count, items_digest, items_kept, prev_hash, hash"
        " FROM audit_auditevent WHERE id = {id}"
    ),
}
POSTGRESQL_ONLY = {
    "the end of time": "UPDATE audit_auditevent SET at = 'infinity' WHERE id = {id}",
    "a year before Christ": "UPDATE audit_auditevent SET at = '0100-01-01 BC' WHERE id = {id}",
}


@pytest.mark.parametrize("what", [*SQLITE_ONLY, *POSTGRESQL_ONLY])
def test_what_only_one_engine_lets_in_is_named(history, what):
    statement = (POSTGRESQL_ONLY if connection.vendor == "postgresql" else SQLITE_ONLY).get(what)
    if statement is None:
        pytest.skip(f"no statement of {connection.vendor}")
    event = AuditEvent.objects.get(chain="organization:1", seq=2)

    def change():
        with connection.cursor() as cursor:
            cursor.execute(statement.format(id=event.pk))

    assert place(change) == ("organization:1", 2, None)


def test_of_two_faults_the_first_by_chain_and_place_is_named(history):
    def change():
        AuditEvent.objects.filter(chain="organization:2", seq=1).update(reason="x")
        item = AuditItem.objects.filter(event_id=AuditEvent.objects.get(chain="organization:1", seq=2).pk).last()
        setter(item, "payload", "{}")()
        AuditEvent.objects.filter(chain="organization:1", seq=3).update(reason="x")

    assert place(change) == ("organization:1", 2, 2)


def answer(*args):
    out = StringIO()
    try:
        call_command("verify_audit", *args, stdout=out, stderr=StringIO())
    except CommandFailed as exc:
        return out.getvalue(), exc.returncode
    return out.getvalue(), 0


def test_the_command_says_ok_in_words_and_in_json(history):
    nothing = {"chain": None, "seq": None, "item": None, "why": None}
    text, code = answer("--json")
    assert json.loads(text) == {"ok": True, "events": 9, "items": 8, "first_bad": nothing}
    assert code == 0
    assert answer() == ("The audit chains are whole: 9 events, 8 items.\n", 0)


def test_the_command_names_the_fault_and_fails(history):
    AuditItem.objects.filter(event_id=AuditEvent.objects.get(chain="organization:1", seq=2).pk, ordinal=1).delete()
    text, code = answer("--json")
    told = json.loads(text)
    assert (told["ok"], code) == (False, 1)
    assert {**told["first_bad"], "why": ""} == {"chain": "organization:1", "seq": 2, "item": 1, "why": ""}
    text, code = answer()
    assert text.startswith("NOT OK (9 events, 7 items). First: chain organization:1, event 2, item 1: ")


@pytest.mark.django_db
def test_an_empty_database_is_whole():
    assert answer() == ("The audit chains are whole: 0 events, 0 items.\n", 0)


@pytest.mark.django_db(transaction=True)
def test_the_walk_takes_its_own_snapshot_outside_a_transaction():
    with transaction.atomic():
        one_act(payload={"x": 1})
    verdict = verify_chains()
    assert (verdict.ok, verdict.events, verdict.items) == (True, 2, 1)
    assert connection.get_autocommit()
    with transaction.atomic():
        assert one_act().seq == 2
