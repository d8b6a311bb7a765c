"""Which steps of a request are open, from when and until when. Pure: plain values in, plain values out.

Steps come one after the other; those that belong together are open side by side. A step that did not work stops what
comes after it, and opens what mends it; so does a step whose day has passed. Once the mending is done the step is tried
again; once the step is done what mends it is not needed any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from accounts.policy.step_dates import step_due

WAITING, OPEN, DONE, FAILED, SKIPPED = "waiting", "open", "done", "failed", "skipped"
THROUGH: Final = frozenset({DONE, SKIPPED})


@dataclass(frozen=True, slots=True)
class Stand:
    """A step as it is planned and how it stands. ``cure_for`` names what it mends: a step, or all that belong together.

    ``started_on`` is the day from which its duration counts, ``due_on`` the last day of that.
    """

    key: str
    actor: str = "holder"
    duration: int | None = None
    unit: str = ""
    after: str = ""
    together: str = ""
    cure_for: str = ""
    takes: str = ""
    state: str = WAITING
    started_on: date | None = None
    due_on: date | None = None
    done_on: date | None = None

    def mends(self, other: "Stand") -> bool:
        """Return whether this step mends another."""
        return bool(self.cure_for) and self.key != other.key and self.cure_for in (other.key, other.together)


def arrange(steps: Sequence[Stand], *, on: date, today: date) -> list[Stand]:
    """Return the steps as they stand now. What was done, did not work or was skipped stays so.

    ``on`` is the day from which a first step counts, ``today`` the one that decides what is late. Safe to repeat.
    """
    main = _in_turn(steps, on)
    found = {step.key: _cure(step, main, today) if step.cure_for else main[step.key] for step in steps}
    return list(found.values())


def tried_again(steps: Sequence[Stand], key: str) -> list[Stand]:
    """Return the steps with those set back to waiting that failed and that the step of this key has mended."""
    cure = next(step for step in steps if step.key == key)
    return [replace(step, state=WAITING) if step.state == FAILED and cure.mends(step) else step for step in steps]


def all_through(steps: Iterable[Stand]) -> bool:
    """Return whether nothing is left to do; what only mends others does not count."""
    return all(step.state in THROUGH for step in steps if not step.cure_for)


def _in_turn(steps: Sequence[Stand], on: date) -> Mapping[str, Stand]:
    """Return by key the steps that mend nothing: open whose turn it is, waiting the others that are not through."""
    found: dict[str, Stand] = {}
    through, group = True, ""
    for step in steps:
        if step.cure_for:
            continue
        turn = through or (group != "" and step.together == group)
        if step.state in (WAITING, OPEN):
            since = _since(step, steps, on) if turn else None
            found[step.key] = (
                _open(step, since) if since else replace(step, state=WAITING, started_on=None, due_on=None)
            )
        else:
            found[step.key] = step
        if through and step.state not in THROUGH:
            through, group = False, step.together
        elif not through and step.together != group:
            group = ""
    return found


def _since(step: Stand, steps: Sequence[Stand], on: date) -> date:
    """Return the day from which a step counts: after the named one, else after those before it, else ``on``.

    A step that was mended counts from then on.
    """
    mended = [each.done_on for each in steps if each.mends(step) and each.state == DONE and each.done_on]
    named = [each.done_on for each in steps if each.key == step.after and each.state == DONE and each.done_on]
    if named:
        return max(named + mended)
    before = [each for each in _before(step, steps) if not (step.together and each.together == step.together)]
    days = [each.done_on for each in before if each.state == DONE and each.done_on]
    return max([*(days or [step.started_on or on]), *mended])


def _before(step: Stand, steps: Sequence[Stand]) -> list[Stand]:
    place = next(number for number, each in enumerate(steps) if each.key == step.key)
    return [each for each in steps[:place] if not each.cure_for]


def _cure(cure: Stand, main: Mapping[str, Stand], today: date) -> Stand:
    meant = [step for step in main.values() if cure.mends(step)]
    failed = any(step.state == FAILED for step in meant)
    if failed or any(step.state == OPEN and step.due_on is not None and step.due_on < today for step in meant):
        if cure.state == FAILED:
            return cure
        return cure if cure.state == OPEN else _open(replace(cure, done_on=None), today)
    if cure.state != OPEN:
        return cure
    over = all(step.state in THROUGH for step in meant)
    return replace(cure, state=SKIPPED if over else WAITING, started_on=None, due_on=None)


def _open(step: Stand, since: date) -> Stand:
    due = step_due(since, duration=step.duration, unit=step.unit, actor=step.actor, takes=step.takes, key=step.key)
    return replace(step, state=OPEN, started_on=since, due_on=due)
