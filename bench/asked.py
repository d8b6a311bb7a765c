"""Measure the lists of requests on the database of the settings, and bundles that are decided in one act.

A child process of `bench_requests`; prints one JSON document. Each page is asked for, and each bundle decided, through
the whole product but the network, by an administrator of the organization who has asked for a quarter of it all.
"""

import argparse
import json
import sys
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import django
import time_machine
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from bench.asked_rows import FEW, MANY, put_in_bundle, put_in_requests
from bench.visits import visited

if TYPE_CHECKING:
    from facilities.access import Scope

PAGES = {"my requests": "mine", "requests that wait for me": "inbox", "all requests": "all"}
_FACTOR = {"method": "mfa", "type": "totp"}


def main() -> None:
    """Read the arguments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", type=date.fromisoformat, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--seed", type=int, default=0, help="make so many requests first, and measure all of it")
    parser.add_argument("--bundles", type=int, default=0, help="decide so many bundles of each size")
    options = parser.parse_args()
    django.setup()
    from web.scale import Population

    at = Population(facilities=1, accounts=1, on=options.on).at + timedelta(hours=12)
    with time_machine.travel(at):
        sys.stdout.write(json.dumps(_measure(options.rounds, options.seed, options.bundles)))


def _measure(rounds: int, seed: int, bundles: int) -> dict[str, Any]:
    from facilities.access import Scope
    from facilities.models import Membership

    member = Membership.objects.filter(role="administrator", facility=None).select_related("user", "organization")[0]
    scope = Scope.of(member.user, member.organization)
    assert scope is not None
    if seed:
        put_in_requests(scope, seed, timezone.now())
    client = Client(SERVER_NAME="localhost")
    client.force_login(member.user, backend="django.contrib.auth.backends.ModelBackend")
    pages, not_full = _lists(client, scope, rounds, first_only=not seed)
    found: dict[str, Any] = {"engine": connection.vendor, "pages": pages, "not_full": not_full}
    return found | {"bundles": _bundles(client, scope, bundles)} if bundles else found


def _lists(client: Client, scope: "Scope", rounds: int, *, first_only: bool) -> tuple[dict[str, Any], int]:
    """Return the seconds of the first page and of the one in the middle of each list, and how many were not full."""
    address = reverse("web:requests", args=[scope.organization.slug])
    pages: dict[str, dict[str, list[float]]] = {}
    not_full = 0
    for name, show in PAGES.items():
        urls = {"first": f"{address}?show={show}"}
        if not first_only:
            urls["deep"] = address + _middle(scope, show)
        pages[name], wrong = visited(client, urls, rounds)
        not_full += wrong
    return pages, not_full


def _middle(scope: "Scope", show: str) -> str:
    """Return the query string of the page that begins in the middle of a list."""
    from accounts.models import AccessRequest
    from systems.policy import EASTERN, day_in
    from web.keyset import page_after
    from web.requests.listing import desk_of

    desk = desk_of(scope, day_in(timezone.now(), EASTERN))
    keys = sorted({key for part in desk.parts(show) for key in part.values_list("pk", flat=True)})
    middle = AccessRequest.objects.get(pk=keys[len(keys) // 2])
    return page_after(RequestFactory().get("/", {"show": show}), middle, by=("pk",))


def _bundles(client: Client, scope: "Scope", bundles: int) -> dict[str, Any]:
    """Return what deciding bundles of both sizes took, by turns: seconds, statements, and the rows that it wrote."""
    found: dict[str, Any] = {str(size): {"seconds": [], "queries": 0, "wrong": 0} for size in (FEW, MANY)}
    for round_ in range(1 + bundles):  # the first does not count
        for size in (FEW, MANY):
            taken, queries, wrong = _decided(client, scope, size)
            each = found[str(size)]
            each["queries"], each["wrong"] = max(each["queries"], queries), each["wrong"] + wrong
            if round_:
                each["seconds"].append(taken)
    return found


def _decided(client: Client, scope: "Scope", size: int) -> tuple[float, int, int]:
    """Approve a new bundle as its page offers it: seconds, statements, and how many counts are not as they should."""
    from accounts.models import AccessRequest, Approval
    from audit.models import AuditEvent, AuditItem

    bundle = put_in_bundle(scope, size, timezone.now())
    session = client.session
    session["account_authentication_methods"] = [_FACTOR | {"at": time.time()}]
    session["account_authentication_methods_user"] = str(scope.user_id)
    session.save()
    address = reverse("web:requests", args=[scope.organization.slug])
    shown = client.get(address, {"show": "inbox", "bundle": bundle}).content.decode()
    seen = shown.partition('name="seen" value="')[2].partition('"')[0]
    typed = {"show": "inbox", "bundle": bundle, "reason": "Agreed.", "verdict": "approve-all", "seen": seen}
    events, items = AuditEvent.objects.count(), AuditItem.objects.count()
    with CaptureQueriesContext(connection) as captured:
        begun = time.perf_counter()
        client.post(reverse("web:requests-decide", args=[scope.organization.slug]), typed)
        taken = time.perf_counter() - begun
    wrote = (
        AuditEvent.objects.count() - events,
        AuditItem.objects.count() - items,
        Approval.objects.filter(request__bundle=bundle, voided_at=None, verdict="approve").count(),
        AccessRequest.objects.filter(bundle=bundle, state="approved").count(),
    )
    return taken, len(captured), sum(abs(a - b) for a, b in zip(wrote, (1, size, size, size), strict=True))


if __name__ == "__main__":
    main()
