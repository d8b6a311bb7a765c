"""The secret address of a member's calendar: made, replaced, ended, and looked up when a calendar asks."""

import hashlib
import secrets
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.db import transaction

from audit.services import Ref, record
from facilities.access import Scope
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.audience import has_left
from reminders.errors import FeedRefused
from reminders.models import CalendarFeed
from staff.models import Person
from systems.policy import EASTERN, day_in

_UNTIED: Final = "Your sign-in is not tied to a person here, so there are no dates of yours to send."
_LEFT: Final = "By the record you do not work here any more, so there are no dates of yours to send."


@dataclass(frozen=True, slots=True)
class IssuedFeed:
    """A new feed with the token that is shown once and never stored."""

    feed: CalendarFeed
    token: str


def feed_of(scope: Scope) -> CalendarFeed | None:
    """Return the member's feed in force; one from before she was away from the organization is none. Two queries."""
    mine = CalendarFeed.objects.filter(organization=scope.organization, user=scope.user_id, ended_at=None)
    feed = mine.select_related("person").first()
    return feed if feed and _member_ever_since(feed) else None


def person_with_dates(scope: Scope, at: datetime) -> Person:
    """Return the person that the member is. One query.

    Raises FeedRefused with code ``untied`` where nobody confirmed who she is, ``left`` after her last day.
    """
    left = has_left(day_in(at, EASTERN), "pk")
    mine = Person.objects.filter(organization=scope.organization, user=scope.user_id, user_confirmed_at__isnull=False)
    found = mine.annotate(gone=left).first() if scope.user_id is not None else None
    if found is None:
        raise FeedRefused("untied", _UNTIED)
    if found.gone:
        raise FeedRefused("left", _LEFT)
    return found


def looking_after(scope: Scope) -> Scope | None:
    """Return the scope in which the member looks after other people's dates; None for holders and mere readers."""
    working = replace(scope, roles=frozenset(each for each in scope.roles if each[0] != Role.AUDITOR))
    return None if working.reads == frozenset() else working


def make_feed(*, scope: Scope, facilities: bool, at: datetime) -> IssuedFeed:
    """Make the member's address; one she had ends at once. Raises FeedRefused."""
    assert scope.user_id is not None
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        person = (
            Person.objects.select_for_update(of=("self",))
            .select_related("user")
            .get(pk=person_with_dates(scope, at).pk)
        )
        _end(scope, CalendarFeed.objects.filter(person=person, ended_at=None).first(), at)
        feed = CalendarFeed.objects.create(
            organization=scope.organization,
            person=person,
            user_id=scope.user_id,
            token_hash=_hash(token),
            facilities=facilities and looking_after(scope) is not None,
            created_at=at,
        )
        _record(scope, feed, "calendar.made", at)
    return IssuedFeed(feed, token)


def choose_dates(*, scope: Scope, facilities: bool, at: datetime) -> bool:
    """Say what the member's calendar gets; the address stays. Returns False when nothing changed."""
    with transaction.atomic():
        feed = feed_of(scope)
        wanted = facilities and looking_after(scope) is not None
        if feed is None:
            return False
        running = CalendarFeed.objects.filter(pk=feed.pk, ended_at=None, facilities=not wanted)
        if not running.update(facilities=wanted):
            return False
        feed.facilities = wanted
        _record(scope, feed, "calendar.changed", at)
    return True


def end_feed(*, scope: Scope, at: datetime) -> bool:
    """End the member's address at once. Returns False when there was none."""
    with transaction.atomic():
        return _end(scope, feed_of(scope), at)


def usable_feed(*, token: str, at: datetime) -> tuple[CalendarFeed, Scope] | None:
    """Return the feed behind a token with what its member may read now; None for whatever has to look unknown.

    That is: no such token, ended or replaced, no member any more, inactive, another person's, or after her last day.
    Who was no member for a while needs a new address: the old one may lie in a calendar she had to give back.
    Five queries at most.
    """
    running = CalendarFeed.objects.filter(token_hash=_hash(token), ended_at=None, user__is_active=True)
    feed = running.select_related("organization", "person", "user").first()
    scope = Scope.of(feed.user, feed.organization) if feed else None
    if feed is None or scope is None or not _member_ever_since(feed):
        return None
    try:
        person = person_with_dates(scope, at)
    except FeedRefused:
        return None
    return (feed, scope) if person.pk == feed.person_id else None


def _member_ever_since(feed: CalendarFeed) -> bool:
    """Return whether at every moment from the making of the feed until now some membership of its user was open."""
    memberships = Membership.objects.filter(user=feed.user_id, organization=feed.organization_id)
    reached = feed.created_at
    for began, ended in memberships.order_by("created_at").values_list("created_at", "ended_at"):
        if began > reached:
            return False
        if ended is None:
            return True
        reached = max(reached, ended)
    return False


def _end(scope: Scope, feed: CalendarFeed | None, at: datetime) -> bool:
    if feed is None or not CalendarFeed.objects.filter(pk=feed.pk, ended_at=None).update(ended_at=at):
        return False
    _record(scope, feed, "calendar.ended", at)
    return True


def _record(scope: Scope, feed: CalendarFeed, action: str, at: datetime) -> None:
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(feed.key, str(feed.person)),
        at=at,
        payload={"person": feed.person.key, "facilities": feed.facilities},
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
