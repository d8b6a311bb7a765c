"""Addresses of deeds on requests."""

from django.urls import NoReverseMatch, reverse


def link_to(name: str, *args: object) -> str | None:
    """Return the path of ``web:<name>``, or None where there is no such page."""
    try:
        return reverse(f"web:{name}", args=args)
    except NoReverseMatch:
        return None
