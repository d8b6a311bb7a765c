"""Changing what was asked for: a draft as often as one likes, what was sent as a new version that is decided anew."""

from typing import Any

from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestNote
from accounts.policy.request_guards import NEEDS_OPEN_SYSTEM
from accounts.policy.requesting import NEEDS_APPROVAL, Approved, Kind, State
from accounts.services.requests.drafting import Ask
from accounts.services.requests.submitting import change, submit
from accounts.words import count_noun
from facilities.access import NotAllowed
from systems.models import SystemRole
from systems.policy import EASTERN, day_in
from web.forms.requests import ChangeForm
from web.requests.foreseen import deciders_of, lines_of
from web.requests.places import closed_for
from web.requests.reach import is_me, places_to_ask
from web.requests.wanting import key_of
from web.requests.words import said, was_sent_back
from web.scope import ScopedRequest, organization_page
from web.stale import both_versions
from web.toasts import say
from web.views.request_new import LASTING, request_crumbs

_OPEN = frozenset({State.DRAFT, State.SUBMITTED, State.APPROVED})
_READ_WITH = (
    "organization", "system", "facility", "role", "grant__role", "grant__facility", "account__system",
    "requester_person", "beneficiary_person__organization", "bundle",
)  # fmt: skip
_TYPED = ("reason", "still_needed_reason", "wanted_on", "wanted_until")


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def request_edit(request: ScopedRequest, pk: int) -> HttpResponse:
    """Change a request of one's own; a draft may be sent from here. A save that came second shows both versions."""
    this = _mine(request, pk)
    on = day_in(timezone.now(), EASTERN)
    form = _form(request, this, nobody=deciders_of(request.scope, [this], on).nobody)
    differing: list[dict[str, str]] = []
    if form.is_valid():
        try:
            done = _saved(request, this, form)
        except AccountRefused as exc:
            if exc.code == "nobody":  # as changed: it asked for the reason only if that was known before
                form = _form(request, this, nobody=True)
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            this = _mine(request, pk)
            if exc.code == "stale":
                differing = both_versions(form, this)
        else:
            say(request, done)
            return redirect(this)
    return render(request, "web/request_edit.html", _context(request, this, form, differing))


def _mine(request: ScopedRequest, pk: int) -> AccessRequest:
    """Return a request that the member may change. Raises Http404, and NotAllowed for somebody else's or one begun."""
    readable = AccessRequest.objects.visible_to(request.scope).select_related(*_READ_WITH)
    this = get_object_or_404(readable, pk=pk)
    if not is_me(request.scope, this.requester_person):
        raise NotAllowed("Only who asked changes the request. Write a comment on it instead.")
    if this.state not in _OPEN:
        raise NotAllowed("It is being carried out or has ended. Withdraw it where it still runs, and ask anew.")
    return this


def _form(request: ScopedRequest, this: AccessRequest, *, nobody: bool) -> ChangeForm:
    """Return the form; ``nobody``: it asks why the request goes on without a second person."""
    fixed = this.grant_id is not None or this.account_id is not None and this.kind != Kind.ADDITIONAL_ROLE
    on = day_in(timezone.now(), EASTERN)
    roles = SystemRole.objects.current().filter(system=this.system_id).order_by("position", "pk")
    if this.grant is not None:
        roles = roles.exclude(pk=this.grant.role_id)
    initial = {name: getattr(this, name) for name in _TYPED}
    facilities = None if fixed else places_to_ask(request.scope, this.beneficiary_person)
    moved = key_of(request.POST.get("facility", "")) if facilities is not None else None
    place = (facilities.filter(pk=moved).first() if facilities is not None and moved else None) or this.facility
    return ChangeForm(
        request.POST if request.method == "POST" else None,
        initial=initial | {"version": this.version, "role": this.role_id, "facility": this.facility_id},
        roles=roles if this.kind in NEEDS_APPROVAL else None,
        facilities=facilities,
        needs_reason=this.approval == Approved.NEEDED,
        closed=this.kind in NEEDS_OPEN_SYSTEM and closed_for(this.system, [place], on) is not None,
        lasting=this.kind in LASTING,
        removal=this.kind == Kind.REMOVAL,
        nobody=nobody,
    )


def _saved(request: ScopedRequest, this: AccessRequest, form: ChangeForm) -> str:
    """Store the change and, where that was pressed, send: all or nothing. Returns what was done, in words."""
    data, deed = form.cleaned_data, request.POST.get("deed", "")
    kept: dict[str, Any] = {name: getattr(this, name) for name in _TYPED}
    ask = Ask(
        kind=this.kind,
        system=this.system,
        facility=data.get("facility") or this.facility,
        beneficiary=this.beneficiary_person,
        role=data.get("role") or this.role,
        grant=this.grant,
        account=this.account,
        **(kept | form.typed),
    )
    with transaction.atomic():
        reason = data.get("unapproved_reason", "")
        changed = change(
            scope=request.scope, request=this, ask=ask, version=data["version"], at=timezone.now(),
            unapproved_reason=reason,
        )  # fmt: skip
        if changed.approval == Approved.UNAPPROVED and this.approval == Approved.NEEDED:
            return "The request goes on without a second person. A finding keeps that in the evidence."
        if changed.state != State.DRAFT:
            return "The changed request is saved. It is decided anew." if _decided(changed) else "The change is saved."
        if deed not in ("send", "send-all"):
            return "The draft is saved."
        sent = [changed, *(_siblings(changed) if deed == "send-all" else ())]
        submit(scope=request.scope, requests=sent, at=timezone.now(), unapproved_reason=reason)
    return f"{count_noun(len(sent), 'request,requests').capitalize()} sent."


def _decided(this: AccessRequest) -> bool:
    return this.approval == Approved.NEEDED


def _siblings(this: AccessRequest) -> list[AccessRequest]:
    """Return the other drafts of the same bundle."""
    if this.bundle_id is None:
        return []
    return list(AccessRequest.objects.filter(bundle=this.bundle_id, state=State.DRAFT).exclude(pk=this.pk))


def _question(this: AccessRequest) -> str:
    """Return what whoever decides wants to know; nothing where it was not sent back. One query at most."""
    if not was_sent_back(this):
        return ""
    asked = RequestNote.objects.filter(request=this, kind=RequestNote.Kind.SENT_BACK).order_by("-pk").first()
    return asked.text if asked else ""


def _context(
    request: ScopedRequest, this: AccessRequest, form: ChangeForm, differing: list[dict[str, str]]
) -> dict[str, Any]:
    now = timezone.now()
    page = this.get_absolute_url()
    return {
        "form": form,
        "this": this,
        "sentence": said(this),
        "question": _question(this),
        "line": lines_of(request.scope, [this], now)[0],
        "deciders": deciders_of(request.scope, [this], day_in(now, EASTERN)),
        "draft": this.state == State.DRAFT,
        "anew": this.state != State.DRAFT and this.approval == Approved.NEEDED,
        "siblings": len(_siblings(this)) if this.state == State.DRAFT else 0,
        "differing": differing,
        "back": page or request.path,
        "crumbs": [*request_crumbs(request), *([{"label": "Request", "url": page}] if page else [])],
    }
