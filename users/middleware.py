"""Signs people out after idle time (ROB-SESS-1 allows 30 minutes at most, ROB-SESS-2 asks for 15), and back in."""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme

SEEN = "seen_at"
_WRITE_EVERY = 60  # seconds; a session is saved at most once a minute


class IdleTimeout:
    """Log out a session idle for longer than IDLE_TIMEOUT seconds; background requests do not count as use."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = int(time.time())
            seen = request.session.get(SEEN, now)
            if now - seen > settings.IDLE_TIMEOUT:
                logout(request)
            elif (SEEN not in request.session or now - seen >= _WRITE_EVERY) and not _in_background(request):
                request.session[SEEN] = now
        return self.get_response(request)


class SignInFirst(LoginRequiredMiddleware):
    """Ask to sign in, and lead back to the page that was open; the address of a deed alone would show nothing."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:
        """Say of a deed that it was not done."""
        if request.method in ("GET", "HEAD"):
            return super().handle_no_permission(request, view_func)
        if "HX-Request" not in request.headers:  # a script throws this answer away and asks for the page itself
            messages.info(
                request, "You were signed out meanwhile, and what you pressed last was not done. Sign in to go on."
            )
        return redirect_to_login(_came_from(request), self.get_login_url(view_func))


def _came_from(request: HttpRequest) -> str:
    """Return the page of ours on which something was pressed, or the first page where the browser does not tell."""
    told = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(told, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    page = urlsplit(told)
    return f"{page.path}?{page.query}" if page.query else page.path


def _in_background(request: HttpRequest) -> bool:
    return request.headers.get("X-Portalkeeper-Background") == "1"
