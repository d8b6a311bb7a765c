"""Test digests: what a member would be told today, to her own address, without a trace in the ledger."""

import logging
import uuid
from datetime import datetime

from django.db import IntegrityError, OperationalError, transaction

from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.errors import FacilitiesError
from facilities.models import Facility
from reminders.compose import Mail, compose
from reminders.letter import Addressee, Letter
from reminders.letters import write_letters
from reminders.models import Delivery, Digest, Reminder, TrialMail
from reminders.services.deliver import hand_over, mail_held
from reminders.services.digests import settle
from reminders.services.plan import would_be_told
from reminders.services.plan_findings import would_be_told_of_findings
from reminders.services.plan_handed import would_be_told_of_hand_overs
from reminders.trial_letters import as_trial, sample_letter, with_real_address
from reminders.zones import local_time
from staff.models import Person
from users.models import User

_log = logging.getLogger(__name__)


class TrialRefused(FacilitiesError):
    """A test digest that cannot be sent now."""


def send_trial(*, scope: Scope, facility: Facility | None = None, at: datetime) -> TrialMail:
    """Send the acting member a test digest; works before reminders are started. Returns what came of it.

    ``facility``: whose administrator asks; whoever administers the organization asks for all of them. The mail is
    stored before it is sent, and both are recorded. Raises NotAllowed, and TrialRefused while all mail is held, for
    nobody's scope, and for one whose person has no e-mail. Call it outside any transaction.
    """
    authorize(scope, Action.LEAD_FIRST_HOUR, [facility.pk] if facility else [])
    user = User.objects.filter(pk=scope.user_id or 0).first()
    if user is None:
        raise TrialRefused("A command has no address to send a test digest to.")
    if mail_held():
        raise TrialRefused("All mail is on hold, as after a restore. Release it first; then ask again.")
    at_large = scope.acts_at(Action.LEAD_FIRST_HOUR) is None
    trial = _store(scope, user, None if at_large else facility, at)
    outcome, detail = hand_over(trial)
    return _write_down(scope, trial, outcome, detail, at)


def real_address(trial: TrialMail) -> str:
    """Return where the asker's digests go if not to where the test went, else empty. One query."""
    return _elsewhere(trial.user, _person_of(trial.organization_id, trial.user_id))


def _person_of(organization: int, user: int) -> Person | None:
    return Person.objects.filter(organization=organization, user=user).first()


def _elsewhere(user: User, person: Person | None) -> str:
    return person.email if person and person.email.casefold() != user.email.casefold() else ""


def _store(scope: Scope, user: User, facility: Facility | None, at: datetime) -> TrialMail:
    key = uuid.uuid4().hex
    person = _person_of(scope.organization.pk, user.pk)
    if person and not person.email:  # `assemble` leaves her out: a sample would promise mail that never comes
        said = "Your entry under People has no work e-mail, so no digest can reach you. Enter it there; then ask again."
        raise TrialRefused(said)
    to = _addressee(scope, user, person, at)
    real = _what_is_due(scope, to, at) if person else None
    letter = as_trial(real, key=key) if real else sample_letter(to, key=key, at=at)
    letter = with_real_address(letter, _elsewhere(user, person))
    mail = compose(letter, at=at)
    with transaction.atomic():
        trial = TrialMail.objects.create(
            organization=scope.organization,
            facility=facility,
            user=user,
            sample=real is None,
            created_at=at,
            **_kept(mail),
        )
        _record(scope, trial, "test-digest.written", at)
    return trial


def _kept(mail: Mail) -> dict[str, str]:
    return {
        "address": mail.to.address,
        "subject": mail.subject[:200],
        "message": mail.message,
        "message_sha256": mail.digest,
        "message_id": mail.message_id,
    }


def _addressee(scope: Scope, user: User, person: Person | None, at: datetime) -> Addressee:
    organization = scope.organization
    name = person.first_name if person else user.name.partition(" ")[0]
    local_on = local_time(at, organization.zone).date()
    who = person.pk if person else 0
    return Addressee(who, organization.pk, organization.name, organization.slug, name, user.email, local_on, False)


def _what_is_due(scope: Scope, to: Addressee, at: datetime) -> Letter | None:
    """Return what today's digest says or would say, None where that is nothing.

    It is planned and written as every digest is, in a transaction of which nothing stays: so a test cannot say
    anything else than the real one, and the ledger does not know of it.
    """
    try:
        letters = _letters(scope, to, at)
    except (IntegrityError, OperationalError) as exc:  # a tick has planned the same meanwhile, or both waited in a ring
        raise TrialRefused("Today’s mails are just being planned. Nothing was sent; ask again in a minute.") from exc
    for letter in letters:
        if not isinstance(letter, Letter):
            _log.error("a test digest could not be written (%s)", type(letter[1]).__name__)
            raise TrialRefused("Today’s digest could not be written. Nothing was sent; the log says more.")
        return letter
    return None


def _letters(scope: Scope, to: Addressee, at: datetime) -> list[Letter | tuple[Addressee, Exception]]:
    waiting = Reminder.objects.filter(recipient=to.person_id, state=Reminder.State.PLANNED)
    planned = _planned(scope, to, at)  # asked before anything is locked: it takes the longest
    with transaction.atomic():
        told = Digest.objects.filter(person=to.person_id, local_on=to.local_on)
        Reminder.objects.filter(digest__in=told.values("pk")).update(state=Reminder.State.PLANNED, digest=None)
        Reminder.objects.bulk_create(planned)
        settle(waiting, at)
        letters = list(write_letters([to], at=at))
        transaction.set_rollback(True)
    return letters


def _planned(scope: Scope, to: Addressee, at: datetime) -> list[Reminder]:
    """Return what is to be planned by the order of its unique key, so that two tests lock it in the same order."""
    organization, person = scope.organization, to.person_id
    dates = would_be_told(organization=organization.pk, person=person, at=at)
    wrong = would_be_told_of_findings(organization=organization, person=person, at=at)
    handed = would_be_told_of_hand_overs(organization=organization, person=person, at=at)
    keyed: list[dict[str, int]]
    keyed = [{"deadline_id": key, "cycle": cycle, "step": step} for key, cycle, step in sorted(dates)]
    keyed += [{"finding_id": key, "cycle": cycle, "step": step} for key, cycle, step in sorted(wrong)]
    keyed += [{"hand_over_id": key, "cycle": 1, "step": 0} for key in sorted(handed)]
    return [Reminder(organization=organization, recipient_id=person, planned_at=at, **each) for each in keyed]


def _write_down(scope: Scope, trial: TrialMail, outcome: str, detail: str, at: datetime) -> TrialMail:
    sent = outcome == Delivery.Outcome.SENT
    trial.state = TrialMail.State.SENT if sent else TrialMail.State.FAILED
    trial.detail = detail[:300]
    trial.sent_at = at if sent else None
    with transaction.atomic():
        trial.save(update_fields=["state", "detail", "sent_at"])
        _record(scope, trial, "test-digest.sent" if sent else "test-digest.failed", at)
    return trial


def _record(scope: Scope, trial: TrialMail, action: str, at: datetime) -> None:
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(trial.key, trial.subject),
        at=at,
        payload={"sha256": trial.message_sha256, "sample": trial.sample, "detail": trial.detail},
    )
