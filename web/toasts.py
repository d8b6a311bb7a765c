"""Tells what was done on the next page, with the deed that undoes it."""

from django.contrib import messages
from django.http import HttpRequest


def say(
    request: HttpRequest, text: str, *, undo_url: str = "", more_url: str = "", level: int = messages.SUCCESS
) -> None:
    """Show ``text`` once; with ``undo_url`` (a path of ours that takes POST) an Undo button stands beside it.

    ``more_url``: the page of what the text tells of. Raises ValueError for an address that is not a plain path of
    this site.
    """
    tags = {"undo": undo_url, "more": more_url}
    for url in filter(None, tags.values()):
        if not url.startswith("/") or url.startswith("//") or " " in url:
            raise ValueError(f"not a path of ours: {url!r}")
    messages.add_message(request, level, text, extra_tags=" ".join(f"{tag}={url}" for tag, url in tags.items() if url))
