"""Database triggers that refuse to change or remove audit rows, on SQLite and PostgreSQL.

Installed after every ``migrate`` (setting AUDIT_TRIGGERS) and not by a migration: SQLite drops them silently
whenever Django rebuilds a table. SQLite's REPLACE deletes without asking a DELETE trigger, so there the INSERT
of a key that exists is refused as well. PostgreSQL has TRUNCATE to refuse.

A head may only move on within its chain; at the same place only its signature may be written anew.
"""

from typing import Final

from audit.protection import Protection

EVENTS, ITEMS, HEADS = "audit_auditevent", "audit_audititem", "audit_chainhead"
TABLES: Final = (EVENTS, ITEMS, HEADS)
REFUSE, REFUSE_STEP_BACK = "audit_refuse", "audit_refuse_step_back"
_STEPS_BACK = "NEW.chain <> OLD.chain OR NEW.seq < OLD.seq OR (NEW.seq = OLD.seq AND NEW.hash <> OLD.hash)"
_RAISE = (
    "RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP"
    " USING ERRCODE = 'integrity_constraint_violation';"
)
FUNCTIONS: Final = {
    REFUSE: f" BEGIN {_RAISE} END ",
    REFUSE_STEP_BACK: f" BEGIN IF {_STEPS_BACK} THEN {_RAISE} END IF; RETURN NEW; END ",
}
_KEY_EXISTS = {
    EVENTS: f"EXISTS (SELECT 1 FROM {EVENTS} WHERE id = NEW.id OR (chain = NEW.chain AND seq = NEW.seq))",  # noqa: S608
    ITEMS: f"EXISTS (SELECT 1 FROM {ITEMS} WHERE id = NEW.id)",  # noqa: S608
    HEADS: f"EXISTS (SELECT 1 FROM {HEADS} WHERE chain = NEW.chain)",  # noqa: S608
}


def _sqlite_triggers() -> dict[str, tuple[str, str]]:
    found = {}
    for table in TABLES:
        moments = {"update": _STEPS_BACK if table == HEADS else "", "delete": "", "insert": _KEY_EXISTS[table]}
        for moment, condition in moments.items():
            when = f" WHEN {condition}" if condition else ""
            found[f"{table}_{moment}"] = (
                table,
                f"CREATE TRIGGER {table}_{moment} BEFORE {moment.upper()} ON {table}{when}"
                f" BEGIN SELECT RAISE(ABORT, '{table} is append-only: {moment.upper()} refused'); END",
            )
    return found


def _postgresql_triggers() -> dict[str, tuple[str, str]]:
    found = {}
    for table in TABLES:
        on_update = REFUSE_STEP_BACK if table == HEADS else REFUSE
        for moment, level, function in (
            ("update", "ROW", on_update),
            ("delete", "ROW", REFUSE),
            ("truncate", "STATEMENT", REFUSE),
        ):
            found[f"{table}_{moment}"] = (
                table,
                f"CREATE TRIGGER {table}_{moment} BEFORE {moment.upper()} ON {table}"
                f" FOR EACH {level} EXECUTE FUNCTION {function}()",
            )
    return found


PROTECTION: Final = Protection(FUNCTIONS, _postgresql_triggers(), _sqlite_triggers())


def trigger_statements() -> dict[str, str]:
    """Return the CREATE TRIGGER statement of every trigger by name, in the dialect of the database."""
    return {name: statement for name, (_, statement) in PROTECTION.triggers.items()}


def missing_triggers() -> list[str]:
    """Return the names of triggers that are absent, switched off or altered; empty when all stand."""
    return PROTECTION.missing()


def install_triggers() -> None:
    """Create every trigger that is missing or not as it should be; safe to repeat."""
    PROTECTION.install()
