"""What is written is what was looked at: columns a person chose, one outcome, one upload, once."""

import pytest

from audit.models import AuditEvent
from facilities.access import NotAllowed
from imports.models import Import, PendingImport
from imports.opening import FileRefused, Held
from imports.uploads import Agreed, UploadGone, content_of, discard_upload, keep_upload
from staff.models import Employment, Person
from staff.roster.keeping import Kept, kept_form
from staff.roster.reading import Roster, look_over
from staff.services.people import end_employment
from staff.services.rosters import RosterRefused, import_roster, preview_roster
from tests import factories
from tests.conftest import NOON, TODAY

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]

HEADER = "employee_number,first_name,last_name,email,phone,job_title,ccn,start_date,end_date,status"
ADA = "A1,Ada,Example,ada@example.org,555-0101,Nurse,015009,2020-01-01,,active"
CAROL = ",Carol,Test,carol@example.org,,Nurse,015009,,,"
HENRY = ",Henry,Test,henry@example.org,,Clerk,015009,,,"


@pytest.fixture
def scope(cast):
    return cast.scope("alice")


@pytest.fixture
def upload(scope, settings, tmp_path):
    settings.UPLOAD_ROOT = tmp_path / "uploads"

    def kept(*rows, header=HEADER):
        roster = look_over(Roster, Held("roster.csv", "\n".join([header, *rows]).encode()))
        facts = {"file_name": roster.file, "sha256": roster.sha256, "content": kept_form(roster)}
        return keep_upload(scope=scope, kind=Import.Kind.STAFF, at=NOON, **facts)

    return kept


@pytest.fixture
def look(scope):
    def seen(pending, **options):
        return preview_roster(scope=scope, kept=Kept(content_of(pending)), at=NOON, **options)

    return seen


@pytest.fixture
def agree(scope, look):
    def agreed(pending, digest=None, really_left=(), **options):
        digest = digest or look(pending, **options).digest
        consent = Agreed(pending, digest, frozenset(really_left))
        return import_roster(scope=scope, path=Kept(content_of(pending)), at=NOON, agreed=consent, **options)

    return agreed


def test_what_was_kept_reads_like_the_file_itself(upload, look, scope, tmp_path):
    rows = [ADA, "short,row", CAROL.replace("Nurse", '"Head, Nurse"'), "Total,2"]
    path = tmp_path / "roster.csv"
    path.write_text("\n".join([HEADER, *rows]))
    there = import_roster(scope=scope, path=path, at=NOON, dry_run=True)
    here = look(upload(*rows)).report
    for row in there.rejected:
        row["file"] = "roster.csv"
    assert here == there
    assert (here.rows, len(here.rejected), here.joiners) == (3, 1, 1)


def test_looking_writes_nothing_and_the_consent_writes_once(upload, look, agree, scope):
    pending = upload(ADA, CAROL, HENRY)
    seen = look(pending)
    written = AuditEvent.objects.filter(action="staff.imported")
    assert (seen.report.joiners, Import.objects.count(), written.count()) == (1, 0, 0)
    first = agree(pending, seen.digest)
    content = Kept(kept_form(seen.roster))
    assert Person.objects.filter(first_name="Ada").count() == 1
    source = Import.objects.get()
    assert (source.pk, source.sha256, source.file_name) == (first.source, pending.sha256, "roster.csv")
    agreed = Agreed(pending, seen.digest)
    again = import_roster(scope=scope, path=content, at=NOON, agreed=agreed)
    assert (again.source, Import.objects.count(), written.count()) == (source.pk, 1, 1)
    assert PendingImport.objects.get().source == source


def test_an_outcome_nobody_looked_at_is_not_written(upload, look, agree, scope, cast):
    pending = upload(ADA, CAROL, HENRY)
    seen = look(pending)
    end_employment(scope=scope, employment=cast.people["henry"].employments.get(), last_day_on=TODAY, at=NOON)
    with pytest.raises(RosterRefused) as refused:
        agree(pending, seen.digest)
    assert refused.value.code == "changed"
    assert not Import.objects.exists()
    assert agree(pending).joiners == 1


def test_the_brake_is_released_only_for_the_facility_that_was_ticked(upload, agree, cast):
    pending = upload(ADA)
    for ticked in ((), (cast.elm.pk,)):
        with pytest.raises(RosterRefused) as refused:
            agree(pending, really_left=ticked)
        assert refused.value.code == "mass_leavers"
        assert not Import.objects.exists()
    assert agree(pending, really_left=[cast.oak.pk]).leavers == 2
    assert not Employment.objects.known().filter(facility=cast.oak, valid_to=None, person__last_name="Test").exists()


def test_a_column_is_what_a_person_says_it_is(upload, look):
    header = HEADER.replace("ccn", "unit").replace("phone", "pager").replace("last_name", "what")
    pending = upload(ADA, header=header)
    with pytest.raises(FileRefused) as refused:
        look(pending)
    assert refused.value.code == "missing_column"
    seen = look(pending, columns={"ccn": "unit", "last_name": "what", "phone": "pager", "email": ""})
    [ada] = [change for change in seen.difference.changes if change.person is None]
    assert (ada.columns["phone"], ada.columns["last_name"], ada.columns["email"]) == ("555-0101", "Example", "")


def test_two_columns_of_one_title_are_told_apart(upload, look):
    header = HEADER.replace("phone", "start_date")
    pending = upload(ADA.replace("555-0101", "2019-09-09"), header=header)
    first = look(pending).difference.changes[0].opened[0]
    second = look(pending, columns={"start_date": "start_date (2)"}).difference.changes[0].opened[0]
    assert (first.starts_on.year, second.starts_on.year) == (2019, 2020)


def test_a_secret_above_the_list_is_not_kept(upload):
    pending = upload(ADA, header="Login of Ada: password: hunter2\n" + HEADER)
    assert b"hunter2" not in content_of(pending)
    assert b"Ada" in content_of(pending)


def test_what_was_discarded_is_not_written(upload, look, scope):
    pending = upload(ADA, CAROL, HENRY)
    seen, content = look(pending), Kept(content_of(pending))
    discard_upload(scope=scope, pending=pending)
    with pytest.raises(UploadGone):
        import_roster(scope=scope, path=content, at=NOON, agreed=Agreed(pending, seen.digest))
    assert not Import.objects.exists()


def test_only_who_may_import_looks(upload, cast):
    pending = upload(ADA)
    with pytest.raises(NotAllowed):
        preview_roster(scope=cast.scope("audrey"), kept=Kept(content_of(pending)), at=NOON)
    factories.MembershipFactory(organization=cast.riverside, user=cast.audrey, role="administrator")
    assert preview_roster(scope=cast.scope("audrey"), kept=Kept(content_of(pending)), at=NOON).report.joiners == 1
