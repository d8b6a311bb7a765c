"""What an act leaves behind in the chain."""

import hashlib
import json
import threading

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import F, TextField, Value
from django.db.models.functions import Cast, Concat, JSONObject
from django.db.transaction import TransactionManagementError

from audit.context import request_id
from audit.models import INSTALLATION, AuditEvent, AuditItem, ChainHead
from audit.services import Ref, record, record_digest, record_many
from audit.sql import Tally, _ItemHashes
from audit.verify import verify_chains
from tests.audit.acts import AT, IMPORT, JANE, Thing, make_things, one_act

pytestmark = pytest.mark.db_engines


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def many(rows, **options):
    return record_many(action="logins.imported", actor=JANE, subject=IMPORT, at=AT, rows=rows, **options)


def digest(rows):
    return record_digest(action="lapses.found", actor=JANE, subject=IMPORT, at=AT, rows=rows)


@pytest.mark.django_db
def test_an_act_links_to_the_one_before_it():
    first, second = one_act(), one_act()
    assert (first.seq, second.seq) == (1, 2)
    assert first.prev_hash == ""
    assert second.prev_hash == first.hash != second.hash
    head = ChainHead.objects.get(chain="organization:1")
    assert (head.seq, head.hash, head.signature) == (2, second.hash, "")


@pytest.mark.django_db
def test_the_hash_can_be_recomputed_from_the_stored_columns_by_the_written_recipe():
    token = request_id.set("request-1234")
    try:
        event = one_act(reason="because", payload={"on": AT.date()})
    finally:
        request_id.reset(token)
    stored = AuditEvent.objects.filter(pk=event.pk).values().get()
    stored["at"] = stored["at"].isoformat(timespec="microseconds")
    told = stored.pop("hash")
    assert stored["request_id"] == "request-1234"
    assert sha(json.dumps(stored, sort_keys=True, separators=(",", ":"))) == told == event.hash


@pytest.mark.django_db
def test_a_payload_becomes_one_item_that_names_its_subject():
    event = one_act(payload={"on": AT.date(), "at": AT, "name": "Zoë"})
    [item] = AuditItem.objects.of_event(event.pk)
    assert json.loads(item.payload) == {
        "subject": "account:1",
        "on": "2026-11-22",
        "at": "2026-11-22T05:00:00.123456+00:00",
        "name": "Zoë",
    }
    assert (item.event_id, item.ordinal, item.subject_key) == (event.pk, 0, "account:1")
    assert item.item_hash == sha(item.payload)
    assert (event.item_count, event.items_kept, event.items_digest) == (1, True, sha(item.item_hash))


@pytest.mark.django_db
def test_an_act_without_payload_has_no_item():
    event = one_act()
    assert (event.item_count, event.items_digest) == (0, sha(""))
    assert not AuditItem.objects.exists()


@pytest.mark.django_db
def test_a_new_chain_is_opened_once_in_the_chain_of_the_installation():
    one_act()
    one_act()
    one_act(chain="organization:2")
    opened = AuditEvent.objects.filter(chain=INSTALLATION).order_by("seq")
    assert [(e.seq, e.action, e.subject_key) for e in opened] == [
        (1, "chain.opened", "organization:1"),
        (2, "chain.opened", "organization:2"),
    ]


@pytest.mark.django_db
def test_an_act_on_the_installation_opens_nothing():
    one_act(chain=INSTALLATION)
    assert AuditEvent.objects.get().action == "login.recorded"
    assert verify_chains().ok


@pytest.mark.django_db
def test_many_rows_are_one_event_per_chain_with_their_items_in_order_of_the_key():
    rows = make_things(
        ("organization:2", "account:9", '{"b": 1}'),
        ("organization:1", "account:5", '{"z": "é", "a": [1, {"x": null}]}'),
        ("organization:2", "account:4", "{}"),
    )
    events = many(rows.order_by("-subject_key"), reason="import")
    assert [(e.chain, e.item_count, e.reason, e.items_kept) for e in events] == [
        ("organization:1", 1, "import", True),
        ("organization:2", 2, "import", True),
    ]
    items = list(AuditItem.objects.of_event(events[1].pk))
    assert [(i.ordinal, i.subject_key) for i in items] == [(0, "account:9"), (1, "account:4")]
    assert [json.loads(i.payload) for i in items] == [{"b": 1, "subject": "account:9"}, {"subject": "account:4"}]
    assert [i.item_hash for i in items] == [sha(i.payload) for i in items]
    assert events[1].items_digest == sha("".join(i.item_hash for i in items))
    [lone] = AuditItem.objects.of_event(events[0].pk)
    assert json.loads(lone.payload) == {"z": "é", "a": [1, {"x": None}], "subject": "account:5"}
    assert verify_chains().ok


@pytest.mark.django_db
def test_many_rows_may_be_described_by_expressions():
    make_things(("organization:", "5", "it's 100% %s {here}"), ("organization:", "6", None))
    rows = Thing.objects.annotate(
        chain=Concat("tenant", Value("3")),
        subject_key=Concat(Value("account:"), Cast("id", TextField())),
        payload=JSONObject(note=F("facts"), key=F("key"), kind=Value("100% %s")),
    ).values("chain", "subject_key", "payload")
    [event] = many(rows)
    assert event.chain == "organization:3"
    assert [json.loads(item.payload) for item in AuditItem.objects.of_event(event.pk)] == [
        {"note": "it's 100% %s {here}", "key": "5", "kind": "100% %s", "subject": "account:1"},
        {"note": None, "key": "6", "kind": "100% %s", "subject": "account:2"},
    ]


@pytest.mark.django_db
def test_many_rows_are_recorded_after_many_events_too():
    for n in range(130):  # from event 128 on an item's key no longer fits into 32 bits
        one_act(payload={"n": n})
    make_things(("organization:", "5", None))
    [event] = many(
        Thing.objects.annotate(chain=Concat("tenant", Value("3")), subject_key=F("key"), payload=JSONObject())
    )
    assert event.pk > 128
    assert AuditItem.objects.of_event(event.pk).count() == 1


@pytest.mark.django_db
def test_many_rows_may_use_the_fields_of_the_table_and_a_slice():
    one_act(payload={"n": 1})
    one_act(payload={"n": 2})
    rows = AuditItem.objects.annotate(chain=Value("organization:1")).order_by("-pk")[:1]
    [event] = many(rows)
    [item] = AuditItem.objects.of_event(event.pk)
    assert json.loads(item.payload) == {"n": 2, "subject": "account:1"}


@pytest.mark.django_db
def test_rows_without_a_payload_still_name_their_subject():
    make_things(("organization:1", 'quote " and \\', None))
    [event] = many(Thing.objects.annotate(chain=F("tenant"), subject_key=F("key")))
    [item] = AuditItem.objects.of_event(event.pk)
    assert json.loads(item.payload) == {"subject": 'quote " and \\'}
    assert verify_chains().ok


@pytest.mark.django_db
def test_the_subject_in_the_payload_is_the_rows_own_whatever_the_caller_wrote():
    rows = make_things(("organization:1", "account:1", '{"subject": "account:2", "x": 1}'))
    described = Thing.objects.annotate(
        chain=F("tenant"), subject_key=F("key"), payload=JSONObject(subject=Value("account:2"), x=Value(1))
    )
    for written in (rows, described):
        [event] = many(written)
        [item] = AuditItem.objects.of_event(event.pk)
        assert json.loads(item.payload) == {"subject": "account:1", "x": 1}
    assert verify_chains().ok


@pytest.mark.django_db
@pytest.mark.parametrize("facts", ["[1, 2]", '"text"', "not json", None])
def test_a_payload_that_is_no_object_is_refused(facts):
    rows = make_things(("organization:1", "account:1", "{}"), ("organization:1", "account:2", facts))
    with pytest.raises(DatabaseError), transaction.atomic():
        many(rows)
    assert not AuditEvent.objects.exists()
    assert many(rows.filter(key="account:1"))[0].item_count == 1


@pytest.mark.django_db
def test_no_row_means_no_event():
    make_things()
    rows = Thing.objects.annotate(chain=F("tenant"), subject_key=F("key"))
    assert many(rows) == many(rows.none()) == digest(rows) == digest(rows.none()) == []
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db
def test_a_digest_keeps_count_and_digest_of_the_sorted_keys_but_no_item():
    rows = make_things(
        ("organization:1", "deadline:9", None),
        ("organization:1", "deadline:10", None),
        ("organization:2", "Ölfund", None),
        ("organization:2", "zebra", None),
        ("organization:2", "Zebra", None),
    )
    first, second = digest(rows)
    assert (first.chain, first.item_count, first.items_kept) == ("organization:1", 2, False)
    assert first.items_digest == sha("deadline:10\ndeadline:9")
    assert second.items_digest == sha("Zebra\nzebra\nÖlfund")
    assert not AuditItem.objects.exists()
    assert verify_chains().ok


@pytest.mark.django_db
def test_a_sweep_over_thousands_of_chains_does_not_pay_per_chain(django_assert_max_num_queries):
    rows = make_things(*((f"organization:{n}", f"deadline:{n}", None) for n in range(3_000)))
    with django_assert_max_num_queries(150):  # SQLite takes 62 events per INSERT
        events = digest(rows)
    assert len(events) == 3_000
    assert ChainHead.objects.count() == 3_001
    digest(rows)
    verdict = verify_chains()
    assert (verdict.ok, verdict.events) == (True, 9_000)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"action": "Login"},
        {"actor": Ref("", "nobody")},
        {"subject": Ref("", "nothing")},
        {"at": AT.replace(tzinfo=None)},
        {"chain": ""},
        {"payload": {"subject": "other"}},
    ],
)
def test_what_cannot_be_recorded_is_refused(wrong):
    right = {"chain": "organization:1", "action": "login.recorded", "actor": JANE, "subject": IMPORT, "at": AT}
    with pytest.raises(ValueError):
        record(**right | wrong)
    assert not AuditEvent.objects.exists()
    assert record(**right).seq == 1


@pytest.mark.django_db
def test_a_row_without_a_chain_is_refused():
    rows = make_things((None, "account:1", "{}"), ("organization:1", "account:2", "{}"))
    with pytest.raises(ValueError):
        many(rows)
    with pytest.raises(ValueError):
        digest(rows)
    assert not AuditEvent.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_outside_a_transaction():
    for act in (one_act, lambda: many(AuditItem.objects.none()), lambda: digest(AuditItem.objects.none())):
        with pytest.raises(TransactionManagementError):
            act()
    with transaction.atomic():
        assert one_act().seq == 1


@pytest.mark.django_db(transaction=True)
def test_an_act_that_is_rolled_back_leaves_no_gap():
    with transaction.atomic():
        one_act()
    with transaction.atomic():
        one_act(payload={"n": 1})
        transaction.set_rollback(True)
    with transaction.atomic():
        assert one_act(payload={"n": 2}).seq == 2
    assert verify_chains().ok


@pytest.mark.django_db(transaction=True)
def test_acts_at_the_same_time_line_up_in_one_chain():
    if connection.vendor != "postgresql":
        pytest.skip("the memory database of the suite has one connection; a file has one writer (IMMEDIATE)")
    ready, failures = threading.Barrier(4), []

    def act(number):
        try:
            ready.wait()
            for _ in range(5):
                with transaction.atomic():
                    one_act(chain=f"organization:{number % 2}", payload={"n": number})
        except Exception as exc:  # shown by the main thread
            failures.append(exc)
        finally:
            connection.close()

    threads = [threading.Thread(target=act, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert verify_chains().ok
    assert AuditEvent.objects.count() == 22


def test_items_that_sqlite_would_hash_out_of_turn_are_refused():
    hashes = _ItemHashes()
    hashes.add(7, 0, "{}")
    with pytest.raises(RuntimeError):
        hashes.add(7, 2, "{}")
    hashes.add(7, 1, "[]")
    assert hashes.tallies() == {7: Tally(2, sha(sha("{}") + sha("[]")))}
