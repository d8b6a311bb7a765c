"""What a search gives back: hits in groups, each hit a link and a sentence."""

from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse

from facilities.access import Scope

AT_MOST: Final = 8  # of each kind; the lists show the rest


@dataclass(frozen=True, slots=True)
class Hit:
    """One thing that was found: what it is called, what tells it from others, and its page."""

    title: str
    note: str
    url: str


@dataclass(slots=True)
class Group:
    """What was found of one kind; ``more_url``: the list that shows the rest, empty where there is none.

    ``looked_at`` says among what, where not everything was looked at.
    """

    key: str
    title: str
    hits: list[Hit] = field(default_factory=list)
    more_url: str = ""
    looked_at: str = ""


def first_of(scope: Scope, key: str, title: str, hits: list[Hit], asked: str) -> Group:
    """Return the group of the first hits of up to one more than are shown; the list of that kind shows the rest."""
    more = len(hits) > AT_MOST
    address = f"{reverse(f'web:{key}', args=[scope.organization.slug])}?{urlencode({'q': asked})}" if more else ""
    return Group(key, title, hits[:AT_MOST], address)


def note(*parts: str) -> str:
    """Return what is known of the parts as one line."""
    return " · ".join(part for part in parts if part)
