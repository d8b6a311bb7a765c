"""Links between the pages of requests."""

from django.urls import NoReverseMatch, reverse


def link_to(name: str, *args: object) -> str | None:
    """Return the address of a page, or None where there is no such page."""
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return None
