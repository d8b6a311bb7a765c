"""What the product says about a deadline: whole sentences, the same on pages and in mails. Pure: values in, words out.

Only the holder is told to sign in; everybody else is told whom to remind. Days are `datetime.date` as counted by the
system (US Eastern); nothing here reads the clock.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from accounts.consequences import PASSWORD_CODES, after, presumed, upper
from accounts.words import count_noun, count_word, day, day_short, in_days, listed
from systems.policy import EASTERN, MORE_THAN, cures


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a sentence about one account needs. ``consequence`` is empty where only the organization's rule counts.

    ``due_on``: the last safe day; ``aim_on``: the organization's stricter day, else the same. ``last_on``: newest
    known login (or password change); ``never`` tells that there was none since ``opened_on``. ``left_on``: the last
    day of somebody who no longer works here and is therefore not reminded of anything.
    """

    system: str
    person: str
    own: bool
    on: date
    due_on: date | None = None
    aim_on: date | None = None
    last_on: date | None = None
    never: bool = False
    opened_on: date | None = None
    check_on: date | None = None
    consequence: str = ""
    cure: str = ""
    left_on: date | None = None

    @property
    def whose(self) -> str:
        """Return ``your iQIES`` for the holder, ``Jane Sample’s iQIES`` for others."""
        return f"your {self.system}" if self.own else f"{possessive(self.person)} {self.system}"


_LOST: Final = {
    "inactive": ("account", "was made inactive"),
    "disabled": ("account", "was disabled"),
    "roles_revoked": ("roles", "were revoked"),
    "password_expired": ("password", "expired"),
    "locked": ("account", "was locked"),
    "suspended": ("account", "was suspended"),
    "deleted": ("account", "was deleted"),
}


def possessive(name: str) -> str:
    """Return the name as owner: ``Jane’s``, ``James’``."""
    return f"{name}’" if name.endswith("s") else f"{name}’s"


def short_day(value: date, on: date) -> str:
    """Return a day without its year where the year is this one: ``Thu 3 Dec``."""
    return day_short(value) if value.year == on.year else day(value)


def by_day(value: date, on: date) -> str:
    """Return ``by Thu 3 Dec (in 12 days)``, ``today``, ``by tomorrow, Fri 4 Dec``."""
    if value == on:
        return "today"
    if value == on + timedelta(days=1):
        return f"by tomorrow, {short_day(value, on)}"
    return f"by {short_day(value, on)} ({in_days(value, on)})"


def after_day(value: date, on: date) -> str:
    """Return ``after Thu 3 Dec (in 12 days)``, ``after today``."""
    if value == on:
        return "after today"
    return f"after {short_day(value, on)} ({in_days(value, on)})"


def seen(facts: Facts) -> str:
    """Return ``last seen 48 days ago``, or since when there was no login at all."""
    if facts.never and facts.opened_on:
        return f"never signed in since it was opened on {short_day(facts.opened_on, facts.on)}"
    if facts.last_on is None:
        return "the last login is not known"
    return f"last seen {in_days(facts.last_on, facts.on)}"


def login_due(facts: Facts) -> str:
    """Return what to do before the last safe day, addressed to the holder or to whoever looks after her."""
    aim = facts.aim_on or facts.due_on
    if aim is None:
        return login_unknown(facts)
    if facts.left_on and not facts.own:
        return still_open(facts)
    if aim < facts.on:  # the organization's own day has passed, nothing worse
        asked = f"{facts.system}: your organization wanted it by {short_day(aim, facts.on)} ({in_days(aim, facts.on)})"
        return f"Sign in to {asked}." if facts.own else f"Remind {facts.person} to sign in to {asked}."
    if facts.own:
        return f"Sign in to {facts.system} {by_day(aim, facts.on)}: {seen(facts)}."
    if facts.consequence and facts.due_on:
        loss = after(facts.consequence, system=facts.system, of=f"the {facts.system}")
        return f"Remind {facts.person}, or arrange cover: {loss} {after_day(facts.due_on, facts.on)}."
    return f"Remind {facts.person} to sign in to {facts.system} {by_day(aim, facts.on)}: {seen(facts)}."


def login_passed(facts: Facts) -> str:
    """Return what to do after the last safe day: look, because what we infer is only presumed."""
    assert facts.due_on is not None
    if facts.left_on and not facts.own:
        return still_open(facts)
    passed = f"the last safe day was {short_day(facts.due_on, facts.on)} ({in_days(facts.due_on, facts.on)})"
    since = presumed(facts.consequence, system=facts.system, of=facts.whose)
    return f"{upper(since)}: {passed}."


def system_closed(facts: Facts) -> str:
    """Return what to do about an account on a system that has closed wherever it is held."""
    held = "your facilities" if facts.own else f"the facilities of {facts.person}"
    return f"{facts.system} has closed for {held}: have the account removed there."


def roles_to_check(facts: Facts) -> str:
    """Return the question that a login after the last safe day leaves open."""
    assert facts.due_on is not None
    assert facts.check_on is not None
    what = "password" if facts.consequence in PASSWORD_CODES else "roles"
    late = f"on {short_day(facts.check_on, facts.on)}, after the last safe day ({short_day(facts.due_on, facts.on)})"
    if facts.own:
        return f"Check your {facts.system} {what}: you signed in {late}."
    return f"Ask {facts.person} to check the {facts.system} {what}: signed in {late}."


def still_open(facts: Facts) -> str:
    """Return what a leaver's account asks for: not a login, but its end."""
    assert facts.left_on is not None
    left = f"left on {short_day(facts.left_on, facts.on)} ({in_days(facts.left_on, facts.on)})"
    return f"{facts.person} {left}, but the {facts.system} account is still open: have it removed."


def login_unknown(facts: Facts) -> str:
    """Return the question that no date can be given without."""
    if facts.left_on and not facts.own:
        return still_open(facts)
    if facts.own:
        return f"When did you last sign in to {facts.system}?"
    return f"Ask {facts.person} when the last login to {facts.system} was."


def password_due(facts: Facts) -> str:
    """Return by when the password of the system has to be changed there; the password itself never comes here."""
    assert facts.due_on is not None
    aim = facts.aim_on or facts.due_on
    if facts.left_on and not facts.own:
        return still_open(facts)
    changed = f"last changed {in_days(facts.last_on, facts.on)}" if facts.last_on else "last change not known"
    if aim < facts.on:
        passed = f"was due by {short_day(aim, facts.on)} ({in_days(aim, facts.on)})"
        return f"The change of {facts.whose} password {passed}: {changed}."
    if facts.own:
        return f"Change your {facts.system} password {by_day(aim, facts.on)}: {changed}."
    return f"Remind {facts.person} to change the {facts.system} password {by_day(aim, facts.on)}: {changed}."


def deletion_due(facts: Facts) -> str:
    """Return when the account is gone for good."""
    assert facts.due_on is not None
    if facts.due_on < facts.on or (facts.left_on and not facts.own):
        return login_passed(facts)
    loss = after(facts.consequence, system=facts.system, of=facts.whose)
    return f"{upper(loss)} {after_day(facts.due_on, facts.on)}: {seen(facts)}."


def account_lost(system: str, loss: str, told_on: date, on: date) -> str:
    """Return that the reader's own account stopped working; ``loss`` is a value of `PortalAccount.Loss`."""
    what, happened = _LOST.get(loss, ("account", "no longer works"))
    return f"Your {system} {what} {happened}: told here on {short_day(told_on, on)}."


def what_follows(facts: Facts) -> str:
    """Return the line under a row: what happens next, or what to do now that it has presumably happened."""
    if facts.left_on and not facts.own:
        return f"Nobody is asked to sign in any more. {upper(seen(facts))}."
    if not facts.consequence:
        return "Your organization’s own rule; CMS publishes no limit here."
    if facts.due_on is not None and facts.due_on < facts.on:
        if facts.own and facts.consequence != "deleted" and not cures(facts.consequence):
            return f"Look on {facts.system} whether you still have access. If not: {facts.cure}".strip()
        return f"If so: {facts.cure}" if facts.cure else ""
    if facts.consequence == "password_change":
        return ""
    if facts.own:
        return f"After that {after(facts.consequence, system=facts.system, of=facts.whose)}."
    return f"{upper(seen(facts))}."


def limit_words(*, system: str, days: int | None, years: int | None, boundary: str, what: str) -> str:
    """Return a limit as the rule behind a date: ``iQIES tolerates 60 days without a login, not one more``."""
    span = count_noun(years, "year,years") if years else count_noun(days or 0, "day,days")
    if boundary == MORE_THAN:
        return f"{system} tolerates {span} {what}, not one day more."
    return f"{system} acts once {span} {what} are reached."


def zone_city(zone: str) -> str:
    """Return the city an IANA zone is named after: ``Pacific/Honolulu`` → ``Honolulu``."""
    return zone.rpartition("/")[2].replace("_", " ")


def local_end(due_on: date, zone: str, *, system_zone: str = EASTERN) -> str:
    """Return the end of the last safe day on another clock: ``Thu 3 Dec, 7 p.m. in Honolulu``; nothing where equal."""
    end = datetime.combine(due_on + timedelta(days=1), time.min, ZoneInfo(system_zone))
    local = end.astimezone(ZoneInfo(zone))
    if local.utcoffset() == end.utcoffset():
        return ""
    hour, half = local.hour % 12 or 12, "a.m." if local.hour < 12 else "p.m."
    minutes = f":{local.minute:02d}" if local.minute else ""
    return f"{day_short(local.date())}, {hour}{minutes} {half} in {zone_city(zone)}"


def local_ends(due_on: date, zones: Iterable[str], *, system_zone: str = EASTERN) -> str:
    """Return one sentence for all clocks that differ from the system's; nothing where none does."""
    ends = [words for zone in sorted(set(zones)) if (words := local_end(due_on, zone, system_zone=system_zone))]
    return f"Local time: by {listed(ends)}." if ends else ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows each section has; ``more`` names sections of which only the first rows are known.

    ``accounts``: how many accounts such a section has, where that was counted ahead; ``others``: how many of its first
    rows are about no account.
    """

    late: int = 0
    check: int = 0
    week: int = 0
    later: int = 0
    unknown: int = 0
    more: Sequence[str] = ()
    accounts: Mapping[str, int] = field(default_factory=dict)
    others: Mapping[str, int] = field(default_factory=dict)
    logins_only: bool = True

    def said(self, section: str, nouns: str, verbs: str) -> str:
        """Return ``two logins are``; a number that is only the least of it is said so."""
        count = getattr(self, section)
        one, many = verbs.split(",")
        if section in self.accounts:
            others = self.others.get(section, 0)
            beside = f" and {count_noun(others, 'other thing,other things')}" if others else ""
            return f"{count_noun(self.accounts[section], 'account,accounts')}{beside} {many}"
        if section in self.more:
            return f"more than {count_word(count)} {nouns.split(',')[1]} {many}"
        return f"{count_noun(count, nouns)} {one if count == 1 else many}"


def the_one_sentence(tally: Tally) -> str:
    """Return the sentence that matters today: what is late, what this week asks for, and that the rest can wait."""
    nouns = "login,logins" if tally.logins_only else "thing,things"
    parts = []
    if tally.late:
        parts.append(f"{tally.said('late', nouns, 'is,are')} late")
    if tally.check:
        parts.append(tally.said("check", "account,accounts", "needs its roles checked,need their roles checked"))
    if tally.week:
        parts.append(f"{tally.said('week', nouns, 'is,are')} due this week")
    if parts:
        calm = "" if tally.late else "; nothing is late"
        return f"{upper(listed(parts))}{calm}."
    if tally.later:
        return f"Nothing is late or due this week; {tally.said('later', nouns, 'comes,come')} up soon."
    if tally.unknown:
        asked = tally.said("unknown", "last login,last logins", "is,are")
        return f"Nothing is late or due soon, but {asked} not known."
    return "Nothing is late and nothing is due soon."


def good_day(hour: int) -> str:
    """Return the greeting of an hour of the day (0 to 23)."""
    if 5 <= hour < 12:
        return "Good morning"
    return "Good afternoon" if 12 <= hour < 18 else "Good evening"


def recorded(*, system: str, happened_on: date, on: date, due_on: date | None, check: bool, own: bool) -> str:
    """Return what recording a login came to."""
    said = f"Login to {system} recorded" + ("" if happened_on == on else f" for {short_day(happened_on, on)}")
    if check:
        whose = "your" if own else "the"
        return f"{said}. It came after the last safe day: please look whether {whose} roles are still there."
    return f"{said}. Next: {by_day(due_on, on)}." if due_on else f"{said}."
