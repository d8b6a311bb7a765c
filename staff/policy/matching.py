"""Which person of the register a person of the file is: by number, then work e-mail, then name at the facility.

A key alone is never believed: a number or an address that belongs to somebody of quite another name rejects the row.
"""

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Iterator
from functools import cache, cached_property
from typing import Final, NamedTuple

from staff.policy.grouping import Group, reject
from staff.policy.names import Named, agree, bare_number, folded, full_name
from staff.policy.packing import Packed, rows_of
from staff.policy.values import Known, Rejection

Match = tuple[Group, Known | None]


class Verdict(NamedTuple):
    """Who is meant, or the column to blame; neither: this way cannot tell."""

    known: Known | None = None
    column: str = ""
    reason: str = ""  # empty: what is mostly wrong with the column


_NOBODY: Final = Verdict()
_REASONS: Final = {
    "employee_number": "this employee number belongs to somebody of another name here",
    "email": "this e-mail belongs to somebody of another name or employee number here",
    "first_name": "somebody here has this name the other way round: are first and last name in each other's column?",
    "last_name": "several people here have this name: only an employee number or e-mail tells which one is meant",
}
_TAKEN: Final = (
    "another row of this file is about the person whom this one seems to mean: give both the same employee number"
)


class Index:
    """People by a text that several may have, or that nobody has."""

    def __init__(self, key: Callable[[Known], str], people: Iterable[Known]) -> None:
        self._found: dict[str, Known | list[Known]] = {}  # a list only where several have it: most texts are one's own
        for known in people:
            if text := key(known):
                self._put(text, known)

    def _put(self, text: str, known: Known) -> None:
        before = self._found.setdefault(text, known)
        if isinstance(before, list):
            before.append(known)
        elif before is not known:
            self._found[text] = [before, known]

    def get(self, text: str) -> list[Known]:
        """Return the people of this text; none for the empty one."""
        found = self._found.get(text)
        return found if isinstance(found, list) else [] if found is None else [found]


class Register:
    """The people of the register by everything that may name them; what nobody asks for is never sorted."""

    def __init__(self, people: Iterable[Known]) -> None:
        self._people = list(people)
        self._by_number = Index(lambda known: known.number, self._people)

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Known]:
        return iter(self._people)

    def others(self, settled: Container[int]) -> Iterator[Known]:
        """Yield everybody but these."""
        return (known for known in self._people if known.key not in settled)

    def numbered(self, number: str) -> Known | None:
        """Return who has exactly this employee number."""
        found = self._by_number.get(number)
        return found[0] if found else None

    @cached_property
    def by_bare(self) -> "Index":
        """Everybody with an employee number, by the number without zeros in front."""
        return Index(lambda known: bare_number(known.number) if known.number else "", self._people)

    @cached_property
    def by_email(self) -> "Index":
        """Everybody with a work e-mail."""
        return Index(lambda known: known.email, self._people)

    @cached_property
    def by_name(self) -> "Index":
        """Everybody."""
        return Index(full_name, self._people)

    def may_mean(self, row: Rejection) -> set[int]:
        """Return the keys of all people that a rejected row may be about."""
        found = self.by_bare.get(bare_number(row.number)) + self.by_email.get(row.email)
        found += self.by_name.get(full_name(row)) if row.last_name else []
        return {known.key for known in found}

    def is_tied(self, row: Rejection) -> bool:
        """Return whether it is certain which one person of the register a rejected row is about."""
        named = bool(row.last_name)
        by_number = self.numbered(row.number)
        if by_number:
            return not named or agree(by_number, row)
        if row.number and self.by_bare.get(bare_number(row.number)):
            return False
        by_email = self.by_email.get(row.email)
        if len(by_email) == 1:
            return (not named or agree(by_email[0], row)) and not (row.number and by_email[0].number)
        if row.number or row.email or not named or row.facility is None:
            return False
        return len(_at([row.facility], self.by_name.get(full_name(row)))) == 1


class Matching:
    """Who every person of a file is. Each way of telling takes the rows that the one before left."""

    def __init__(self, groups: list[Packed], register: Register) -> None:
        """Empties ``groups``."""
        self.rejected: list[Rejection] = []
        self._groups, self._register = groups, register
        self._claimed: set[int] = set()
        self._numbered: set[int] = set()  # whose whole number stands in rows that were refused
        self._zeroless: set[int] = set()  # whom a number without its zeros means

    def found(self) -> Iterator[Match]:
        """Yield every person of the file with the person of the register, or None for somebody new."""
        if len(self._register):
            for told in (self._by_number, self._by_lost_zeros, self._by_email):
                yield from self._told(told)
            yield from self._by_name()
        yield from ((rows_of(packed), None) for packed in self._taken())

    def _taken(self) -> Iterator[Packed]:
        """Yield the rows and forget them."""
        groups, self._groups = self._groups, []
        groups.reverse()
        while groups:
            yield groups.pop()

    def _told(self, told: Callable[[Group], Verdict]) -> Iterator[Match]:
        for packed in self._taken():
            group = rows_of(packed)
            known, column, reason = told(group)
            if column:
                self._refuse(group, column, reason)
            elif known:
                self._claimed.add(known.key)
                yield group, known
            else:
                self._groups.append(packed)

    def _refuse(self, group: Group, column: str, reason: str = "") -> None:
        self.rejected += [reject(record, column, reason or _REASONS[column]) for record in group]

    def _by_number(self, group: Group) -> Verdict:
        known = self._register.numbered(_said(group, "number"))
        if known is None:
            return _NOBODY
        verdict = self._checked(group, known)
        if verdict.column:
            self._numbered.add(known.key)
        return verdict

    def _by_lost_zeros(self, group: Group) -> Verdict:
        """A number that lost its zeros counts where it fits one person by name whose number nobody else has here."""
        alike = self._register.by_bare.get(bare_number(_said(group, "number")))
        if len(alike) != 1 or alike[0].key in self._numbered:
            return _NOBODY
        [known] = alike
        if known.key in self._zeroless:
            return Verdict(None, "employee_number", _TAKEN)
        if known.key in self._claimed:  # by her whole number
            return _NOBODY
        if full_name(known) != full_name(group[0]):
            return Verdict(None, "employee_number")
        verdict = self._checked(group, known)
        if verdict.known:
            self._zeroless.add(known.key)
        return verdict

    def _checked(self, group: Group, known: Known) -> Verdict:
        """Return whether rows with this person's number are hers."""
        email = _said(group, "email")
        if email and email != known.email and _namesakes(self._register.by_email.get(email), group[0]):
            # two people of one name: the number is that of one, the e-mail that of the other
            return Verdict(None, "email")
        if known.last_name != group[0].last_name and _turned(known, group[0]):
            return Verdict(None, "first_name")
        if agree(known, group[0]) or (email and email == known.email):
            return Verdict(known)
        return Verdict(None, "employee_number")

    def _by_email(self, group: Group) -> Verdict:
        if self._is_taken(group):
            return Verdict(None, "email" if _said(group, "email") else "last_name", _TAKEN)
        email, number = _said(group, "email"), _said(group, "number")
        free = [known for known in self._register.by_email.get(email) if known.key not in self._claimed]
        if len(free) > 1:
            free = _namesakes(free, group[0])
        if len(free) != 1:
            return _NOBODY
        [known] = free
        if not (number and known.number and number != known.number):
            return Verdict(known) if agree(known, group[0]) else Verdict(None, "email")
        if full_name(known) == full_name(group[0]):  # she was given a new number; nobody in the file has the old one
            return Verdict(known)
        # Other number and quite another name: a mailbox of the job, handed on. Half another name: nobody can tell.
        return Verdict(None, "email") if agree(known, group[0]) else _NOBODY

    def _is_taken(self, group: Group) -> bool:
        """Return whether the rows may be about a person whom other rows named already: by her e-mail, or by her name
        there. Another number, or another e-mail behind the same name, is somebody else.
        """
        email, number = _said(group, "email"), _said(group, "number")
        by_email = [known for known in self._register.by_email.get(email) if agree(known, group[0])]
        by_name = _at([record.facility for record in group], self._register.by_name.get(full_name(group[0])))
        by_name = [known for known in by_name if not (email and known.email and email != known.email)]
        others = [known for known in by_email or by_name if not (number and known.number and number != known.number)]
        return bool(others) and all(known.key in self._claimed for known in others)

    def _by_name(self) -> Iterator[Match]:
        wanted: dict[int, list[Packed]] = defaultdict(list)
        groups, self._groups = self._groups, []
        named = cache(lambda: {full_name(record) for packed in groups for record in rows_of(packed)})
        for packed in groups:
            group = rows_of(packed)
            found = self._candidates(group)
            if not found and self._stands_reversed(group, named):
                self._refuse(group, "first_name")
            elif not found:
                yield group, None
            elif len(found) > 1:
                self._refuse(group, "last_name")
            else:
                wanted[found[0].key].append(packed)
        for rivals in wanted.values():
            rows = [record for packed in rivals for record in rows_of(packed)]
            [known] = self._candidates(rows_of(rivals[0]))
            # Rows of one name at different facilities, where one person of that name works at all of them, are hers.
            hers = len({record.facility for record in rows}) == len(rows) and _works_at(known, rows)
            if len(rivals) == 1 or hers:
                yield sorted(rows), known
            else:
                self._refuse(rows, "last_name")

    def _candidates(self, group: Group) -> list[Known]:
        number = _said(group, "number")
        namesakes = self._register.by_name.get(full_name(group[0]))
        return [
            known
            for known in _at([record.facility for record in group], namesakes)
            if known.key not in self._claimed and not (number and known.number and number != known.number)
        ]

    def _stands_reversed(self, group: Group, named: Callable[[], set[str]]) -> bool:
        """Return whether the row may be about somebody whose first and last name it has in each other's place.

        Whom another row names as she is called (``named``) is not meant: James Thomas may join where Thomas James
        works.
        """
        row = group[0]
        turned = [each._replace(first_name=row.last_name, last_name=row.first_name) for each in group]
        found = self._candidates(turned)
        email = _said(group, "email")
        return any(
            full_name(known) not in named() and not (email and known.email and email != known.email) for known in found
        )


def _at(facilities: list[int], people: Iterable[Known]) -> list[Known]:
    return [known for known in people if any(stint.facility in facilities for stint in known.stints)]


def _said(group: Group, column: str) -> str:
    return next((value for record in group if (value := getattr(record, column))), "")


def _namesakes(people: Iterable[Known], who: Named) -> list[Known]:
    return [known for known in people if full_name(known) == full_name(who)]


def _turned(one: Named, other: Named) -> bool:
    """Return whether each has the other's first name as last name: columns that were mistaken for each other."""
    first, last = folded(one.first_name), folded(one.last_name)
    return first != last and (folded(other.last_name), folded(other.first_name)) == (first, last)


def _works_at(known: Known, group: Group) -> bool:
    return {record.facility for record in group} <= {stint.facility for stint in known.stints}
