"""How requests end on pages: finished with proof, failed, tried again, undone, looked at by a third person."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestFile
from accounts.policy.request_guards import user_id_flaw
from accounts.policy.requesting import Kind
from accounts.services.requests.cms_side import open_on_cms_side
from accounts.services.requests.countersigning import countersign, refuse_countersigning, to_countersign
from accounts.services.requests.ending import fail, finish, retry
from accounts.services.requests.evidence import content_of
from accounts.services.requests.rights import authorize_carrying, authorize_finishing, authorize_undoing
from accounts.services.requests.taking_over import take_over
from accounts.services.requests.undoing import WINDOW, undo
from facilities.access import NotAllowed, Scope
from systems.policy import EASTERN, day_in
from web.forms.request_ends import FinishForm, ReasonForm
from web.requests.ends import DAY_LABELS, WITH_USER_ID, file_links, may_have_seen, what_happens, why_not_now
from web.requests.words import asked
from web.scope import ScopedRequest, organization_page
from web.second_factor import asked_for_factor
from web.toasts import say

_READ_WITH = (
    "organization", "system", "facility", "role", "grant__role", "requester_person", "beneficiary_person",
)  # fmt: skip


def _found(scope: Scope, pk: int) -> AccessRequest:
    """Return a request that the member reads. What is out of scope does not exist: Http404."""
    return get_object_or_404(AccessRequest.objects.visible_to(scope).select_related(*_READ_WITH), pk=pk)


def _carried_out(scope: Scope, pk: int, right: Callable[[Scope, AccessRequest], None]) -> AccessRequest:
    """Return a request about which the member has a right. Raises Http404 out of scope, NotAllowed without it."""
    this = _found(scope, pk)
    right(scope, this)
    return this


def _crumbs(this: AccessRequest) -> list[dict[str, str]]:
    requests = reverse("web:requests", args=[this.organization.slug])
    return [{"label": "Requests", "url": requests}, {"label": asked(this), "url": this.get_absolute_url()}]


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def request_finish(request: ScopedRequest, pk: int) -> HttpResponse:
    """Ask since when it holds and what proves it; POST ends the request with its effect."""
    scope, now = request.scope, timezone.now()
    this = _carried_out(scope, pk, authorize_finishing)
    form = _finish_form(request, this, now)
    if form.is_valid():
        typed = {name: form.cleaned_data.get(name) for name in ("effective_on", "proof", "proof_text", "seen_by")}
        typed |= {name: form.cleaned_data.get(name) or "" for name in ("user_id", "factor")}
        try:
            finish(scope=scope, request=this, upload=form.upload, cms_side=form.cms_side, at=now, **typed)  # type: ignore[arg-type]
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"Done. {asked(this)}. It can be undone for {WINDOW.days} days.")
            return redirect(this)
    context = {
        "form": form,
        "title": asked(this),
        "happens": what_happens(this),
        "why_not": "" if form.is_bound else why_not_now(this),
        "files": file_links(this),
        "back": this.get_absolute_url(),
        "crumbs": _crumbs(this),
    }
    return render(request, "web/request_finish.html", context)


def _flaw_of(this: AccessRequest, user_id: str) -> str:
    """Return what is unwise about a HARP user ID, which stays for good (R-45)."""
    authority = this.system.sign_in_via or this.system
    return user_id_flaw(user_id, (this.facility.name,)) if authority.slug == "harp" else ""


def _finish_form(request: ScopedRequest, this: AccessRequest, now: datetime) -> FinishForm:
    on = day_in(now, EASTERN)
    length = request.META.get("CONTENT_LENGTH") or ""
    bound = request.method == "POST"
    return FinishForm(
        request.POST if bound else None,
        request.FILES if bound else None,
        day_label=DAY_LABELS[this.kind],
        people=may_have_seen(request.scope, [this], on),
        at=now,
        with_user_id=this.kind in WITH_USER_ID,
        flaw_of=partial(_flaw_of, this),
        with_factor=this.kind == Kind.NEW_ACCOUNT and this.system.sign_in_via_id is None,
        cms_steps=open_on_cms_side(this),
        page=this.get_absolute_url(),
        arrived=int(length) if bound and length.isdecimal() else 0,
        initial={"effective_on": on},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def request_fail(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that a request did not work out, with the reason."""
    this = _carried_out(request.scope, pk, authorize_carrying)
    text = {
        "title": f"It did not work: {asked(this)}",
        "button": "Record that it did not work",
        "explain": "Its dates stop, and nobody is reminded of it. It can be taken up again later.",
        "danger": True,
        "said": f"Recorded: it did not work. {asked(this)}.",
    }
    form = ReasonForm(_posted(request), label="What happened", needed="Say why it did not work.")
    return _with_reason(
        request, this, form, text, lambda why, at: fail(scope=request.scope, request=this, reason=why, at=at)
    )


@require_POST
@organization_page
def request_retry(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take a failed request up again."""
    this = _carried_out(request.scope, pk, authorize_carrying)
    try:
        retry(scope=request.scope, request=this, at=timezone.now())
    except AccountRefused as exc:
        say(request, exc.message, level=messages.ERROR)
    else:
        say(request, f"Taken up again: {asked(this)}. The steps that did not work are to do.")
    return redirect(this)


@require_POST
@organization_page
def request_take_over(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take over what somebody asked for who has left."""
    this = _found(request.scope, pk)
    try:
        take_over(scope=request.scope, request=this, at=timezone.now())
    except AccountRefused as exc:
        say(request, exc.message, level=messages.ERROR)
    else:
        say(request, f"You ask for it now: {asked(this)}. Somebody else decides it.")
    return redirect(this)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def request_undo(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back that a request was finished, with the reason."""
    this = _carried_out(request.scope, pk, authorize_undoing)
    text = {
        "title": f"Undo: {asked(this)}",
        "button": "Undo it and carry it out again",
        "explain": "Roles, dates and steps stand again as they did before it was finished. What was recorded stays in"
        " the history.",
        "danger": True,
        "said": f"Undone. {asked(this)} is being carried out again.",
    }
    form = ReasonForm(_posted(request), label="Why it is undone", needed="Say why it is undone.")
    return _with_reason(
        request, this, form, text, lambda why, at: undo(scope=request.scope, request=this, reason=why, at=at)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def request_countersign(request: ScopedRequest, pk: int) -> HttpResponse:
    """Let a third person look at what went on without one. A decision: it takes a second factor."""
    scope, now = request.scope, timezone.now()
    read = AccessRequest.objects.visible_to(scope).filter(pk=pk).exists()
    # The outside deputy sees no more of the place than what she is to look at.
    this = None if read else to_countersign(scope, pk, now)
    this = this or _found(scope, pk)
    try:
        refuse_countersigning(scope, this, now)
    except AccountRefused as exc:
        raise NotAllowed(exc.message) from exc
    if request.method == "POST":
        here = reverse("web:request-countersign", args=[scope.organization.slug, this.pk])
        first = asked_for_factor(request, deed="countersign a request", back=here, fresh=True)
        if first is not None:
            return first
    role = f"“{this.role}” on {this.system.name}" if this.role else this.system.name
    text = {
        "title": f"Look at it: {asked(this)}",
        "button": "I looked at it and it is right",
        "explain": f"{this.requester_person} asked for {role} for {this.beneficiary_person} at {this.facility.name},"
        f" and nobody else could decide. The reason given: {this.unapproved_reason or 'none'}. If it is not right, ask"
        " for the removal instead.",
        "danger": False,
        "said": f"Looked at: {asked(this)}. The finding is closed; the history keeps it.",
    }
    form = ReasonForm(_posted(request), label="What you looked at", help_text="Optional. No secrets.")
    then = "" if read else reverse("web:requests", args=[scope.organization.slug])
    return _with_reason(
        request, this, form, text, lambda why, at: countersign(scope=scope, request=this, note=why, at=at), then=then
    )


def _posted(request: ScopedRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _with_reason(
    request: ScopedRequest,
    this: AccessRequest,
    form: ReasonForm,
    text: dict[str, Any],
    deed: Callable[[str, datetime], object],
    *,
    then: str = "",
) -> HttpResponse:
    """Ask for a reason and do the deed; a refusal stands beside what was typed.

    ``then``: where it goes on, where the request is not to be read any more.
    """
    if form.is_valid():
        try:
            deed(form.cleaned_data["reason"], timezone.now())
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, text["said"])
            return redirect(then or this)
    context = {"form": form, "text": text, "back": this.get_absolute_url(), "crumbs": _crumbs(this)}
    return render(request, "web/deed.html", context)


@never_cache
@require_safe
@organization_page
def request_file(request: ScopedRequest, pk: int) -> HttpResponseBase:
    """Send an evidence file as attachment to whoever reads its request."""
    mine = RequestFile.objects.filter(organization=request.scope.organization)
    visible = AccessRequest.objects.visible_to(request.scope)
    file = get_object_or_404(mine.filter(request__in=visible).select_related("request__organization"), pk=pk)
    try:
        content = content_of(file)
    except AccountRefused as exc:
        return render(
            request, "web/request_file_gone.html", {"message": exc.message, "back": file.request.get_absolute_url()}
        )
    answer = HttpResponse(content, content_type=file.content_type)
    answer["Content-Disposition"] = content_disposition_header(as_attachment=True, filename=file.name)
    return answer
