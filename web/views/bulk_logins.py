"""Recording one day's login on many accounts: what is selected is said first, then recorded, and can be taken back."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import LoginRejected
from accounts.services.bulk_logins import (
    MOST,
    BulkOutcome,
    act_of,
    record_logins_bulk,
    recordable,
    void_logins_bulk,
)
from accounts.words import count_noun, day, listed
from facilities.access import Action, authorize
from web.forms.logins import ManyLoginsForm
from web.forms.shown import show_instead
from web.scope import ScopedRequest, organization_page
from web.selection import Selection, selection_of
from web.toasts import say

NAMED = 8  # accounts named on the page; the rest is counted


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def logins_bulk(request: ScopedRequest) -> HttpResponse:
    """Say what is selected and ask for the day; then record. A selection that has changed is shown again first."""
    scope, now = request.scope, timezone.now()
    sent = request.POST if request.method == "POST" else None
    selection = selection_of(scope, request.POST if sent else request.GET)
    back = _back(request, selection)
    if selection.refusal:
        say(request, f"Nothing was recorded: {selection.refusal}.", level=messages.ERROR)
        return redirect(back)
    mine = recordable(scope, selection.accounts)
    numbers = _numbers(selection, mine)
    if not numbers["mine"]:
        authorize(scope, Action.RECORD_LOGIN, [place for _, place in scope.roles if place is not None])
    form = ManyLoginsForm(sent, at=now)
    if form.is_valid() and _still_so(form, numbers["mine"]):
        try:
            outcome = record_logins_bulk(
                scope=scope,
                accounts=selection.accounts,
                happened_on=form.cleaned_data["on"],
                told=form.cleaned_data["told"],
                at=now,
            )
        except LoginRejected as exc:
            form.add_error("on" if exc.field == "happened_on" else None, exc.message)
        else:
            _tell(request, outcome, form.cleaned_data["on"])
            return redirect(back)
    return render(request, "web/logins_bulk.html", _context(selection, mine, numbers, form, back))


def _numbers(selection: Selection, mine: Any) -> dict[str, int]:
    """Return how many are selected, how many the member may record on, and how many of those are in use."""
    most = MOST + 1
    return {
        "all": selection.accounts.order_by()[:most].count(),
        "mine": mine.running().order_by()[:most].count(),
        "most": MOST,
    }


def _context(
    selection: Selection, mine: Any, numbers: dict[str, int], form: ManyLoginsForm, back: str
) -> dict[str, Any]:
    rows = mine.running().select_related("person", "system").order_by("lapses_on", "pk")
    named = [f"{account.person}, {account.system.name}" for account in rows[:NAMED]]
    form.fields["count"].initial = numbers["mine"]
    return {
        "form": form,
        "words": selection.words,
        "kept": selection.kept,
        "named": named,
        "more": numbers["mine"] - len(named),
        "numbers": numbers,
        "skipped": numbers["all"] - numbers["mine"],
        "too_many": numbers["all"] > MOST,
        "back": back,
        "crumbs": [{"label": "Accounts", "url": back}],
    }


def _still_so(form: ManyLoginsForm, now_selected: int) -> bool:
    """Return whether the selection is as long as the page said; else say so, and let the member look again."""
    said = form.cleaned_data["count"]
    if said == now_selected:
        return True
    show_instead(form, "count", str(now_selected))
    form.add_error(
        None,
        f"Meanwhile the selection has changed from {said:,} to {now_selected:,} accounts. Look again, then record.",
    )
    return False


def _back(request: ScopedRequest, selection: Selection) -> str:
    return f"{reverse('web:accounts', args=[request.scope.organization.slug])}?{selection.filters.query}".rstrip("?")


def _tell(request: ScopedRequest, outcome: BulkOutcome, on: date) -> None:
    parts = [f"{count_noun(outcome.recorded, 'login,logins').capitalize()} recorded for {day(on)}."]
    if outcome.already:
        parts.append(f"{count_noun(outcome.already, 'was,were').capitalize()} recorded already.")
    left_out = []
    if outcome.not_active:
        left_out.append(f"{count_noun(outcome.not_active, 'account,accounts')} not in use")
    if outcome.not_allowed:
        left_out.append(f"{count_noun(outcome.not_allowed, 'account,accounts')} not yours to record on")
    if outcome.contradicted:
        shown = "of which the system showed that there was no login that day"
        left_out.append(f"{count_noun(outcome.contradicted, 'account,accounts')} {shown}")
    if left_out:
        parts.append(f"Left out: {listed(left_out)}.")
    if outcome.to_check:
        parts.append(
            f"{count_noun(outcome.to_check, 'login,logins').capitalize()} came after the last safe day: please look"
            " whether the roles are still there."
        )
    slug = request.scope.organization.slug
    undo = reverse("web:logins-bulk-void", args=[slug, outcome.act]) if outcome.act else ""
    attention = outcome.to_check or not outcome.recorded
    say(request, " ".join(parts), undo_url=undo, level=messages.WARNING if attention else messages.SUCCESS)


@require_POST
@organization_page
def logins_bulk_void(request: ScopedRequest, act: int) -> HttpResponse:
    """Take back all logins of one act on its day. Doing it twice changes nothing."""
    scope = request.scope
    event = act_of(scope, act)
    if event is None:
        raise Http404("No such act in this organization.")
    try:
        taken = void_logins_bulk(scope=scope, act=event, at=timezone.now())
    except LoginRejected as exc:
        say(request, exc.message, level=messages.ERROR)
    else:
        say(request, f"Taken back: {count_noun(taken, 'login no longer counts,logins no longer count')}.")
    return redirect("web:accounts", scope.organization.slug)
