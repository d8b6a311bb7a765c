"""Mistakes of spelling: what counts as one, how many are forgiven, and where in an index to look for what was meant."""

import pytest

from staff.spelling import ALPHABET, beginnings_near, forgiven, mistakes, plain

NAME = "MARGOLIN"


def one_mistake_away(word):
    """Yield every text that is one mistake away from the word."""
    for at in range(len(word) + 1):
        before, rest = word[:at], word[at:]
        yield before + rest[1:]
        yield from (before + letter + rest for letter in ALPHABET)
        yield from (before + letter + rest[1:] for letter in ALPHABET)
        if len(rest) > 1:
            yield before + rest[1] + rest[0] + rest[2:]


@pytest.mark.parametrize(
    ("typed", "word", "count"),
    [
        ("SMITH", "SMITH", 0),
        ("SMI", "SMITHERS", 0),
        ("SMYTH", "SMITH", 1),
        ("SMTH", "SMITH", 1),
        ("SMIITH", "SMITHERS", 1),
        ("MSITH", "SMITH", 1),
        ("SMTIH", "SMITHERS", 1),
        ("SMYHT", "SMITH", 2),
        ("JONES", "SMITH", None),
    ],
)
def test_a_letter_wrong_missing_too_many_or_in_the_wrong_place_is_one_mistake(typed, word, count):
    assert mistakes(typed, word, 2) == count


def test_every_text_one_mistake_away_is_so_near_and_is_looked_for_where_the_name_stands():
    for typed in set(one_mistake_away(NAME)):
        assert mistakes(typed, NAME, 1) is not None, typed
        assert any(NAME.startswith(start) for start in beginnings_near(typed)), typed


def test_in_short_words_every_letter_counts():
    assert [forgiven(word) for word in ("LEE", "LEES", "MARGOLI", "MARGOLIN")] == [0, 1, 1, 2]
    assert beginnings_near("lee") == {"LE"}


def test_an_accent_is_no_mistake():
    assert plain("Zoé") == plain("zoe") == "ZOE"
