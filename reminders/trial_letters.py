"""The letter of a test digest where nothing is due: made-up rows, marked as such, in the sentences of real mails."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from accounts import sentences
from reminders.compose import message_id_of_trial
from reminders.ladder import ladder_of
from reminders.letter import Addressee, Letter, Line, Tally, Trial
from systems.models import Policy, PolicyKind, System
from systems.policy import EASTERN, day_in
from systems.selectors import clock_policies

SAMPLE: Final = "nothing is due for you today, so this shows a sample"
_SHOWN: Final = "iqies"  # the system of the sample: nearly every kind of provider has it
_REAL_NOTE: Final = (
    "This is a test that you asked for. It says what a digest would tell you today; nothing was planned or marked as"
    " told by it."
)
_SAMPLE_NOTE: Final = (
    "This is a test that you asked for. Nothing is due for you today, so the rows below are made up: they show what a"
    " digest looks like."
)


def as_trial(letter: Letter, *, key: str) -> Letter:
    """Return the letter as a test of itself."""
    return replace(letter, trial=Trial(message_id_of_trial(key), _REAL_NOTE))


def with_real_address(letter: Letter, address: str) -> Letter:
    """Return a test that also says where real digests go; as it is where ``address`` is empty."""
    if not (letter.trial and address):
        return letter
    note = f"{letter.trial.note} Your digests go to {address}, the work e-mail under People."
    return replace(letter, trial=replace(letter.trial, note=note))


def sample_letter(to: Addressee, *, key: str, at: datetime) -> Letter:
    """Return a test with two made-up rows: a login that is due, and somebody who has to be reminded. Two queries."""
    on = day_in(at, EASTERN)
    system = System.objects.filter(slug=_SHOWN).first()
    policies = clock_policies().filter(system=system, kind=PolicyKind.INACTIVITY)
    policy = policies.order_by("-effective_from").first() if system else None
    letter = Letter(to, on, Tally(), trial=Trial(message_id_of_trial(key), _SAMPLE_NOTE, SAMPLE))
    letter.lines = [_row(system, policy, on, own=own) for own in (True, False)]
    return letter


def _row(system: System | None, policy: Policy | None, on: date, *, own: bool) -> Line:
    limit = (policy.limit_days if policy else None) or 60
    ladder = ladder_of("inactivity", limit)
    left = ladder.before[0 if own else min(2, len(ladder.before) - 1)] if ladder else 2
    facts = sentences.Facts(
        system=system.name if system else "iQIES",
        person="Jane Sample",
        own=own,
        on=on,
        due_on=on + timedelta(days=left),
        last_on=on + timedelta(days=left - limit),
        consequence=policy.consequence if policy else "",
        cure=policy.cure_text if policy else "",
    )
    return Line("due", f"Sample: {sentences.login_due(facts)}", sentences.what_follows(facts), "", new=False)
