"""Two clicks at the same moment, on PostgreSQL: one import."""

import pytest

from audit.models import AuditEvent
from imports.models import Import, PendingImport
from imports.opening import Held
from imports.uploads import Agreed, keep_upload
from staff.models import Person
from staff.roster.keeping import Kept, kept_form
from staff.roster.reading import Roster, look_over
from staff.services.rosters import import_roster, preview_roster
from tests.accounts.test_races import _several_connections, at_once  # noqa: F401  (the fixture skips SQLite)
from tests.conftest import NOON

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_consent_pressed_twice_at_once_writes_one_import(cast):
    scope = cast.scope("alice")
    text = "First name,Last name,CCN\nCarol,Test,015009\nHenry,Test,015009\nAda,Example,015009\n"
    roster = look_over(Roster, Held("roster.csv", text.encode()))
    kept = Kept(kept_form(roster))
    facts = {"file_name": roster.file, "sha256": roster.sha256, "content": kept.content}
    pending = keep_upload(scope=scope, kind=Import.Kind.STAFF, at=NOON, **facts)
    agreed = Agreed(pending, preview_roster(scope=scope, kept=kept, at=NOON).digest)
    answers = []

    def click():
        answers.append(import_roster(scope=scope, path=kept, at=NOON, agreed=agreed).source)

    assert at_once(click, click, click) == []
    source = Import.objects.get()
    assert answers == [source.pk] * 3
    assert PendingImport.objects.get().source == source
    assert Person.objects.filter(first_name="Ada").count() == 1
    assert AuditEvent.objects.filter(action="staff.imported").count() == 1
