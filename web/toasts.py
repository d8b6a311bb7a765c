"""Tells what was done on the next page, with the deed that undoes it."""

from django.contrib import messages
from django.http import HttpRequest


def say(request: HttpRequest, text: str, *, undo_url: str = "", level: int = messages.SUCCESS) -> None:
    """Show ``text`` once; with ``undo_url`` (a path of ours that takes POST) an Undo button stands beside it.

    Raises ValueError for an address that is not a plain path of this site.
    """
    if undo_url and (not undo_url.startswith("/") or undo_url.startswith("//") or " " in undo_url):
        raise ValueError(f"not a path of ours: {undo_url!r}")
    messages.add_message(request, level, text, extra_tags=f"undo={undo_url}" if undo_url else "")
