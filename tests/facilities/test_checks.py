"""The facility check against a small real directory (tests/data/providers_small.csv)."""

import io
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from django.core.management import call_command

from audit.services import Ref
from facilities.checks import check_facility
from facilities.models import Provider
from imports.providers import import_providers

DATA = Path(__file__).resolve().parent.parent / "data"
AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
IMPORT = Ref("command:import_providers", "import_providers")


@pytest.fixture
def directory(db):
    """A directory of 43 real facilities, three quirky lists among them."""
    import_providers(paths=[DATA / "providers_small.csv"], at=AT, actor=IMPORT)


def codes(check):
    return {(problem.field, problem.code) for problem in check.problems}


@pytest.mark.parametrize(
    ("ccn", "state", "zip_code", "kind", "name"),
    [
        ("015009", "AL", "35653", "SNF", "BURNS NURSING HOME, INC."),
        ("01-5009", "Alabama", "35653-1234", "SNF", "BURNS NURSING HOME, INC."),
        ("745038", "TX", "79938", "SNF", "Avir at Tierra Este"),
        ("405000", "PR", "910", "SNF", "ALTERNATIVE HEALTHCARE SOLUTIONS LLC"),
        ("655000", "GU", "96913", "SNF", "GUAM MEMORIAL HOSPITAL AUTHORITY"),
        ("125002", "HI", "96720", "SNF", "HILO BENIOFF MEDICAL CENTER"),
        ("01A193", "AL", "36108", "NF", "FATHER PURCELL MEMORIAL EXCEPTIONAL CHILDREN'S CTR"),
        ("02013F", "AK", "99506", "EMERG-FED", "673rd Medical Group (Joint Base Elmendorf-Richardson)"),
        ("001500", "AZ", "85032", "HOSPICE", "AGAVE HOSPICE AND PALLIATIVE CARE"),
        ("D61500", "CA", "91411", "HOSPICE", "MERCURY HOSPICE, INC"),
    ],
)
def test_a_listed_facility_with_its_state_and_zip_leaves_nothing_to_do(directory, ccn, state, zip_code, kind, name):
    check = check_facility(ccn=ccn, state=state, zip_code=zip_code)
    assert (check.ok, check.problems) == (True, ())
    assert (check.provider_type, check.name, check.extension) == (kind, name, None)


@pytest.mark.parametrize(
    ("ccn", "state", "zip_code", "normalized", "expected"),
    [
        ("", "AL", "35653", None, {("ccn", "missing")}),
        ("015009", "", "35653", "015009", {("state", "missing")}),
        ("015009", "AL", "", "015009", {("zip", "missing")}),
        ("", "", "", None, {("ccn", "missing"), ("state", "missing"), ("zip", "missing")}),
        ("Burns", "AL", "35653", None, {("ccn", "invalid")}),
        ("1346210291", "AL", "35653", None, {("ccn", "invalid")}),
        ("015009", "Ontario", "35653", "015009", {("state", "invalid")}),
        ("015009", "AL", "356530", "015009", {("zip", "invalid")}),
        ("15009", "AL", "35653", "015009", {("ccn", "restored")}),
        ("O15009", "AL", "35653", "015009", {("ccn", "restored")}),
        ("15009", "", "35653", "015009", {("ccn", "restored"), ("state", "missing")}),
        ("15009", "TX", "79938", None, {("ccn", "state_conflict")}),
        ("3.00E+77", "", "85020", None, {("ccn", "ambiguous"), ("state", "missing")}),
        ("015009", "TX", "35653", "015009", {("state", "state_conflict"), ("zip", "zip_state")}),
        ("015999", "AL", "35653", "015999", {("ccn", "not_listed")}),
        ("015009", "AL", "79938", "015009", {("zip", "zip_state"), ("zip", "zip_mismatch")}),
        ("015009", "AL", "35654", "015009", {("zip", "zip_mismatch")}),
        ("015009", "AL", "34001", "015009", {("zip", "zip_state"), ("zip", "zip_mismatch")}),
        ("600001", "TX", "79938", "600001", {("ccn", "invalid"), ("ccn", "not_listed")}),
        ("01T001", "AL", "36301", "01T001", {("ccn", "not_listed")}),
    ],
)
def test_each_doubt_has_its_code_and_the_number_stays_where_there_is_one(
    directory, ccn, state, zip_code, normalized, expected
):
    check = check_facility(ccn=ccn, state=state, zip_code=zip_code)
    assert codes(check) == expected
    assert (check.ok, check.normalized_ccn) == (False, normalized)
    assert all(problem.message.endswith(".") for problem in check.problems)


def test_the_name_is_told_even_when_something_is_wrong(directory):
    assert check_facility(ccn="15009", state="AL", zip_code="").name == "BURNS NURSING HOME, INC."
    assert check_facility(ccn="015999", state="AL", zip_code="").name is None


def test_the_two_of_three_that_agree_are_named(directory):
    by_ccn = check_facility(ccn="015009", state="TX", zip_code="35653")
    by_state = check_facility(ccn="015009", state="TX", zip_code="79938")
    assert "agrees with the CCN" in by_ccn.problems[0].message
    assert "agrees with the state" in by_state.problems[0].message


def test_licensed_only_is_no_error(directory):
    check = check_facility(ccn="N/A", state="TX", zip_code="78701")
    assert (check.ok, check.normalized_ccn, codes(check)) == (True, None, {("ccn", "licensed_only")})
    assert not check_facility(ccn="N/A", state="TX", zip_code="35653").ok


def test_a_suffix_is_told_apart(directory):
    check = check_facility(ccn="015009B", state="AL", zip_code="35653")
    assert (check.ok, check.normalized_ccn, check.extension) == (True, "015009", "B")


def test_a_facility_that_cms_no_longer_lists_is_not_listed(directory):
    Provider.objects.filter(ccn="015009").update(unlisted_on=date(2026, 11, 1))
    check = check_facility(ccn="015009", state="AL", zip_code="35653")
    assert codes(check) == {("ccn", "not_listed")}
    assert check.name == "BURNS NURSING HOME, INC."


def test_a_number_in_a_list_where_its_kind_does_not_belong_is_a_doubt(directory):
    import_providers(paths=[DATA / "snf_enrollments_2026.csv"], at=AT, actor=IMPORT)
    clinic = check_facility(ccn="271812", state="MT", zip_code="59047")
    home = check_facility(ccn="345500", state="NC", zip_code="27526")
    assert codes(clinic) == {("ccn", "type_mismatch")}
    assert codes(home) == set()


def test_a_declared_type_is_compared_with_the_number(directory):
    facts = {"ccn": "015009", "state": "AL", "zip_code": "35653"}
    assert check_facility(**facts, declared_type="SNF").ok
    assert codes(check_facility(**facts, declared_type="HOSPICE")) == {("ccn", "type_mismatch")}


def test_the_command_answers_one_document_and_exits_by_ok(directory):
    out = io.StringIO()
    call_command("check_facility", "--ccn=015009", "--state=AL", "--zip=35653", "--json", stdout=out)
    document = json.loads(out.getvalue())
    assert list(document) == ["ok", "normalized_ccn", "extension", "provider_type", "name", "problems"]
    assert document["ok"] is True

    out = io.StringIO()
    with pytest.raises(Exception) as refused:
        call_command("check_facility", "--ccn=015009", "--state=AL", "--json", stdout=out)
    document = json.loads(out.getvalue())
    assert document["problems"] == [{"field": "zip", "code": "missing", "message": "No ZIP Code was given."}]
    assert refused.value.returncode == 1


def test_the_check_asks_the_database_once(directory, django_assert_num_queries):
    with django_assert_num_queries(1):
        check_facility(ccn="015009", state="AL", zip_code="35653")
    with django_assert_num_queries(0):
        check_facility(ccn="Burns", state="AL", zip_code="35653")
