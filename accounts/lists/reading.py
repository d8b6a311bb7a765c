"""From a file to cleaned rows of accounts: columns and days are guessed, secrets refused, the rows judged."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import ClassVar, Final

from accounts.lists.cleaning import AccountCleaner
from accounts.lists.columns import DAYS, FIELDS, guess_accounts, knows, missing_from, says_where
from accounts.lists.packing import packed_account
from accounts.lists.words import INDIVIDUAL, NEVER, State, Systems, SystemWords, read_state, role_words
from imports.opening import Readable
from staff.policy import Rejection
from staff.policy.names import folded
from staff.roster.cleaning import Words
from staff.roster.keeping import Kept, taken_up
from staff.roster.places import Places
from staff.roster.reading import (
    SEPARATOR,
    Chosen,
    Roster,
    Titles,
    opened,
    refuse_lacking,
    sha256_of,
    take_in,
    take_styles,
    taken,
    values_of,
)
from systems.models import System, SystemRole

_LOGINS_ONLY: Final = (
    "No column says the facility, so this is read as a list of logins: it tells when people signed in to accounts that"
    " are known here, and changes nothing else."
)


@dataclass(slots=True)
class AccountList(Roster):
    """A list of accounts as it was understood; ``accounts`` are its rows, cleaned and packed."""

    TITLES: ClassVar[Titles] = Titles(FIELDS, knows, guess_accounts)

    accounts: list[bytes] = field(default_factory=list)
    systems: Systems = field(default_factory=lambda: Systems(()))

    def take_accounts(self) -> Iterator[bytes]:
        """Yield the rows and forget them: whoever ties them to people holds what is needed of them."""
        rows, self.accounts = self.accounts, []
        return taken(rows)


def catalogue_systems() -> Systems:
    """Return the catalogue's systems with what they and their roles may be called. Two queries."""
    roles: dict[int, list[tuple[int, str, str]]] = {}
    for role in SystemRole.objects.current().order_by("system", "position", "pk"):
        roles.setdefault(role.system_id, []).append((role.pk, role.slug, role.name))
    found = []
    for system in System.objects.current().order_by("position", "slug"):
        mine = roles.get(system.pk, [])
        words: dict[str, int] = {}
        for key, slug, name in mine:
            for word in role_words(slug, name):
                words.setdefault(word, key)
        named = SystemWords(
            system.pk,
            system.slug,
            system.name,
            system.sign_in_via_id,
            system.counts_at_authority,
            tuple((key, name) for key, _, name in mine),
            words,
            next((key for key, _, name in mine if name == INDIVIDUAL), None),
        )
        found.append((named, system.full_name))
    return Systems(found)


def read_accounts(
    path: Readable | Kept,
    places: Places,
    systems: Systems,
    *,
    on: date,
    latest: date,
    system: SystemWords | None = None,
    columns: Chosen = None,
    progress: Callable[[str], None] | None = None,
) -> AccountList:
    """Return the list. Raises FileRefused for a file that cannot be read whole, lacks a column, or holds a secret.

    What was kept of an upload was read and searched for secrets before.
    ``system``: what the whole list is about, where no column says it. ``columns``: field -> name of its column.
    ``latest``: the newest day that a row may speak of.
    """
    if isinstance(path, Kept):
        found = taken_up(AccountList, path, columns)
        refuse_lacking(found, missing_from(found.guess, system_known=system is not None))
    else:
        found, table = opened(AccountList, path, columns)
        refuse_lacking(found, missing_from(found.guess, system_known=system is not None))
        take_in(found, table, progress)
        found.sha256 = sha256_of(path)
    _judge(found, places, systems, on=on, latest=latest, system=system)
    return found


def _judge(
    found: AccountList, places: Places, systems: Systems, *, on: date, latest: date, system: SystemWords | None
) -> None:
    """Make accounts and rejections of the rows that were taken in."""
    found.systems = systems
    take_styles(found, DAYS, NEVER)
    if not says_where(found.guess):
        found.notes.append(_LOGINS_ONLY)
    cleaner = AccountCleaner(
        found.guess, places, Words(found.styles, {}), systems, _states(found), system=system, on=on, latest=latest
    )
    for line, text in found.cells.items():
        result = cleaner.clean(line, text.split(SEPARATOR))
        if isinstance(result, Rejection):
            found.rejected.append(result)
        else:
            found.accounts.append(packed_account(result))
    for line, given, ccn in cleaner.restored:
        found.restored.append({"file": found.file, "line": line, "given": given, "ccn": ccn})


def _states(found: AccountList) -> dict[str, State]:
    """Return what each word of the status column says; words that say nothing are told and change nothing."""
    if not found.guess.has("role_status"):
        return {}
    states = {word: read_state(word) for word in values_of(found, "role_status")}
    riddles = sorted(word for word, state in states.items() if state is State.UNKNOWN and folded(word))
    if riddles:
        shown = ", ".join(f"“{word[:30]}”" for word in riddles[:5])
        found.notes.append(
            f"These words in the status column were not understood: {shown}. They end no access and open none."
        )
    return states
