"""How far what somebody typed is from how a word is spelled. Pure."""

import unicodedata
from typing import Final

ALPHABET: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ONE_MISTAKE, _TWO_MISTAKES = 4, 8  # letters from which so many are forgiven; in short words every letter counts


def plain(text: str) -> str:
    """Return the text in capitals, without accents: ``Zoé`` is ``ZOE``."""
    if text.isascii():  # nearly every name, and much faster
        return text.upper()
    apart = unicodedata.normalize("NFKD", text.upper())
    return "".join(sign for sign in apart if not unicodedata.combining(sign))


def forgiven(typed: str) -> int:
    """Return how many mistakes of spelling a beginning may have and still be looked for."""
    return (len(typed) >= _ONE_MISTAKE) + (len(typed) >= _TWO_MISTAKES)


def mistakes(typed: str, word: str, most: int) -> int | None:
    """Return by how many mistakes ``typed`` differs from a beginning of the word; None: by more than ``most``.

    A mistake is one letter wrong, missing or too many, or two that changed places. Both texts are `plain`.
    """
    # Each mistake adds at most one letter that the word does not have: a quick look spares most of the close ones.
    if len(typed) - len(word) > most or len(set(typed).difference(word)) > most:
        return None
    return next((count for count in range(most + 1) if _begins(word, typed, count)), None)


def _begins(word: str, typed: str, most: int) -> bool:
    same = 0
    while same < min(len(typed), len(word)) and typed[same] == word[same]:
        same += 1
    rest, of_word = typed[same:], word[same:]
    if not rest or not most:
        return not rest
    swapped = len(rest) > 1 and of_word[:2] == rest[1::-1]
    return (
        (bool(of_word) and _begins(of_word[1:], rest[1:], most - 1))  # wrong
        or (bool(of_word) and _begins(of_word[1:], rest, most - 1))  # missing
        or _begins(of_word, rest[1:], most - 1)  # too many
        or (swapped and _begins(of_word[2:], rest[2:], most - 1))
    )


def beginnings_near(typed: str) -> set[str]:
    """Return beginnings, in capitals, among which is that of every word one mistake away from ``typed``.

    A mistake behind the second letter leaves the first two; one before it makes one of about a hundred beginnings of
    three letters. Of fewer than four letters no mistake is forgiven, only an accent.
    """
    word = typed.upper()
    found = {word[:2]}
    if forgiven(word):
        one, two, three = tuple(word[:3])
        found |= {two + one, one + three, two + three}
        for letter in ALPHABET:
            found |= {letter + two + three, letter + one + two, one + letter + three, one + letter + two}
    return {each for each in found if not any(each[:size] in found for size in range(1, len(each)))}
