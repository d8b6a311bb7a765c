"""Accepting an invitation: the one page that strangers may open with a link."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from facilities.models import Invitation
from facilities.models.tenancy import Role
from facilities.services.members import InvitationRefused, usable_invitation
from staff.services.members import accept_invitation
from users.models import User
from web.forms.settings import ROLE_WORDS, JoinForm
from web.limits import limited
from web.toasts import say

TRIES_A_MINUTE = 30


@never_cache
@login_not_required
@limited("join", TRIES_A_MINUTE)
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show what the invitation is for; POST makes the member and signs in."""
    try:
        invitation = usable_invitation(token=token, at=timezone.now())
    except InvitationRefused as exc:
        return _refused(request, exc)
    if request.user.is_authenticated:
        return _join_as_member(request, invitation)
    known = User.objects.filter(email=invitation.email).exists()
    if known:
        here = reverse("web:join", args=[token])
        sign_in = f"{reverse('account_login')}?{urlencode({'next': here})}"
        return render(request, "users/join.html", _context(invitation) | {"sign_in": sign_in})
    return _join_as_stranger(request, invitation)


def _join_as_member(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    user: Any = request.user
    other = user.email != invitation.email
    if request.method == "POST" and not other:
        try:
            accept_invitation(invitation=invitation, at=timezone.now(), user=user)
        except InvitationRefused as exc:
            return _refused(request, exc)
        say(request, f"You have joined {invitation.organization}.")
        return redirect(invitation.organization)
    return render(request, "users/join.html", _context(invitation) | {"signed_in": True, "other": other})


def _join_as_stranger(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None, email=invitation.email)
    if form.is_valid():
        try:
            membership = accept_invitation(invitation=invitation, at=timezone.now(), **form.cleaned_data)
        except InvitationRefused as exc:
            if exc.field not in form.fields:
                return _refused(request, exc)
            form.add_error(exc.field, exc.message)
        else:
            # The library's own way in: it records how and when, so that enrolling a factor asks nothing twice.
            login = Login(user=membership.user, redirect_url=invitation.organization.get_absolute_url())
            return perform_password_login(request, {"email": membership.user.email}, login)
    return render(request, "users/join.html", _context(invitation) | {"form": form})


def _context(invitation: Invitation) -> dict[str, Any]:
    return {"invitation": invitation, "role_words": ROLE_WORDS[Role(invitation.role)]}


def _refused(request: HttpRequest, exc: InvitationRefused) -> HttpResponse:
    status = 404 if exc.code == "unknown" else 410
    return render(request, "users/join.html", {"refused": exc.message, "code": exc.code}, status=status)
