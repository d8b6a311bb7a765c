"""Set-based statements in both dialects, SQLite's and PostgreSQL's; only ``audit.services`` uses them."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db import connection

from audit.canonical import ITEMS_PER_EVENT, keys_digest
from audit.rows import Source

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


def on_postgresql() -> bool:
    return connection.vendor == "postgresql"


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


# Whatever is no JSON object becomes NULL and breaks NOT NULL: better no act than one without its subject. So does
# a row of a chain that has no event, such as one that another transaction committed meanwhile.
_INSERT = """
INSERT INTO audit_audititem (id, event_id, ordinal, subject_key, payload, item_hash)
WITH numbered AS (
    SELECT {event} AS event_id, row_number() OVER ({partition} ORDER BY source.audit_pk) - 1 AS ordinal,
           source.audit_subject AS subject_key, {payload} AS payload
      FROM ({source}) AS source {join})
SELECT event_id * {width} + ordinal, event_id, ordinal, subject_key,
       CASE WHEN substr(payload, 1, 1) = '{{' THEN payload END, {hash}
  FROM numbered"""
_IDS_POSTGRESQL = "SELECT key AS chain, value::bigint AS event_id FROM json_each_text(%s::json)"
_IDS_SQLITE = "SELECT key AS chain, value AS event_id FROM json_each(%s)"
_HASH_POSTGRESQL = "encode(sha256(convert_to(payload, 'UTF8')), 'hex')"
_HASH_SQLITE = "audit_item_hash(event_id, ordinal, payload)"
_TALLY_POSTGRESQL = f"""
SELECT event.id, item.count, item.digest
  FROM unnest(%s::bigint[]) AS event(id) CROSS JOIN LATERAL (
       SELECT count(*) AS count,
              encode(sha256(convert_to(string_agg(item_hash, '' ORDER BY id), 'UTF8')), 'hex') AS digest
         FROM audit_audititem
        WHERE id >= event.id * {ITEMS_PER_EVENT} AND id < (event.id + 1) * {ITEMS_PER_EVENT}) AS item"""  # noqa: S608


def insert_items(source: Source, event_ids: Mapping[str, int]) -> dict[str, Tally]:
    """Write one item per row below the event of the row's chain; return count and digest by chain."""
    sql, params = _insert_statement(source, event_ids)
    with connection.cursor() as cursor:
        if on_postgresql():
            cursor.execute(sql, params)
            written = cursor.rowcount
            cursor.execute(_TALLY_POSTGRESQL, [list(event_ids.values())])
            tallies = {event_id: Tally(count, digest) for event_id, count, digest in cursor.fetchall() if count}
        else:
            hashes = _ItemHashes()
            connection.connection.create_function("audit_item_hash", 3, hashes.add)
            cursor.execute(sql, params)
            written = cursor.rowcount
            tallies = hashes.tallies()
    if written != sum(tally.count for tally in tallies.values()):
        raise ValueError(f"one act may touch {ITEMS_PER_EVENT} rows of a chain; split it")
    return {chain: tallies[event_id] for chain, event_id in event_ids.items() if event_id in tallies}


def _insert_statement(source: Source, event_ids: Mapping[str, int]) -> tuple[str, list[Any]]:
    event, partition, join = "ids.event_id", "PARTITION BY ids.event_id", ""
    if len(event_ids) == 1:  # no join, no partition: a fifth of the time
        [(chain, event_id)] = event_ids.items()
        event, partition = f"CASE WHEN source.audit_chain = %s THEN CAST({event_id:d} AS bigint) END", ""
        params = [chain, *source.params]
    else:
        ids = _IDS_POSTGRESQL if on_postgresql() else _IDS_SQLITE
        join = f"LEFT JOIN ({ids}) AS ids ON ids.chain = source.audit_chain"
        params = [*source.params, json.dumps(event_ids)]
    sql = _INSERT.format(
        event=event,
        partition=partition,
        payload=source.payload,
        source=source.sql,
        join=join,
        width=ITEMS_PER_EVENT,
        hash=_HASH_POSTGRESQL if on_postgresql() else _HASH_SQLITE,
    )
    return sql, params


class _ItemHashes:
    """Hashes items while SQLite inserts them: it has no aggregate with a promised order to do so afterwards."""

    def __init__(self) -> None:
        self._digests: dict[int, Any] = {}
        self._counts: dict[int, int] = {}

    def add(self, event_id: int, ordinal: int, payload: str | None) -> str | None:
        """Return the hash of the payload and put it into the event's digest; raise if it is not its turn."""
        if payload is None:
            return None
        if self._counts.setdefault(event_id, 0) != ordinal:
            raise RuntimeError(f"item {ordinal} of event {event_id} came out of turn")
        item_hash = hashlib.sha256(payload.encode()).hexdigest()
        self._digests.setdefault(event_id, hashlib.sha256()).update(item_hash.encode())
        self._counts[event_id] += 1
        return item_hash

    def tallies(self) -> dict[int, Tally]:
        """Return count and digest by event."""
        return {
            event_id: Tally(self._counts[event_id], digest.hexdigest()) for event_id, digest in self._digests.items()
        }


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
