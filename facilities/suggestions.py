"""Facilities of CMS's directory for what a person has begun to type: a number, or words of the name and town."""

import re
from dataclasses import dataclass
from typing import Final

from django.db.models import Case, F, Q, QuerySet, Value, When

from facilities.ccn import read_ccn, read_state
from facilities.models import Provider

AT_MOST: Final = 8
_SHORTEST_WORD: Final = 3  # letters; two would match half the directory
_MOST_WORDS: Final = 6
_BEGINS_A_NUMBER: Final = re.compile(r"[0-9A-E][0-9][0-9A-Z]{0,8}")
_LAST: Final = "Z" * 10  # after every number that begins alike, in every collation


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What was found, best first; ``more``: there are others. ``too_short``: nothing was looked for."""

    rows: tuple[Provider, ...] = ()
    more: bool = False
    too_short: bool = False


def suggest(*, typed: str, state: str = "", at_most: int = AT_MOST) -> Suggestions:
    """Return at most ``at_most`` facilities, of one state if it is given; those still listed come first.

    One query, two for a number that lost its zero. Words are looked for by reading the table, which takes 15 ms on
    SQLite and 30 ms on PostgreSQL for 57,000 rows: an index would cost each import more than it saves here.
    """
    known_state = read_state(state) or ""
    number = re.sub(r"[\s\-]", "", typed).upper()
    if _BEGINS_A_NUMBER.fullmatch(number):
        return _by_number(number, typed, known_state, at_most)
    words = _words(typed)
    if not words:
        return Suggestions(too_short=True)
    found = Provider.objects.annotate(rank=_rank(words))
    for word in words:
        found = found.filter(Q(name__icontains=word) | Q(city__icontains=word))
    return _first(found, known_state, ("rank", "name", "ccn"), at_most)


def _rank(words: list[str]) -> Case:
    """Put names that begin with what was typed first, then those where each word begins one: PINE before ALPINE."""
    begins = Q()
    for word in words:
        begins &= (
            Q(name__istartswith=word)
            | Q(name__icontains=f" {word}")
            | Q(city__istartswith=word)
            | Q(city__icontains=f" {word}")
        )
    return Case(
        When(Q(name__istartswith=words[0]) & begins, then=Value(0)), When(begins, then=Value(1)), default=Value(2)
    )


def _by_number(number: str, typed: str, state: str, at_most: int) -> Suggestions:
    found = _first(Provider.objects.filter(ccn__gte=number, ccn__lte=(number + _LAST)[:11]), state, ("ccn",), at_most)
    meant = read_ccn(typed, state=state).number
    if meant is None or any(row.ccn == meant.ccn for row in found.rows):
        return found
    exact = _first(Provider.objects.filter(ccn=meant.ccn), state, ("ccn",), 1)
    rows = (*exact.rows, *found.rows)
    return Suggestions(rows[:at_most], more=found.more or len(rows) > at_most)


def _first(found: QuerySet[Provider], state: str, order: tuple[str, ...], at_most: int) -> Suggestions:
    if state:
        found = found.filter(state=state)
    rows = tuple(found.order_by(F("unlisted_on").asc(nulls_first=True), *order)[: at_most + 1])
    return Suggestions(rows[:at_most], more=len(rows) > at_most)


def _words(typed: str) -> list[str]:
    """Return the words to look for. CMS writes ST MARYS, St. Mary's and ST MARY'S: an apostrophe ends its word."""
    parts = re.findall(r"[^\W_]+", re.sub(r"['\u2019]s?\b", " ", typed, flags=re.IGNORECASE))
    words = [part for part in parts if len(part) >= _SHORTEST_WORD]
    return (words + [part for part in parts if len(part) == 2] if words else [])[:_MOST_WORDS]
