"""One object of each kind at Oak House, by the names that the rows of `tests.test_access` use."""

from dataclasses import replace
from datetime import timedelta

from django.utils import timezone

from accounts.models import (
    AccessRequest,
    Deadline,
    Finding,
    LoginEvent,
    PortalAccount,
    RequestBundle,
    RequestFile,
)
from accounts.services.access_reviews import record_review
from accounts.services.bulk_logins import record_logins_bulk
from accounts.services.certifying import record_certification
from accounts.services.checks import check_profile
from accounts.services.duties import record_acknowledgement
from accounts.services.logins import record_login
from accounts.services.obligations import Owed, add_obligation
from accounts.services.places import name_keeper
from accounts.services.requests.deciding import decide
from accounts.services.requests.drafting import draft
from accounts.services.requests.ending import fail, finish
from accounts.services.requests.evidence import Upload
from accounts.services.role_needs import state_need
from facilities.models.tenancy import Role
from facilities.services.members import invite_member
from imports.models import Import
from imports.opening import Held
from imports.uploads import keep_upload
from reminders.services.calendar_feeds import make_feed
from staff.roster.keeping import kept_form
from staff.roster.reading import Roster, look_over
from staff.services.absences import record_absence
from staff.services.deputies import name_deputy
from staff.services.rosters import import_roster
from systems.models import SystemRole
from tests import factories
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY, Cast
from tests.requests.asking import ask, drafted, submitted
from web.saved_views import save_view


def one_of_each(cast: Cast) -> dict[str, object]:
    """Return keys and words for addresses and forms; what is not of Riverside is nobody's."""
    words = {"slug": "riverside", "system": "iqies", "closed_system": "cmsnet", "part": "joiner", "list": "accounts"}
    words |= {"first_hour_step": "officials", "sample": "people", "form": "csv", "move": "pbj-to-iqies"}
    return (
        words
        | {"rule": "R-27", "leaflet": "monday"}
        | _held(cast)
        | _stated(cast)
        | _members(cast)
        | _imports(cast)
        | _endings(cast)
        | _asked(cast)
    )


def _held(cast: Cast) -> dict[str, object]:
    account = held(cast, last_login=TODAY - timedelta(days=5), person="henry")
    lost = held(cast, "qies", person="henry")
    PortalAccount.objects.filter(pk=lost.pk).update(status="lost", loss="disabled")
    checked = held(cast, "cmsnet", last_login=TODAY - timedelta(days=120), person="henry")
    scope, grant = cast.scope("alice"), account.grants.get()
    record_login(scope=scope, account=checked, happened_on=TODAY, at=NOON)
    privileged = SystemRole.objects.get(system__slug="psr", slug__contains="official")
    official = held(cast, "psr", person="henry", roles=[privileged]).grants.get()
    before = TODAY - timedelta(days=2)
    event = LoginEvent.objects.get(account=account)
    these = PortalAccount.objects.filter(pk=account.pk)
    act = record_logins_bulk(scope=scope, accounts=these, happened_on=before, told="Herself", at=NOON).act
    return {
        "account": account.pk,
        "identity": account.identity_id,
        "lost": lost.pk,
        "checked": checked.pk,
        "grant": grant.pk,
        "login": event.pk,
        "deadline": Deadline.objects.get(account=account, kind="inactivity").pk,
        "finding": _finding(account),
        "act": act,
        "profile_check": check_profile(scope=scope, account=lost, checked_on=TODAY, at=NOON).pk,
        "privileged": official.pk,
        "need": state_need(scope=scope, grant=official, need="Gives the roles", at=NOON).pk,
        "certification": record_certification(scope=scope, grant=grant, certified_on=before, at=NOON).pk,
    }


def _endings(cast: Cast) -> dict[str, object]:
    """Requests being carried out, failed, finished with a file, and gone on without a second person."""
    scope = cast.scope("carol")
    running, failed, done = (
        submitted(cast, kind="forgotten-id", role="", system=system) for system in ("iqies", "qies", "cmsnet")
    )
    fail(scope=scope, request=failed, reason="No answer", at=NOON)
    upload = Upload("proof.txt", b"Told on the phone")
    finish(scope=scope, request=done, effective_on=TODAY, proof="file", upload=upload, at=NOON)
    unseen = drafted(cast)
    AccessRequest.objects.filter(pk=unseen.pk).update(approval="unapproved", unapproved_reason="Nobody else")
    bundle = RequestBundle.objects.create(
        organization=cast.riverside, requester_person=cast.people["carol"], created_at=NOON
    )
    AccessRequest.objects.filter(pk=running.pk).update(bundle=bundle)
    return {
        "bundle": bundle.pk,
        "running_request": running.pk,
        "failed_request": failed.pk,
        "done_request": done.pk,
        "unseen_request": unseen.pk,
        "evidence": RequestFile.objects.get(request=done).pk,
    }


def _asked(cast: Cast) -> dict[str, object]:
    waits, runs = submitted(cast), submitted(cast, role="pbj-viewer")
    decide(scope=cast.scope("alice"), requests=[runs], approve=True, at=NOON)
    return {"request": waits.pk, "step": runs.steps.get(state="open").pk, "ticked": f"{waits.pk}:1"}


def _finding(account: PortalAccount) -> int:
    wrong = Finding.objects.create(
        organization=account.organization,
        kind=Finding.Kind.TWO_ACCOUNTS,
        subject_key=f"person:{account.person_id}/system:iqies",
        facts='{"accounts": [1, 2], "system": "iqies"}',
        severity="low",
        person=account.person,
        account=account,
        opened_on=TODAY,
    )
    return int(wrong.pk)


def _stated(cast: Cast) -> dict[str, object]:
    scope, person, oak = cast.scope("alice"), cast.people["henry"], cast.oak
    acknowledged = record_acknowledgement(
        scope=scope, person=person, document="rules", acknowledged_on=TODAY, at=NOON
    )  # fmt: skip
    owed = Owed("other", title="Send", due_on=TODAY)
    view = save_view(scope=scope, which="accounts", name="Late ones", query="standing=late", shared=True, at=NOON)
    asked = ask(cast, kind="removal", role="", account=PortalAccount.objects.filter(person=person).latest("pk"))
    asked = replace(asked, system=asked.account.system)
    return {
        "own_draft": draft(scope=scope, asks=[asked], at=NOON)[0].pk,
        "oak": oak.pk,
        "keeper": name_keeper(scope=scope, facility=oak, person=person, since=TODAY, at=NOON).pk,
        "obligation": add_obligation(scope=scope, facility=oak, owed=owed, at=NOON).pk,
        "absence": record_absence(scope=scope, person=person, away_from_on=TODAY, away_to_on=None, at=NOON).pk,
        "deputy": name_deputy(scope=scope, person=person, deputy=cast.people["carol"], since=TODAY, at=NOON).pk,
        "review": record_review(scope=scope, facility=oak, extent="privileges", reviewed_on=TODAY, at=NOON).pk,
        "acknowledgement": acknowledged.pk,
        "view": view.pk,
    }


def _members(cast: Cast) -> dict[str, object]:
    person = cast.people["henry"]
    spare = factories.MembershipFactory(organization=cast.riverside, role=Role.HOLDER)
    issued = invite_member(
        scope=cast.scope("alice"), email="ruth@example.org", role=Role.HOLDER, facility=None, at=NOON
    )
    return {
        "person": person.pk,
        "employment": person.employments.get().pk,
        "membership": spare.pk,
        "token": issued.token,
        "feed": make_feed(scope=cast.scope("henry"), facilities=False, at=timezone.now()).token,
    }


def _imports(cast: Cast) -> dict[str, object]:
    scope = cast.scope("alice")
    roster = look_over(Roster, Held("roster.csv", b"First name,Last name,CCN\nAda,Example,015009\n"))
    listed = {"file_name": roster.file, "sha256": roster.sha256, "content": kept_form(roster)}
    path = Held("r.csv", b"First name,Last name,CCN\nBea,Test,015010\nOlga,Test,015010")
    return {
        "upload": keep_upload(scope=scope, kind=Import.Kind.STAFF, at=NOON, **listed).pk,
        "import": import_roster(scope=scope, path=path, at=NOON).source,
    }
