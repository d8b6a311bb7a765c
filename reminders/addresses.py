"""Links in mails: they start at SITE_URL, never at the Host header of some request."""

from functools import lru_cache

from django.conf import settings
from django.urls import NoReverseMatch, reverse

_ANY = 987_654_321  # stands for a key while the pattern of an address is looked up


@lru_cache(maxsize=4096)
def _pattern(name: str, slug: str) -> tuple[str, str]:
    head, _, tail = reverse(name, args=[slug, _ANY]).partition(str(_ANY))
    return head, tail


def link_to(name: str, slug: str, pk: int) -> str:
    """Return the absolute address of an object's page in an organization; `name` as for `reverse`."""
    head, tail = _pattern(name, slug)
    return f"{settings.SITE_URL}{head}{pk}{tail}"


def page_of_request(slug: str, request: int, place: int) -> str:
    """Return the path of a request's page, of its facility where there is no such page."""
    try:
        return reverse("web:request", args=[slug, request])
    except NoReverseMatch:
        return reverse("web:facility", args=[slug, place])


def link_to_request(slug: str, request: int, place: int) -> str:
    """Return the absolute address of a request's page."""
    return f"{settings.SITE_URL}{page_of_request(slug, request, place)}"


def link_to_page(name: str, slug: str) -> str:
    """Return the absolute address of a page that an organization has once, such as its Today."""
    return f"{settings.SITE_URL}{_page(name, slug)}"


def link_to_today(slug: str) -> str:
    """Return the absolute address of the organization's Today."""
    return link_to_page("web:today", slug)


@lru_cache(maxsize=4096)
def _page(name: str, slug: str) -> str:
    return reverse(name, args=[slug])
