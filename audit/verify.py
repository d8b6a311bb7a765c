"""Walk every chain and name the first thing that is not as it was written.

Three walks over one snapshot, each in the order of an index, none keeping more than a row per chain: events chain
by chain (numbers, links, hashes), items event by event (digest, hashes, subjects), heads and openings.
"""

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from audit import reading
from audit.canonical import ITEMS_PER_EVENT, event_hash, head_signature, items_digest, sha256_hex
from audit.models import INSTALLATION
from audit.reading import Row
from audit.services import OPENED


@dataclass(frozen=True, slots=True)
class Fault:
    """One place that does not fit; ``item`` is the ordinal of an item, None where the event or head is meant."""

    chain: str | None
    seq: int | None
    item: int | None
    why: str

    def order(self) -> tuple[bool, str, int, int]:
        """Sort by chain, seq and item; what belongs to no chain comes last."""
        return self.chain is None, self.chain or "", self.seq or 0, -1 if self.item is None else self.item


@dataclass(slots=True)
class Verdict:
    """What a walk found: how many rows, and the first fault if any."""

    events: int = 0
    items: int = 0
    first_bad: Fault | None = None

    @property
    def ok(self) -> bool:
        return self.first_bad is None

    def blame(self, fault: Fault) -> None:
        """Keep the fault if it comes before what is known."""
        if self.first_bad is None or fault.order() < self.first_bad.order():
            self.first_bad = fault


@dataclass(slots=True)
class _Chain:
    """Where the walk stands in one chain."""

    seq: int = 0
    hash: str = ""
    sound: bool = True


@dataclass(slots=True)
class _Walk:
    verdict: Verdict
    chains: dict[str, _Chain] = field(default_factory=dict)
    openings: dict[str, int] = field(default_factory=dict)  # chain -> seq in `installation`


def verify_chains(*, signatures: bool = True) -> Verdict:
    """Check all audit rows; ``signatures=False`` leaves out the signatures of heads, for signing them anew."""
    walk = _Walk(Verdict())
    with reading.snapshot():
        _check_events(walk)
        _check_heads(walk, signatures=signatures)
        _check_openings(walk)
        _check_items(walk.verdict)
    return walk.verdict


def _check_events(walk: _Walk) -> None:
    for event in reading.events_by_chain():
        walk.verdict.events += 1
        chain = walk.chains.setdefault(_text(event["chain"]), _Chain())
        if not chain.sound:
            continue
        why = _event_fault(event, chain)
        if why:
            chain.sound = False
            seq = _number(event["seq"])
            place = seq if seq is not None and seq <= chain.seq else chain.seq + 1
            walk.verdict.blame(Fault(_text(event["chain"]), place, None, why))
            continue
        chain.seq, chain.hash = event["seq"], event["hash"]
        if event["chain"] == INSTALLATION and event["action"] == OPENED:
            opened = event["subject_key"]
            if opened in walk.openings:
                why = f"{opened} was opened before, at {walk.openings[opened]}: its first life is gone"
                walk.verdict.blame(Fault(INSTALLATION, event["seq"], None, why))
            walk.openings.setdefault(opened, event["seq"])


def _event_fault(event: Row, chain: _Chain) -> str:
    """Say why the event cannot follow in the chain; "" if it can."""
    expected = chain.seq + 1
    seq = _number(event["seq"])
    if seq is not None and seq <= chain.seq:
        return f"an event numbered {seq} does not belong here; {expected} was expected"
    if seq != expected:
        return f"event {expected} is missing; the next one is {event['seq']}"
    if event["hash"] != event_hash(event):
        return "the event's columns do not give its hash"
    if event["prev_hash"] != chain.hash:
        return "the event does not link to the one before it"
    return ""


def _check_heads(walk: _Walk, *, signatures: bool) -> None:
    heads = reading.heads()
    for name, chain in walk.chains.items():
        if chain.sound and name not in heads:
            walk.verdict.blame(Fault(name, chain.seq, None, "the head of the chain is gone"))
    for name, head in heads.items():
        chain = walk.chains.get(_text(name), _Chain())
        if not chain.sound:
            continue
        fault = _head_fault(_text(name), head, chain, signatures=signatures)
        if fault:
            walk.verdict.blame(fault)


def _head_fault(name: str, head: Row, chain: _Chain, *, signatures: bool) -> Fault | None:
    if chain.seq == 0 and head["seq"] == 0:
        return Fault(name, None, None, "a head without any event")
    if not isinstance(head["seq"], int):
        return Fault(name, chain.seq, None, f"the head stands at {head['seq']!r}")
    if head["seq"] > chain.seq:
        why = f"events {chain.seq + 1} to {head['seq']} are gone: the head stands at {head['seq']}"
        return Fault(name, chain.seq + 1, None, why)
    if head["seq"] < chain.seq:
        why = f"the head stands at {head['seq']}, the chain has {chain.seq} events"
        return Fault(name, head["seq"] + 1, None, why)
    if head["hash"] != chain.hash:
        return Fault(name, chain.seq, None, "the head has another hash than the last event")
    wanted = head_signature(settings.AUDIT_SIGNING_KEY, name, head["seq"], head["hash"])
    if signatures and not hmac.compare_digest(_text(head["signature"]).encode(errors="replace"), wanted.encode()):
        return Fault(name, chain.seq, None, "the head is not signed with the AUDIT_SIGNING_KEY in force here")
    return None


def _check_openings(walk: _Walk) -> None:
    for name in walk.chains:
        if name != INSTALLATION and name not in walk.openings and _is_sound(walk, INSTALLATION):
            walk.verdict.blame(Fault(name, 1, None, f"`{INSTALLATION}` does not say that this chain was opened"))
    for name, seq in walk.openings.items():
        if name not in walk.chains:
            why = f"the whole chain is gone; `{INSTALLATION}` says at {seq} that it was opened"
            walk.verdict.blame(Fault(name, 1, None, why))


def _is_sound(walk: _Walk, name: str) -> bool:
    # Behind a fault the openings were not read on, so their absence says nothing.
    return walk.chains.get(name, _Chain()).sound


def _check_items(verdict: Verdict) -> None:
    items = _Items(verdict)
    for event in reading.events_by_id():
        items.pass_strays(before=event["id"])
        fault = _items_fault(event, items)
        if fault:
            verdict.blame(fault)
    items.pass_strays(before=None)


class _Items:
    """The stream of items with one item of look-ahead; items lie where their id says, whatever else they say."""

    def __init__(self, verdict: Verdict) -> None:
        self._rows = reading.items_by_id()
        self._verdict = verdict
        self._ahead = next(self._rows, None)

    def of(self, event_id: int) -> Iterator[Row]:
        """Take the items that lie below the event."""
        while self._ahead is not None and self._ahead["id"] // ITEMS_PER_EVENT == event_id:
            item, self._ahead = self._ahead, next(self._rows, None)
            self._verdict.items += 1
            yield item

    def pass_strays(self, before: int | None) -> None:
        """Take and report items that lie below no event."""
        while self._ahead is not None and (before is None or self._ahead["id"] // ITEMS_PER_EVENT < before):
            home, ordinal = divmod(self._ahead["id"], ITEMS_PER_EVENT)
            self._verdict.blame(Fault(None, None, ordinal, f"item {self._ahead['id']} belongs to no event ({home})"))
            for _ in self.of(home):
                pass


def _items_fault(event: Row, items: _Items) -> Fault | None:
    """Check the items below one event, all of them read; return the first fault."""
    expected = event["item_count"] if event["items_kept"] else 0
    first: list[tuple[int | None, str]] = []

    def hashes() -> Iterator[str]:
        seen = 0
        for item in items.of(event["id"]):
            if not first and (why := _item_fault(item, event["id"], seen)):
                first.append((seen, why))
            elif not first and seen == expected:
                first.append((seen, f"the event has {expected} items; this one was added"))
            seen += 1
            yield _text(item["item_hash"])
        if not first and seen != expected:
            first.append((seen, f"the event has {expected} items; from here on they are missing"))

    digest = items_digest(hashes())
    if not first and event["items_kept"] and digest != event["items_digest"]:
        first.append((None, "the items do not give the event's digest"))
    return Fault(_text(event["chain"]), _number(event["seq"]), *first[0]) if first else None


def _item_fault(item: Row, event_id: int, expected: int) -> str:
    """Say why the item cannot have this ordinal; "" if it can."""
    ordinal = item["id"] % ITEMS_PER_EVENT
    if ordinal != expected:
        return f"the item is missing; the next one is {ordinal}"
    if item["event_id"] != event_id or item["ordinal"] != ordinal:
        return f"the item says event {item['event_id']}, ordinal {item['ordinal']}; its id says {event_id}, {ordinal}"
    if sha256_hex(_text(item["payload"])) != item["item_hash"]:
        return "the payload does not give the item's hash"
    try:
        subject = json.loads(item["payload"])["subject"]
    except (ValueError, TypeError, KeyError):
        return "the payload does not name its subject"
    if subject != item["subject_key"]:
        return f"the payload is about {subject!r}, the item says {item['subject_key']!r}"
    return ""


def _text(value: Any) -> str:
    # Forged columns may hold anything on SQLite; a value of another type must not pass for the text.
    return value if isinstance(value, str) else repr(value)


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) else None
