"""What the product says about findings on people and their accounts: one sentence per kind, with the deed. Pure.

Every function takes the finding's facts and whom it names (`finding_words.About`, whose ``others`` are further people).
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from accounts.words import count_word, day, listed

if TYPE_CHECKING:
    from accounts.finding_words import About

_NAMED: Final = 3  # roles in a sentence, so that it can be read aloud


def _left(facts: Mapping[str, Any], about: "About") -> str:
    left_on = day(date.fromisoformat(facts["left_on"]))
    roles = [f"{each['role']} at {each['place']}" for each in facts.get("roles", ())]
    if len(roles) > _NAMED:
        roles[_NAMED:] = [f"{count_word(len(roles) - _NAMED)} more"]
    held = f" ({listed(roles)})" if roles else ""
    return f"{about.person} left on {left_on} and still has {about.system}{held}: have it removed."


def _moved(facts: Mapping[str, Any], about: "About") -> str:
    left_on = day(date.fromisoformat(facts["left_on"]))
    return f"{about.person} has not worked at {facts['place']} since {left_on} and still has {about.system} there."


def _shared(facts: Mapping[str, Any], about: "About") -> str:
    others = listed(about.others) or "somebody else"
    return f"{about.person} has the same {about.system} user ID as {others}: each needs an own one."


def _passed_on(facts: Mapping[str, Any], about: "About") -> str:
    before = listed(about.others) or "somebody else"
    ended_on = day(date.fromisoformat(facts["ended_on"]))
    return f"{about.person} has the {about.system} user ID that {before} had until {ended_on}."


def _away(facts: Mapping[str, Any], about: "About") -> str:
    lapses_on = day(date.fromisoformat(facts["lapses_on"]))
    back = f"until {day(date.fromisoformat(facts['away_to_on']))}" if facts["away_to_on"] else "without a known end"
    return f"{about.person} is away {back}, and {about.system} lapses on {lapses_on}: arrange cover."


def _changed_jobs(facts: Mapping[str, Any], about: "About") -> str:
    changed_on = day(date.fromisoformat(facts["changed_on"]))
    return (
        f"{about.person} is {facts['now']} at {facts['place']} since {changed_on} (before: {facts['was']}): look at"
        " the roles from before."
    )


def _stale(facts: Mapping[str, Any], about: "About") -> str:
    changed_on = day(date.fromisoformat(facts["changed_on"]))
    return f"{about.person}’s contact data changed on {changed_on}: see whether {about.system} knows the new ones."


def _privileged(facts: Mapping[str, Any], about: "About") -> str:
    if "unexplained" in facts:
        roles = list(facts["unexplained"])
        if len(roles) > _NAMED:
            roles[_NAMED:] = [f"{count_word(len(roles) - _NAMED)} more"]
        return f"Nobody has said why {about.person} needs to be {listed(roles)} on {about.system}: say why, or end it."
    return f"{about.person} is {listed(facts['roles'])} and has not acknowledged the addendum for privileged users."


def _typed(facts: Mapping[str, Any], about: "About") -> str:
    typed_on = day(date.fromisoformat(facts["typed_on"]))
    whoever = about.person or "A member"
    return f"{whoever} typed more than 20 logins for others within an hour on {typed_on}: ask what they rest on."


SENTENCES: Final[dict[str, Callable[[Mapping[str, Any], "About"], str]]] = {
    "leaver-access": _left,
    "moved-access": _moved,
    "shared-id": _shared,
    "id-reuse": _passed_on,
    "absence-lapse": _away,
    "job-change": _changed_jobs,
    "stale-profile": _stale,
    "privileged-open": _privileged,
    "many-typed": _typed,
}
