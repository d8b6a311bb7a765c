"""Requests of one bundle finished in one act: which it will be and which not is said first."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.models import AccessRequest
from accounts.policy.requesting import CARRIED_OUT
from accounts.services.requests.acts import READ_WITH
from accounts.services.requests.finishing_many import Finished, finish_many, sorted_out
from accounts.services.requests.rights import authorize_carrying, may
from accounts.services.requests.undoing import WINDOW
from accounts.words import count_noun
from audit.bulk import among
from facilities.access import Scope
from systems.policy import EASTERN, day_in
from web.forms.request_ends import FinishManyForm
from web.forms.shown import show_instead
from web.requests.ends import day_label_of, may_have_seen, what_happens
from web.requests.seen import digest_of
from web.requests.words import asked
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.request_new import request_crumbs

NAMED = 10  # of those that could not be finished after all, each in a message of its own


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def requests_finish(request: ScopedRequest, pk: int) -> HttpResponse:
    """Say since when they hold and what proves it, once for all; POST ends them with their effects."""
    scope, now = request.scope, timezone.now()
    rows = _running(scope, pk)
    found = sorted_out(scope, rows)
    form = _form(request, found.done, now)
    here = f"{reverse('web:requests', args=[scope.organization.slug])}?show=all&bundle={pk}"
    if form.is_valid() and _still_so(form, found.done):
        told = _finished(request, form, found.done, now)
        if told is not None and told.done:
            _say(request, told)
            return redirect(here)
    context = {
        "form": form,
        "each": [_line(row, what_happens(row)) for row in found.done],
        "left_out": [_line(row, why) for row, why in found.refused],
        "back": here,
        "crumbs": request_crumbs(request),
    }
    return render(request, "web/requests_finish.html", context)


def _running(scope: Scope, bundle: int) -> list[AccessRequest]:
    """Return what is being carried out of a bundle, as far as the member reads it.

    Raises Http404 for a bundle of which she reads nothing, NotAllowed where she carries out none of it.
    """
    mine = AccessRequest.objects.visible_to(scope).filter(bundle=bundle)
    rows = list(mine.select_related("grant__role", "organization", *READ_WITH).order_by("pk"))
    if not rows:
        raise Http404("No such requests among yours.")
    if not any(may(authorize_carrying, scope, row) for row in rows):
        authorize_carrying(scope, rows[0])
    return [row for row in rows if row.state in CARRIED_OUT]


def _line(row: AccessRequest, words: str) -> dict[str, str]:
    return {"title": asked(row), "url": row.get_absolute_url(), "words": words}


def _form(request: ScopedRequest, rows: list[AccessRequest], now: datetime) -> FinishManyForm:
    on = day_in(now, EASTERN)
    return FinishManyForm(
        request.POST if request.method == "POST" else None,
        day_label=day_label_of(rows),
        people=may_have_seen(request.scope, rows, on),
        at=now,
        initial={"effective_on": on, "seen": _seen(rows)},
    )


def _seen(rows: list[AccessRequest]) -> str:
    return digest_of(AccessRequest.objects.filter(pk__in=among(row.pk for row in rows)))[1]


def _still_so(form: FinishManyForm, rows: list[AccessRequest]) -> bool:
    """Return whether these are the requests that the page named; else say so, and let the member look again."""
    now = _seen(rows)
    if form.cleaned_data["seen"] == now:
        return True
    show_instead(form, "seen", now)
    form.add_error(None, "These requests have changed meanwhile. Look at them again, then finish them.")
    return False


def _finished(
    request: ScopedRequest, form: FinishManyForm, rows: list[AccessRequest], now: datetime
) -> Finished | None:
    """Finish them; None, or nothing done, with the reasons on the form."""
    typed: dict[str, Any] = {
        name: form.cleaned_data[name] for name in ("effective_on", "proof", "proof_text", "seen_by")
    }
    try:
        told = finish_many(scope=request.scope, requests=rows, at=now, **typed)
    except AccountRefused as exc:
        form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        return None
    if not told.done:
        for row, why in told.refused:
            form.add_error(None, f"{asked(row)}: {why}")
        if not told.refused:
            form.add_error(None, "No request of these can be finished now. What to do first stands beside each.")
    return told


def _say(request: ScopedRequest, told: Finished) -> None:
    many = count_noun(len(told.done), "request,requests").capitalize()
    say(request, f"{many} finished. Each can be undone for {WINDOW.days} days.")
    for row, why in told.refused[:NAMED]:
        say(request, f"Not finished: {asked(row)}. {why}", level=messages.WARNING)
    if len(told.refused) > NAMED:
        say(request, f"And {len(told.refused) - NAMED:,} more were not finished.", level=messages.WARNING)
