"""A list of accounts by command: what is created, what moves, what is refused, and that nobody gets another's row."""

import json
from datetime import date, timedelta

import pytest
import time_machine
from django.core.management import call_command

from accounts.models import Certification, Deadline, Finding, LoginEvent, PortalAccount, RoleGrant
from audit.commands import CommandFailed
from audit.models import AuditEvent
from audit.verify import verify_chains
from imports.models import Import, ImportRow, SavedMapping
from systems.models import SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]
HEADER = "System,CCN,Last Name,First Name,Work Email,User ID,Role,Role Status,Granted On,Last Login"
HENRY = "iQIES,015009,Test,Henry,henry@example.org,HTEST1,Provider Assessment Viewer,Active,03/15/2025,11/10/2026"
OLGA = "iQIES,015010,Test,Olga,olga@example.org,OTEST1,PSO,Active,04/20/2025,10/01/2026"


@pytest.fixture(autouse=True)
def _noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def run(cast, tmp_path, capsys):
    """Return a function (rows, header, options) -> the command's document; ``refused`` expects exit 1."""

    def imported(*rows, header=HEADER, refused=False, options=(), name="list.csv", organization="riverside"):
        path = tmp_path / name
        path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        arguments = ["import_accounts", str(path), "--organization", organization, "--json", *options]
        capsys.readouterr()
        if refused:
            with pytest.raises(CommandFailed):
                call_command(*arguments)
        else:
            call_command(*arguments)
        return json.loads(capsys.readouterr().out)

    return imported


def figures(document):
    return {name: document[name] for name in ("rows", "matched", "created", "updated", "unchanged")}


def account(cast, person="henry", system="iqies"):
    return PortalAccount.objects.get(person=cast.people[person], system__slug=system)


def everything():
    models = (PortalAccount, RoleGrant, LoginEvent, Deadline, Finding, Import, ImportRow, AuditEvent, Certification)
    return {model.__name__: list(model.objects.order_by("pk").values()) for model in models}


def test_a_row_opens_the_account_with_its_identity_role_login_and_clocks(cast, run):
    document = run(HENRY)
    assert figures(document) == {"rows": 1, "matched": 1, "created": 1, "updated": 0, "unchanged": 0}
    mine, identity = account(cast), account(cast, system="harp")
    assert (mine.identity, mine.user_id, identity.user_id) == (identity, None, "HTEST1")
    assert (mine.opened_on, mine.last_login_on, mine.lapses_on) == (
        date(2025, 3, 15), date(2026, 11, 10), date(2026, 11, 10) + timedelta(days=60),
    )  # fmt: skip
    grant = mine.grants.get()
    assert (grant.facility, grant.role.slug, grant.valid_from) == (
        cast.oak, "provider-assessment-viewer", date(2025, 3, 15),
    )  # fmt: skip
    assert grant.evidence == "list.csv, line 2"
    event = LoginEvent.objects.get(account=mine)
    assert (event.grade, event.source) == ("D", "file")
    assert LoginEvent.objects.get(account=identity).via == event
    assert identity.grants.get().facility == cast.oak
    assert verify_chains().ok


def test_an_identity_has_a_role_only_where_something_signs_in_through_it(cast, run):
    pecos = HENRY.replace("iQIES", "ep-pecos-ai").replace("015009", "015010").replace(
        "Provider Assessment Viewer", "Individual user"
    )  # fmt: skip
    assert figures(run(HENRY.replace("HTEST1", ""), pecos.replace("HTEST1", "")))["created"] == 2
    held_at = RoleGrant.objects.filter(account__identity=None).values_list("account__system__slug", "facility__name")
    assert sorted(held_at) == [("harp", "Oak House"), ("idm", "Elm House")]


def test_the_same_list_again_writes_nothing(cast, run):
    run(HENRY, OLGA)
    before = everything()
    document = run(HENRY, OLGA)
    assert figures(document) == {"rows": 2, "matched": 2, "created": 0, "updated": 0, "unchanged": 2}
    assert document["import"] is None
    assert everything() == before


def test_a_later_list_moves_clocks_forward_and_an_older_one_moves_nothing(cast, run):
    run(HENRY)
    newer = run(HENRY.replace("11/10/2026", "11/18/2026"))
    assert figures(newer)["updated"] == 1
    assert account(cast).last_login_on == date(2026, 11, 18)
    assert Deadline.objects.get(account=account(cast), kind="inactivity").cycle == 2
    older = run(HENRY.replace("11/10/2026", "11/12/2026"))
    assert (figures(older)["unchanged"], account(cast).last_login_on) == (1, date(2026, 11, 18))


def test_a_login_after_the_last_safe_day_cures_nothing_by_itself(cast, run):
    held(cast, "iqies", person="henry", last_login=TODAY - timedelta(days=75))
    run(HENRY.replace(",HTEST1,", ",,"))
    clock = Deadline.objects.get(account=account(cast), kind="inactivity")
    assert (clock.due_on, clock.check_on) == (TODAY - timedelta(days=15), date(2026, 11, 10))


def test_an_empty_last_login_is_unknown_and_never_is_said(cast, run):
    run(HENRY.replace("11/10/2026", ""), OLGA.replace("10/01/2026", "Never"))
    assert account(cast).login_state == "unknown"
    assert run(HENRY.replace("11/10/2026", "Unknown"))["unchanged"] == 1
    assert account(cast, "olga").login_state == "never"
    assert account(cast, "olga").lapses_on == date(2025, 4, 20) + timedelta(days=60)


def test_two_roles_are_one_account(cast, run):
    second = HENRY.replace("Provider Assessment Viewer", "Assessment Submitter").replace("015009", "015010")
    run(HENRY, second)
    roles = account(cast).grants.order_by("role__position").values_list("role__slug", "facility__name")
    assert set(roles) == {("provider-assessment-viewer", "Oak House"), ("assessment-submitter", "Elm House")}
    assert set(account(cast, system="harp").grants.values_list("facility__name", flat=True)) == {
        "Oak House", "Elm House",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("iQIES,015009,Test,Henry,olga@example.org,,PSO,Active,,", "the e-mail is that of Olga Test"),
        ("iQIES,015009,Nobody,Jane,,,PSO,Active,,", "nobody of this name is known here"),
        ("iQIES,015010,Test,Henry,,,PSO,Active,,", "somebody of this name works elsewhere"),
        ("iQIES,015009,,,stranger@example.org,,PSO,Active,,", "nobody here is known by what the row says"),
    ],
)
def test_a_row_never_lands_on_somebody_whom_it_may_not_mean(cast, run, row, reason):
    document = run(row)
    assert reason in document["unknown_people"][0]["reason"]
    assert document["unknown_people"][0]["line"] == 2
    assert PortalAccount.objects.count() == 0


def test_two_people_of_one_name_need_more_than_the_name(cast, run):
    twin = factories.PersonFactory(organization=cast.riverside, first_name="Henry", last_name="Test", email="")
    factories.EmploymentFactory(facility=cast.oak, person=twin)
    by_name = HENRY.replace("henry@example.org", "").replace("HTEST1", "")
    assert "several people of this name" in run(by_name)["unknown_people"][0]["reason"]
    assert figures(run(HENRY))["created"] == 1
    assert account(cast).person == cast.people["henry"]


def test_a_known_user_id_means_its_holder_and_nobody_else(cast, run):
    held(cast, "iqies", person="henry", user_id="HTEST1", last_login=TODAY)
    only_id = "iQIES,015009,,,,htest1,Assessment Submitter,Active,,"
    assert figures(run(only_id))["updated"] == 1
    other = run("iQIES,015010,Test,Olga,,HTEST1,PSO,Active,,")
    assert "the user ID is that of Henry Test" in other["unknown_people"][0]["reason"] or other["rejected"]
    different = run(HENRY.replace("HTEST1", "OTHER9"))
    assert "another user ID" in different["rejected"][0]["reason"]


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        (("iQIES", "Nonsense"), "System", "the catalogue has no system"),
        (("Provider Assessment Viewer", "Chief"), "Role", "iQIES has no role “Chief”; it has: Provider Security"),
        (("015009", "999999"), "CCN", "no facility here has the CCN"),
        (("11/10/2026", "12/24/2026"), "Last Login", "lies in the future"),
        (("03/15/2025", "13/45/2025"), "Granted On", "no such day"),
        (("henry@example.org", "henry@"), "Work Email", "no e-mail address"),
    ],
)
def test_a_bad_row_is_told_with_its_column_and_the_rest_is_written(cast, run, change, column, reason):
    document = run(HENRY.replace(*change), OLGA)
    (bad,) = document["rejected"]
    assert (bad["line"], bad["column"]) == (2, column)
    assert reason in bad["reason"]
    assert PortalAccount.objects.filter(system__slug="iqies").get().person == cast.people["olga"]


def test_strict_and_dry_run_write_nothing(cast, run):
    before = everything()
    assert figures(run(HENRY, options=["--dry-run"]))["created"] == 1
    strict = run(HENRY, OLGA.replace("PSO", "Chief"), options=["--strict"], refused=True)
    assert strict["errors"][0]["code"] == "rejected"
    assert everything() == before


def test_another_tenants_facility_and_people_are_unknown_here(cast, run):
    factories.FacilityFactory(organization=cast.hilltop, name="Hill House", ccn="015011")
    document = run(HENRY.replace("015009", "015011"))
    assert "no facility here has the CCN" in document["rejected"][0]["reason"]
    mine = run(HENRY, organization="hilltop")
    assert mine["unknown_people"]
    assert PortalAccount.objects.count() == 0


def test_what_the_list_calls_revoked_is_lost_here_and_one_role_of_several_just_ends(cast, run):
    held(cast, "iqies", person="henry", last_login=TODAY - timedelta(days=20))
    run(HENRY.replace(",HTEST1,", ",,"))
    assert account(cast).grants.filter(valid_to=None, voided_at=None).count() == 2
    run(HENRY.replace("Active", "Revoked"))
    assert account(cast).status == "active"
    assert account(cast).grants.filter(valid_to=None, voided_at=None).count() == 1
    rest = HENRY.replace("Active", "Role revoked").replace("Provider Assessment Viewer", "PSO")
    run(HENRY.replace("Active", "Revoked"), rest)
    assert (account(cast).status, account(cast).loss) == ("lost", "roles_revoked")
    back = run(HENRY)
    assert "marked as lost here" in back["rejected"][0]["reason"]


def test_a_role_that_is_held_until_a_day_is_known_to_a_list(cast, run):
    held(cast, "iqies", person="henry", last_login=TODAY - timedelta(days=20))
    run(HENRY.replace(",HTEST1,", ",,"))
    viewer = account(cast).grants.filter(voided_at=None, role__name="Provider Assessment Viewer")
    viewer.update(valid_to=TODAY + timedelta(days=20), temporary=True)
    row = f"{HENRY.replace(',HTEST1,', ',,')},11/01/2026"
    run(row, header=f"{HEADER},Certified On")
    assert [grant.temporary for grant in viewer.all()] == [True], "it is not granted a second time"
    assert Certification.objects.get(grant=viewer.get()).certified_on == date(2026, 11, 1)
    run(HENRY.replace("Active", "Role revoked").replace("Provider Assessment Viewer", "PSO"))
    assert account(cast).status == "active", "the other role is there"
    run(HENRY.replace("Active", "Role revoked"))
    assert account(cast).status == "lost"


def test_pending_access_is_no_access(cast, run):
    document = run(HENRY.replace("Active", "Pending approval"))
    assert (figures(document)["unchanged"], PortalAccount.objects.count()) == (1, 0)


def at_a_further_facility(cast, run):
    """Bring a list of a system whose users have one plain role; return a row of it that names another facility."""
    row = "sams,015009,Test,Henry,henry@example.org,HT1,,Active,03/15/2025,11/10/2026"
    assert figures(run(row))["created"] == 1
    return row, row.replace("015009", "015010").replace("03/15/2025", "05/01/2026")


def roles_of(cast, system):
    rows = account(cast, system=system).grants.filter(voided_at=None, valid_to=None).order_by("valid_from")
    return list(rows.values_list("facility__name", "role__slug", "valid_from"))


def test_a_known_account_that_a_list_shows_at_a_further_facility_gets_the_plain_role_there(cast, run):
    _, further = at_a_further_facility(cast, run)
    assert figures(run(further))["updated"] == 1
    assert roles_of(cast, "sams") == [
        ("Oak House", "individual-user", date(2025, 3, 15)), ("Elm House", "individual-user", date(2026, 5, 1)),
    ]  # fmt: skip
    riddle = OLGA.replace("iQIES", "sams").replace("PSO,Active", ",Active")
    run(riddle)
    document = run(riddle.replace("015010", "015009").replace("Active", "Quarantined"))
    assert "this access is not known here yet" in document["rejected"][0]["reason"]


def test_the_same_facility_again_or_one_where_another_role_is_held_gives_no_plain_role(cast, run):
    row, further = at_a_further_facility(cast, run)
    run(further.replace(",,Active", ",NHSN Facility Administrator,Active"))
    before = everything()
    assert figures(run(row, further))["unchanged"] == 1
    assert everything() == before
    assert [role for _, role, _ in roles_of(cast, "sams")] == ["individual-user", "facility-administrator"]


def test_what_is_shown_before_a_role_at_a_further_facility_is_what_happens(cast, run):
    _, further = at_a_further_facility(cast, run)
    before = everything()
    shown = run(further, options=["--dry-run"])
    assert everything() == before
    assert figures(shown)["updated"] == 1
    done = run(further)
    assert done.pop("import") is not None
    assert {**shown, "dry_run": False} == {**done, "import": shown["import"]}


def test_who_is_missing_in_the_list_is_told_and_stays(cast, run):
    gone = held(cast, "iqies", person="carol", last_login=TODAY)
    document = run(HENRY)
    assert [row["person"] for row in document["missing_in_file"]] == ["Carol Test"]
    finding = Finding.objects.open().get(kind="missing-in-file")
    assert (finding.account, finding.severity) == (gone, "low")
    gone.refresh_from_db()
    assert gone.status == "active"
    assert len(run(HENRY)["missing_in_file"]) == 1, "told again, kept once"
    assert Finding.objects.open().filter(kind="missing-in-file").count() == 1
    carol = HENRY.replace("Henry", "Carol").replace("henry@", "carol@").replace("HTEST1", "")
    carol = carol.replace("Provider Assessment Viewer", "PSO")
    assert run(HENRY, carol)["missing_in_file"] == []
    assert not Finding.objects.open().filter(kind="missing-in-file").exists()


def test_a_row_that_nobody_can_be_tied_to_calls_nobody_missing(cast, run):
    held(cast, "iqies", person="carol", last_login=TODAY)
    document = run(HENRY, "iQIES,015009,Tset,Carrol,,,PSO,Active,,")
    assert document["missing_in_file"] == []
    assert any("no account that it may be about is called missing" in note for note in document["notes"])


def test_another_facility_or_system_is_no_matter_of_the_list(cast, run):
    held(cast, "iqies", person="olga", facility="elm", last_login=TODAY)
    held(cast, "qies", person="carol", last_login=TODAY)
    assert run(HENRY)["missing_in_file"] == []


def test_secrets_refuse_the_file_whole_and_are_not_repeated(cast, run):
    document = run(HENRY + ",hunter2", header=HEADER + ",Password", refused=True)
    assert document["errors"][0]["code"] == "secret"
    assert "hunter2" not in json.dumps(document)
    assert PortalAccount.objects.count() == 0


def test_a_list_of_one_system_says_which(cast, run):
    header = "CCN,Name,User Name,Last Login Date"
    row = '015009,"Test, Henry",HT1,2026-11-01'
    missing = run(row, header=header, refused=True)
    assert missing["errors"][0]["code"] == "missing_column"
    assert "--system" in missing["errors"][0]["message"]
    assert figures(run(row, header=header, options=["--system", "cmsnet"]))["created"] == 1
    assert account(cast, system="cmsnet").user_id == "HT1"
    wrong = run(row, header=header, options=["--system", "nonsense"], refused=True)
    assert wrong["errors"][0]["code"] == "no_system"


def test_a_mapping_is_saved_found_again_and_named_when_it_is_not_there(cast, run):
    header, row = "Place,Who,Key,Seen", '015009,"Test, Henry",HT1,2026-11-01'
    how = ["--column", "ccn=Place", "--column", "full_name=Who", "--column", "user_id=Key"]
    how += ["--column", "last_login_on=Seen", "--system", "cmsnet"]
    run(row, header=header, options=[*how, "--save-mapping", "Network list"])
    saved = SavedMapping.objects.get()
    assert (saved.name, saved.system, saved.columns["user_id"]) == ("Network list", "cmsnet", "Key")
    newer = row.replace("2026-11-01", "2026-11-05")
    assert figures(run(newer, header=header, options=["--mapping", "Network list"]))["updated"] == 1
    unknown = run(row, header=header, options=["--mapping", "Other"], refused=True)
    assert "Network list" in unknown["errors"][0]["message"]
    wrong = run(row, header=header, options=["--column", "user_id=Nowhere"], refused=True)
    assert wrong["errors"][0]["code"] == "unknown_column"


def test_the_answer_has_the_keys_of_its_contract(cast, run):
    keys = {"rows", "matched", "created", "updated", "unchanged", "unknown_people", "missing_in_file", "rejected"}
    assert keys <= set(run(HENRY))
    assert keys <= set(run("x", header="a,b", refused=True))


def test_a_certification_is_kept_with_its_role(cast, run):
    header = HEADER + ",Last Certified"
    run(HENRY + ",06/30/2026", header=header)
    assert Certification.objects.get().certified_on == date(2026, 6, 30)
    before = everything()
    run(HENRY + ",06/30/2026", header=header)
    assert everything() == before


def test_an_import_is_one_act_with_an_item_for_each_account(cast, run):
    run(HENRY, OLGA)
    event = AuditEvent.objects.get(action="accounts.imported")
    assert (event.chain, event.item_count) == (cast.riverside.key, 2)


def test_a_mapping_that_cannot_be_saved_refuses_the_list_before_anything_is_written(cast, run):
    before = everything()
    for name, code in (("x" * 61, "mapping_name"), ("pw: Sommer1!", "secret")):
        refused = run(HENRY, options=["--save-mapping", name], refused=True)
        assert refused["errors"][0]["code"] == code
    assert everything() == before
    run(HENRY, options=["--save-mapping", "x" * 60])
    before = everything()
    run(HENRY, options=["--save-mapping", "x" * 60])
    assert everything() == before


def test_a_status_that_nobody_understands_opens_no_access_but_its_login_counts(cast, run):
    riddle = HENRY.replace("Active", "Quarantined")
    document = run(riddle, OLGA)
    assert "“Quarantined” is not understood" in document["rejected"][0]["reason"]
    assert any("“Quarantined”" in note for note in document["notes"])
    assert PortalAccount.objects.filter(system__slug="iqies").get().person == cast.people["olga"]
    run(HENRY)
    newer = run(riddle.replace("11/10/2026", "11/15/2026"))
    assert (newer["rejected"], newer["updated"]) == ([], 1)
    assert account(cast).last_login_on == date(2026, 11, 15)


def test_a_disabled_row_without_a_role_speaks_of_everything_she_has_there(cast, run):
    held(cast, "iqies", person="henry", last_login=TODAY - timedelta(days=20))
    run(HENRY.replace(",HTEST1,", ",,"))
    assert account(cast).grants.filter(valid_to=None, voided_at=None).count() == 2
    run("iQIES,015009,Test,Henry,henry@example.org,,,Disabled,,")
    assert (account(cast).status, account(cast).loss) == ("lost", "disabled")
    assert not account(cast).grants.filter(valid_to=None, voided_at=None).exists()


def test_each_role_names_the_line_that_told_of_it_and_who_certified_it(cast, run):
    header = HEADER + ",Last Certified,Approver"
    second = HENRY.replace("Provider Assessment Viewer", "Assessment Submitter")
    document = run(HENRY + ",06/30/2026,Sam Officer", second + ",,", header=header)
    assert document["ignored_columns"] == []
    evidence = account(cast).grants.order_by("evidence").values_list("role__slug", "evidence")
    assert list(evidence) == [
        ("provider-assessment-viewer", "list.csv, line 2"), ("assessment-submitter", "list.csv, line 3"),
    ]  # fmt: skip
    assert Certification.objects.get().certified_by == "Sam Officer"


def test_a_role_or_a_place_that_the_list_does_not_show_is_missing_though_its_holder_is_there(cast, run):
    roles = list(SystemRole.objects.filter(system__slug="iqies").order_by("position")[:2])
    held(cast, "iqies", person="henry", last_login=TODAY, roles=roles)
    held(cast, "iqies", person="henry", facility="elm", last_login=TODAY, roles=roles[:1])
    row = f"iQIES,015009,Test,Henry,henry@example.org,,{roles[0].name},Active,,"
    olga = OLGA.replace("OTEST1", "")
    missing = run(row, olga)["missing_in_file"]
    assert [(each["facility"], each["roles"]) for each in missing] == [
        ("Oak House", [roles[1].name]), ("Elm House", [roles[0].name]),
    ]  # fmt: skip
    assert Finding.objects.open().filter(kind="missing-in-file").count() == 2
    assert run(row.replace(roles[0].name, ""), olga)["missing_in_file"][0]["facility"] == "Elm House"
    assert Finding.objects.open().get(kind="missing-in-file").account == account(cast)
    elsewhere = row.replace("015009", "015010")
    assert [each["facility"] for each in run(row.replace(roles[0].name, ""), elsewhere, olga)["missing_in_file"]] == []
    assert not Finding.objects.open().filter(kind="missing-in-file").exists()


def test_a_row_about_somebody_else_does_not_hide_who_is_missing(cast, run):
    olive = factories.PersonFactory(organization=cast.riverside, first_name="Olive", last_name="Branch", email="")
    factories.EmploymentFactory(facility=cast.oak, person=olive)
    cast.people["olive"] = olive
    held(cast, "iqies", person="olive", last_login=TODAY)
    stranger = "iQIES,015009,Zimmermann,Konrad,,,PSO,Active,,"
    bad = HENRY.replace("Provider Assessment Viewer", "Chief")
    document = run(HENRY, stranger, bad)
    assert [row["person"] for row in document["missing_in_file"]] == ["Olive Branch"]
    assert run(HENRY, stranger.replace("Zimmermann,Konrad", "Brnach,Olive"))["missing_in_file"] == []


def test_more_than_half_missing_of_one_place_is_told_as_a_list_that_may_be_cut(cast, run):
    for n in range(5):
        person = factories.PersonFactory(organization=cast.riverside, first_name=f"Ann{n}", last_name=f"Zeta{n}")
        factories.EmploymentFactory(facility=cast.oak, person=person)
        cast.people[f"ann{n}"] = person
        held(cast, "iqies", person=f"ann{n}", last_login=TODAY)
    document = run(HENRY)
    assert len(document["missing_in_file"]) == 5
    assert "5 of 5 accounts on iQIES at Oak House are not in the list: was it cut?" in document["notes"]
    assert PortalAccount.objects.filter(status="removed").count() == 0


def test_the_next_certification_counts_from_the_one_in_the_list(cast, run):
    role = SystemRole.objects.get(system__slug="psr", slug="end-user").name
    row = f"PS&R,015009,Test,Henry,henry@example.org,HTEST1,{role},Active,03/15/2025,11/10/2026,06/30/2026"
    run(row, header=HEADER + ",Last Certified")
    deadline = Deadline.objects.get(kind="certification", grant__role__slug="end-user")
    assert (deadline.basis_on, deadline.due_on) == (date(2026, 6, 30), date(2027, 6, 29))
