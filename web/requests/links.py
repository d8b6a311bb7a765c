"""Addresses of pages about requests."""

from django.urls import NoReverseMatch, reverse


def link_to(name: str, *args: object) -> str | None:
    """Return the path of a page, or None where there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None
