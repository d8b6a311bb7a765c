"""Who gets what at every address: {owner, other facility, other tenant, no role, anonymous} x each URL.

A URL without a row fails. `owner` administers Riverside, the row's object lies at Oak House; `other facility` is Elm
House's coordinator; `other tenant` administers Hilltop; `no role` is Riverside's auditor, who reads all and changes
nothing. Absent and out of scope look the same (404); a right that is missing is 403; anonymous is sent to sign in.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import LoginEvent
from facilities.models import Membership
from tests.access_objects import one_of_each
from tests.conftest import NOON, TODAY, made_once, make_cast

pytestmark = pytest.mark.django_db

SIGN_IN, SEEN, GONE, REFUSED, DONE = "sign in", 200, 404, 403, 302
PERSONAS = ("owner", "other_facility", "other_tenant", "no_role", "anonymous")
SIGNED_IN_AS = {"owner": "alice", "other_facility": "olga", "other_tenant": "mallory", "no_role": "audrey"}


@dataclass
class Row:
    """Expected answers in the order of PERSONAS, to GET or (with ``post``) to POST with that data."""

    expected: tuple[Any, ...]
    args: tuple[str, ...] = ("slug",)
    post: dict[str, Any] | None = None
    query: str = ""
    note: str = field(default="", compare=False)


PAGE = (SEEN, SEEN, GONE, SEEN, SIGN_IN)  # whoever is a member, each with her own rows
OBJECT = (SEEN, GONE, GONE, SEEN, SIGN_IN)  # one object at Oak House
FORM = (SEEN, GONE, GONE, REFUSED, SIGN_IN)
ADMIN_ONLY = (SEEN, REFUSED, GONE, REFUSED, SIGN_IN)
WORKERS = (SEEN, SEEN, GONE, REFUSED, SIGN_IN)
AT_LARGE = (SEEN, REFUSED, GONE, REFUSED, SIGN_IN)
ACCOUNT, PERSON, FACILITY = ("slug", "account"), ("slug", "person"), ("slug", "oak")
IMPORT, UPLOAD, RUNNING = ("slug", "import"), ("slug", "upload"), ("slug", "running_request")
REQUEST = ("slug", "request")

ROWS: dict[str, list[Row]] = {
    "web:home": [Row((DONE, DONE, DONE, DONE, SIGN_IN), args=())],
    "web:style": [Row((SEEN,) * 5, args=(), note="samples only, absent in production")],
    "web:join": [Row((SEEN,) * 5, args=("token",), note="whoever has the link; it works for one address only")],
    "web:today": [Row(PAGE)],
    "web:accounts": [Row(PAGE)],
    "web:search": [Row(PAGE, query="?q=te")],
    "web:account": [Row(OBJECT, ACCOUNT)],
    "web:account-edit": [Row(FORM, ACCOUNT)],
    "web:account-term": [
        Row(FORM, ACCOUNT),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {"term": "temporary", "version": "1"}),
    ],
    "web:account-tool": [
        Row(FORM, ACCOUNT),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {"tool": "Uploader", "version": "1"}),
    ],
    "web:account-identity": [
        Row(FORM, ("slug", "identity")),
        Row(
            (DONE, GONE, GONE, REFUSED, SIGN_IN),
            ("slug", "identity"),
            {"proofing": "done", "factor": "app", "version": "1"},
        ),
        Row((GONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, note="it signs in through another account"),
    ],
    "web:account-remove": [Row(FORM, ACCOUNT)],
    "web:account-lost": [
        Row(FORM, ACCOUNT),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {"loss": "roles_revoked", "on": TODAY.isoformat()}),
    ],
    "web:account-regain": [Row(FORM, ("slug", "lost"))],
    "web:login-seen": [
        Row((REFUSED, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT),
        Row((REFUSED, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {"on": TODAY.isoformat(), "seen_on": TODAY.isoformat()}),
    ],
    "web:account-profile": [
        Row(FORM, ("slug", "lost")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "lost"), {"on": TODAY.isoformat()}),
    ],
    "web:profile-check-void": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "profile_check"), {})],
    "web:job-look": [
        Row(FORM, ("slug", "person", "oak")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "person", "oak"), {}),
    ],
    "web:account-check": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "checked"), {"answer": "there"})],
    "web:certify": [
        Row(FORM, ("slug", "grant")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "grant"), {"on": TODAY.isoformat()}),
    ],
    "web:certification-void": [
        Row(FORM, ("slug", "certification")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "certification"), {"reason": "Wrong person"}),
    ],
    "web:role-need": [
        Row(FORM, ("slug", "privileged")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "privileged"), {"need": "Approves there"}),
    ],
    "web:role-need-void": [
        Row(FORM, ("slug", "need")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "need"), {"reason": "Wrong person"}),
    ],
    "web:acknowledge": [
        Row(FORM, PERSON),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), PERSON, {"document": "rules", "on": TODAY.isoformat()}),
    ],
    "web:acknowledgement-void": [
        Row(FORM, ("slug", "acknowledgement")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "acknowledgement"), {"reason": "Wrong person"}),
    ],
    "web:obligation-add": [
        Row(FORM, FACILITY),
        Row(
            (DONE, GONE, GONE, REFUSED, SIGN_IN),
            FACILITY,
            {"kind": "other", "title": "Send it", "due_on": TODAY.isoformat()},
        ),
    ],
    "web:facility-reviewed": [
        Row(FORM, FACILITY),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), FACILITY, {"extent": "accounts", "on": TODAY.isoformat()}),
    ],
    "web:review-void": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "review"), {})],
    "web:obligation-met": [
        Row(FORM, ("slug", "obligation")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "obligation"), {"on": TODAY.isoformat()}),
    ],
    "web:obligation-void": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "obligation"), {})],
    "web:login": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {})],
    "web:login-another-day": [
        Row(FORM, ACCOUNT),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {"on": TODAY.isoformat()}),
    ],
    "web:logins-record": [
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug",), {"accounts": "account", "on": TODAY.isoformat()})
    ],
    "web:login-void": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "login"), {})],
    "web:facilities": [Row(PAGE)],
    "web:burning": [Row(PAGE)],
    "web:findings": [Row(PAGE)],
    "web:finding-why": [Row(OBJECT, ("slug", "finding"))],
    "web:deadline-why": [Row(OBJECT, ("slug", "deadline"))],
    "web:person-quits": [Row(OBJECT, PERSON)],
    "web:person-away": [Row(FORM, PERSON)],
    "web:absence-end": [Row(FORM, ("slug", "absence"))],
    "web:person-deputy": [Row(FORM, PERSON)],
    "web:deputy-end": [
        Row(FORM, ("slug", "deputy")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "deputy"), {"last_day_on": TODAY.isoformat()}),
    ],
    "web:forecast": [Row(PAGE)],
    "web:forecast-beside": [Row(PAGE)],
    "web:request-new": [
        Row(PAGE, note="everybody may ask for herself"),
    ],
    "web:requests-bulk": [
        Row((DONE, DONE, GONE, REFUSED, SIGN_IN), note="without anything ticked back to the list"),
        Row((SEEN, SEEN, GONE, REFUSED, SIGN_IN), query="?all=1&do=removal"),
        Row((SEEN, SEEN, GONE, REFUSED, SIGN_IN), query="?all=1&do=access&to_system=iqies"),
        Row((SEEN, GONE, GONE, REFUSED, SIGN_IN), post={"account": "account", "do": "removal", "count": "7"}),
    ],
    "web:request-edit": [Row((SEEN, GONE, GONE, REFUSED, SIGN_IN), ("slug", "own_draft"), note="who asked, only")],
    "web:logins-bulk": [
        Row((DONE, DONE, GONE, DONE, SIGN_IN), note="without anything ticked back to the list"),
        Row((SEEN, SEEN, GONE, REFUSED, SIGN_IN), query="?all=1", note="of Elm House there is nothing to record"),
        Row((SEEN, GONE, GONE, REFUSED, SIGN_IN), post={"account": "account", "count": "7"}),
        Row(
            (DONE, GONE, GONE, REFUSED, SIGN_IN),
            post={"account": "account", "count": "1", "on": TODAY.isoformat(), "told": "Herself"},
        ),
    ],
    "web:logins-bulk-void": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug", "act"), {})],
    "web:accounts-export": [
        Row((REFUSED, REFUSED, GONE, REFUSED, SIGN_IN), ("slug",), {}, note="these sessions have no second factor")
    ],
    "web:people-export": [
        Row((REFUSED, REFUSED, GONE, REFUSED, SIGN_IN), ("slug",), {}, note="these sessions have no second factor")
    ],
    "web:view-save": [
        Row(PAGE, ("slug", "list"), note="one's own; sharing it needs an administrator"),
        Row((DONE, DONE, GONE, DONE, SIGN_IN), ("slug", "list"), {"name": "Mine"}),
        Row(PAGE, ("slug", "list"), {"name": ""}),
    ],
    "web:view": [Row(ADMIN_ONLY, ("slug", "view"), note="a shared one")],
    "web:view-delete": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug", "view"), {})],
    "web:facility": [Row(OBJECT, FACILITY)],
    "web:facility-register": [Row(AT_LARGE)],
    "web:facility-suggest": [Row(AT_LARGE, query="?find=pine")],
    "web:facility-edit": [Row(FORM, FACILITY)],
    "web:facility-streams": [
        Row(FORM, FACILITY),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), FACILITY, {"pbj-through": "corporate", "pbj-through_name": "Main"}),
    ],
    "web:facility-keepers": [Row(FORM, FACILITY)],
    "web:facility-in-use": [
        Row(FORM, ("slug", "oak", "closed_system")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "oak", "closed_system"), {"reason": "Old reports"}),
    ],
    "web:first-hours": [Row(ADMIN_ONLY)],
    "web:first-hour": [Row(FORM, FACILITY)],
    "web:first-hour-mark": [
        Row(FORM, ("slug", "oak", "first_hour_step")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "oak", "first_hour_step"), {"state": "elsewhere"}),
    ],
    "web:first-hour-unmark": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "oak", "first_hour_step"), {})],
    "web:first-hour-test": [
        Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug",), {}),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug",), {"facility": "oak"}),
    ],
    "web:facility-sample": [Row(FORM, ("slug", "oak", "sample", "form"))],
    "web:facility-record": [Row(OBJECT, FACILITY)],
    "web:facility-record-file": [
        Row((REFUSED, GONE, GONE, REFUSED, SIGN_IN), FACILITY, {}, note="these sessions have no second factor")
    ],
    "web:facility-record-have": [
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "oak", "keeper"), {"record": "an old one"})
    ],
    "web:keeper-end": [Row(FORM, ("slug", "keeper"))],
    "web:moves": [Row(PAGE)],
    "web:move": [Row(PAGE, ("slug", "move"), note="the catalogue is nobody's own; only the facilities differ")],
    "web:move-export": [
        Row((REFUSED, REFUSED, GONE, REFUSED, SIGN_IN), ("slug", "move"), {}, note="no second factor here either")
    ],
    "web:people": [Row(PAGE)],
    "web:person": [Row(OBJECT, PERSON)],
    "web:person-add": [Row(WORKERS)],
    "web:person-edit": [Row(FORM, PERSON)],
    "web:person-employ": [Row(FORM, PERSON)],
    "web:person-accounts-add": [Row(FORM, PERSON)],
    "web:account-fields": [Row(WORKERS, ("slug", "system"), note="what is asked about an account, of the catalogue")],
    "web:employment-end": [Row(FORM, ("slug", "employment"))],
    "web:help": [Row(PAGE)],
    "web:glossary": [Row(PAGE)],
    "web:leaflet": [Row(PAGE, ("slug", "leaflet"))],
    "web:systems": [Row(PAGE, note="the catalogue is nobody's own; only the counts differ")],
    "web:system-rules": [Row(PAGE)],
    "web:system": [Row(PAGE, ("slug", "system"))],
    "web:imports": [Row(ADMIN_ONLY)],
    "web:import-new": [
        Row(ADMIN_ONLY),
        *(
            Row(ADMIN_ONLY, post={"kind": kind, "pasted": ""}, note="refused with the reason")
            for kind in ("staff", "accounts")
        ),
    ],
    "web:import-look": [Row(ADMIN_ONLY, UPLOAD), Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), UPLOAD, {})],
    "web:import-part": [Row(ADMIN_ONLY, ("slug", "upload", "part"))],
    "web:import-consent": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), UPLOAD, {"digest": "other"})],
    "web:import-discard": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), UPLOAD, {})],
    "web:import": [Row(ADMIN_ONLY, IMPORT)],
    "web:import-undo": [Row(ADMIN_ONLY, IMPORT), Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), IMPORT, {})],
    "web:requests": [Row(PAGE), Row(PAGE, query="?show=all")],
    "web:request": [Row(OBJECT, REQUEST)],
    "web:requests-decide": [
        Row(
            (REFUSED, REFUSED, GONE, REFUSED, SIGN_IN), ("slug",), {"request": "ticked"}, note="without a second factor"
        )
    ],
    "web:request-decide": [
        Row((REFUSED, GONE, GONE, REFUSED, SIGN_IN), REQUEST, {"verdict": "approve"}, note="without a second factor")
    ],
    "web:request-send-back": [
        Row((REFUSED, GONE, GONE, REFUSED, SIGN_IN), REQUEST, {"reason": "Why?"}, note="without a second factor")
    ],
    "web:request-withdraw": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), REQUEST, {"reason": "Not needed"})],
    "web:request-comment": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), REQUEST, {"text": "Soon?"})],
    "web:request-step": [
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "step"), {"worked": "yes", "on": TODAY.isoformat()})
    ],
    "web:settings": [Row(PAGE, note="one's own roles; members only for who reads everything")],
    "web:member-invite": [
        Row(
            (SEEN, REFUSED, GONE, REFUSED, SIGN_IN), post={"email": "new@example.org", "role": "holder", "facility": ""}
        )
    ],
    "web:member-end": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug", "membership"), {})],
    "web:house-rules": [Row(PAGE, note="only who administers everything may switch")],
    "web:house-rule-switch": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug", "rule"), {"switch": "on"})],
    "web:house-windows": [Row(PAGE, note="only who administers everything may change one")],
    "web:house-window": [
        Row(ADMIN_ONLY, ("slug", "system")),
        Row(ADMIN_ONLY, ("slug", "system"), {"wanted": "own", "flag_days": "45"}, note="looked at, not set"),
        Row(
            (DONE, REFUSED, GONE, REFUSED, SIGN_IN),
            ("slug", "system"),
            {"wanted": "own", "flag_days": "45", "consent": "yes"},
        ),
    ],
    "web:start-reminders": [Row(ADMIN_ONLY)],
    "web:calendar": [Row(PAGE, note="one's own dates")],
    "web:calendar-make": [
        Row((DONE, DONE, GONE, DONE, SIGN_IN), ("slug",), {}, note="one's own dates"),
        Row((REFUSED, REFUSED, GONE, DONE, SIGN_IN), ("slug",), {"dates": "all"}, note="without a second factor"),
    ],
    "web:calendar-made": [Row((DONE, DONE, GONE, DONE, SIGN_IN), note="nothing made waits to be shown")],
    "web:calendar-choose": [Row((DONE, DONE, GONE, DONE, SIGN_IN), ("slug",), {})],
    "web:calendar-stop": [Row((DONE, DONE, GONE, DONE, SIGN_IN), ("slug",), {})],
    "web:calendar-feed": [
        Row((SEEN,) * 5, ("feed",), note="whoever has the address; it gives only what its member reads"),
        Row((GONE,) * 5, ("token",), note="another secret opens no calendar"),
    ],
    "web:request-finish": [
        Row(FORM, RUNNING),
        Row(
            (DONE, GONE, GONE, REFUSED, SIGN_IN),
            RUNNING,
            {"effective_on": TODAY.isoformat(), "proof": "note", "proof_text": "Told on the phone"},
        ),
    ],
    "web:requests-finish": [
        Row(FORM, ("slug", "bundle")),
        Row((SEEN, GONE, GONE, REFUSED, SIGN_IN), ("slug", "bundle"), {}, note="what is to do first stands there"),
    ],
    "web:request-fail": [
        Row(FORM, RUNNING),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), RUNNING, {"reason": "No answer"}),
    ],
    "web:request-retry": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "failed_request"), {})],
    "web:request-take-over": [
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), RUNNING, {}, note="who asked is still here: it says so")
    ],
    "web:request-undo": [
        Row(FORM, ("slug", "done_request")),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "done_request"), {"reason": "Wrong person"}),
    ],
    "web:request-countersign": [
        Row(FORM, ("slug", "unseen_request")),
        Row(
            (REFUSED, GONE, GONE, REFUSED, SIGN_IN),
            ("slug", "unseen_request"),
            {},
            note="these sessions have no second factor",
        ),
    ],
    "web:request-sheet": [Row(OBJECT, RUNNING)],
    "web:request-sheet-pdf": [Row(OBJECT, RUNNING)],
    "web:remove-all-but": [Row(FORM, FACILITY), Row(FORM, FACILITY, query="?ask=page&stays=1")],
    "web:request-file": [Row(OBJECT, ("slug", "evidence"))],
    "web:deciders": [
        Row(ADMIN_ONLY),
        Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug",), {"version": "0", "two_for_privileged": "on"}),
    ],
    "healthz": [Row((SEEN,) * 5, args=())],
    "readyz": [Row((503,) * 5, args=(), note="no sweep has run in this test")],
    "metrics": [Row((SEEN,) * 5, args=(), note="the test client is on loopback")],
}
# allauth's own pages hold nothing of a tenant: they are about whoever is signed in.
ABOUT_ONESELF = ("account_", "mfa_", "usersessions_", "socialaccount_")


def every_url() -> set[str]:
    """Return the full names of all URL patterns; a pattern without a name returns its route."""

    def walk(patterns, namespace):
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
                yield from walk(pattern.url_patterns, inner)
            elif isinstance(pattern, URLPattern):
                yield f"{namespace}{pattern.name}" if pattern.name else str(pattern.pattern)

    return set(walk(get_resolver().url_patterns, ""))


def test_every_url_has_a_row_and_every_row_a_url():
    named = {name for name in every_url() if not name.startswith(ABOUT_ONESELF)}
    assert named - set(ROWS) == set(), "add a row to ROWS"
    assert set(ROWS) - named == set(), "this URL is gone"


@pytest.fixture(scope="module")
def made(django_db_setup, django_db_blocker):
    """The cast and one object of each kind at Oak House, made once: each case rolls back only what it did itself."""
    with made_once(django_db_blocker):
        cast = make_cast()
        yield cast, one_of_each(cast)


@pytest.fixture
def cast(db, made):
    return made[0]


@pytest.fixture
def objects(made):
    return made[1]


CASES = [
    pytest.param(
        name,
        row,
        persona,
        expected,
        id=f"{name}-{'post' if row.post is not None else 'get'}-{persona}",
        marks=() if expected in {SEEN, DONE} else pytest.mark.one_engine,
    )
    for name, rows in ROWS.items()
    for row in rows
    for persona, expected in zip(PERSONAS, row.expected, strict=True)
]


@pytest.mark.parametrize(("name", "row", "persona", "expected"), CASES)
def test_who_gets_what(client, cast, objects, time_machine, name, row, persona, expected):
    time_machine.move_to(NOON, tick=False)
    if persona != "anonymous":
        client.force_login(getattr(cast, SIGNED_IN_AS[persona]))
    url = reverse(name, args=[objects[arg] for arg in row.args])
    if row.post is None:
        response = client.get(url + row.query)
    else:
        response = client.post(url, {key: objects.get(value, value) for key, value in row.post.items()})
    if expected == SIGN_IN:
        assert response.status_code == 302
        assert response["Location"].startswith("/auth/login/")
    else:
        assert response.status_code == expected, response.content.decode()[:400]
        if response.status_code == DONE:
            assert "/auth/login/" not in response["Location"]


@pytest.mark.parametrize("name", sorted(name for name, rows in ROWS.items() if rows[0].post is not None))
def test_a_deed_is_never_done_by_following_a_link(client, cast, objects, name):
    client.force_login(cast.alice)
    before = LoginEvent.objects.standing().count(), Membership.objects.open().count()
    response = client.get(reverse(name, args=[objects[arg] for arg in ROWS[name][0].args]))
    assert response.status_code in {200, 302, 405}
    assert (LoginEvent.objects.standing().count(), Membership.objects.open().count()) == before


@pytest.mark.parametrize("name", sorted(name for name in every_url() if name.startswith(ABOUT_ONESELF)))
def test_pages_about_oneself_show_nothing_of_a_tenant(client, cast, name):
    url = _with_a_made_up_key(name)
    for user in (None, cast.alice):
        if user:
            client.force_login(user)
        response = client.get(url)
        assert response.status_code in {200, 302, 400, 403, 404, 405}
        if response.status_code == 200 and user is None:
            assert "Riverside" not in response.content.decode()


def _with_a_made_up_key(name) -> str:
    for args in ((), (1,), ("key",), ("1", "set-password")):
        with suppress(NoReverseMatch):
            return reverse(name, args=args)
    raise AssertionError(f"{name} needs an argument this test does not know")
