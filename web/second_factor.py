"""Deeds that need a second factor say so, and lead to it."""

from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from users.factors import has_second_factor, used_second_factor
from web.toasts import say


def asked_for_factor(request: HttpRequest, *, deed: str, back: str, fresh: bool = False) -> HttpResponse | None:
    """Return where to go first, or None in a session that was opened with a second factor; ``fresh``: just now.

    ``deed`` continues "Before you can"; ``back`` is the page of ours on which it is tried again.
    """
    if used_second_factor(request, fresh=fresh):
        return None
    if has_second_factor(request):
        say(request, f"Before you can {deed}, confirm your second factor. Then try again.", level=messages.INFO)
        return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': back})}")
    message = (
        f"Before you can {deed}, set up a second factor: an app on your phone, or a key. Then come back and try again."
    )
    ways = {"deed_url": reverse("mfa_index"), "deed": "Set up a second factor", "back": back}
    return render(request, "403.html", {"message": message, **ways}, status=403)
