"""A digest before it becomes a mail, as plain values."""

from dataclasses import dataclass, field
from datetime import date

from reminders.addresses import link_to_today


@dataclass(frozen=True, slots=True)
class Addressee:
    """Who gets a digest, and for which local day."""

    person_id: int
    organization_id: int
    organization: str
    slug: str
    first_name: str
    address: str
    local_on: date
    had_mail: bool  # so that "new" means something


@dataclass(frozen=True, slots=True)
class Line:
    """One deadline or finding as its reader sees it.

    ``section``: late, own (a day of the organization has passed), due, turn (a step without a day), wrong (what is
    wrong now) or news (what became of requests). ``url`` is empty where the reader may not open the page; ``opens``
    says what it leads to.
    """

    section: str
    sentence: str
    detail: str
    url: str
    new: bool
    opens: str = "account"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many dates a digest is about, those beyond its rows included; days of those still ahead; the rest."""

    late: int = 0
    own: int = 0
    due: int = 0
    passwords: int = 0
    first_on: date | None = None
    last_on: date | None = None
    certifications: int = 0
    others: int = 0  # what is neither about logins nor passwords nor certifications
    findings: int = 0
    handed: int = 0  # what was handed over in requests

    @property
    def dates(self) -> int:
        return self.late + self.own + self.due


@dataclass(frozen=True, slots=True)
class Trial:
    """What makes a letter a test: its own Message-ID, and a note on top. ``subject``: instead of the letter's own."""

    message_id: str
    note: str
    subject: str = ""


@dataclass(slots=True)
class Letter:
    """A digest before it becomes a mail."""

    to: Addressee
    on: date
    tally: Tally
    lines: list[Line] = field(default_factory=list)
    more: list[tuple[str, str]] = field(default_factory=list)  # text, address
    others: bool = False  # whether it speaks of other people's accounts
    trial: Trial | None = None

    @property
    def today_url(self) -> str:
        return link_to_today(self.to.slug)
