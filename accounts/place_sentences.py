"""What the product says about findings at facilities: one sentence per kind, each with the place and the deed. Pure.

Every function takes the finding's facts and whom it names (`finding_words.About`, whose ``others`` are the people).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from accounts.words import count_noun, day, listed

if TYPE_CHECKING:
    from accounts.finding_words import About


def _no_official(facts: Mapping[str, Any], about: "About") -> str:
    return f"{about.facility} has no Security Official on {about.system}: nobody can approve access there."


def _one_official(facts: Mapping[str, Any], about: "About") -> str:
    who = listed(about.others) or "one person"
    return f"{who} is the only Security Official of {about.facility} on {about.system}; name a second one."


def _officials_lapse(facts: Mapping[str, Any], about: "About") -> str:
    days = [f" ({_by(lapse_on, about.on)})" for lapse_on in facts["lapse_on"]]
    who = listed([f"{name}{day}" for name, day in zip(about.others, days, strict=False)]) or "All officials"
    if len(facts["people"]) > 1:
        return f"Every Security Official of {about.facility} on {about.system} is about to lapse: {who}."
    return f"The only Security Official of {about.facility} on {about.system} is about to lapse: {who}."


def _by(lapse_on: str | None, on: date) -> str:
    if lapse_on is None:
        return "last login not known"
    last = date.fromisoformat(lapse_on)
    return f"last safe day {'was ' if last < on else ''}{day(last)}"


def _quota(facts: Mapping[str, Any], about: "About") -> str:
    people = count_noun(len(facts["people"]), "person,people")
    return f"At {about.facility}, {people} hold an ID on {about.system}; {count_noun(facts['most'], 'is,are')} allowed."


def _no_account(facts: Mapping[str, Any], about: "About") -> str:
    return f"Nobody at {about.facility} can submit {facts['stream_name']} on {about.system}."


def _no_backup(facts: Mapping[str, Any], about: "About") -> str:
    who = listed(about.others) or "One person"
    return f"{who} is the only one at {about.facility} who can submit {facts['stream_name']} on {about.system}."


def _few_keepers(facts: Mapping[str, Any], about: "About") -> str:
    if not facts["people"]:
        return f"Nobody keeps the backup record of {about.facility}; name two people."
    return f"Only one person keeps the backup record of {about.facility}; name a second one."


def _stale_record(facts: Mapping[str, Any], about: "About") -> str:
    who = listed(about.others) or "The keeper"
    if not facts["had_on"]:
        return f"{who} keeps the backup record of {about.facility} and has no copy yet: print it."
    changed = f" on {day(about.opened_on)}" if about.opened_on else ""
    had = day(date.fromisoformat(facts["had_on"]))
    return f"The backup record of {about.facility} changed{changed}: print it again. {who} has the one of {had}."


def _closed_system(facts: Mapping[str, Any], about: "About") -> str:
    accounts = count_noun(facts["count"], "account,accounts")
    last = f", last day {day(date.fromisoformat(facts['last_on']))}" if facts["last_on"] else ""
    return f"{about.system} has closed for {about.facility}{last}: remove {accounts} there."


def _no_successor(facts: Mapping[str, Any], about: "About") -> str:
    since = f" since {day(date.fromisoformat(facts['since']))}" if facts["since"] else ""
    due = f", and the quarter’s data are due by {day(date.fromisoformat(facts['due_on']))}" if "due_on" in facts else ""
    return f"Nobody at {about.facility} can submit {facts['stream_name']}: it goes over {about.system}{since}{due}."


def _no_epoc(facts: Mapping[str, Any], about: "About") -> str:
    return f"Nobody at {about.facility} receives statements of deficiencies: it has no ePOC administrator."


def _psr(facts: Mapping[str, Any], about: "About") -> str:
    lacking = {
        "official and user": "a Security Official and a user, two different people",
        "official": "a Security Official",
        "user": "a user besides the Security Official",
        "second person": "a second person: official and user are the same one",
    }[facts["missing"]]
    return f"{about.facility} lacks on {about.system} {lacking}."


def _no_pickup(facts: Mapping[str, Any], about: "About") -> str:
    lacking = f"Nobody at {about.facility} holds “Auto-Route (IQR)” on {about.system}"
    if facts["waiting"]:
        last = date.fromisoformat(facts["waiting"])
        stays = "waits" if last >= about.on else "waited"
        return f"{lacking}: a report {stays} there until {day(last)} for nobody."
    return f"{lacking}: no hospital-specific report comes to anybody."


def _unapproved(facts: Mapping[str, Any], about: "About") -> str:
    by = f" by {listed(about.others)}" if about.others and about.others != (about.person,) else ""
    return (
        f"{about.system} for {about.person} at {about.facility} was asked for{by} and no second person has seen it:"
        " look at it."
    )


def _one_mail(facts: Mapping[str, Any], about: "About") -> str:
    whose = f"{about.person}, {about.facility}" if about.person else about.facility
    return f"Only one of the two e-mails has come ({whose}): look in the spam folder, then call the help desk."


SENTENCES: Final[dict[str, Callable[[Mapping[str, Any], "About"], str]]] = {
    "no-official": _no_official,
    "one-official": _one_official,
    "officials-lapse": _officials_lapse,
    "quota": _quota,
    "no-account": _no_account,
    "no-backup": _no_backup,
    "few-keepers": _few_keepers,
    "stale-record": _stale_record,
    "closed-system": _closed_system,
    "no-successor": _no_successor,
    "no-epoc-administrator": _no_epoc,
    "psr-two-people": _psr,
    "no-file-pickup": _no_pickup,
    "unapproved-request": _unapproved,
    "one-of-two-mails": _one_mail,
}


def told(kind: str, facts: Mapping[str, Any]) -> list[str]:
    """Return what a facility rule rested on, as lines for the "why?"; empty for other kinds."""
    lines = []
    if "stream" in facts and kind in {"no-account", "no-backup", "no-successor"}:
        lines.append("Somebody here said who submits it." if facts["stated"] else "Usual for this kind of provider.")
        lines.append(
            "Counted are people at work with a role that submits, on an account that runs; who is away is not counted."
        )
    if facts.get("closed"):
        lines.append("The system has closed for this facility, so no request is waiting.")
    if kind == "closed-system" and not facts["last_on"]:
        lines.append("The last day was not published; another system has taken over.")
    if kind == "unapproved-request":
        lines.append(f"The reason that was given: {facts['reason']}")
    if facts.get("fact"):
        lines.append(f"Fact {facts['fact']} of the catalogue.")
    return lines
