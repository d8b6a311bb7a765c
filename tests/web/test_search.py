"""The search: what is found by what, who finds whom, what is spelled nearly so, and what the page costs."""

from datetime import date

import pytest
from django.urls import reverse

from accounts.models import PortalAccount
from facilities.models import Facility
from staff.services.people import end_employment
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

PAGE = reverse("web:search", args=["riverside"])


@pytest.fixture(autouse=True)
def _noon(time_machine):
    time_machine.move_to(NOON, tick=False)


@pytest.fixture
def ask(client, cast):
    """Return a function (who, what) -> what the page shows: its groups by kind, near ones as ``near people``."""

    def asked(name, text):
        client.force_login(getattr(cast, name))
        answer = client.get(PAGE, {"q": text})
        assert answer.status_code == 200
        found = answer.context["found"]
        shown = {group.key: [hit.title for hit in group.hits] for group in found.exact}
        return shown | {f"near {group.key}": [hit.title for hit in group.hits] for group in found.near}

    return asked


@pytest.fixture
def named(cast):
    """Further people of Riverside, and their like elsewhere."""
    for first, last, email, number in (
        ("Zoé", "O'Brien", "zob@example.org", "E-17"),
        ("Maria", "de la Cruz", "mdlc@example.org", "E-18"),
        ("Jonathan", "Smithers", "jsmithers@example.org", None),
    ):
        for place in (cast.oak, cast.summit):
            person = factories.PersonFactory(
                organization=place.organization, first_name=first, last_name=last, email=email, employee_number=number
            )
            factories.EmploymentFactory(facility=place, person=person)
    return cast


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("smith", ["Jonathan Smithers"]),
        ("jon smi", ["Jonathan Smithers"]),
        ("Smithers, Jonathan", ["Jonathan Smithers"]),
        ("de la c", ["Maria de la Cruz"]),
        ("maria de la", ["Maria de la Cruz"]),
        ("ZOB@EX", ["Zoé O'Brien"]),
        ("e-17", ["Zoé O'Brien"]),
    ],
)
def test_people_are_found_by_name_in_either_order_by_e_mail_and_by_number(named, ask, asked, names):
    assert ask("alice", asked) == {"people": names}


@pytest.mark.parametrize("asked", ["%%", "__", "--", "((", "\\d", "''", "\0x"])
def test_signs_stand_for_themselves(named, ask, asked):
    assert ask("alice", asked) == {}


def test_who_is_called_exactly_so_comes_first(cast, ask):
    for first, last in (("Tester", "Abel"), ("Ada", "Testa"), ("Ada", "Tes")):
        factories.PersonFactory(organization=cast.riverside, first_name=first, last_name=last)
    found = ask("alice", "tes")["people"]
    assert found[0] == "Ada Tes"
    assert found[-1] == "Tester Abel"


@pytest.mark.parametrize("asked", ["15009", "015009", "01-5009", "0150", "15009.0"])
def test_a_facility_is_found_by_its_number_also_without_the_leading_zero(cast, ask, asked):
    assert "Oak House" in ask("alice", asked)["facilities"]


def test_a_facility_is_found_by_its_name_or_town_and_says_when_it_is_closed(cast, ask, client):
    Facility.objects.filter(pk=cast.elm.pk).update(city="Tuscumbia", closed_on=date(2026, 3, 2))
    assert ask("alice", "house elm") == ask("alice", "tuscum") == {"facilities": ["Elm House"]}
    assert "Closed on Mon 2 Mar 2026" in client.get(PAGE, {"q": "elm"}).content.decode()


def test_an_account_is_found_by_its_user_id_below_its_authority_and_removed_too(cast, ask, client):
    account = held(cast, person="henry", user_id="HTest_7")
    assert ask("alice", "htest_") == {"accounts": ["HTest_7 on HARP", "HTest_7 on iQIES"]}
    PortalAccount.objects.filter(pk=account.pk).update(status="removed", removed_on=date(2026, 11, 2))
    assert "Removed on Mon 2 Nov 2026" in client.get(PAGE, {"q": "htest_7"}).content.decode()


def test_a_system_is_found_by_its_name_or_purpose_and_leads_to_its_guide(cast, ask, client):
    assert ask("henry", "iqies")["systems"][0] == "iQIES"
    guide = reverse("web:system", args=["riverside", "iqies"])
    assert f'href="{guide}"' in client.get(PAGE, {"q": "iqies"}).content.decode()


def test_who_left_is_found_and_it_is_said(cast, ask, client):
    job = cast.people["henry"].employments.get()
    end_employment(scope=cast.scope("alice"), employment=job, last_day_on=date(2026, 11, 14), at=NOON)
    assert ask("alice", "henry")["people"] == ["Henry Test"]
    assert "Left on Sat 14 Nov 2026" in client.get(PAGE, {"q": "henry"}).content.decode()


def test_each_finds_only_what_she_reads(named, ask):
    held(named, person="henry", user_id="TEST-H")
    held(named, person="olga", facility="elm", user_id="TEST-O")
    everybody = ["Alice Test", "Audrey Test", "Carol Test", "Henry Test", "Olga Test"]
    told = {name: ask(name, "test") for name in ("alice", "carol", "olga", "henry")}
    assert {name: found["people"] for name, found in told.items()} == {
        "alice": everybody,
        "carol": ["Carol Test", "Henry Test"],
        "olga": ["Olga Test"],
        "henry": ["Henry Test"],
    }
    ids = {name: [hit.partition(" ")[0] for hit in found["accounts"]] for name, found in told.items()}
    assert ids == {"alice": ["TEST-H", "TEST-H", "TEST-O", "TEST-O"], "carol": ["TEST-H"] * 2, "olga": ["TEST-O"] * 2,
                   "henry": ["TEST-H"] * 2}  # fmt: skip
    places = {name: ask(name, "house").get("facilities", []) for name in ("alice", "carol", "olga", "henry")}
    assert places == {"alice": ["Elm House", "Oak House"], "carol": ["Oak House"], "olga": ["Elm House"], "henry": []}


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("Smihters", ["Jonathan Smithers"]),
        ("Jonatan Smiters", ["Jonathan Smithers"]),
        ("Zmithers", ["Jonathan Smithers"]),
        ("zoe", ["Zoé O'Brien"]),
        ("maria de la curz", ["Maria de la Cruz"]),
    ],
)
def test_a_name_spelled_nearly_so_is_found_and_called_near(named, ask, client, asked, names):
    assert ask("alice", asked) == {"near people": names}
    assert "Nothing is spelled like that; close to it:" in client.get(PAGE, {"q": asked}).content.decode()
    assert ask("olga", asked) == {}, "she does not read Oak House"


def test_places_and_systems_spelled_nearly_so_are_found_where_nothing_is_called_so(cast, ask):
    assert ask("alice", "oak huose") == {"near facilities": ["Oak House"]}
    assert ask("olga", "oak huose") == {}
    assert "CASPER" in ask("henry", "caspar")["near systems"]


def test_where_not_every_name_was_compared_the_page_says_so(cast, client, monkeypatch):
    client.force_login(cast.alice)
    url = reverse("web:search", args=["riverside"]) + "?q=Huose"
    assert "there are more" not in client.get(url).content.decode()
    monkeypatch.setattr("web.searching.places._NAMES_COMPARED", 1)
    text = client.get(url).content.decode()
    assert "Elm House" in text
    assert "Among the first 1 facilities by name; there are more." in text


def test_what_is_found_often_enough_asks_for_nothing_near(cast, ask):
    for number in range(3):
        factories.PersonFactory(organization=cast.riverside, first_name=f"Ann {number}", last_name="Marlowe")
    factories.PersonFactory(organization=cast.riverside, first_name="Ann", last_name="Harlowe")
    assert ask("alice", "Marlowe") == {"people": ["Ann 0 Marlowe", "Ann 1 Marlowe", "Ann 2 Marlowe"]}
    assert ask("alice", "Harlowe")["near people"] == ["Ann 0 Marlowe", "Ann 1 Marlowe", "Ann 2 Marlowe"]


def test_the_rest_is_one_click_away_in_the_list(cast, ask, client):
    for number in range(9):
        person = factories.PersonFactory(organization=cast.riverside, last_name=f"Crowd {number}")
        factories.EmploymentFactory(facility=cast.oak, person=person)
    assert len(ask("alice", "crowd")["people"]) == 8
    [group] = client.get(PAGE, {"q": "crowd"}).context["found"].exact
    assert len(client.get(group.more_url).context["rows"]) == 9


def test_one_letter_is_too_few_and_nothing_found_teaches_what_can_be(cast, client):
    client.force_login(cast.alice)
    assert "at least two letters" in client.get(PAGE, {"q": " x "}).content.decode()
    for asked in ("", "qqqqqq"):
        page = client.get(PAGE, {"q": asked}).content.decode()
        assert "by CCN, also without its leading zero" in page
    assert "Nothing is called “qqqqqq”" in client.get(PAGE, {"q": "qqqqqq"}).content.decode()


def test_while_one_types_the_bar_gets_the_first_hits_and_a_sentence(cast, client, django_assert_max_num_queries):
    client.force_login(cast.alice)
    for number in range(9):
        factories.PersonFactory(organization=cast.riverside, last_name=f"Crowd {number}")

    def typed(text):
        answer = client.get(PAGE, {"q": text}, headers={"HX-Request": "true", "HX-Target": "typed-hits"})
        assert "HX-Target" in answer["Vary"]
        return answer.content.decode()

    part = typed("crowd")
    assert part.count("<a ") == 5 + 1, "five, and the way to all of them"
    assert "The first five of eight or more found. Choose with the arrow keys." in part
    assert f'href="{PAGE}?q=crowd"' in part
    assert "<main" not in part
    assert "Oak House" in typed("oak huose"), "what is spelled nearly so, where there is nothing else"
    assert "Nothing is called “qqqqqq”." in typed("qqqqqq")
    with django_assert_max_num_queries(9):  # who asks, and where; nothing is searched
        assert "<a " not in typed("c")


def test_the_bar_of_every_page_searches_without_scripts(cast, client):
    client.force_login(cast.henry)
    page = client.get(reverse("web:today", args=["riverside"])).content.decode()
    assert f'action="{PAGE}"' in page
    assert 'name="q"' in page


@pytest.mark.parametrize(("asked", "queries"), [("test", 18), ("tset", 22)])
def test_the_page_asks_a_fixed_number_of_queries(cast, client, django_assert_num_queries, asked, queries):
    client.force_login(cast.alice)
    held(cast, person="henry", user_id="TEST-H")
    client.get(PAGE, {"q": asked})
    with django_assert_num_queries(queries):
        client.get(PAGE, {"q": asked})
    for number in range(20):
        person = factories.PersonFactory(organization=cast.riverside, last_name=f"Tester {number}")
        factories.EmploymentFactory(facility=cast.oak, person=person)
    with django_assert_num_queries(queries):
        client.get(PAGE, {"q": asked})


@pytest.mark.parametrize("nothing", [",,,,", "\u0301\u0301\u0301", ", , ,"])
def test_signs_that_are_no_letters_find_nobody(client, cast, nothing):
    client.force_login(cast.alice)
    answer = client.get(reverse("web:search", args=["riverside"]), {"q": nothing})
    assert answer.status_code == 200
    assert "Carol Test" not in answer.content.decode()
    assert "Oak House" not in answer.content.decode().split("<main", 1)[1]
