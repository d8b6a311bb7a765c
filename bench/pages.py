"""Measure the long lists on the database of the settings, as the administrator of its chain asks for them.

A child process of `bench_pages`; prints one JSON document. Each page is asked for through the whole product but the
network: middleware, session, queries, template. First page and page in the middle take turns, and so do each search
and the list of accounts.
"""

import argparse
import json
import sys
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import django
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test import Client, RequestFactory
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from bench.visits import ROWS, WARM, visited

if TYPE_CHECKING:
    from facilities.access import Scope
    from facilities.models import Organization

PAGES = {
    "accounts by day": ("accounts", ""),
    "accounts by name": ("accounts", "sort=name"),
    "accounts of a system": ("accounts", "system=iqies"),
    "accounts that are fine": ("accounts", "standing=fine"),
    "accounts of those who work here": ("accounts", "holder=working"),
    "people": ("people", ""),
    "people who work here": ("people", "state=working"),
}
SEARCHES = ("beginning of a name", "beginnings of a full name", "beginning of an e-mail", "misspelled name")
SEARCHED = 8  # people, spread over all of them, whose beginnings take turns


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", type=date.fromisoformat, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--first-only", action="store_true", help="time the first pages of the lists, nothing else")
    options = parser.parse_args()
    django.setup()
    from web.scale import Population

    at = Population(facilities=1, accounts=1, on=options.on).at + timedelta(hours=12)
    with time_machine.travel(at):
        sys.stdout.write(json.dumps(_measure(options.rounds, first_only=options.first_only)))


def _measure(rounds: int, *, first_only: bool) -> dict[str, Any]:
    from facilities.access import Scope
    from facilities.models import Membership

    member = Membership.objects.filter(role="administrator", facility=None).select_related("user", "organization")[0]
    scope = Scope.of(member.user, member.organization)
    assert scope is not None
    client = Client(SERVER_NAME="localhost")
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    pages, not_full = _lists(client, scope, rounds, first_only=first_only)
    found = {"engine": connection.vendor, "pages": pages, "not_full": not_full}
    if first_only:
        return found
    searches, nothing_found = _searches(client, member.organization, rounds)
    with override_settings(ROOT_URLCONF="bench.standins"):
        beside = _beside(client, member.organization, rounds)
    return found | {"searches": searches, "nothing_found": nothing_found, "beside": beside}


def _lists(
    client: Client, scope: "Scope", rounds: int, *, first_only: bool
) -> tuple[dict[str, dict[str, list[float]]], int]:
    """Return the seconds of the first page and of the one in the middle of each list, and how many were not full."""
    pages: dict[str, dict[str, list[float]]] = {}
    not_full = 0
    for name, (which, query) in PAGES.items():
        address = reverse(f"web:{which}", args=[scope.organization.slug])
        urls = {"first": f"{address}?{query}"}
        if not first_only:
            urls["deep"] = address + _middle(scope, which, query)
        pages[name], wrong = visited(client, urls, rounds)
        not_full += wrong
    return pages, not_full


def _beside(client: Client, organization: "Organization", rounds: int) -> dict[str, list[float]]:
    """Return the seconds of the first page of accounts, of the figures, and of what stands in for a page, by turns."""
    from accounts.services.figures import keep_figures
    from bench import standins

    keep_figures(at=timezone.now())
    listed, figures = (reverse(f"web:{name}", args=[organization.slug]) for name in ("accounts", "burning"))
    standins.keep("accounts", client, listed)
    urls = {"list": listed, "figures": figures, "constants": "/bench/constants/accounts/", "string": "/bench/string/"}
    taken: dict[str, list[float]] = {turn: [] for turn in urls}
    for round_ in range(WARM + rounds):
        for turn in sorted(urls, reverse=bool(round_ % 2)):
            begun = time.perf_counter()
            answer = client.get(urls[turn])
            if round_ >= WARM:
                taken[turn].append(time.perf_counter() - begun)
            assert answer.status_code == 200, turn
            assert turn in {"figures", "string"} or answer.content.count(b"<tr>") == ROWS, turn
    return taken


def _searches(client: Client, organization: "Organization", rounds: int) -> tuple[dict[str, Any], int]:
    """Return the seconds of each kind of search and of the list beside it, and how many searches found nothing."""
    page, listed = (reverse(f"web:{name}", args=[organization.slug]) for name in ("search", "accounts"))
    asked = _beginnings(organization)
    found: dict[str, dict[str, list[float]]] = {kind: {"search": [], "list": []} for kind in SEARCHES}
    nothing_found = 0
    for kind in SEARCHES:
        for round_ in range(WARM + rounds):
            text = asked[round_ % len(asked)][kind]
            urls = {"search": f"{page}?{urlencode({'q': text})}", "list": listed}
            for turn in sorted(urls, reverse=bool(round_ % 2)):
                begun = time.perf_counter()
                answer = client.get(urls[turn])
                taken = time.perf_counter() - begun
                if round_ >= WARM:
                    found[kind][turn].append(taken)
                elif turn == "search":
                    nothing_found += b'people">' not in answer.content
    return found, nothing_found


def _beginnings(organization: "Organization") -> list[dict[str, str]]:
    """Return what somebody types who looks for each of a few people."""
    from staff.models import Person

    people = Person.objects.filter(organization=organization).order_by("pk")
    step = max(1, people.count() // SEARCHED)
    return [
        {
            "beginning of a name": each.last_name[:4],
            "beginnings of a full name": f"{each.first_name[:3]} {each.last_name[:5]}",
            "beginning of an e-mail": each.email[: each.email.index("@") - 1],
            "misspelled name": f"{each.first_name} {each.last_name[:2]}{each.last_name[3]}{each.last_name[2:]}",
        }
        for each in people.exclude(email="")[::step]
    ]


def _middle(scope: "Scope", which: str, query: str) -> str:
    """Return the query string of the page that begins in the middle of a list."""
    from web import account_list, people_list
    from web.keyset import page_after
    from web.lists import accounts_as_asked, people_as_asked

    asked = QueryDict(query)
    if which == "people":
        rows, by = people_as_asked(scope, asked).rows, people_list.BY_NAME
    elif "sort=name" in query:
        rows, by = accounts_as_asked(scope, asked).rows, account_list.BY_NAME
    else:
        rows, by = accounts_as_asked(scope, asked).rows.filter(lapses_on__isnull=False), account_list.BY_DAY
    middle = rows.order_by(*by)[rows.count() // 2]
    return page_after(RequestFactory().get("/", dict(asked.items())), middle, by=by)


if __name__ == "__main__":
    main()
