"""Deliver digests: claimed in batches with a lease, sent over one connection, outcomes written down.

The network is never touched inside a transaction. A run that dies after sending and before writing it down leaves
its lease; when that has ended the digest goes out again, with the same Message-ID, so that the copy is known as one.
"""

import logging
import smtplib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast, Concat

from audit.bulk import among
from audit.services import Ref, record_digest
from reminders.models import Delivery, Digest, MailHold, Reminder, TrialMail
from reminders.truth import true
from systems.policy import EASTERN, day_in

BATCH: Final = 100
LEASE: Final = timedelta(minutes=10)
FIRST_RETRY: Final = timedelta(minutes=5)
LONGEST_RETRY: Final = timedelta(hours=2)
SWEEP: Final = Ref("system:delivery", "mail delivery")
_PERMANENT: Final = 500  # SMTP replies from here on are for good (RFC 5321 section 4.2.1)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Counts of one run. ``problem``: why mail could not leave at all; empty when it could."""

    sent: int = 0
    superseded: int = 0
    failed: int = 0
    deferred: int = 0
    problem: str = ""


@dataclass(slots=True)
class _Outcomes:
    """What came of the digests of one batch."""

    of: list[tuple[Digest, str, str]] = field(default_factory=list)
    problem: str = ""

    def count(self, outcome: str) -> int:
        return sum(1 for _, each, _ in self.of if each == outcome)


class _MailBytes:
    """A stored MIME text in the manner of Django's mail messages: exactly what was stored, whatever the backend."""

    def __init__(self, text: str) -> None:
        self._text = text

    def as_bytes(self, unixfrom: bool = False, linesep: str = "\n") -> bytes:
        return self._text.replace("\n", linesep).encode()

    def as_string(self, unixfrom: bool = False, linesep: str = "\n") -> str:
        return self._text.replace("\n", linesep)

    def get_charset(self) -> None:
        return None


class StoredMail(EmailMessage):
    """A digest's message (or that of a test) as stored; nothing of it is made again."""

    def __init__(self, digest: Digest | TrialMail) -> None:
        super().__init__(digest.subject, "", settings.DEFAULT_FROM_EMAIL, [digest.address])
        self._bytes = _MailBytes(digest.message)

    def message(self, *, policy: Any = None) -> Any:
        """Return the stored MIME text."""
        return self._bytes


def mail_held() -> bool:
    """Return whether all mail is held, as after a restore."""
    return MailHold.objects.filter(released_at=None).exists()


def deliver(*, at: datetime) -> Delivered:
    """Send what is ready; nothing while mail is held. Safe to repeat: what was accepted is never sent again.

    A recipient refused for good sets its digest aside and the run goes on; a temporary failure is tried again
    later; when the mail server cannot be reached nothing is claimed and ``problem`` says so.
    """
    if mail_held():
        return Delivered()
    superseded = _withdraw_moot(at)
    if not _outbox(at).exists():
        return Delivered(superseded=superseded)
    mailer = get_connection()
    sent = failed = deferred = 0
    try:
        problem = _open(mailer)
        while not problem and (batch := _claim(at)):
            outcomes = _send_all(mailer, batch)
            _write_down(batch, outcomes, at)
            sent += outcomes.count(Delivery.Outcome.SENT)
            failed += outcomes.count(Delivery.Outcome.REFUSED)
            deferred += outcomes.count(Delivery.Outcome.DEFERRED)
            problem = outcomes.problem
    finally:
        _close(mailer)
    return Delivered(sent, superseded, failed, deferred, problem)


def _outbox(at: datetime) -> QuerySet[Digest]:
    free = Q(leased_until=None) | Q(leased_until__lte=at)
    waited = Q(retry_at=None) | Q(retry_at__lte=at)
    return Digest.objects.filter(free, waited, state=Digest.State.READY)


def _withdraw_moot(at: datetime) -> int:
    """Take back waiting digests of an earlier run that have nothing true left to say. Returns how many."""
    waiting = Digest.objects.filter(state=Digest.State.READY, leased_until=None, created_at__lt=at)
    if not waiting.exists():
        return 0
    said = Reminder.objects.filter(digest=OuterRef("pk"))
    nothing_left = [~Exists(rows) for rows in true(said, day_in(at, EASTERN))]
    with transaction.atomic():
        moot = list(waiting.filter(*nothing_left).select_for_update().values_list("pk", flat=True))
        if moot:
            Reminder.objects.filter(digest__in=among(moot)).update(state=Reminder.State.SUPERSEDED)
            Digest.objects.filter(pk__in=among(moot)).update(state=Digest.State.WITHDRAWN, retry_at=None)
    return len(moot)


def _claim(at: datetime) -> list[Digest]:
    """Claim the next digests: compare-and-set under a token of our own, then read what bears it."""
    token = uuid.uuid4().hex
    due = list(_outbox(at).order_by("pk").values_list("pk", flat=True)[:BATCH])
    if not due:
        return []
    _outbox(at).filter(pk__in=due).update(lease=token, leased_until=at + LEASE, attempts=F("attempts") + 1)
    return list(Digest.objects.filter(pk__in=due, lease=token).order_by("pk"))


def _send_all(mailer: BaseEmailBackend, batch: Sequence[Digest]) -> _Outcomes:
    outcomes = _Outcomes()
    for digest in batch:
        outcome, detail = _send(mailer, digest)
        outcomes.of.append((digest, outcome, detail))
        if outcome != Delivery.Outcome.DEFERRED:
            continue
        if detail.startswith(smtplib.SMTPSenderRefused.__name__):
            outcomes.problem = "the mail server refuses our sender; see DEFAULT_FROM_EMAIL"
        elif not _alive(mailer):
            _close(mailer)
            outcomes.problem = _open(mailer)
        if outcomes.problem:
            break
    return outcomes


def hand_over(mail: TrialMail) -> tuple[str, str]:
    """Hand one stored mail over now, outside any transaction. Returns the outcome and its reason, as `_send` does."""
    mailer = get_connection()
    try:
        problem = _open(mailer)
        return (Delivery.Outcome.DEFERRED, problem) if problem else _send(mailer, mail)
    finally:
        _close(mailer)


def _send(mailer: BaseEmailBackend, digest: Digest | TrialMail) -> tuple[str, str]:
    """Hand one digest over. Returns the outcome and its reason, which never holds an address."""
    outcome = Delivery.Outcome
    try:
        sent = mailer.send_messages([StoredMail(digest)])
    except smtplib.SMTPRecipientsRefused as exc:
        code = max((code for code, _ in exc.recipients.values()), default=_PERMANENT)
        return (outcome.REFUSED if code >= _PERMANENT else outcome.DEFERRED), f"recipient refused: {code}"
    except smtplib.SMTPDataError as exc:
        return (outcome.REFUSED if exc.smtp_code >= _PERMANENT else outcome.DEFERRED), f"mail refused: {exc.smtp_code}"
    except smtplib.SMTPResponseException as exc:  # about us or the connection, not about this mail
        return outcome.DEFERRED, f"{type(exc).__name__}: {exc.smtp_code}"
    except (smtplib.SMTPException, OSError) as exc:
        return outcome.DEFERRED, type(exc).__name__
    except Exception as exc:  # a digest that no backend can take is set aside; the run goes on
        _log.error("a digest could not be handed over (%s); it is set aside", type(exc).__name__)
        return outcome.REFUSED, f"cannot be sent: {type(exc).__name__}"
    return (outcome.SENT, "") if sent else (outcome.REFUSED, "no address")


def _write_down(batch: Sequence[Digest], outcomes: _Outcomes, at: datetime) -> None:
    """Store what came of a batch and free what was not tried."""
    told = {digest.pk for digest, _, _ in outcomes.of}
    untried = [digest.pk for digest in batch if digest.pk not in told]
    sent = [digest.pk for digest, outcome, _ in outcomes.of if outcome == Delivery.Outcome.SENT]
    refused = [digest.pk for digest, outcome, _ in outcomes.of if outcome == Delivery.Outcome.REFUSED]
    free: dict[str, Any] = {"lease": "", "leased_until": None}
    with transaction.atomic():
        Delivery.objects.bulk_create(
            Delivery(organization_id=digest.organization_id, digest=digest, at=at, outcome=outcome, detail=detail[:300])
            for digest, outcome, detail in outcomes.of
        )
        Digest.objects.filter(pk__in=sent).update(state=Digest.State.SENT, sent_at=at, retry_at=None, **free)
        Digest.objects.filter(pk__in=refused).update(state=Digest.State.FAILED, retry_at=None, **free)
        Digest.objects.filter(pk__in=untried).update(attempts=F("attempts") - 1, **free)
        for digest, outcome, _ in outcomes.of:
            if outcome == Delivery.Outcome.DEFERRED:
                retry_at = at + min(FIRST_RETRY * 2 ** (digest.attempts - 1), LONGEST_RETRY)
                Digest.objects.filter(pk=digest.pk).update(retry_at=retry_at, **free)
        if sent:
            rows = Digest.objects.filter(pk__in=sent).annotate(
                chain=Concat(Value("organization:"), Cast("organization_id", CharField())),
                subject_key=Concat(Value("digest:"), Cast("pk", CharField())),
            )
            record_digest(action="digests.sent", actor=SWEEP, subject=Ref("channel:email", "E-mail"), at=at, rows=rows)


def _open(mailer: BaseEmailBackend) -> str:
    """Open the connection; return why it could not be, empty when it could."""
    try:
        mailer.open()
    except (smtplib.SMTPException, OSError) as exc:
        _log.error("the mail server cannot be used: %s", type(exc).__name__)
        return f"the mail server cannot be used: {type(exc).__name__}"
    return ""


def _alive(mailer: BaseEmailBackend) -> bool:
    """Return whether an SMTP connection still answers; other channels have none that could break."""
    smtp = getattr(mailer, "connection", None)
    if not isinstance(smtp, smtplib.SMTP):
        return True
    try:
        return smtp.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _close(mailer: BaseEmailBackend) -> None:
    try:
        mailer.close()
    except (smtplib.SMTPException, OSError) as exc:
        _log.info("the mail connection ended badly: %s", type(exc).__name__)
