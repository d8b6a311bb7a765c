"""What a date says inside somebody's calendar. Pure: values in, words out.

A calendar shows a text for hours or weeks after it was fetched, on the day of the date itself. So nothing here counts
days from today: every other day is written out with its year.
"""

from datetime import date

from accounts.consequences import PASSWORD_CODES, after, presumed, upper
from accounts.duty_sentences import Duty
from accounts.sentences import Facts, possessive, what_follows
from accounts.words import count_noun, day


def login_day(facts: Facts) -> str:
    """Return ``Sign in to iQIES: last safe day``, or whom to remind of it."""
    if facts.own:
        return f"Sign in to {facts.system}: {_which_day(facts)}"
    return f"Remind {facts.person} to sign in to {facts.system}: {_which_day(facts)}"


def password_day(facts: Facts) -> str:
    """Return whose password has to be changed on the system by the day."""
    if facts.own:
        return f"Change your {facts.system} password: {_which_day(facts)}"
    return f"Remind {facts.person} to change the {facts.system} password: {_which_day(facts)}"


def deletion_day(facts: Facts) -> str:
    """Return what is gone for good once the day is over."""
    return f"{upper(_after(facts))} after this day"


def temporary_day(facts: Facts) -> str:
    """Return whose account was not meant to last longer."""
    return f"{upper(facts.whose)} account lasts until this day"


def check_day(facts: Facts) -> str:
    """Return the question that a login after the last safe day left open."""
    what = "password" if facts.consequence in PASSWORD_CODES else "roles"
    if facts.own:
        return f"Check your {facts.system} {what}: you signed in after this day"
    return f"Ask {facts.person} to check the {facts.system} {what}: signed in after this day"


def leaver_day(facts: Facts) -> str:
    """Return what a leaver's account asks for on any of its days."""
    return f"Have the {facts.system} account of {facts.person} removed"


def behind(facts: Facts, *, password: bool = False) -> list[str]:
    """Return the lines below an account's date: what follows, CMS's own day where ours is earlier, what is known."""
    assert facts.due_on is not None
    if facts.left_on and not facts.own:
        return [f"{facts.person} left on {day(facts.left_on)}. Nobody is asked to sign in any more."]
    late = "A login that late brings nothing back by itself: look on the system, then answer."
    lines = [late if facts.check_on else _follows(facts), _known(facts, password)]
    if facts.aim_on and facts.aim_on < facts.due_on:
        lines.insert(0, f"Your organization asks for this day; the last safe day is {day(facts.due_on)}.")
    return [line for line in lines if line]


def certification_day(duty: Duty) -> str:
    """Return whose role has to be certified by the day, or removed where she has left."""
    if duty.left_on and not duty.own:
        return f"Have the {duty.system} role {duty.about} of {duty.person} at {duty.facility} removed"
    whose = "Your" if duty.own else possessive(duty.person)
    return f"{whose} {duty.system} role {duty.about} at {duty.facility}: last day to certify it"


def role_ends_day(duty: Duty) -> str:
    """Return whose role was wanted until the day."""
    whose = "Your" if duty.own else possessive(duty.person)
    return f"{whose} {duty.system} role {duty.about} at {duty.facility}: wanted until this day"


def behind_certification(duty: Duty) -> list[str]:
    """Return the lines below a certification's date."""
    if duty.left_on and not duty.own:
        return [f"{duty.person} left on {day(duty.left_on)}. Nobody is asked to certify the role any more."]
    if duty.passed:
        return [f"Look on {duty.system} whether it is still there. If not: {duty.cure}".strip()]
    return ["The approver on CMS’s side certifies it; the role is removed after this day."]


def acknowledgement_day(duty: Duty) -> str:
    """Return who has to acknowledge what by the day."""
    if duty.own:
        return f"Acknowledge {duty.about}: last day"
    return f"Remind {duty.person} to acknowledge {duty.about}: last day"


def obligation_day(duty: Duty) -> str:
    """Return what a facility owes by the day."""
    return f"{duty.facility}: {duty.about}, last day"


def review_day(duty: Duty) -> str:
    """Return what access has to be looked at by the day."""
    return f"Review {duty.about} at {duty.facility}: last day"


def step_day(duty: Duty) -> str:
    """Return which step of a request is to be through by the day."""
    request = f"{duty.request}, {duty.system} at {duty.facility}"
    if duty.actor == "approver":
        return f"Decide about {possessive(duty.person)} request ({request}): last day"
    if duty.takes:
        whose = "" if duty.own else f"{possessive(duty.person)} request, "
        return f"Ask how it stands: {duty.about} ({whose}{request})"
    if duty.own:
        return f"{duty.about} ({request}): last day"
    return f"{duty.about}: {possessive(duty.person)} request ({request}), last day"


def window_day(duty: Duty) -> str:
    """Return what has to be through before a window closes: a step of a request, or what a facility owes."""
    return step_day(duty) if duty.request else obligation_day(duty)


def several(count: int, place: str) -> str:
    """Return ``Three CMS dates at Oak House``."""
    return f"{upper(count_noun(count, 'CMS date,CMS dates'))} {place}"


def further(count: int) -> str:
    """Return ``and two more``."""
    return f"and {count_noun(count, 'more,more')}"


def _which_day(facts: Facts) -> str:
    stricter = facts.aim_on is not None and facts.aim_on != facts.due_on
    return "last safe day" if facts.consequence and not stricter else "your organization’s day"


def _after(facts: Facts) -> str:
    return after(facts.consequence, system=facts.system, of=facts.whose)


def _follows(facts: Facts) -> str:
    assert facts.due_on is not None
    if facts.consequence == "password_change" or (facts.own and facts.due_on >= facts.on) or not facts.consequence:
        return what_follows(facts)
    if facts.due_on >= facts.on:
        return f"{upper(_after(facts))} after {day(facts.due_on)}."
    passed = f"{upper(presumed(facts.consequence, system=facts.system, of=facts.whose))}."
    return f"{passed} {what_follows(facts)}".strip()


def _known(facts: Facts, password: bool) -> str:
    if password:
        return f"Last changed on {day(facts.last_on)}." if facts.last_on else "The last change is not known."
    if facts.never and facts.opened_on:
        return f"Never signed in since it was opened on {day(facts.opened_on)}."
    return f"Last known login: {day(facts.last_on)}." if facts.last_on else "The last login is not known."


def written_on(on: date) -> str:
    """Return as of when a text holds: calendars may show it later."""
    return f"As of {day(on)}."
