"""Write the audit chain. Call these last in a service, inside its transaction: they lock the chain until commit.

Chains are locked in the order of their names; a service that records in several chains does so in that order,
``installation`` first.
"""

import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import QuerySet

from audit import sql
from audit.canonical import (
    EVENT_COLUMNS,
    ITEMS_PER_EVENT,
    NO_ITEMS,
    event_hash,
    head_signature,
    instant_text,
    items_digest,
    payload_text,
    sha256_hex,
)
from audit.context import request_id
from audit.models import INSTALLATION, AuditEvent, AuditItem, ChainHead
from audit.rows import compile_rows
from audit.sql import Head, Tally

_ACTION = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)+\Z")
OPENED = "chain.opened"


@dataclass(frozen=True, slots=True)
class Ref:
    """Someone or something, by a key for programs (``user:7``) and a label for people."""

    key: str
    label: str


@dataclass(frozen=True, slots=True)
class _Act:
    """What all events of one call have in common."""

    action: str
    actor: Ref
    subject: Ref
    at: datetime
    reason: str


def record(
    *,
    chain: str,
    action: str,
    actor: Ref,
    subject: Ref,
    at: datetime,
    reason: str = "",
    payload: Mapping[str, Any] | None = None,
) -> AuditEvent:
    """Record one act; with a payload (plain values, days, instants) one item is stored below it.

    Raises TransactionManagementError outside a transaction and ValueError for what cannot be recorded.
    """
    act = _checked(_Act(action, actor, subject, at, reason), [chain])
    [event_id] = sql.new_event_ids(1)
    tally = Tally(0, NO_ITEMS)
    if payload is not None:
        text = payload_text(subject.key, payload)
        item_hash = sha256_hex(text)
        AuditItem.objects.create(
            pk=event_id * ITEMS_PER_EVENT,
            event_id=event_id,
            ordinal=0,
            subject_key=subject.key,
            payload=text,
            item_hash=item_hash,
        )
        tally = Tally(1, items_digest([item_hash]))
    [event] = _append(act, {chain: (event_id, tally)}, kept=True)
    return event


def record_many(
    *, action: str, actor: Ref, subject: Ref, at: datetime, rows: "QuerySet[Any, Any]", reason: str = ""
) -> list[AuditEvent]:
    """Record one act on many rows: one event per chain, one item per row, in a few statements.

    ``rows`` has ``chain``, ``subject_key`` and maybe ``payload`` (a JSON object, for instance ``JSONObject``) as
    fields or annotations. It should select rows that this transaction wrote or locked. No row, no event.
    """
    act = _checked(_Act(action, actor, subject, at, reason), [])
    source = compile_rows(rows)
    chains = sql.chains_in(source) if source else []
    if source is None or not chains:
        return []
    _checked(act, chains)
    event_ids = dict(zip(chains, sql.new_event_ids(len(chains)), strict=True))
    tallies = sql.insert_items(source, event_ids)
    return _append(act, {chain: (event_ids[chain], tallies[chain]) for chain in chains if chain in tallies}, kept=True)


def record_digest(
    *, action: str, actor: Ref, subject: Ref, at: datetime, rows: "QuerySet[Any, Any]", reason: str = ""
) -> list[AuditEvent]:
    """Record what follows from recorded facts: one event per chain with count and digest of the subject keys.

    ``rows`` as for record_many, without payload. No row, no event.
    """
    act = _checked(_Act(action, actor, subject, at, reason), [])
    source = compile_rows(rows)
    tallies = sql.digest_rows(source) if source else {}
    if not tallies:
        return []
    chains = sorted(_checked_chains(tallies))
    event_ids = sql.new_event_ids(len(chains))
    numbered = zip(chains, event_ids, strict=True)
    return _append(act, {chain: (event_id, tallies[chain]) for chain, event_id in numbered}, kept=False)


def _checked(act: _Act, chains: list[str]) -> _Act:
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An act and its audit event belong in one transaction.")
    if not _ACTION.match(act.action):
        raise ValueError(f"{act.action!r} is no action; write noun.verb in lower case")
    if not act.actor.key or not act.subject.key:
        raise ValueError("actor and subject need a key")
    if act.at.tzinfo is None:
        raise ValueError("the instant of an act must be aware of its time zone")
    _checked_chains(chains)
    return act


def _checked_chains(chains: Any) -> Any:
    for chain in chains:
        if not isinstance(chain, str) or not chain or len(chain) > 64:
            raise ValueError(f"{chain!r} is no chain")
    return chains


def _append(act: _Act, tallies: Mapping[str, tuple[int, Tally]], *, kept: bool) -> list[AuditEvent]:
    """Lock the heads, write one event per chain, move the heads; a new chain is opened in ``installation``."""
    heads = _locked_heads(tallies)
    new = sorted(chain for chain, head in heads.items() if head.seq == 0 and chain != INSTALLATION)
    openings = []
    reserved = max(event_id for event_id, _ in tallies.values())
    for chain, event_id in zip(new, sql.new_event_ids(len(new), above=reserved), strict=True):
        opening = _Act(OPENED, act.actor, Ref(chain, chain), act.at, "")
        openings.append(_next_event(opening, INSTALLATION, heads, event_id, Tally(0, NO_ITEMS), kept=True))
    events = [
        _next_event(act, chain, heads, event_id, tally, kept=kept)
        for chain, (event_id, tally) in sorted(tallies.items())
    ]
    AuditEvent.objects.bulk_create(openings + events)
    sql.move_heads(heads)
    return events


def _locked_heads(chains: Iterable[str]) -> dict[str, Head]:
    """Return the locked heads of the chains, made where missing; with ``installation`` if one was made."""
    wanted = set(chains)
    known = sql.known_chains(wanted | {INSTALLATION})
    if INSTALLATION not in known:  # once in the life of a database; get_or_create settles a race
        blank = Head(0, "", head_signature(settings.AUDIT_SIGNING_KEY, INSTALLATION, 0, ""))
        ChainHead.objects.get_or_create(chain=INSTALLATION, defaults=asdict(blank))
    opening: dict[str, Head] = {}
    if wanted - known - {INSTALLATION}:
        # Whoever opens chains holds `installation` first, so the second of two openers finds the chain there.
        opening = sql.lock_heads([INSTALLATION])
    heads = sql.lock_heads(wanted)
    missing = sorted(wanted - heads.keys())
    for chain in missing:
        heads[chain] = Head(0, "", head_signature(settings.AUDIT_SIGNING_KEY, chain, 0, ""))
    ChainHead.objects.bulk_create(ChainHead(chain=chain, **asdict(heads[chain])) for chain in missing)
    return opening | heads if missing else heads


def _next_event(
    act: _Act, chain: str, heads: dict[str, Head], event_id: int, tally: Tally, *, kept: bool
) -> AuditEvent:
    """Return the unsaved event after the chain's head, and move the head in ``heads``."""
    head = heads[chain]
    event = AuditEvent(
        id=event_id,
        chain=chain,
        seq=head.seq + 1,
        actor_key=act.actor.key,
        actor_label=act.actor.label,
        action=act.action,
        subject_key=act.subject.key,
        subject_label=act.subject.label,
        reason=act.reason,
        request_id=request_id.get(),
        at=act.at,
        item_count=tally.count,
        items_digest=tally.digest,
        items_kept=kept,
        prev_hash=head.hash,
    )
    columns = {name: getattr(event, name) for name in EVENT_COLUMNS}
    event.hash = event_hash(columns | {"at": instant_text(act.at)})
    # A head whose signature does not fit stays unsigned: signing it would cover up whatever happened to it.
    key = settings.AUDIT_SIGNING_KEY
    fits = hmac.compare_digest(head.signature, head_signature(key, chain, head.seq, head.hash))
    heads[chain] = Head(event.seq, event.hash, head_signature(key, chain, event.seq, event.hash) if fits else "")
    return event


def sign_heads(*, actor: Ref, at: datetime) -> int:
    """Sign the head of every chain with the AUDIT_SIGNING_KEY in force and record that; return how many.

    For a new key, a changed key, or (without a key) to take the signatures off. The chains must have been
    verified just before: what is signed here counts as true from now on.
    """
    installation = Ref(INSTALLATION, "this installation")
    key = settings.AUDIT_SIGNING_KEY
    with transaction.atomic():
        chains = {INSTALLATION, *ChainHead.objects.values_list("chain", flat=True)}
        record(chain=INSTALLATION, action="audit.signed", actor=actor, subject=installation, at=at)
        heads = sql.lock_heads(chains)
        signed = {
            chain: replace(head, signature=head_signature(key, chain, head.seq, head.hash))
            for chain, head in heads.items()
        }
        sql.move_heads(signed)
    return len(signed)
