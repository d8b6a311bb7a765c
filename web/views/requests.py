"""Requests as lists: the member's own, those that wait for her, all that she reads; several decided at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import AccountRefused
from accounts.models import AccessRequest
from accounts.services.requests.deciding import decide
from accounts.services.requests.finishing_many import at_finish
from accounts.services.requests.rights import authorize_carrying, may
from accounts.words import count_noun
from audit.bulk import among
from facilities.access import Action, Scope
from systems.policy import EASTERN, day_in
from web.forms.deciding import VIEWS, ReasonForm, RequestFilter
from web.keyset import Count, page_of
from web.requests.listing import READ_WITH, Desk, desk_of, narrowed
from web.requests.rows import COLUMNS, request_rows
from web.requests.seen import digest_of
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say
from web.views.request_deeds import TYPED, keys_ticked

MANY = "many"  # in the session, instead of a request's key
TICKED_AT_MOST = 200  # more than a page shows; whoever wants more takes all of a bundle


@require_safe
@organization_page
def requests(request: ScopedRequest) -> HttpResponse:
    """List the member's requests, those that wait for her, or all that she reads; filters are part of the address."""
    kept = request.session.get(TYPED, {})
    if kept.get("request") == MANY:
        del request.session[TYPED]  # shown once: a later visit does not tick what nobody ticked
    kept = kept if (kept.get("request"), kept.get("at")) == (MANY, request.scope.organization.pk) else {}
    form = ReasonForm(initial={"reason": kept.get("reason", "")})
    return _list_page(request, form, ticked=frozenset(kept.get("ticked", ())))


@require_POST
@organization_page
def requests_decide(request: ScopedRequest) -> HttpResponse:
    """Approve or reject the ticked requests, or all of a bundle, for one reason; with a fresh second factor.

    What is refused is told on the list, where reason and ticks are as they were.
    """
    scope, now = request.scope, timezone.now()
    form, filters = ReasonForm(request.POST), RequestFilter(request.POST, scope=scope)
    ticked = request.POST.getlist("request")[: TICKED_AT_MOST + 1]
    back = f"{reverse('web:requests', args=[scope.organization.slug])}?{filters.query}"
    reason = form.cleaned_data["reason"] if form.is_valid() else ""
    request.session[TYPED] = {"request": MANY, "at": scope.organization.pk, "reason": reason, "ticked": ticked}
    first = asked_for_factor(request, deed="decide requests", back=back, fresh=True)
    if first is not None:
        return first
    try:
        if not form.is_valid():
            raise AccountRefused(" ".join(str(error) for error in form.errors.get("reason", [])))
        decided = _decide_many(request, filters, ticked, reason, now)
    except AccountRefused as exc:
        say(request, f"Nothing was decided. {exc.message}", level=messages.ERROR)
    else:
        request.session.pop(TYPED, None)
        verdict = "approved" if _approves(request) else "rejected"
        say(request, f"{count_noun(decided, 'request,requests').capitalize()} {verdict}.")
    return redirect(back)


def _approves(request: ScopedRequest) -> bool:
    verdict = request.POST.get("verdict", "")
    if verdict not in ("approve", "reject", "approve-all", "reject-all"):
        raise AccountRefused("Say whether you approve or reject them.")
    return verdict.startswith("approve")


def _decide_many(request: ScopedRequest, filters: RequestFilter, ticked: list[str], reason: str, at: datetime) -> int:
    scope, approve = request.scope, _approves(request)
    desk = desk_of(scope, day_in(at, EASTERN))
    if request.POST["verdict"].endswith("-all"):
        if not filters.chosen.get("bundle"):
            raise AccountRefused("Only what was asked for together can be decided without ticking.")
        rows = narrowed(desk, desk.decisions, filters.chosen)
        if digest_of(rows)[1] != request.POST.get("seen"):
            raise AccountRefused("These requests have changed meanwhile. Look at them again, then decide.")
        revisions = dict(rows.values_list("pk", "revision"))
    else:
        revisions = keys_ticked(ticked)
        if len(revisions) > TICKED_AT_MOST:
            raise Http404("More than a page shows.")
        read = desk.readable().filter(pk__in=revisions).order_by().values("pk")
        if read.union(desk.decisions.filter(pk__in=revisions).order_by().values("pk")).count() != len(revisions):
            raise Http404("No such request among yours.")
    if not revisions:
        raise AccountRefused("No request is ticked.")
    chosen = list(AccessRequest.objects.filter(organization=scope.organization, pk__in=among(revisions)))
    return len(decide(scope=scope, requests=chosen, approve=approve, reason=reason, revisions=revisions, at=at))


def _list_page(request: ScopedRequest, reason: ReasonForm, ticked: frozenset[str]) -> HttpResponse:
    """Return the list as the address asks for it; ``ticked``: what was ticked before a decision was refused."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    desk = desk_of(scope, on)
    form = RequestFilter(request.GET, scope=scope)
    counts = {name: desk.count(name) for name, _ in VIEWS}
    show = form.chosen.get("show") or ("inbox" if counts["inbox"].number else "mine")
    parts = [narrowed(desk, part, form.chosen) for part in desk.parts(show)]
    rows = AccessRequest.objects.select_related(*READ_WITH)
    page = page_of(request, rows, by=("pk",), falling=True, parts=parts)
    decidable = _decidable(desk, page.rows) if show == "inbox" else frozenset()
    left = {row.pk: words for row in page.rows if (words := desk.left_words(row))}
    instead = {row.pk: desk.stands_in_words(row) for row in page.rows} if show == "inbox" else {}
    table = request_rows(page.rows, on, decidable=decidable, left=left, instead=instead)
    for row in table:
        row["pick"] = row.get("pick", {}) | {"ticked": row.get("pick", {}).get("value") in ticked}
    request.waiting = {"web:requests": counts["inbox"].number}  # type: ignore[attr-defined]
    return render(
        request,
        "web/requests.html",
        {
            "form": form,
            "show": show,
            "tabs": tabs(scope, counts),
            "chips": form.chips(),
            "all_url": f"?show={show}",
            "columns": [{"label": label} for label in COLUMNS],
            "rows": table,
            "page": page,
            "filtered": bool(form.filters),
            "decidable": bool(decidable),
            "together": _together(desk, form) if decidable else {},
            "finish": _to_finish(desk, form, page.rows),
            "kept": [*(pair for pair in form.kept if pair[0] != "show"), ("show", "inbox")],
            "reason": reason,
            "new_url": _new_url(scope),
        },
    )


def _decidable(desk: Desk, rows: list[Any]) -> frozenset[int]:
    return frozenset(desk.decisions.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))


def _together(desk: Desk, form: RequestFilter) -> dict[str, Any]:
    """Return how many of one bundle can be decided at once, and what was seen of them; nothing for a mixed list."""
    if not form.chosen.get("bundle"):
        return {}
    number, seen = digest_of(narrowed(desk, desk.decisions, form.chosen))
    return {"number": number, "seen": seen}


def _to_finish(desk: Desk, form: RequestFilter, shown: Sequence[Any]) -> dict[str, Any]:
    """Return how many of one bundle have every step behind them, and where they are finished; nothing for one.

    Nor for who carries out none of those that are ``shown``.
    """
    bundle = form.chosen.get("bundle")
    if not bundle or not any(may(authorize_carrying, desk.scope, row) for row in shown):
        return {}
    number = at_finish(desk.readable().filter(bundle=bundle)).count()
    if number < 2:
        return {}
    return {"number": number, "url": reverse("web:requests-finish", args=[desk.scope.organization.slug, bundle])}


def tabs(scope: Scope, counts: dict[str, Count]) -> list[dict[str, Any]]:
    """Return the three views with their counts."""
    page = reverse("web:requests", args=[scope.organization.slug])
    return [
        {"slug": name, "label": label, "count": counts[name], "url": f"{page}?show={name}"} for name, label in VIEWS
    ]


def _new_url(scope: Scope) -> str:
    own = scope.user_id is not None
    may = scope.may(Action.REQUEST_ACCESS, [place for _, place in scope.roles if place is not None], own=own)
    return reverse("web:request-new", args=[scope.organization.slug]) if may else ""
