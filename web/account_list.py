"""The list of accounts: by last safe day, those without a date last, or by name; pages, all of it, and its rows."""

from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import replace
from datetime import date
from itertools import chain
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse

from accounts.models import PortalAccount, RoleGrant
from accounts.words import day, in_days, listed
from facilities.access import Scope
from web.keyset import Page, in_slices, last_page_url, page_of
from web.rows import address
from web.standings import Held, all_held

SIZE = 50
BY_DAY = ("lapses_on", "pk")
BY_NAME = ("person__last_name", "person__first_name", "person_id", "pk")
BEYOND_KEYS = 2**62
UNDATED = "undated"  # in the address: past the last account that has a date
COLUMNS = ("Person", "System", "Standing", "Last safe day", "Last login", "Where")
PLACES_NAMED = 2


def page_of_accounts(
    request: HttpRequest, accounts: QuerySet[PortalAccount], order: str = "", *, later_than: date | None = None
) -> Page[PortalAccount]:
    """Return the page that the address names, in one of `web.forms.lists.ORDERS`. One query, two where dates end.

    ``later_than``: what the filters imply for every stored day; the walk along the days then begins there.
    """
    if order == "name":
        return page_of(request, _by_name(accounts), by=BY_NAME, size=SIZE)
    return _page_by_day(request, accounts, later_than)


def _page_by_day(
    request: HttpRequest, accounts: QuerySet[PortalAccount], later_than: date | None
) -> Page[PortalAccount]:
    # NULL sorts differently on the two engines, so accounts without a date are a second list.
    dated, undated = _with_and_without_date(accounts)
    if later_than:
        dated = dated.filter(lapses_on__gt=later_than)
    if UNDATED in request.GET:
        page = page_of(request, undated, by=("pk",), size=SIZE)
        return page if page.previous_url or not dated.exists() else replace(page, previous_url=_last_dated(request))
    page = page_of(request, dated, by=BY_DAY, size=SIZE)
    if page.next_url:
        return page
    if not page.rows:  # nothing has a date: an empty first page would say that there is no account
        return page_of(_past_the_dated(request), undated, by=("pk",), size=SIZE)
    rest = list(undated.order_by("pk")[: SIZE - len(page.rows) + 1])
    if len(page.rows) + len(rest) <= SIZE:
        return replace(page, rows=[*page.rows, *rest])
    return replace(page, next_url=_address(request, (UNDATED, "1")))


def slices_of_accounts(accounts: QuerySet[PortalAccount], order: str = "") -> Iterator[list[PortalAccount]]:
    """Yield all accounts in the order of the list, a slice at a time."""
    if order == "name":
        return in_slices(_by_name(accounts), by=BY_NAME)
    dated, undated = _with_and_without_date(accounts)
    return chain(in_slices(dated, by=BY_DAY), in_slices(undated, by=("pk",)))


def _by_name(accounts: QuerySet[PortalAccount]) -> QuerySet[PortalAccount]:
    # Says again what holds anyway: only then the index of people by name, which begins with it, gives the order.
    return accounts.filter(person__organization=F("organization"))


def _with_and_without_date(
    accounts: QuerySet[PortalAccount],
) -> tuple[QuerySet[PortalAccount], QuerySet[PortalAccount]]:
    return accounts.filter(lapses_on__isnull=False), accounts.filter(lapses_on=None)


def _past_the_dated(request: HttpRequest) -> HttpRequest:
    """Return the request as if it had asked for the accounts without a date, from their start."""
    return _asking(request, {UNDATED: "1"})


def _last_dated(request: HttpRequest) -> str:
    """Return the address of the last page of accounts with a date, filters kept."""
    return last_page_url(_asking(request), by=BY_DAY, beyond=(date.max.isoformat(), BEYOND_KEYS))


def _asking(request: HttpRequest, more: Mapping[str, str] = MappingProxyType({})) -> HttpRequest:
    asked = copy(request)
    asked.GET = request.GET.copy()  # type: ignore[assignment]
    for name in ("after", "before", UNDATED):
        asked.GET.pop(name, None)  # type: ignore[misc]
    for name, value in more.items():
        asked.GET[name] = value  # type: ignore[misc]
    return asked


def _address(request: HttpRequest, *more: tuple[str, str]) -> str:
    """Return the query string of the list from its start, filters kept."""
    return "?" + urlencode([*_asking(request).GET.items(), *more])


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
    guide = reverse("web:system", args=[scope.organization.slug, account.system.slug])
    named = places[:PLACES_NAMED]
    if len(places) > PLACES_NAMED:
        named.append(f"{len(places) - PLACES_NAMED} more")
    return {
        "pick": {
            "name": "account",
            "value": account.pk,
            "form": "picked",
            "label": f"Tick {account.person}, {account.system.name}",
        },
        "cells": [
            {"text": str(account.person), "url": address("account", scope, account)},
            {"text": account.system.name, "url": guide, "note": account.user_id or ""},
            {"standing": held.standing, "words": held.words},
            {"text": day(account.lapses_on) or "No date known", "note": in_days(account.lapses_on, on), "date": True},
            {"text": _last_login(account, on)},
            {"text": listed(named)},
        ],
    }


def _last_login(account: PortalAccount, on: date) -> str:
    if account.login_state == PortalAccount.LoginState.NEVER:
        return "Never signed in"
    if account.last_login_on is None:
        return "Not known"
    return in_days(account.last_login_on, on).capitalize()
