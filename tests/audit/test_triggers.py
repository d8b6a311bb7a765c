"""The database itself refuses to change or remove audit rows."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from audit import apps, checks
from audit.models import AuditEvent, AuditItem, ChainHead
from audit.services import sign_heads
from audit.triggers import install_triggers, missing_triggers, trigger_statements
from audit.verify import verify_chains
from tests.audit.acts import AT, JANE, one_act, some_history

pytestmark = pytest.mark.db_engines
EVENTS, ITEMS, HEADS = "audit_auditevent", "audit_audititem", "audit_chainhead"


def run(sql):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def drop_triggers():
    for name in trigger_statements():
        on_table = f" ON {name.rpartition('_')[0]}" if connection.vendor == "postgresql" else ""
        run(f"DROP TRIGGER IF EXISTS {name}{on_table}")


@pytest.fixture
def protected(db):
    """A history below standing triggers; both go with the test's transaction."""
    some_history()
    install_triggers()


REFUSED = {
    "an event's reason": f"UPDATE {EVENTS} SET reason = 'x' WHERE seq = 1",
    "an event's hash": f"UPDATE {EVENTS} SET hash = 'x'",
    "an event to itself": f"UPDATE {EVENTS} SET reason = reason",
    "an event away": f"DELETE FROM {EVENTS} WHERE seq = 2",
    "an item's payload": f"UPDATE {ITEMS} SET payload = '{{}}'",
    "an item away": f"DELETE FROM {ITEMS} WHERE ordinal = 0",
    "a head away": f"DELETE FROM {HEADS} WHERE chain = 'organization:2'",
    "a head back": f"UPDATE {HEADS} SET seq = seq - 1",
    "a head's hash": f"UPDATE {HEADS} SET hash = 'x'",
    "a head to another chain": f"UPDATE {HEADS} SET chain = 'organization:3', seq = seq + 1 WHERE chain LIKE '%2'",
}
REFUSED_BY_SQLITE = {
    "an event by its id": f"REPLACE INTO {EVENTS} SELECT * FROM {EVENTS} WHERE seq = 1",
    "an event by chain and seq": (
        f"INSERT OR REPLACE INTO {EVENTS} SELECT id + 90, chain, seq, actor_key, actor_label, action, subject_key,"
        f" subject_label, 'x', request_id, at, item_count, items_digest, items_kept, prev_hash, hash FROM {EVENTS}"
    ),
    "an item": f"REPLACE INTO {ITEMS} SELECT id, event_id, ordinal, subject_key, '{{}}', item_hash FROM {ITEMS}",
    "a head": f"REPLACE INTO {HEADS} SELECT chain, seq - 1, hash, signature FROM {HEADS}",
}
REFUSED_BY_POSTGRESQL = {
    "an item by upsert": (
        f"INSERT INTO {ITEMS} SELECT * FROM {ITEMS} ON CONFLICT (id) DO UPDATE SET payload = excluded.payload"
    ),
    "all events": f"TRUNCATE {EVENTS}",
    "all items": f"TRUNCATE {ITEMS}",
    "all heads": f"TRUNCATE {HEADS}",
}


@pytest.mark.parametrize("what", [*REFUSED, *REFUSED_BY_SQLITE, *REFUSED_BY_POSTGRESQL])
def test_the_database_refuses_to_change(protected, what):
    own = REFUSED_BY_POSTGRESQL if connection.vendor == "postgresql" else REFUSED_BY_SQLITE
    statement = (REFUSED | own).get(what)
    if statement is None:
        pytest.skip(f"no statement of {connection.vendor}")
    with pytest.raises(IntegrityError):
        run(statement)
    assert verify_chains().ok
    drop_triggers()
    run(statement)  # the statement itself works: it was the trigger that refused


def test_acts_and_signatures_pass_the_triggers(protected, settings):
    before = AuditEvent.objects.count()
    one_act(payload={"x": 1})
    one_act(chain="organization:77")
    settings.AUDIT_SIGNING_KEY = "key"
    sign_heads(actor=JANE, at=AT)
    assert AuditEvent.objects.count() == before + 4
    assert verify_chains().ok
    with pytest.raises(IntegrityError):  # and the ORM is no way around
        AuditItem.objects.all().delete()


@pytest.mark.django_db
def test_installing_twice_changes_nothing_and_missing_ones_are_named():
    drop_triggers()
    assert missing_triggers() == list(trigger_statements())
    install_triggers()
    assert missing_triggers() == []
    install_triggers()
    assert missing_triggers() == []


@pytest.mark.django_db
def test_an_altered_trigger_counts_as_missing_and_is_put_right():
    install_triggers()
    name = f"{EVENTS}_update"
    if connection.vendor == "postgresql":
        run(f"ALTER TABLE {EVENTS} DISABLE TRIGGER {name}")
        assert missing_triggers() == [name]
        install_triggers()
        run(f"DROP TRIGGER {name} ON {EVENTS}")
        run(
            f"CREATE TRIGGER {name} BEFORE UPDATE ON {EVENTS} FOR EACH ROW WHEN (1 = 2) EXECUTE FUNCTION audit_refuse()"
        )
        assert missing_triggers() == [name]
        install_triggers()
        run("CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        assert name in missing_triggers()
    else:
        run(f"DROP TRIGGER {name}")
        run(f"CREATE TRIGGER {name} BEFORE UPDATE ON {EVENTS} WHEN 1 = 2 BEGIN SELECT RAISE(ABORT, 'no'); END")
        assert missing_triggers() == [name]
    one_act()
    install_triggers()
    with pytest.raises(IntegrityError):
        run(f"UPDATE {EVENTS} SET reason = 'x'")


@pytest.mark.django_db
def test_the_system_checks_tell_when_rows_are_not_protected(settings):
    drop_triggers()
    settings.AUDIT_TRIGGERS = True
    assert [message.id for message in checks.check_triggers_stand(databases=["default"])] == ["audit.W001"]
    install_triggers()
    assert checks.check_triggers_stand(databases=["default"]) == []
    assert checks.check_triggers_wanted() == []
    settings.AUDIT_TRIGGERS = False
    assert [message.id for message in checks.check_triggers_wanted()] == ["audit.W002"]


@pytest.mark.django_db
@pytest.mark.parametrize("wanted", [True, False])
def test_migrate_installs_the_triggers_where_they_are_wanted(settings, wanted):
    drop_triggers()
    settings.AUDIT_TRIGGERS = wanted
    call_command("migrate", verbosity=0)
    assert missing_triggers() == ([] if wanted else list(trigger_statements()))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("model", [AuditEvent, AuditItem, ChainHead])
def test_a_table_rebuild_drops_the_triggers_and_the_next_migrate_brings_them_back(settings, model):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite rebuilds tables")
    try:
        with transaction.atomic():
            some_history()
        install_triggers()
        with connection.schema_editor() as editor:
            editor._remake_table(model)
        assert {name.rpartition("_")[0] for name in missing_triggers()} == {model._meta.db_table}
        settings.AUDIT_TRIGGERS = True
        apps.protect_tables(using="default")
        assert missing_triggers() == []
        assert verify_chains().ok
    finally:
        drop_triggers()
        run("DROP TABLE IF EXISTS things_thing")
