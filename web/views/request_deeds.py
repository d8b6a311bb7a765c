"""Deeds on requests: decided, sent back, withdrawn, commented, a step recorded. What is refused is said on the page."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestStep
from accounts.services.requests.carrying import record_outcome
from accounts.services.requests.deciding import comment, decide, send_back
from accounts.services.requests.rights import authorize_step
from accounts.services.requests.submitting import withdraw
from accounts.words import day
from web.forms.deciding import CommentForm, OutcomeForm, ReasonForm
from web.requests.page import page, request_of
from web.requests.seen import differing
from web.requests.words import asked
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say

TYPED = "request-typed"  # in the session: what was typed while a second factor is asked for
_PANELS = {"decision": "may_decide", "withdrawal": "may_withdraw", "comment": "may_comment"}
_STALE = "The request was changed meanwhile. Look at it again before you decide."


@require_safe
@organization_page
def request_page(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what a request would change, where it stands, its steps and what happened to it."""
    found = request_of(request.scope, pk, timezone.now())
    return _shown(request, found, {})


def _shown(request: ScopedRequest, found: AccessRequest, given: dict[str, Any]) -> HttpResponse:
    """Return the page; ``given``: forms as they were typed, and what has changed since somebody looked."""
    scope, now = request.scope, timezone.now()
    context = page(scope, found, now)
    request.waiting = {"web:requests": context.pop("waiting")}  # type: ignore[attr-defined]
    kept = request.session.get(TYPED, {})
    typed = {"reason": kept.get("reason", "")} if kept.get("request") == found.pk else {}
    for step in context["steps"]:
        failed = given.get("step", (0, None))
        form = OutcomeForm(at=now, auto_id=f"step-{step['pk']}-%s")
        step["form"] = failed[1] if failed[0] == step["pk"] else form
        if failed[0] == step["pk"] and not step["recordable"]:
            context["refused"] = failed[1]
    for name, shown in _PANELS.items():
        if name in given and not context[shown]:
            context["refused"] = given[name]
    # `request` is the page's own in every template
    context["asked"] = context.pop("request")
    forms_shown = {
        "decision": ReasonForm(initial=typed, auto_id="decision-%s"),
        "withdrawal": ReasonForm(auto_id="withdrawal-%s"),
        "comment": CommentForm(auto_id="comment-%s"),
    }
    crumbs = [{"label": "Requests", "url": reverse("web:requests", args=[scope.organization.slug])}]
    return render(request, "web/request.html", context | forms_shown | {"crumbs": crumbs} | given)


@require_POST
@organization_page
def request_decide(request: ScopedRequest, pk: int) -> HttpResponse:
    """Approve or reject, for the revision that was seen, with a fresh second factor."""

    def deed(found: AccessRequest, form: forms.Form, now: datetime) -> str:
        approve = request.POST.get("verdict") == "approve"
        if not approve and request.POST.get("verdict") != "reject":
            raise AccountRefused("Say whether you approve or reject it.")
        seen = {found.pk: revision_of(request.POST.get("revision", ""))}
        reason = form.cleaned_data["reason"]
        [after] = decide(
            scope=request.scope, requests=[found], approve=approve, reason=reason, revisions=seen, at=now
        )  # fmt: skip
        if approve and after.state == "submitted":
            return f"Your approval is recorded; a second person has to approve it as well: {asked(found)}."
        return f"{'Approved' if approve else 'Rejected'}: {asked(found)}."

    return _decided(request, pk, deed)


@require_POST
@organization_page
def request_send_back(request: ScopedRequest, pk: int) -> HttpResponse:
    """Send a request back for information: the question stands in its history, and it is a draft again."""

    def deed(found: AccessRequest, form: forms.Form, now: datetime) -> str:
        if revision_of(request.POST.get("revision", "")) != found.revision:
            raise AccountRefused(_STALE, code="stale")
        send_back(scope=request.scope, request=found, question=form.cleaned_data["reason"], at=now)
        return f"Sent back with your question: {asked(found)}."

    return _decided(request, pk, deed)


Deed = Callable[[AccessRequest, forms.Form, datetime], str]


def _decided(request: ScopedRequest, pk: int, deed: Deed) -> HttpResponse:
    """Do what only who decides may, after a fresh second factor; what was typed waits for the way back."""
    now = timezone.now()
    found = request_of(request.scope, pk, now)
    form = ReasonForm(request.POST, auto_id="decision-%s")
    first = asked_for_factor(request, deed="decide a request", back=found.get_absolute_url(), fresh=True)
    if first is not None:
        if form.is_valid():
            request.session[TYPED] = {"request": found.pk, "reason": form.cleaned_data["reason"]}
        return first
    return _done(request, found, form, "decision", deed)


def _done(request: ScopedRequest, found: AccessRequest, form: forms.Form, name: str, deed: Deed) -> HttpResponse:
    """Do it and go back to the page; or show the page with what was refused, and everything that was typed."""
    changed: list[dict[str, str]] = []
    if form.is_valid():
        try:
            said = deed(found, form, timezone.now())
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            if exc.code == "stale":
                changed = differing(request.POST.get("seen", ""), found)
        else:
            request.session.pop(TYPED, None)
            say(request, said)
            return redirect(found)
    found = request_of(request.scope, found.pk, timezone.now())
    return _shown(request, found, {name: form, "changed": changed})


def revision_of(typed: str) -> int:
    """Return the revision that a form carried; 0, which no request has, for anything else."""
    return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < 10 else 0


@require_POST
@organization_page
def request_withdraw(request: ScopedRequest, pk: int) -> HttpResponse:
    """Withdraw a request that nobody needs any more."""
    found = request_of(request.scope, pk, timezone.now())
    form = ReasonForm(request.POST, auto_id="withdrawal-%s")

    def deed(found: AccessRequest, form: forms.Form, now: datetime) -> str:
        withdraw(scope=request.scope, request=found, reason=form.cleaned_data["reason"], at=now)
        return f"Withdrawn: {asked(found)}."

    return _done(request, found, form, "withdrawal", deed)


@require_POST
@organization_page
def request_comment(request: ScopedRequest, pk: int) -> HttpResponse:
    """Say something about a request."""
    found = request_of(request.scope, pk, timezone.now())
    form = CommentForm(request.POST, auto_id="comment-%s")

    def deed(found: AccessRequest, form: forms.Form, now: datetime) -> str:
        comment(scope=request.scope, request=found, text=form.cleaned_data["text"], at=now)
        return "Your comment stands in the history."

    return _done(request, found, form, "comment", deed)


@require_POST
@organization_page
def request_step(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record what came of a step, on which day; one that did not work leads to what mends it."""
    scope, now = request.scope, timezone.now()
    step = get_object_or_404(RequestStep.objects.filter(organization=scope.organization), pk=pk)
    found = request_of(scope, step.request_id, now)
    step.request = found
    authorize_step(scope, found, step.actor)
    form = OutcomeForm(request.POST, at=now, auto_id=f"step-{step.pk}-%s")
    if form.is_valid():
        worked = request.POST.get("worked") == "yes"
        try:
            if not worked and request.POST.get("worked") != "no":
                raise AccountRefused("Say whether it worked.")
            record_outcome(scope=scope, step=step, worked=worked, on=form.day, note=form.cleaned_data["note"], at=now)
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            outcome = f"done on {day(form.day)}" if worked else "did not work. What to do instead stands below"
            say(request, f"{step.title}: {outcome}.")
            return redirect(f"{found.get_absolute_url()}#step-{step.pk}")
    return _shown(request, found, {"step": (step.pk, form)})


def keys_ticked(typed: list[str]) -> dict[int, int]:
    """Return key -> revision of ticked requests (``7:1``). Raises Http404 for what no page of ours sends."""
    found: dict[int, int] = {}
    for each in typed:
        key, _, revision = each.partition(":")
        if not (key.isascii() and key.isdecimal() and len(key) < 19):
            raise Http404("No such request among yours.")
        found[int(key)] = revision_of(revision)
    return found
