"""Who gets what at every address: {owner, other facility, other tenant, no role, anonymous} x each URL.

A URL without a row fails. `owner` administers Riverside, the row's object lies at Oak House; `other facility` is Elm
House's coordinator; `other tenant` administers Hilltop; `no role` is Riverside's auditor, who reads all and changes
nothing. Absent and out of scope look the same (404); a right that is missing is 403; anonymous is sent to sign in.
"""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.urls import NoReverseMatch, URLPattern, URLResolver, get_resolver, reverse

from accounts.models import LoginEvent, PortalAccount
from accounts.services.logins import record_login
from facilities.models import Membership
from facilities.models.tenancy import Role
from facilities.services.members import invite_member
from tests import factories
from tests.accounts.test_logins import held
from tests.conftest import NOON, TODAY

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

ROWS: dict[str, list[Row]] = {
    "web:home": [Row((DONE, DONE, DONE, DONE, SIGN_IN), args=())],
    "web:style": [Row((SEEN,) * 5, args=(), note="samples only, absent in production")],
    "web:join": [Row((SEEN,) * 5, args=("token",), note="whoever has the link; it works for one address only")],
    "web:today": [Row(PAGE)],
    "web:accounts": [Row(PAGE)],
    "web:account": [Row(OBJECT, ACCOUNT)],
    "web:account-edit": [Row(FORM, ACCOUNT)],
    "web:account-remove": [Row(FORM, ACCOUNT)],
    "web:account-lost": [
        Row(FORM, ACCOUNT),
        Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ACCOUNT, {"loss": "roles_revoked", "on": TODAY.isoformat()}),
    ],
    "web:account-regain": [Row(FORM, ("slug", "lost"))],
    "web:account-check": [Row((DONE, GONE, GONE, REFUSED, SIGN_IN), ("slug", "checked"), {"answer": "there"})],
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
    "web:facility": [Row(OBJECT, FACILITY)],
    "web:facility-register": [Row(AT_LARGE)],
    "web:facility-edit": [Row(FORM, FACILITY)],
    "web:people": [Row(PAGE)],
    "web:person": [Row(OBJECT, PERSON)],
    "web:person-add": [Row(WORKERS)],
    "web:person-edit": [Row(FORM, PERSON)],
    "web:person-employ": [Row(FORM, PERSON)],
    "web:person-accounts-add": [Row(FORM, PERSON)],
    "web:employment-end": [Row(FORM, ("slug", "employment"))],
    "web:settings": [Row(PAGE, note="one's own roles; members only for who reads everything")],
    "web:member-invite": [
        Row(
            (SEEN, REFUSED, GONE, REFUSED, SIGN_IN), post={"email": "new@example.org", "role": "holder", "facility": ""}
        )
    ],
    "web:member-end": [Row((DONE, REFUSED, GONE, REFUSED, SIGN_IN), ("slug", "membership"), {})],
    "web:start-reminders": [Row(ADMIN_ONLY)],
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


@pytest.fixture
def objects(cast):
    """One object of each kind at Oak House, by the names that rows use."""
    account = held(cast, last_login=TODAY - timedelta(days=5), person="henry")
    lost = held(cast, "qies", person="henry")
    PortalAccount.objects.filter(pk=lost.pk).update(status="lost", loss="disabled")
    checked = held(cast, "cmsnet", last_login=TODAY - timedelta(days=120), person="henry")
    record_login(scope=cast.scope("alice"), account=checked, happened_on=TODAY, at=NOON)
    event = LoginEvent.objects.get(account=account)
    spare = factories.MembershipFactory(organization=cast.riverside, role=Role.HOLDER)
    issued = invite_member(
        scope=cast.scope("alice"), email="ruth@example.org", role=Role.HOLDER, facility=None, at=NOON
    )
    person = cast.people["henry"]
    return {
        "slug": "riverside",
        "account": account.pk,
        "lost": lost.pk,
        "checked": checked.pk,
        "login": event.pk,
        "oak": cast.oak.pk,
        "person": person.pk,
        "employment": person.employments.get().pk,
        "membership": Membership.objects.get(pk=spare.pk).pk,
        "token": issued.token,
    }


CASES = [
    pytest.param(name, row, persona, expected, id=f"{name}-{'post' if row.post is not None else 'get'}-{persona}")
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
        response = client.get(url)
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
