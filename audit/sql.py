"""Set-based statements in both dialects, SQLite's and PostgreSQL's; only ``audit.services`` uses them."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, F, QuerySet, TextField, Value
from django.db.models.functions import Cast

from audit.canonical import ITEMS_PER_EVENT, items_digest, keys_digest

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
    """A compiled queryset with the columns audit_chain, audit_subject, audit_payload (or none) and audit_pk."""

    sql: str
    params: tuple[Any, ...]
    has_payload: bool


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


def compile_rows(rows: "QuerySet[Any, Any]") -> Source | None:
    """Compile a queryset that has ``chain`` and ``subject_key``, and maybe ``payload`` (a JSON object).

    Each may be a field or an annotation. Returns None for a queryset that cannot hold a row.
    """
    query = rows.query
    has_payload = "payload" in query.annotations or any(f.name == "payload" for f in rows.model._meta.fields)
    payload: Expression = Cast(F("payload"), TextField()) if has_payload else Value("", output_field=TextField())
    columns = {
        "audit_chain": Cast(F("chain"), TextField()),
        "audit_subject": Cast(F("subject_key"), TextField()),
        "audit_payload": payload,
        "audit_pk": F("pk"),
    }
    unordered = rows if query.is_sliced else rows.order_by()
    try:
        sql, params = unordered.annotate(**columns).values_list(*columns).query.sql_with_params()
    except EmptyResultSet:
        return None
    return Source(sql, tuple(params), has_payload)


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
# A payload that is no JSON object becomes NULL and breaks NOT NULL: better no act than one without its subject.
_PAYLOAD_POSTGRESQL = """(CASE jsonb_typeof(source.audit_payload::jsonb) WHEN 'object'
           THEN source.audit_payload::jsonb || jsonb_build_object('subject', source.audit_subject) END)::text"""
_PAYLOAD_SQLITE = """CASE WHEN json_type(source.audit_payload) = 'object'
           THEN json_set(source.audit_payload, '$.subject', source.audit_subject) END"""
_COLUMNS = "(id, event_id, ordinal, subject_key, payload, item_hash)"
_POSTGRESQL = """
WITH ids AS (SELECT key AS chain, value::bigint AS event_id FROM json_each_text(%s::json)),
numbered AS ({numbered}),
inserted AS (
    INSERT INTO audit_audititem {columns}
    SELECT event_id * {width} + ordinal, event_id, ordinal, subject_key, payload,
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
SELECT event_id * {width} + ordinal, event_id, ordinal, subject_key, payload, SHA256(payload) FROM numbered"""


def insert_items(source: Source, event_ids: Mapping[str, int]) -> dict[str, Tally]:
    """Write one item per row below the event of the row's chain; return count and digest by chain.

    A row whose chain has no event id breaks NOT NULL and so raises IntegrityError.
    """
    if on_postgresql():
        payload = _PAYLOAD_POSTGRESQL if source.has_payload else "json_build_object('subject', audit_subject)::text"
        statement = _POSTGRESQL
    else:
        payload = _PAYLOAD_SQLITE if source.has_payload else "json_object('subject', audit_subject)"
        statement = _SQLITE
    numbered = _NUMBERED.format(payload=payload, source=source.sql)
    sql = statement.format(numbered=numbered, columns=_COLUMNS, width=ITEMS_PER_EVENT)
    with connection.cursor() as cursor:
        cursor.execute(sql, [json.dumps(event_ids), *source.params])
        found = cursor.fetchall() if on_postgresql() else list(_tallies(event_ids.values()))
    tallies = {event_id: Tally(count, digest) for event_id, count, digest in found}
    if any(tally.count > ITEMS_PER_EVENT for tally in tallies.values()):
        raise ValueError(f"one act may touch {ITEMS_PER_EVENT} rows of a chain; split it")
    return {chain: tallies[event_id] for chain, event_id in event_ids.items() if event_id in tallies}


def _tallies(event_ids: Iterable[int]) -> Iterator[tuple[int, int, str]]:
    # SQLite has no aggregate with a promised order, and runs in our process anyway: hash while reading.
    first, last = min(event_ids), max(event_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id, item_hash FROM audit_audititem WHERE id >= %s AND id < %s ORDER BY id",
            [first * ITEMS_PER_EVENT, (last + 1) * ITEMS_PER_EVENT],
        )
        for event_id, group in groupby(_stream(cursor), key=itemgetter(0)):
            counted = _Counted(item_hash for _, item_hash in group)
            digest = items_digest(counted)
            yield event_id, counted.count, digest


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
