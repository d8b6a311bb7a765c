"""What the directory offers for a number or a name that somebody has begun to type."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from audit.services import Ref
from facilities.models import Provider
from facilities.suggestions import suggest
from imports.providers import import_providers

DATA = Path(__file__).resolve().parent.parent / "data"
pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


@pytest.fixture(autouse=True)
def directory(db):
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    import_providers(paths=[DATA / "providers_small.csv"], at=at, actor=Ref("command:test", "a test"))


def ccns(typed, **options):
    return [row.ccn for row in suggest(typed=typed, **options).rows]


@pytest.mark.parametrize(
    ("typed", "state", "expected"),
    [
        ("0150", "", ["015009", "015010", "015012", "015014", "015015", "015023"]),
        ("01-5009", "", ["015009"]),
        ("d6", "", ["D61500"]),
        ("01a", "", ["01A193", "01A208"]),
        ("0150", "TX", []),
        ("15009", "AL", ["015009"]),
        ("15009", "", ["015009"]),
        ("15009001", "AL", ["015009"]),
        ("15009001", "", []),
        ("245381B", "", []),
        ("burns", "", ["015009"]),
        ("Burns Russellville", "", ["015009"]),
        ("valley coosa", "", ["015010"]),
        ("guam memorial", "", ["650001", "655000"]),
        ("guam memorial", "TX", []),
        ("children's", "AL", ["01A193", "01A208"]),
        ("100% sure", "", []),
        ("zzz", "", []),
    ],
)
def test_beginnings_of_numbers_and_words_of_names_find_their_facilities(typed, state, expected):
    assert sorted(ccns(typed, state=state)) == sorted(expected)
    assert not suggest(typed=typed, state=state).too_short


@pytest.mark.parametrize("typed", ["", " ", "0", "b", "st", "'s", "%_"])
def test_too_little_is_not_looked_for(typed, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert suggest(typed=typed).too_short


def test_a_suffix_leads_to_the_certified_number():
    assert ccns("015009B") == ["015009"]


def test_at_most_eight_are_offered_and_it_is_said_that_there_are_more():
    found = suggest(typed="74")
    assert (len(found.rows), found.more) == (8, True)
    assert suggest(typed="74", at_most=10).more is False


def test_names_that_begin_so_come_before_names_that_merely_hold_it_and_what_ended_comes_last():
    for ccn, name in (("015901", "ALPINE REST"), ("015902", "OLD PINE REST"), ("015903", "PINE REST")):
        Provider.objects.filter(ccn="015009").update(name="PINE MANOR", unlisted_on=date(2026, 1, 1))
        Provider.objects.create(
            ccn=ccn, name=name, first_seen_on=date(2026, 1, 1), last_seen_on=date(2026, 1, 1), provider_type="SNF"
        )
    assert ccns("pine") == ["015903", "015902", "015901", "015009"]


def test_one_query_finds_them(django_assert_num_queries):
    with django_assert_num_queries(1):
        suggest(typed="guam memorial hospital", state="GU")
    with django_assert_num_queries(1):
        suggest(typed="0150")
