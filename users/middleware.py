"""Signs people out after idle time (ROB-SESS-1 allows 30 minutes at most, ROB-SESS-2 asks for 15)."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse

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


def _in_background(request: HttpRequest) -> bool:
    return request.headers.get("X-Portalkeeper-Background") == "1"
