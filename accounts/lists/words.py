"""What the words of such a list mean: systems and roles of the catalogue, and how an account stands. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from staff.policy.names import folded


class State(StrEnum):
    """What a row says of an account. A loss is named as in `PortalAccount.Loss`."""

    ACTIVE = "active"
    REQUESTED = "requested"
    INACTIVE = "inactive"
    DISABLED = "disabled"
    ROLES_REVOKED = "roles_revoked"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105
    LOCKED = "locked"
    SUSPENDED = "suspended"
    DELETED = "deleted"
    UNKNOWN = "unknown"

    @property
    def lost(self) -> bool:
        """Whether the access does not work any more."""
        return self not in (State.ACTIVE, State.REQUESTED, State.UNKNOWN)


# "Account disabled", "Role: revoked", "User is locked": what the word is about says nothing.
_ABOUT: Final = re.compile(r"^(?:account|role|roles|user|access|status)+(?:is|are|has|have|been|was|were)*")
# "Pending removal", "Active (locked)", "Not approved": two words that say different things are no answer.
_STATES: Final = (
    (State.PASSWORD_EXPIRED, ("passwordexpired", "expiredpassword", "pwdexpired")),
    (State.REQUESTED, ("pending", "requested", "submitted", "awaiting", "inprogress", "pendingapproval", "invited")),
    (State.LOCKED, ("locked", "lockedout")),
    (State.SUSPENDED, ("suspended", "onhold")),
    (State.DELETED, ("deleted", "removed", "closed", "terminated", "archived")),
    (State.ROLES_REVOKED, ("revoked", "rolerevoked", "rolesrevoked", "rejected", "denied", "withdrawn", "roleremoved")),
    (State.DISABLED, ("disabled", "deactivated", "blocked")),
    (State.INACTIVE, ("inactive", "expired", "dormant", "lapsed", "notactive", "i", "n", "no", "false", "0")),
    (State.ACTIVE, ("active", "approved", "enabled", "current", "open", "granted", "ok", "a", "y", "yes", "true", "1",
                    "certified", "activated", "valid", "live", "inuse")),
)  # fmt: skip
_STEMS: Final = (
    (State.REQUESTED, ("pending", "request", "approv")),
    (State.LOCKED, ("locked", "lockout")),
    (State.SUSPENDED, ("suspend",)),
    (State.DELETED, ("delet", "remov", "terminat", "clos")),
    (State.ROLES_REVOKED, ("revok", "revoc", "reject", "denied", "withdr")),
    (State.DISABLED, ("disabl", "deactiv")),
    (State.INACTIVE, ("inactiv", "expir", "dormant")),
    (State.UNKNOWN, ("recert",)),
)
INDIVIDUAL: Final = "Individual user"  # the catalogue's name for the role of systems that publish none
NEVER: Final = frozenset({
    "never", "never logged in", "never signed in", "never used", "never accessed", "has never logged in", "not yet",
    "no login", "no logins",
})  # fmt: skip
UNKNOWN: Final = frozenset(
    {"unknown", "unk", "not known", "not recorded", "not available", "not sure", "?", "??", "???"}
)
# How people call the systems of the catalogue; keys are folded, the names of the catalogue itself come first.
_ALIASES: Final[dict[str, str]] = {
    "mds": "qies", "mdssubmission": "qies", "mdswebsite": "qies", "qiesmds": "qies", "qiestosuccess": "qies",
    "mds30": "qies", "qiesasap": "qies", "asap": "qies", "epoc": "qies",
    "casperreports": "casper", "casperreporting": "casper", "qiescasper": "casper",
    "cmsnetsecureaccess": "cmsnet", "cmsvpn": "cmsnet", "iqiesportal": "iqies", "cmsiqies": "iqies",
    "qualitynethqr": "hqr", "hqrqualitynet": "hqr", "hospitalqualityreporting": "hqr", "qnet": "qualitynet",
    "qualitynet": "qualitynet", "qualitynetsecureportal": "qualitynet", "eidm": "idm", "idmeidm": "idm",
    "enterpriseportal": "idm", "cmsenterpriseportal": "idm", "cmsportal": "idm", "ep": "idm",
    "psr": "psr", "psandr": "psr", "nhsn": "sams", "nhsnsams": "sams", "samsnhsn": "sams", "cdcsams": "sams",
    "pecos": "ia", "nppes": "ia", "identityaccess": "ia", "iandasystem": "ia", "iaccess": "ia",
    "fiss": "dde", "fissdde": "dde", "hpg": "ep-hdt", "hets": "ep-hdt", "hetsdesktop": "ep-hdt",
}  # fmt: skip


def read_state(word: str) -> State:
    """Return what a word of the status column says; an empty one says active."""
    key = re.sub(r"[^a-z0-9]", "", word.lower())
    if not key:
        return State.ACTIVE
    for form in (key, _ABOUT.sub("", key)):
        for state, words in _STATES:
            if form in words:
                return state
        for state, words in _STATES:  # "Active - MFA enrolled", "Role revoked on 3 May": how it begins
            start = max((each for each in words if len(each) > 4 and form.startswith(each)), key=len, default="")
            if start:
                return state if state.lost or not _says_more(form.removeprefix(start), state) else State.UNKNOWN
    return State.UNKNOWN


def _says_more(rest: str, state: State) -> bool:
    """Return whether what follows speaks of another state, or of one to come."""
    return any(stem in rest for other, stems in _STEMS if other is not state for stem in stems)


@dataclass(frozen=True, slots=True)
class SystemWords:
    """A system of the catalogue: key, slug, name, the system to sign in at, and its roles by what they are called."""

    key: int
    slug: str
    name: str
    authority: int | None
    counts_at_authority: bool
    roles: tuple[tuple[int, str], ...]
    by_word: Mapping[str, int] = field(default_factory=dict)
    fallback: int | None = None  # the role that a row means which names none, where the system's users have one


def role_words(slug: str, name: str) -> set[str]:
    """Return what a role may be called, folded: its slug, its name, the name without and the letters in brackets."""
    plain, _, short = name.partition("(")
    words = {folded(slug), folded(name), folded(plain)}
    letters = folded(short)
    return words | ({letters} if 2 <= len(letters) <= 4 else set())


class Systems:
    """The catalogue's systems by everything that may name them."""

    def __init__(self, systems: Iterable[tuple[SystemWords, str]]) -> None:
        """``systems``: each with its full name."""
        self.by_slug: dict[str, SystemWords] = {}
        self.by_key: dict[int, SystemWords] = {}
        self._by_word: dict[str, SystemWords] = {}
        for system, full_name in systems:
            self.by_slug[system.slug] = self.by_key[system.key] = system
            for word in (system.slug, system.name, full_name, full_name.partition("(")[0]):
                self._by_word.setdefault(folded(word), system)
        for word, slug in _ALIASES.items():
            if slug in self.by_slug:
                self._by_word.setdefault(word, self.by_slug[slug])

    def find(self, text: str) -> SystemWords | None:
        """Return the system that a text names, None where it names none."""
        found = self._by_word.get(folded(text))
        if found is None and "(" in text:
            before, _, inside = text.partition("(")
            found = self._by_word.get(folded(before)) or self._by_word.get(folded(inside))
        return found


def find_roles(system: SystemWords, text: str) -> list[int] | None:
    """Return the keys of the roles that a cell names, [] for an empty cell, None where one is not the system's.

    Several stand in one cell with semicolons, bars or line breaks between them, or commas.
    """
    if not text:
        return []
    whole = system.by_word.get(folded(text))
    if whole is not None:
        return [whole]
    for separators in (r"[;|\n]+", r"[;|\n,]+"):
        parts = [part for part in re.split(separators, text) if part.strip()]
        found = [system.by_word.get(folded(part)) for part in parts]
        if len(parts) > 1 and None not in found:
            return sorted({key for key in found if key is not None})
    return None
