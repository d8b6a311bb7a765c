"""One page of the list of accounts: by last safe day, then by key; those without a date come last."""

from copy import copy
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import PortalAccount, RoleGrant
from accounts.words import day, in_days, listed
from facilities.access import Scope
from web.keyset import Page, page_of
from web.rows import address
from web.standings import Held, all_held

SIZE = 50
UNDATED = "undated"  # in the address: past the last account that has a date
COLUMNS = ("Person", "System", "Standing", "Last safe day", "Last login", "Where")
PLACES_NAMED = 2


def page_of_accounts(request: HttpRequest, accounts: QuerySet[PortalAccount]) -> Page[PortalAccount]:
    """Return the page that the address names. NULL sorts differently on the two engines, so it is a second list.

    One query, two on the page where the dated accounts end and at the start of those without a date.
    """
    dated, undated = accounts.filter(lapses_on__isnull=False), accounts.filter(lapses_on=None)
    if UNDATED in request.GET:
        page = page_of(request, undated, by=("pk",), size=SIZE)
        return page if page.previous_url or not dated.exists() else replace(page, previous_url=_address(request))
    page = page_of(request, dated, by=("lapses_on", "pk"), size=SIZE)
    if page.next_url:
        return page
    if not page.rows:  # nothing has a date: an empty first page would say that there is no account
        return page_of(_past_the_dated(request), undated, by=("pk",), size=SIZE)
    rest = list(undated.order_by("pk")[: SIZE - len(page.rows) + 1])
    if len(page.rows) + len(rest) <= SIZE:
        return replace(page, rows=[*page.rows, *rest])
    return replace(page, next_url=_address(request, (UNDATED, "1")))


def _past_the_dated(request: HttpRequest) -> HttpRequest:
    """Return the request as if it had asked for the accounts without a date, from their start."""
    asked = copy(request)
    asked.GET = request.GET.copy()  # type: ignore[assignment]
    for name in ("after", "before"):
        asked.GET.pop(name, None)  # type: ignore[misc]
    asked.GET[UNDATED] = "1"  # type: ignore[misc]
    return asked


def _address(request: HttpRequest, *more: tuple[str, str]) -> str:
    """Return the query string of the list from its start, filters kept."""
    kept = [(key, value) for key, value in request.GET.items() if key not in {"after", "before", UNDATED}]
    return "?" + urlencode([*kept, *more])


def account_rows(scope: Scope, accounts: list[PortalAccount], on: date) -> list[dict[str, Any]]:
    """Return the table's rows for `components/table.html`. Two queries, whatever their number."""
    places: dict[int, list[str]] = {account.pk: [] for account in accounts}
    grants = RoleGrant.objects.known().filter(account__in=places).select_related("facility").order_by("pk")
    for grant in grants:
        if grant.facility.name not in places[grant.account_id]:
            places[grant.account_id].append(grant.facility.name)
    return [_row(scope, held, places[held.account.pk], on) for held in all_held(accounts, on)]


def _row(scope: Scope, held: Held, places: list[str], on: date) -> dict[str, Any]:
    account = held.account
    named = places[:PLACES_NAMED]
    if len(places) > PLACES_NAMED:
        named.append(f"{len(places) - PLACES_NAMED} more")
    return {
        "cells": [
            {"text": str(account.person), "url": address("account", scope, account)},
            {"text": account.system.name, "note": account.user_id or ""},
            {"standing": held.standing, "words": held.words},
            {"text": day(account.lapses_on) or "No date known", "note": in_days(account.lapses_on, on), "date": True},
            {"text": _last_login(account, on)},
            {"text": listed(named)},
        ]
    }


def _last_login(account: PortalAccount, on: date) -> str:
    if account.login_state == PortalAccount.LoginState.NEVER:
        return "Never signed in"
    if account.last_login_on is None:
        return "Not known"
    return in_days(account.last_login_on, on).capitalize()
