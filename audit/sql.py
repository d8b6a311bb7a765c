"""Set-based statements in both dialects, SQLite's and PostgreSQL's; only ``audit.services`` uses them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Field, JSONField, QuerySet, TextField
from django.db.models.functions import Cast

from audit.canonical import ITEMS_PER_EVENT, keys_digest

FETCH = 5_000


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows an act touched in one chain, and the digest that proves which."""

    count: int
    digest: str


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends; seq 0 and empty texts before its first event."""

    seq: int
    hash: str
    signature: str


@dataclass(frozen=True, slots=True)
class Source:
    """A compiled queryset with the columns audit_chain, audit_subject, audit_pk and maybe audit_payload.

    ``payload`` is the SQL that makes the text of an item of them, its subject put in.
    """

    sql: str
    params: tuple[Any, ...]
    payload: str


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def compile_rows(rows: "QuerySet[Any, Any]") -> Source | None:
    """Compile a queryset that has ``chain`` and ``subject_key``, and maybe ``payload`` (a JSON object).

    Each may be a field or an annotation. Returns None for a queryset that cannot hold a row.
    """
    columns: dict[str, Any] = {
        "audit_chain": Cast(F("chain"), TextField()),
        "audit_subject": Cast(F("subject_key"), TextField()),
        "audit_pk": F("pk"),
    }
    payload = _payload_field(rows)
    if payload is not None:
        columns["audit_payload"] = F("payload")
    unordered = rows if rows.query.is_sliced else rows.order_by()
    try:
        sql, params = unordered.annotate(**columns).values_list(*columns).query.sql_with_params()
    except EmptyResultSet:
        return None
    return Source(sql, tuple(params), _payload_sql(payload))


def _payload_field(rows: "QuerySet[Any, Any]") -> "Field[Any, Any] | None":
    annotated = rows.query.annotations.get("payload")
    if annotated is not None:
        field: Field[Any, Any] = annotated.output_field
        return field
    return next((field for field in rows.model._meta.concrete_fields if field.name == "payload"), None)


def _payload_sql(field: "Field[Any, Any] | None") -> str:
    # The row's own subject is put in last, so it wins over one that the caller wrote.
    if not on_postgresql():
        if field is None:
            return "json_object('subject', source.audit_subject)"
        return "json_set(source.audit_payload, '$.subject', source.audit_subject)"
    subject = "jsonb_build_object('subject', source.audit_subject)"
    if field is None:
        return f"{subject}::text"
    cast = "" if isinstance(field, JSONField) else "::jsonb"
    return f"(source.audit_payload{cast} || {subject})::text"


def chains_in(source: Source) -> list[str]:
    """Return the distinct chains of the rows, sorted. Raises ValueError for a row without a chain."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT audit_chain FROM ({source.sql}) AS source", source.params)  # noqa: S608
        chains = [chain for (chain,) in cursor.fetchall()]
    if not all(chains):
        raise ValueError("a row without a chain cannot be recorded")
    return sorted(chains)


def new_event_ids(count: int, *, above: int = 0) -> list[int]:
    """Reserve ``count`` event ids. On SQLite the write lock of the IMMEDIATE transaction keeps them ours.

    ``above`` is the last id this act has reserved and not yet written, which SQLite cannot know.
    """
    if not count:
        return []
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence('audit_auditevent', 'id')) FROM generate_series(1, %s)", [count]
            )
            return [event_id for (event_id,) in cursor.fetchall()]
        cursor.execute(
            "SELECT max((SELECT coalesce(max(id), 0) FROM audit_auditevent),"
            " (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'audit_auditevent'),"
            " (SELECT coalesce(max(id), 0) / %s FROM audit_audititem))",
            [ITEMS_PER_EVENT],
        )
        (last,) = cursor.fetchone()
    first = max(last, above) + 1
    return list(range(first, first + count))


_NUMBERED = """
    SELECT ids.event_id, row_number() OVER (PARTITION BY ids.event_id ORDER BY source.audit_pk) - 1 AS ordinal,
           source.audit_subject AS subject_key, {payload} AS payload
      FROM ({source}) AS source LEFT JOIN ids ON ids.chain = source.audit_chain"""
# Whatever is no JSON object becomes NULL and breaks NOT NULL: better no act than one without its subject.
_OBJECT_ONLY = "CASE WHEN substr(payload, 1, 1) = '{' THEN payload END"
_COLUMNS = "(id, event_id, ordinal, subject_key, payload, item_hash)"
_POSTGRESQL = """
WITH ids AS (SELECT key AS chain, value::bigint AS event_id FROM json_each_text(%s::json)),
numbered AS ({numbered}),
inserted AS (
    INSERT INTO audit_audititem {columns}
    SELECT event_id * {width} + ordinal, event_id, ordinal, subject_key, {payload},
           encode(sha256(convert_to(payload, 'UTF8')), 'hex')
      FROM numbered
    RETURNING event_id, ordinal, item_hash)
SELECT event_id, count(*),
       encode(sha256(convert_to(string_agg(item_hash, '' ORDER BY ordinal), 'UTF8')), 'hex')
  FROM inserted GROUP BY event_id"""
_SQLITE = """
WITH ids AS (SELECT key AS chain, value AS event_id FROM json_each(%s)),
numbered AS ({numbered})
INSERT INTO audit_audititem {columns}
SELECT event_id * {width} + ordinal, event_id, ordinal, subject_key, {payload}, SHA256(payload) FROM numbered"""


def insert_items(source: Source, event_ids: Mapping[str, int]) -> dict[str, Tally]:
    """Write one item per row below the event of the row's chain; return count and digest by chain.

    A row whose chain has no event id breaks NOT NULL and so raises IntegrityError.
    """
    sql = (_POSTGRESQL if on_postgresql() else _SQLITE).format(
        numbered=_NUMBERED.format(payload=source.payload, source=source.sql),
        columns=_COLUMNS,
        width=ITEMS_PER_EVENT,
        payload=_OBJECT_ONLY,
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(event_ids), *source.params])
        found = cursor.fetchall() if on_postgresql() else [_tally(event_id) for event_id in event_ids.values()]
    tallies = {event_id: Tally(count, digest) for event_id, count, digest in found}
    if any(tally.count > ITEMS_PER_EVENT for tally in tallies.values()):
        raise ValueError(f"one act may touch {ITEMS_PER_EVENT} rows of a chain; split it")
    return {chain: tallies[event_id] for chain, event_id in event_ids.items() if event_id in tallies}


def _tally(event_id: int) -> tuple[int, int, str]:
    # SQLite has no aggregate with a promised order, and runs in our process anyway: hash while reading.
    digest, count = hashlib.sha256(), 0
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT item_hash FROM audit_audititem WHERE id >= %s AND id < %s ORDER BY id",
            [event_id * ITEMS_PER_EVENT, (event_id + 1) * ITEMS_PER_EVENT],
        )
        while chunk := cursor.fetchmany(FETCH):
            digest.update("".join(item_hash for (item_hash,) in chunk).encode())
            count += len(chunk)
    return event_id, count, digest.hexdigest()


def digest_rows(source: Source) -> dict[str, Tally]:
    """Return count and digest of the subject keys of the rows, by chain."""
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(
                "SELECT audit_chain, count(*), encode(sha256(convert_to("  # noqa: S608
                "string_agg(audit_subject, E'\\n' ORDER BY audit_subject COLLATE \"C\"), 'UTF8')), 'hex')"
                f" FROM ({source.sql}) AS source GROUP BY audit_chain",
                source.params,
            )
            return {chain: Tally(count, digest) for chain, count, digest in cursor.fetchall()}
        cursor.execute(
            f"SELECT audit_chain, audit_subject FROM ({source.sql}) AS source"  # noqa: S608
            " ORDER BY audit_chain, audit_subject",
            source.params,
        )
        tallies = {}
        for chain, group in groupby(_stream(cursor), key=itemgetter(0)):
            counted = _Counted(key for _, key in group)
            digest = keys_digest(counted)
            tallies[chain] = Tally(counted.count, digest)
        return tallies


class _Counted:
    """Passes texts on and counts them; ``count`` is final once the last was taken."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = texts
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._texts:
            self.count += 1
            yield text


def _stream(cursor: Any) -> Iterator[tuple[Any, ...]]:
    while chunk := cursor.fetchmany(FETCH):
        yield from chunk


def known_chains(chains: Iterable[str]) -> set[str]:
    """Return those of the chains that have a head."""
    return set(_heads(chains, lock=False))


def lock_heads(chains: Iterable[str]) -> dict[str, Head]:
    """Lock the heads of the chains in chain order until commit and return them by chain."""
    return _heads(chains, lock=True)


def _heads(chains: Iterable[str], *, lock: bool) -> dict[str, Head]:
    wanted = "SELECT json_array_elements_text(%s::json)" if on_postgresql() else "SELECT value FROM json_each(%s)"
    # SQLite has no row locks and needs none: the IMMEDIATE transaction is the only writer.
    suffix = " FOR UPDATE" if lock and on_postgresql() else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chain, seq, hash, signature FROM audit_chainhead"  # noqa: S608
            f" WHERE chain IN ({wanted}) ORDER BY chain{suffix}",
            [json.dumps(list(chains))],
        )
        return {chain: Head(seq, head_hash, signature) for chain, seq, head_hash, signature in cursor.fetchall()}


def move_heads(heads: Mapping[str, Head]) -> None:
    """Set seq, hash and signature of the heads in one statement. Raises RuntimeError if one is not there."""
    rows = json.dumps([[chain, head.seq, head.hash, head.signature] for chain, head in heads.items()])
    each = "json_array_elements(%s::json)" if on_postgresql() else "json_each(%s)"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_chainhead SET seq = moved.seq, hash = moved.hash, signature = moved.signature"  # noqa: S608
            " FROM (SELECT value->>0 AS chain, CAST(value->>1 AS bigint) AS seq, value->>2 AS hash,"
            f" value->>3 AS signature FROM {each}) AS moved WHERE audit_chainhead.chain = moved.chain",
            [rows],
        )
        if cursor.rowcount != len(heads):
            raise RuntimeError(f"{len(heads) - cursor.rowcount} chain heads are gone; run verify_audit")
