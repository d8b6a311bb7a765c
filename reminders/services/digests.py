"""Assemble digests: what is planned becomes one mail per person and local day, written down before it is sent."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import CharField, Exists, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from audit.bulk import among
from audit.services import Ref, record_digest
from facilities.models import Organization
from reminders.compose import Mail, compose, message_id_of
from reminders.letter import Addressee, Letter
from reminders.letters import write_letters
from reminders.models import Delivery, Digest, MailPreference, Reminder
from reminders.truth import said_by_another, untrue
from reminders.zones import local_time
from staff.models import Person
from systems.policy import EASTERN, day_in

HOUR: Final = 6  # no mail before, unless the person wants it earlier
BATCH: Final = 250  # people per transaction; their mails are in memory together
SWEEP: Final = Ref("system:digests", "digests")
_log = logging.getLogger(__name__)
_Cursor = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Assembled:
    """Counts of one run: digests written, reminders no longer true, digests that could not be written."""

    planned: int = 0
    superseded: int = 0
    failed: int = 0

    def __add__(self, other: "Assembled") -> "Assembled":
        return Assembled(self.planned + other.planned, self.superseded + other.superseded, self.failed + other.failed)


def assemble(*, at: datetime) -> Assembled:
    """Write the digests that are due at an instant: one per person and local day, not before the person's hour.

    What a login or an end has made untrue since it was planned is superseded first; who has nothing left gets no
    mail. Each batch commits alone, a rerun goes on from there, and a repeated run writes nothing.
    """
    total = Assembled()
    for zone, local_on, hour in _clocks(at):
        _withdraw_older(zone, local_on, hour)
        for people in _batches(zone, local_on, hour):
            with transaction.atomic():
                total += _write(people, local_on, at)
    return total


def _clocks(at: datetime) -> Iterator[tuple[str, date, int]]:
    """Yield (zone as stored, local day, local hour); a zone nobody knows runs on Eastern time."""
    stored = set(Organization.objects.order_by().values_list("zone", flat=True).distinct())
    stored |= set(MailPreference.objects.order_by().values_list("zone", flat=True).distinct())
    for zone in sorted(stored):
        local = local_time(at, zone)
        yield zone, local.date(), local.hour


def _recipients(zone: str, local_on: date, hour: int) -> QuerySet[Person]:
    """Return the people of a zone whose hour has come, who are not snoozed, in organizations that have started."""
    awake = Q(mail_preference__snoozed_until_on=None) | Q(mail_preference__snoozed_until_on__lt=local_on)
    return (
        Person.objects.annotate(
            mail_zone=Coalesce("mail_preference__zone", "organization__zone"),
            mail_hour=Coalesce("mail_preference__hour", Value(HOUR)),
        )
        .filter(awake, mail_zone=zone, mail_hour__lte=hour, organization__reminders_started_at__isnull=False)
        .exclude(email="")
    )


def _batches(zone: str, local_on: date, hour: int) -> Iterator[list[Addressee]]:
    digests = Digest.objects.filter(person=OuterRef("pk"))
    waiting = Reminder.objects.filter(recipient=OuterRef("pk"), state=Reminder.State.PLANNED)
    due = _recipients(zone, local_on, hour).filter(Exists(waiting), ~Exists(digests.filter(local_on=local_on)))
    due = due.annotate(had_mail=Exists(digests.filter(state=Digest.State.SENT))).order_by("organization_id", "pk")
    after: _Cursor = (0, 0)
    while True:
        rest = due.filter(Q(organization_id__gt=after[0]) | Q(organization_id=after[0], pk__gt=after[1]))
        people = [
            Addressee(*row[:-1], local_on, row[-1])
            for row in rest.values_list(
                "pk", "organization_id", "organization__name", "organization__slug", "first_name", "email", "had_mail"
            )[:BATCH]
        ]
        if not people:
            return
        yield people
        after = (people[-1].organization_id, people[-1].person_id)


def _withdraw_older(zone: str, local_on: date, hour: int) -> int:
    """Take back digests of earlier days that never left: today's mail says what is still true of them.

    One that may have left (its sender died before it could tell) stays, and is sent again under the same Message-ID.
    """
    older = Digest.objects.filter(state=Digest.State.READY, local_on__lt=local_on, leased_until=None)
    older = older.filter(person__in=_recipients(zone, local_on, hour).order_by().values("pk"))
    with transaction.atomic():
        gone = list(older.select_for_update().values_list("pk", flat=True))
        if gone:
            Reminder.objects.filter(digest__in=among(gone)).update(state=Reminder.State.PLANNED, digest=None)
            Digest.objects.filter(pk__in=among(gone)).update(state=Digest.State.WITHDRAWN, retry_at=None)
    return len(gone)


def _write(people: Sequence[Addressee], local_on: date, at: datetime) -> Assembled:
    """Write the digests of these people and tie their reminders to them, inside the caller's transaction."""
    ids = [to.person_id for to in people]
    waiting = Reminder.objects.filter(state=Reminder.State.PLANNED, recipient__in=ids)
    superseded = settle(waiting, at)
    written, failed = _compose_all(people, at)
    Digest.objects.bulk_create([_row(mail, at) for mail in written], batch_size=100)
    _set_aside(failed, at)
    ready = Digest.objects.filter(person__in=ids, local_on=local_on, state=Digest.State.READY)
    own = ready.filter(person=OuterRef("recipient"))
    waiting.filter(Exists(own)).update(state=Reminder.State.IN_DIGEST, digest=Subquery(own.values("pk")[:1]))
    if written:
        rows = ready.annotate(
            chain=Concat(Value("organization:"), Cast("organization_id", CharField())),
            subject_key=Concat(Value("digest:"), Cast("pk", CharField())),
        )
        about = Ref(f"day:{local_on.isoformat()}", f"Mails of {local_on.isoformat()}")
        record_digest(action="digests.assembled", actor=SWEEP, subject=about, at=at, rows=rows)
    return Assembled(len(written), superseded, len(failed))


def settle(waiting: QuerySet[Reminder], at: datetime) -> int:
    """Take out of what is planned what is untrue by now (returns how many) or said by a later or worse one."""
    superseded = sum(rows.update(state=Reminder.State.SUPERSEDED) for rows in untrue(waiting, day_in(at, EASTERN)))
    waiting.filter(said_by_another()).update(state=Reminder.State.SKIPPED)
    return superseded


def _compose_all(people: Sequence[Addressee], at: datetime) -> tuple[list[Mail], list[tuple[Addressee, str]]]:
    written: list[Mail] = []
    failed: list[tuple[Addressee, str]] = []
    for letter in write_letters(people, at=at):
        if not isinstance(letter, Letter):
            to, problem = letter
            failed.append((to, type(problem).__name__))
            continue
        try:
            written.append(compose(letter, at=at))
        except Exception as exc:  # one mail that cannot be written stops no other
            failed.append((letter.to, type(exc).__name__))
    return written, failed


def _row(mail: Mail, at: datetime) -> Digest:
    return Digest(
        organization_id=mail.to.organization_id,
        person_id=mail.to.person_id,
        local_on=mail.to.local_on,
        address=mail.to.address,
        subject=mail.subject[:200],
        message=mail.message,
        message_sha256=mail.digest,
        message_id=mail.message_id,
        created_at=at,
    )


def _set_aside(failed: Sequence[tuple[Addressee, str]], at: datetime) -> None:
    """Keep what could not be written as a failed digest, so that it is reported and tried again tomorrow, not now."""
    for to, problem in failed:
        _log.error("a digest could not be written (%s); it is set aside", problem)
        digest = Digest.objects.create(
            organization_id=to.organization_id,
            person_id=to.person_id,
            local_on=to.local_on,
            address=to.address,
            subject="",
            message="",
            message_sha256="",
            message_id=message_id_of(to),
            state=Digest.State.FAILED,
            created_at=at,
        )
        Delivery.objects.create(
            organization_id=to.organization_id,
            digest=digest,
            at=at,
            outcome=Delivery.Outcome.REFUSED,
            detail=f"could not be written: {problem}",
        )
