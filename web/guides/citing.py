"""From a catalogue row to the mark beside its value, and to the list of sources at the foot of the page."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from systems.models import Confidence, Source
from systems.models.evidence import Sourced

# What is weaker than a document of CMS or of a state is said beside the value, never left to a mark.
_WEAK: Final = {
    Confidence.SECONDARY: "not from CMS: told by a trade group, vendor or consultant",
    Confidence.INFERENCE: "our reading: no source says it",
    Confidence.NOT_FOUND: "looked for, not found",
}
_SHORT: Final = {
    Confidence.SECONDARY: "not from CMS",
    Confidence.INFERENCE: "our reading",
    Confidence.NOT_FOUND: "not found",
}


def weakness(confidence: str, *, short: bool = False) -> str:
    """Return in words how weak a value is; nothing for what CMS or a state says itself."""
    return (_SHORT if short else _WEAK).get(Confidence(confidence), "")


@dataclass(frozen=True, slots=True)
class Cite:
    """One citation mark: `source` is the key of a document, `page` where its list stands (empty = this page)."""

    fact: str
    source: str
    words: str = ""
    page: str = ""
    also: str = ""  # further facts, comma-separated

    @property
    def facts(self) -> str:
        """Return all fact IDs behind the value."""
        return ", ".join([self.fact, *_keys(self.also)])

    @property
    def href(self) -> str:
        return f"{self.page}#source-{self.source}"


@dataclass(slots=True)
class Entry:
    """One document of the list: what it is, and which facts of this page rest on it."""

    source: Source
    facts: dict[str, str] = field(default_factory=dict)  # fact ID -> how far to be trusted

    @property
    def standings(self) -> list[tuple[str, list[str]]]:
        """Return the facts by how far they may be trusted."""
        found: dict[str, list[str]] = defaultdict(list)
        for fact, standing in self.facts.items():
            found[standing[0].upper() + standing[1:]].append(fact)
        return list(found.items())


class Bibliography:
    """Gives out citation marks and remembers which documents they lead to."""

    def __init__(self, page: str = "") -> None:
        self._page = page
        self._sources: dict[str, Source] = {}
        self._facts: dict[str, dict[str, str]] = defaultdict(dict)

    def cite(self, row: Sourced, *, words: bool = True) -> Cite:
        """Return the mark of a row read with its source; without `words` it does not say how weak the row is."""
        key = row.source.key
        self._sources[key] = row.source
        standing = row.get_confidence_display()
        for each in (key, *_keys(row.further_sources)):
            self._facts[each].setdefault(row.fact_id, standing)
        weak = weakness(row.confidence) if words else ""
        return Cite(row.fact_id, key, weak, self._page, row.see_also)

    def cites(self, rows: Iterable[Sourced]) -> list[Cite]:
        """Return one mark for each document behind several rows, without words."""
        marks: dict[str, Cite] = {}
        for row in rows:
            mark = self.cite(row, words=False)
            marks.setdefault(mark.source, mark)
        return list(marks.values())

    def entries(self) -> list[Entry]:
        """Return the documents cited so far by key. One query, if a row named further ones."""
        missing = self._facts.keys() - self._sources.keys()
        if missing:
            self._sources |= {source.key: source for source in Source.objects.filter(key__in=missing)}
        keys = sorted(self._facts.keys() & self._sources.keys(), key=_by_number)
        return [Entry(self._sources[key], self._facts[key]) for key in keys]


def _keys(text: str) -> list[str]:
    return [key.strip() for key in text.split(",") if key.strip()]


def _by_number(key: str) -> tuple[str, int]:
    letters = key.rstrip("0123456789")
    return letters, int(key[len(letters) :] or 0)
