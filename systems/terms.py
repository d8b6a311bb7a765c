"""The words of `catalogue/terms.yaml` as hints beside a word on any page: read once a process, never from a table.

Templates name terms, and both ship with the code; so a hint costs no query, whether it is a process's first or not.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from systems.catalogue_files import FOLDER, read_file

FILE: Final = FOLDER / "terms.yaml"


@dataclass(frozen=True, slots=True)
class Hint:
    """What a hint says: the word, spelled out if it is letters, and the first sentence of its entry."""

    slug: str
    name: str
    full_name: str
    sentence: str


@lru_cache(maxsize=1)
def _hints() -> dict[str, Hint]:
    terms = read_file(FILE).content.terms
    return {
        each.name.casefold(): Hint(each.slug, each.name, each.full_name, first_sentence(each.text)) for each in terms
    }


def hint_of(name: str) -> Hint | None:
    """Return the hint of a term by its name, whatever the case; None for a word that nobody explained."""
    return _hints().get(name.casefold())


def first_sentence(text: str) -> str:
    """Return a text up to the first full stop that ends a sentence."""
    return re.split(r"(?<=\.)\s", text, maxsplit=1)[0]
