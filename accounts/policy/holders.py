"""Whose account a row means. Never the wrong person: a contradiction or a doubt is a reason, not a guess. Pure."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from staff.policy.names import Named, agree, bare_number, full_name

ANYWHERE: Final = 0  # no facility: a row of a list of logins means the account wherever it is held


class Holder(NamedTuple):
    """A person of the register: where she works, worked or holds access, and her user IDs as (system, folded ID)."""

    key: int
    first_name: str
    last_name: str
    number: str
    email: str
    facilities: Collection[int]
    user_ids: Collection[tuple[int, str]] = ()


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a row says about a person. ``authority``: the system at which its user ID is one."""

    first_name: str
    last_name: str
    number: str
    email: str
    user_id: str
    authority: int
    facility: int


class Holders:
    """The people of an organization by everything that may name them."""

    def __init__(self, holders: Iterable[Holder]) -> None:
        self._people: dict[int, Holder] = {}
        self._by: dict[str, dict[object, tuple[int, ...]]] = {"number": {}, "e-mail": {}, "user ID": {}}
        for each in holders:
            self._people[each.key] = each
            if each.number:
                self._add("number", bare_number(each.number), each.key)
            if each.email:
                self._add("e-mail", each.email, each.key)
            for user_id in each.user_ids:
                self._add("user ID", user_id, each.key)

    def _add(self, what: str, said: object, key: int) -> None:
        self._by[what][said] = (*self._by[what].get(said, ()), key)

    @cached_property
    def _by_full_name(self) -> dict[str, list[int]]:
        """People by what is compared of their names; a list that names nobody never asks."""
        found: dict[str, list[int]] = defaultdict(list)
        for each in self._people.values():
            found[full_name(each)].append(each.key)
        return found

    def find(self, wanted: Wanted) -> int | str:
        """Return the person's key, or in words why nobody can be told.

        Number, e-mail and user ID have to mean one and the same person, and the name must not speak against it.
        A name alone counts where exactly one person of that name works or holds access at the facility. In a row
        without a facility it counts for nothing: who is meant may be somebody whom nobody here knows.
        """
        keys = {
            "number": bare_number(wanted.number) if wanted.number else None,
            "e-mail": wanted.email or None,
            "user ID": (wanted.authority, id_key(wanted.user_id)) if wanted.user_id else None,
        }
        found: dict[str, int] = {}
        for what, key in keys.items():
            people = self._by[what].get(key, ()) if key is not None else ()
            mine = [each for each in people if self._fits(each, wanted)]
            if people and not mine:
                return f"the {what} is that of {self._named(people[0])}"
            if len(mine) > 1:
                mine = self._narrowed(mine, wanted)
            if len(mine) > 1:
                return f"several people have this {what}"
            if mine:
                found[what] = mine[0]
        if len(set(found.values())) > 1:
            said = " and ".join(f"the {what} is that of {self._named(key)}" for what, key in found.items())
            return f"{said}"
        if not found:
            return self._by_name(wanted)
        what, person = next(iter(found.items()))
        named = self._by_full_name.get(full_name(wanted), []) if wanted.last_name else []
        if named and person not in named:
            return f"the {what} is that of {self._named(person)}, the name that of somebody else here"
        return person

    def _by_name(self, wanted: Wanted) -> int | str:
        if not wanted.last_name:
            return "nobody here is known by what the row says"
        if wanted.facility == ANYWHERE:
            return "without a facility a name alone tells nobody: give the employee number, the e-mail or the user ID"
        named = self._by_full_name.get(full_name(wanted), [])
        here = [key for key in named if wanted.facility in self._people[key].facilities]
        if len(here) == 1:
            return self._against(here[0], wanted) or here[0]
        if len(here) > 1:
            return "several people of this name work there: give the employee number or the e-mail"
        if named:
            return "somebody of this name works elsewhere: give the employee number or the e-mail"
        return "nobody of this name is known here"

    def _against(self, key: int, wanted: Wanted) -> str:
        """Return what speaks against a person found by her name alone."""
        person = self._people[key]
        if wanted.number and person.number and bare_number(wanted.number) != bare_number(person.number):
            return "a person of this name has another employee number"
        if wanted.email and person.email and wanted.email != person.email:
            return "a person of this name has another e-mail"
        return ""

    def _fits(self, key: int, wanted: Wanted) -> bool:
        return not wanted.last_name or agree(self._people[key], _Name(wanted.first_name, wanted.last_name))

    def _narrowed(self, keys: list[int], wanted: Wanted) -> list[int]:
        exact = [key for key in keys if wanted.last_name and full_name(self._people[key]) == full_name(wanted)]
        here = [key for key in exact if wanted.facility in self._people[key].facilities]
        return here or exact or keys

    def _named(self, key: int) -> str:
        person: Named = self._people[key]
        return f"{person.first_name} {person.last_name}".strip()


class _Name(NamedTuple):
    first_name: str
    last_name: str


def id_key(user_id: str) -> str:
    """Return what is compared of a user ID: systems take no notice of case and blanks."""
    return "".join(user_id.split()).casefold()
