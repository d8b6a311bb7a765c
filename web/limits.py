"""Limits on how often: on guessing at pages that anybody may open, and on deeds of a member that cost something."""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

WINDOW = 60  # seconds


def limited(name: str, per_minute: int) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Answer 429 to an address that asks for this page more than ``per_minute`` times within a minute.

    The address is the one behind TRUSTED_PROXY_COUNT proxies, as for signing in.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def counted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if too_often(name, get_adapter(request).get_client_ip(request), per_minute):
                return render(request, "429.html", status=429)
            return view(request, *args, **kwargs)

        return counted

    return decorate


def too_often(name: str, who: object, per_minute: int) -> bool:
    """Count one more try of somebody (an address, a member's key); return whether it is one too many this minute."""
    # The minute is part of the key: a cache in the database puts off the end of a row that is counted up.
    key = f"limit:{name}:{who}:{int(time.time()) // WINDOW}"
    cache.add(key, 0, 2 * WINDOW)
    try:
        tries = cache.incr(key)
    except ValueError:  # the minute ended between the two
        tries = 1
    return bool(tries > per_minute)
