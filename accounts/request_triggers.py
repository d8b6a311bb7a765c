"""What the database itself refuses about requests, whoever writes: page, program or a hand on the tables.

- A request begins as a draft and takes only the ways of `accounts.policy.requesting.TRANSITIONS`.
- It is approved, and gets to its steps, only with as many approvals of its present revision as it needs.
- Once submitted, for whom and what kind it is stay; what else is asked for changes with a new revision only.
- Who asks changes only where somebody takes it over, and that once: who asked first stays known for good, so nobody
  who ever asked for it is forgotten; and nobody takes over what she decided.
- What went back to its draft is a new revision, so that no earlier approval counts; whether a second person decides is
  settled in the draft, and without one there is a finding. How many decide is lowered with a new revision only.
- What was submitted is kept, with its steps, decisions, comments and files: no row of it is deleted (`KEPT`). Nothing
  in the product deletes one; whoever writes a way that may (a deleted organization, what is older than it has to be
  kept) takes these triggers away for it as the owner of the tables. What somebody said, and the files that prove
  something, are never changed; nothing moves to another request, where it could be deleted.
- An approval names the request's own requester and beneficiary, so that the checks on it cannot be talked round, and a
  confirmed member as approver, who is not the one that asked first either. It is never changed; it can only be voided.
"""

from typing import Final

from accounts.policy.requesting import NEEDS_APPROVAL, TRANSITIONS, Approved, State
from audit.protection import Protection

REQUESTS, APPROVALS = "accounts_accessrequest", "accounts_approval"
STEPS, NOTES, FILES = "accounts_requeststep", "accounts_requestnote", "accounts_requestfile"
_ASKED_FOR: Final = ("system_id", "facility_id", "role_id", "grant_id", "account_id", "wanted_until")
_WHO: Final = ("organization_id", "kind", "beneficiary_person_id")
_DECISION: Final = (
    "id", "organization_id", "request_id", "revision", "verdict", "approver_person_id", "requester_person_id",
    "beneficiary_person_id", "in_place_of_id", "reason", "at",
)  # fmt: skip
_SAID: Final = ("id", "organization_id", "request_id", "kind", "person_id", "by", "text", "at")
_PROOF: Final = ("id", "organization_id", "request_id", "name", "content_type", "size", "sha256", "path", "at", "by")
_WHICH_STEP: Final = ("id", "organization_id", "request_id", "key_in_list")


def _changed(columns: tuple[str, ...]) -> str:
    return " OR ".join(f'NEW."{name}" {{differs}} OLD."{name}"' for name in columns)  # "by" is a word of SQL


def _quoted(values: object) -> str:
    return ", ".join(f"'{value}'" for value in sorted(str(each) for each in values))  # type: ignore[attr-defined]


_NO_WAY: Final = " AND ".join(
    f"NOT (OLD.state = '{old}' AND NEW.state IN ({_quoted(new)}))" for old, new in TRANSITIONS.items() if new
)
_TOO_FEW: Final = (
    f"(SELECT count(*) FROM {APPROVALS} a WHERE a.request_id = NEW.id AND a.revision = NEW.revision"  # noqa: S608
    " AND a.verdict = 'approve' AND a.voided_at IS NULL) < NEW.approvers_needed"
)
# Without a second person it goes on only beside the finding that says so (design 9.11).
_UNSEEN: Final = (
    f"NEW.approval = '{Approved.UNAPPROVED}' AND NOT EXISTS (SELECT 1 FROM accounts_finding f"  # noqa: S608
    " WHERE f.kind = 'unapproved-request' AND f.subject_key = 'request:' || NEW.id"
    " AND f.organization_id = NEW.organization_id)"
)
_UNDECIDED: Final = (
    f"(NEW.state = '{State.APPROVED}' AND (NEW.approval <> '{Approved.NEEDED}' OR {_TOO_FEW}))"
    f" OR (NEW.state = '{State.IN_PROGRESS}' AND OLD.state IN ('{State.SUBMITTED}', '{State.APPROVED}')"
    f" AND ((NEW.approval = '{Approved.NEEDED}' AND {_TOO_FEW})"
    f" OR (NEW.approval <> '{Approved.NEEDED}' AND OLD.state <> '{State.SUBMITTED}') OR ({_UNSEEN})))"
)
# A request that was sent once, whatever it is now; ``of``: how its row is called.
_SENT: Final = "({of}.state <> 'draft' OR {of}.submitted_at IS NOT NULL OR {of}.revision > 1)"
_IS_KEPT: Final = {
    REQUESTS: _SENT.format(of="OLD"),
    **{
        table: f"EXISTS (SELECT 1 FROM {REQUESTS} r WHERE r.id = OLD.request_id AND {_SENT.format(of='r')})"  # noqa: S608
        for table in (APPROVALS, STEPS, NOTES, FILES)
    },
}
# The old requester is known as who asked first from then on, and the new one has decided nothing of it. A second time
# there would be no place for who asked in between.
_NOT_TAKEN_OVER: Final = (
    "NEW.requester_person_id {differs} OLD.requester_person_id AND (OLD.asked_first_person_id IS NOT NULL"  # noqa: S608
    " OR NEW.asked_first_person_id {differs} OLD.requester_person_id"
    f" OR EXISTS (SELECT 1 FROM {APPROVALS} a WHERE a.request_id = NEW.id AND a.revision = NEW.revision"
    " AND a.voided_at IS NULL AND (a.approver_person_id = NEW.requester_person_id"
    " OR a.in_place_of_id = NEW.requester_person_id)))"
)
# Table, moment -> what is refused, in order: (what is said, condition).
_REFUSED: Final[dict[tuple[str, str], list[tuple[str, str]]]] = {
    (REQUESTS, "insert"): [("a request begins as a draft", f"NEW.state <> '{State.DRAFT}'")],
    (REQUESTS, "update"): [
        ("a request keeps its number", _changed(("id",))),
        ("a request cannot become that", f"OLD.state <> NEW.state AND {_NO_WAY}"),
        ("a request is not approved", f"OLD.state <> NEW.state AND ({_UNDECIDED})"),
        ("a submitted request keeps who and what kind", f"OLD.state <> '{State.DRAFT}' AND ({_changed(_WHO)})"),
        ("who asks changes by taking over only", _NOT_TAKEN_OVER),
        (
            "who asked first stays known",
            "OLD.asked_first_person_id IS NOT NULL AND NEW.asked_first_person_id {differs} OLD.asked_first_person_id",
        ),
        (
            "a changed request is a new revision to be decided",
            f"OLD.state <> '{State.DRAFT}' AND NEW.revision <= OLD.revision AND ({_changed(_ASKED_FOR)})",
        ),
        ("revisions only rise", "NEW.revision < OLD.revision"),
        (
            "sent back it is a new revision",
            f"OLD.state = '{State.SUBMITTED}' AND NEW.state = '{State.DRAFT}' AND NEW.revision <= OLD.revision",
        ),
        (
            "whether a second person decides is settled in the draft",
            f"OLD.state <> '{State.DRAFT}' AND NEW.approval {{differs}} OLD.approval",
        ),
        (
            "a changed request goes back to its decision",
            f"NEW.revision > OLD.revision AND NEW.state NOT IN ({_quoted([State.DRAFT, State.SUBMITTED])})",
        ),
        (
            "fewer decide only about a draft or a new revision",
            f"NEW.approvers_needed < OLD.approvers_needed AND OLD.state <> '{State.DRAFT}'"
            " AND NEW.revision <= OLD.revision",
        ),
    ],
    (APPROVALS, "insert"): [
        (
            "an approval names the people of its request",
            f"NOT EXISTS (SELECT 1 FROM {REQUESTS} r WHERE r.id = NEW.request_id"  # noqa: S608
            " AND r.organization_id = NEW.organization_id AND r.requester_person_id = NEW.requester_person_id"
            " AND r.beneficiary_person_id = NEW.beneficiary_person_id AND r.revision = NEW.revision"
            f" AND r.state = '{State.SUBMITTED}' AND r.kind IN ({_quoted(NEEDS_APPROVAL)}))",
        ),
        (
            "who asked first decides nothing of it",
            f"EXISTS (SELECT 1 FROM {REQUESTS} r WHERE r.id = NEW.request_id"  # noqa: S608
            " AND r.asked_first_person_id IN (NEW.approver_person_id, NEW.in_place_of_id))",
        ),
        (
            "who decides is a confirmed member",
            "NOT EXISTS (SELECT 1 FROM staff_person p WHERE p.id = NEW.approver_person_id"
            " AND p.organization_id = NEW.organization_id AND p.user_id IS NOT NULL"
            " AND p.user_confirmed_at IS NOT NULL)",
        ),
    ],
    (STEPS, "update"): [("a step stays with its request", _changed(_WHICH_STEP))],
    (FILES, "update"): [("what proves it is never changed", _changed(_PROOF))],
    (NOTES, "update"): [("what was said is never changed", _changed(_SAID))],
    (APPROVALS, "update"): [
        ("a decision is never changed", _changed(_DECISION)),
        ("a voided decision stays void", "OLD.voided_at IS NOT NULL AND NEW.voided_at {differs} OLD.voided_at"),
    ],
}


def _function(table: str, moment: str) -> str:
    return f"{table}_{moment}_guard"


def _body(refused: list[tuple[str, str]]) -> str:
    lines = [
        f" IF {condition.format(differs='IS DISTINCT FROM')} THEN RAISE EXCEPTION '{said}'"
        " USING ERRCODE = 'integrity_constraint_violation'; END IF;"
        for said, condition in refused
    ]
    return f" BEGIN{''.join(lines)} RETURN NEW; END "


PROTECTION: Final = Protection(
    functions={_function(*where): _body(refused) for where, refused in _REFUSED.items()},
    postgresql={
        f"{table}_{moment}": (
            table,
            f"CREATE TRIGGER {table}_{moment} BEFORE {moment.upper()} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {_function(table, moment)}()",
        )
        for table, moment in _REFUSED
    },
    sqlite={
        f"{table}_{moment}_{number}": (
            table,
            f"CREATE TRIGGER {table}_{moment}_{number} BEFORE {moment.upper()} ON {table}"
            f" WHEN {condition.format(differs='IS NOT')} BEGIN SELECT RAISE(ABORT, '{said}'); END",
        )
        for (table, moment), refused in _REFUSED.items()
        for number, (said, condition) in enumerate(refused, start=1)
    },
)

_KEEP: Final = "what was submitted is kept"
_RAISE: Final = f"RAISE EXCEPTION '{_KEEP}' USING ERRCODE = 'integrity_constraint_violation';"


def _kept_on_postgresql() -> dict[str, tuple[str, str]]:
    found = {}
    for table in _IS_KEPT:
        found[f"{table}_delete"] = (
            table,
            f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION {_function(table, 'delete')}()",
        )
        found[f"{table}_truncate"] = (
            table,
            f"CREATE TRIGGER {table}_truncate BEFORE TRUNCATE ON {table}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {_function(REQUESTS, 'truncate')}()",
        )
    return found


# How a row is found that a new one would take the place of, where that is not by its number alone.
_SAME: Final = {
    STEPS: "id = NEW.id OR (request_id = NEW.request_id AND key_in_list = NEW.key_in_list)",
    APPROVALS: "id = NEW.id OR (voided_at IS NULL AND NEW.voided_at IS NULL AND request_id = NEW.request_id"
    " AND revision = NEW.revision AND (approver_person_id = NEW.approver_person_id"
    " OR COALESCE(in_place_of_id, approver_person_id) = COALESCE(NEW.in_place_of_id, NEW.approver_person_id)))",
}


def _kept_on_sqlite() -> dict[str, tuple[str, str]]:
    """REPLACE deletes without asking a DELETE trigger: what exists by any unique key is not inserted again."""
    found = {}
    for table, condition in _IS_KEPT.items():
        there = f"EXISTS (SELECT 1 FROM {table} WHERE {_SAME.get(table, 'id = NEW.id')})"  # noqa: S608
        for name, moment, when in ((f"{table}_delete", "DELETE", condition), (f"{table}_again", "INSERT", there)):
            found[name] = (
                table,
                f"CREATE TRIGGER {name} BEFORE {moment} ON {table}"
                f" WHEN {when} BEGIN SELECT RAISE(ABORT, '{_KEEP}'); END",
            )
    return found


KEPT: Final = Protection(
    functions={
        _function(REQUESTS, "truncate"): f" BEGIN {_RAISE} END ",
        **{
            _function(table, "delete"): f" BEGIN IF {condition} THEN {_RAISE} END IF; RETURN OLD; END "
            for table, condition in _IS_KEPT.items()
        },
    },
    postgresql=_kept_on_postgresql(),
    sqlite=_kept_on_sqlite(),
)
