"""Every number, date, phone and exact phrase in the catalogue files stands in the fact that the value cites.

`facts_extract.json` holds, per fact, what its row says: numbers, dates, phones, e-mail addresses, hosts, phrases,
confidence and sources. It is the second reading against which the first is checked.
"""

import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel

from systems.catalogue_files import read_catalogue
from systems.catalogue_schema import Cite, HoursEntry

FACTS = json.loads((Path(__file__).parent / "facts_extract.json").read_text(encoding="utf-8"))
CATALOGUE = read_catalogue()
SOURCES = {source.key: source for source in CATALOGUE.all_of("sources")}
STRENGTH = {
    "not_found": 0,
    "inference": 1,
    "secondary": 2,
    "state": 3,
    "state/official": 4,
    "seed": 4,
    "official": 4,
}
# A start that no fact carries and the catalogue marks as assumed: the bulletin says "In April" without a year.
ASSUMED_STARTS = {"EP-INACT-1": date(2023, 4, 1), "EP-INACT-2": date(2023, 4, 1)}
NAMES_ONLY = {"slug", "key", "position", "title", "zone", "role", "stream", "streams", "systems", "approved_by"}

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
PHONE = re.compile(r"(?:1[ -])?\(?\d{3}\)?[ -]\d{3}-\d{4}")
DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
WRITTEN_DAY = re.compile(rf"\b(?:(\d{{1,2}}) )?({MONTHS}) (\d{{4}})\b")
HOST = re.compile(r"\b(?:[a-z0-9-]+\.)+(?:gov|com|org)(?:/[a-z]+)*")
FACT_ID = re.compile(r"\b[A-Z][A-Z-]*-\d+\b")
NUMBER = re.compile(r"(?<![A-Za-z\d-])\d+(?:\.\d+)?")


def cited_entries(entry, inherited=None, place=""):
    """Yield (place, entry, citation) for each entry; a part without an own citation answers to its parent's."""
    cite = getattr(entry, "cite", None) or inherited
    if cite is not None:
        yield place, entry, cite
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if isinstance(value, dict):
            value = [item for items in value.values() for item in items]
        for number, item in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(item, BaseModel) and not isinstance(item, Cite):
                label = getattr(item, "slug", None) or getattr(item, "key", None) or number
                yield from cited_entries(item, cite, f"{place}/{name}[{label}]")


ENTRIES = [
    pytest.param(entry, cite, id=f"{file.name}{place}:{cite.fact}")
    for file in CATALOGUE.files
    for place, entry, cite in cited_entries(file.content)
]


class Said:
    """All that the cited facts say together."""

    def __init__(self, cite):
        rows = [FACTS[fact] for fact in [cite.fact, *cite.also]]
        keys = [cite.source, *cite.sources]
        self.numbers = {number for row in rows for number in row["numbers"]}
        self.emails = {email.lower() for row in rows for email in row.get("emails", [])}
        self.phones = {phone for row in rows for phone in row.get("phones", [])}
        self.hosts = {host for row in rows for host in row.get("hosts", [])}
        self.phrases = {phrase for row in rows for phrase in row.get("phrases", [])}
        self.weekdays = any(row.get("weekdays") for row in rows)
        self.months = {month for row in rows for month in row.get("months", [])}
        days = {date.fromisoformat(day) for row in rows for day in row.get("dates", [])}
        days |= {date.fromisoformat(f"{month}-01") for month in self.months}
        days |= {SOURCES[key].document_on for key in keys if SOURCES[key].document_on}
        self.days = days | {ASSUMED_STARTS[cite.fact]} if cite.fact in ASSUMED_STARTS else days

    def says_day(self, day):
        return day in self.days

    def says_last_day(self, day):
        # The last day of a version is often printed as the first day of the next.
        return day in self.days or day + timedelta(days=1) in self.days


def unsaid(value, name, said):
    """Return what a value claims that the facts do not say."""
    if isinstance(value, bool) or value is None:
        return []
    if isinstance(value, date):
        fine = said.says_last_day(value) if name in {"effective_to", "usable_until"} else said.says_day(value)
        return [] if fine else [value.isoformat()]
    if isinstance(value, int):
        return [] if str(value) in said.numbers else [value]
    return unsaid_in_text(str(value), said)


def unsaid_in_text(text, said):
    wrong = [mail for mail in EMAIL.findall(text) if mail.lower() not in said.emails]
    rest = EMAIL.sub(" ", text)
    wrong += [phone for phone in PHONE.findall(rest) if re.sub(r"\D", "", phone)[-10:] not in said.phones]
    rest = PHONE.sub(" ", rest)
    wrong += [host for host in HOST.findall(rest) if host not in said.hosts]
    rest = FACT_ID.sub(" ", HOST.sub(" ", rest))
    wrong += [day for day in DAY.findall(rest) if not said.says_day(date.fromisoformat(day))]
    rest = DAY.sub(" ", rest)
    for day, month, year in WRITTEN_DAY.findall(rest):
        number = MONTHS.split("|").index(month) + 1
        first = date(int(year), number, int(day or 1))
        inside = not day and any((known.year, known.month) == (first.year, first.month) for known in said.days)
        if first not in said.days and not inside:
            wrong.append(f"{day} {month} {year}")
    rest = WRITTEN_DAY.sub(" ", rest)
    wrong += [phrase for phrase in re.findall(r'"([^"]+)"', rest) if phrase not in said.phrases]
    rest = re.sub(r'"[^"]+"', " ", rest)
    numbers = {str(int(number)) if number.isdigit() else number for number in NUMBER.findall(rest)}
    return wrong + sorted(numbers - said.numbers)


@pytest.mark.parametrize(("entry", "cite"), ENTRIES)
def test_every_number_date_phone_and_phrase_stands_in_the_cited_fact(entry, cite):
    said = Said(cite)
    if isinstance(entry, HoursEntry):
        assert said.weekdays
        assert {str(int(clock[:2])) for clock in (entry.opens, entry.closes)} <= said.numbers
        assert unsaid_in_text(entry.note, said) == []
        return
    for name in type(entry).model_fields:
        value = getattr(entry, name)
        if name in NAMES_ONLY or isinstance(value, BaseModel | dict):
            continue
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, BaseModel):
                assert unsaid(item, name, said) == [], f"{name}: {item!r}"


@pytest.mark.parametrize(("entry", "cite"), ENTRIES)
def test_no_value_is_surer_than_its_fact_and_each_source_is_the_facts(entry, cite):
    assert STRENGTH[cite.confidence.value] <= STRENGTH[FACTS[cite.fact]["confidence"]]
    known = {source for fact in [cite.fact, *cite.also] for source in FACTS[fact]["sources"]} | {"NF"}
    if FACTS[cite.fact]["sources"]:
        assert {cite.source, *cite.sources} <= known
    assert (cite.source == "NF") <= (cite.confidence.value == "not_found")


@pytest.mark.parametrize("phrase", [each for system in CATALOGUE.all_of("systems") for each in system.phrases])
def test_form_phrases_are_the_facts_word_for_word(phrase):
    assert phrase.text in FACTS[phrase.cite.fact]["phrases"]


def test_the_comparison_notices_a_wrong_digit_a_wrong_phone_and_a_wrong_word():
    said = Said(Cite(fact="QIES-INACT-3", source="O1", confidence="official", also=["QIES-INACT-1", "QIES-REACT-1"]))
    assert unsaid_in_text("60 days, then call 1-800-339-9313", said) == []
    assert unsaid_in_text("61 days", said) == ["61"]
    assert unsaid_in_text("call 1-800-339-9314", said) == ["1-800-339-9314"]
    assert unsaid_in_text('press "Forgot it?"', said) == ["Forgot it?"]
    assert unsaid(date(2017, 6, 26), "effective_from", said) == []
    assert unsaid(date(2017, 6, 27), "effective_from", said) == ["2017-06-27"]
    assert unsaid(90, "limit_days", said) == []
    assert unsaid(120, "limit_days", said) == [120]


def test_the_extract_holds_cited_facts_only():
    cited = {fact for param in ENTRIES for fact in [param.values[1].fact, *param.values[1].also]}
    assert set(FACTS) == cited


def test_every_fact_family_of_the_fact_file_is_in_the_catalogue():
    # How many facts the fact file numbers in each of its areas; one that falls out of the YAML is missed here.
    families = Counter(fact.partition("-")[0] for fact in FACTS)
    assert families == {
        "APP": 25,
        "ARS": 17,
        "CASP": 2,
        "CMSN": 20,
        "EP": 37,
        "EQRS": 4,
        "EXP": 7,
        "HARP": 35,
        "HD": 8,
        "HIPAA": 3,
        "HQR": 7,
        "IANDA": 3,
        "IQ": 41,
        "LIFE": 18,
        "MAC": 2,
        "NHSN": 4,
        "PATH": 13,
        "PBJ": 1,
        "PSR": 4,
        "QIES": 56,
        "QNET": 26,
        "RDS": 1,
        "ROB": 25,
        "URL": 7,
    }
