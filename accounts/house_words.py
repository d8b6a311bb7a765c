"""What the product says about rules that an organization switches on or off. Pure: values in, words out."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from accounts.policy.acknowledging import FIRST_AFTER_DAYS
from accounts.words import day


@dataclass(frozen=True, slots=True)
class HouseWords:
    """One rule: what it does, and what it is about before anything is due.

    ``first``: what happens first, where nothing has to wait; ``after_days``: after how many days something is due.
    """

    name: str
    does: str
    first: str = ""
    after_days: int = 0

    def counts(self, enabled_on: date) -> str:
        """Return since when the rule counts and what comes first."""
        since = f"Counts from {day(enabled_on)}"
        if not self.after_days:
            return f"{since}. {self.first}"
        return f"{since}; nothing is due before {day(enabled_on + timedelta(days=self.after_days))}."


HOUSE_RULES: Final[dict[str, HouseWords]] = {
    "R-13": HouseWords(
        "Rules of behavior are acknowledged every year",
        "Members and whoever holds a privileged role are asked every year, and again when a new version takes effect.",
        after_days=FIRST_AFTER_DAYS,
    ),
    "R-14": HouseWords(
        "Privileged users acknowledge the addendum every year",
        "Whoever can approve others or raise their rights is asked every year, with reminders.",
        after_days=FIRST_AFTER_DAYS,
    ),
    "R-15": HouseWords(
        "Nobody is privileged without the addendum and a need",
        "Whoever can approve others or raise their rights, and never acknowledged the addendum, stands under Findings;"
        " so does such a role as long as nobody has said why it is needed.",
        first="Who is privileged already is looked at in the next run.",
    ),
    "R-27": HouseWords(
        "Two people keep the backup record",
        "Each facility names at least two people who keep the record of all user data; where they are fewer, it stands"
        " under Findings.",
        first="Facilities without two keepers are found in the next run.",
    ),
    "R-43": HouseWords(
        "Contact data on the systems follow changes here",
        "When somebody’s name, phone or e-mail changes here, each account asks for a look at its profile there.",
        first="Only changes from that day on are asked about.",
    ),
    "R-52": HouseWords(
        "Access is reviewed",
        "At each facility somebody looks at all accounts, and more often at the privileged roles, and an administrator"
        " records the day. Its administrators are reminded.",
        first="The first dates are counted from that day and stand on the page of each facility.",
    ),
}
