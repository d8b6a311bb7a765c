"""How an account is signed in with: proofing, second factor, and the tool that uses a person's ID."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.models import PortalAccount
from accounts.services.logins import is_own, places_of
from accounts.services.sign_in_facts import state_identity, state_tool
from facilities.access import Action, authorize
from systems.policy import latest_day
from web.forms.accounts import IdentityForm, ToolForm, VersionedForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.accounts import title_of
from web.views.logins import account_in_scope, crumbs


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_tool(request: ScopedRequest, pk: int) -> HttpResponse:
    """State which tool signs in with the account, or that none does."""
    scope, this = request.scope, _allowed(request, pk)
    title = title_of(is_own(scope, this), this)
    form = ToolForm(request.POST if request.method == "POST" else None, account=this)
    text = {
        "title": f"A tool that uses {title[:1].lower() + title[1:] if is_own(scope, this) else title}",
        "button": "Save what uses it",
        "explain": "A tool that signs in with a person’s ID stops when the system moves: everybody registers anew, and"
        " the second factor is the person’s own. Name it here so that somebody looks for another way in time.",
    }
    return _state(
        request, this, form, text, lambda at: state_tool(scope=scope, account=this, at=at, **form.cleaned_data)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_identity(request: ScopedRequest, pk: int) -> HttpResponse:
    """State how far proofing is at a sign-in authority, and the kind of second factor."""
    scope, this = request.scope, _allowed(request, pk)
    if this.system.sign_in_via_id is not None:
        raise Http404("Both belong to the account that this one signs in through.")
    title = title_of(is_own(scope, this), this)
    data = request.POST if request.method == "POST" else None
    form = IdentityForm(data, account=this, latest=latest_day(timezone.now()))
    text = {
        "title": f"{title}: identity and second factor",
        "button": "Save how far they are",
        "explain": "Roles on other systems wait for both. Only how far they are is kept: no number, no answer, no key.",
    }
    return _state(
        request, this, form, text, lambda at: state_identity(scope=scope, account=this, at=at, **form.cleaned_data)
    )


def _allowed(request: ScopedRequest, pk: int) -> PortalAccount:
    this = account_in_scope(request.scope, pk)
    authorize(request.scope, Action.KEEP_ACCOUNT, places_of(this), own=is_own(request.scope, this))
    return this


def _asked_from(request: ScopedRequest) -> str:
    """Return the request (or the page that asks) that led here, which goes on once this is said; else nothing."""
    then = request.GET.get("then", "")
    return then if then.startswith(reverse("web:requests", args=[request.scope.organization.slug])) else ""


def _state(
    request: ScopedRequest,
    this: PortalAccount,
    form: VersionedForm,
    text: dict[str, Any],
    deed: Callable[[datetime], PortalAccount],
) -> HttpResponse:
    """Do the deed of a valid form; a refusal stands beside its field with what was typed."""
    scope, back = request.scope, _asked_from(request) or this.get_absolute_url()
    if form.is_valid():
        try:
            deed(timezone.now())
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            form.show_version(account_in_scope(scope, this.pk).version)
        else:
            say(request, f"{title_of(is_own(scope, this), this)} saved.")
            return redirect(back)
    context = {"form": form, "text": text, "back": back, "crumbs": crumbs(scope, this)}
    return render(request, "web/deed.html", context)
