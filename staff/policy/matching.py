"""Which person of the register a person of the file is: by number, then work e-mail, then name at the facility.

A key alone is never believed: a number or an address that belongs to somebody of quite another name rejects the row.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from functools import cache, cached_property

from staff.policy.grouping import Group, reject
from staff.policy.names import Named, agree, bare_number, full_name
from staff.policy.values import Known, Rejection

Match = tuple[Group, Known | None]


class Index:
    """People by a text that several may have. A person alone stands without a list: most do, and it is memory."""

    def __init__(self, key: Callable[[Known], str], people: Iterable[Known]) -> None:
        self._alone: dict[str, Known] = {}
        self._shared: dict[str, list[Known]] = {}
        for known in people:
            name = key(known)
            if name and self._alone.setdefault(name, known) is not known:
                self._shared.setdefault(name, [self._alone[name]]).append(known)

    def get(self, name: str) -> Sequence[Known]:
        """Return the people of this text; none for the empty one."""
        if name in self._shared:
            return self._shared[name]
        return (self._alone[name],) if name in self._alone else ()


class Register:
    """The people of the register by everything that may name them; what nobody asks for is never sorted."""

    def __init__(self, people: Iterable[Known]) -> None:
        self.people = list(people)

    @cached_property
    def by_number(self) -> dict[str, Known]:
        """Everybody with an employee number."""
        return {known.number: known for known in self.people if known.number}

    @cached_property
    def by_bare(self) -> "Index":
        """The same by the number without zeros in front."""
        return Index(lambda known: bare_number(known.number) if known.number else "", self.people)

    @cached_property
    def by_email(self) -> "Index":
        """Everybody with a work e-mail."""
        return Index(lambda known: known.email, self.people)

    @cached_property
    def by_name(self) -> "Index":
        """Everybody."""
        return Index(full_name, self.people)

    def may_mean(self, row: Rejection) -> set[int]:
        """Return the keys of all people that a rejected row may be about."""
        found = list(self.by_bare.get(bare_number(row.number))) if row.number else []
        found += self.by_email.get(row.email) if row.email else ()
        found += self.by_name.get(full_name(row)) if row.last_name else ()
        return {known.key for known in found}

    def is_tied(self, row: Rejection) -> bool:
        """Return whether it is certain which one person of the register a rejected row is about."""
        named = bool(row.last_name)
        by_number = self.by_number.get(row.number) if row.number else None
        if by_number:
            return not named or agree(by_number, row)
        if row.number and self.by_bare.get(bare_number(row.number)):
            return False
        by_email = self.by_email.get(row.email) if row.email else ()
        if len(by_email) == 1:
            return (not named or agree(by_email[0], row)) and not (row.number and by_email[0].number)
        if row.number or row.email or not named or row.facility is None:
            return False
        return len(_at([row.facility], self.by_name.get(full_name(row)))) == 1


def _at(facilities: list[int], people: Iterable[Known]) -> list[Known]:
    return [known for known in people if any(stint.facility in facilities for stint in known.stints)]


def matched(groups: list[Group], register: Register) -> tuple[list[Match], list[Rejection]]:
    """Return every person of the file with the person of the register, or None for somebody new."""
    claimed: set[int] = set()
    matches: list[Match] = []
    rejected: list[Rejection] = []
    later: list[Group] = []
    numbers = cache(lambda: {group[0].number for group in groups if group[0].number})  # most files never ask for it
    for group in groups:
        known, column = _by_number(group, register, numbers)
        if column:
            rejected += _refused(group, column)
        elif known:
            claimed.add(known.key)
            matches.append((group, known))
        else:
            later.append(group)
    remaining: list[Group] = []
    for group in later:
        known, column = _by_email(group, register, claimed)
        if _is_taken(group, register, claimed):
            rejected += _refused(group, _taken_by(group), _TAKEN)
        elif column:
            rejected += _refused(group, column)
        elif known:
            claimed.add(known.key)
            matches.append((group, known))
        else:
            remaining.append(group)
    more, refused = _by_name(remaining, register, claimed)
    return matches + more, rejected + refused


_REASONS = {
    "employee_number": "this employee number belongs to somebody of another name here",
    "email": "this e-mail belongs to somebody of another name or employee number here",
    "first_name": "somebody here has this name the other way round: are first and last name in each other's column?",
    "last_name": "several people here have this name: only an employee number or e-mail tells which one is meant",
}


_TAKEN = "another row of this file is about the person whom this one seems to mean: give both the same employee number"


def _refused(group: Group, column: str, reason: str = "") -> list[Rejection]:
    return [reject(record, column, reason or _REASONS[column]) for record in group]


def _said(group: Group, column: str) -> str:
    return next((value for record in group if (value := getattr(record, column))), "")


def _by_number(group: Group, register: Register, numbers: Callable[[], set[str]]) -> tuple[Known | None, str]:
    """Return (person, column to blame). A number that lost its zeros counts where it fits one person by name."""
    number = _said(group, "number")
    if not number:
        return None, ""
    known = register.by_number.get(number)
    if known is None:
        alike = register.by_bare.get(bare_number(number))
        if len(alike) != 1 or alike[0].number in numbers():
            return None, ""
        if full_name(alike[0]) != full_name(group[0]):
            return None, "employee_number"
        known = alike[0]
    email = _said(group, "email")
    if email and email != known.email and _namesakes(register.by_email.get(email), group[0]):
        return None, "email"  # two people of one name: the number is that of one, the e-mail that of the other
    if agree(known, group[0]) or (email and email == known.email):
        return known, ""
    return None, "employee_number"


def _namesakes(people: Iterable[Known], who: Named) -> list[Known]:
    return [known for known in people if full_name(known) == full_name(who)]


def _by_email(group: Group, register: Register, claimed: set[int]) -> tuple[Known | None, str]:
    email, number = _said(group, "email"), _said(group, "number")
    found = register.by_email.get(email) if email else ()
    free = [known for known in found if known.key not in claimed]
    if len(free) > 1:
        free = _namesakes(free, group[0])
        if len(free) != 1:
            return None, ""
    if not free:
        return None, ""
    known = free[0]
    if not (number and known.number and number != known.number):
        return (known, "") if agree(known, group[0]) else (None, "email")
    if full_name(known) == full_name(group[0]):  # she was given a new number; nobody in the file has the old one
        return known, ""
    # Other number and quite another name: a mailbox of the job, handed on. Half another name: nobody can tell.
    return None, ("email" if agree(known, group[0]) else "")


def _is_taken(group: Group, register: Register, claimed: set[int]) -> bool:
    """Return whether the rows may be about a person whom other rows named already: by her e-mail, or by her name there.

    Another number, or another e-mail behind the same name, is somebody else.
    """
    email, number = _said(group, "email"), _said(group, "number")
    by_email = [known for known in (register.by_email.get(email) if email else ()) if agree(known, group[0])]
    by_name = _at([record.facility for record in group], register.by_name.get(full_name(group[0])))
    by_name = [known for known in by_name if not (email and known.email and email != known.email)]
    others = [known for known in by_email or by_name if not (number and known.number and number != known.number)]
    return bool(others) and all(known.key in claimed for known in others)


def _taken_by(group: Group) -> str:
    return "email" if _said(group, "email") else "last_name"


def _by_name(groups: list[Group], register: Register, claimed: set[int]) -> tuple[list[Match], list[Rejection]]:
    wanted: dict[int, list[Group]] = defaultdict(list)
    matches: list[Match] = []
    rejected: list[Rejection] = []
    named = {full_name(record) for group in groups for record in group}
    for group in groups:
        found = _candidates(group, register, claimed)
        if not found and _stands_reversed(group, register, claimed, named):
            rejected += _refused(group, "first_name")
        elif not found:
            matches.append((group, None))
        elif len(found) > 1:
            rejected += _refused(group, "last_name")
        else:
            wanted[found[0].key].append(group)
    people = {known.key: known for known in register.people} if wanted else {}
    for key, rivals in wanted.items():
        rows = [record for group in rivals for record in group]
        # Rows of one name at different facilities, where one person of that name works at all of them, are hers.
        hers = len({record.facility for record in rows}) == len(rows) and _works_at(people[key], rows)
        if len(rivals) == 1 or hers:
            matches.append((sorted(rows), people[key]))
        else:
            rejected += [refusal for group in rivals for refusal in _refused(group, "last_name")]
    return matches, rejected


def _stands_reversed(group: Group, register: Register, claimed: set[int], named: set[str]) -> bool:
    """Return whether the row may be about somebody whose first and last name it has in each other's place.

    Whom another row names as she is called (``named``) is not meant: James Thomas may join where Thomas James works.
    """
    row = group[0]
    found = _candidates([each._replace(first_name=row.last_name, last_name=row.first_name) for each in group],
                        register, claimed)  # fmt: skip
    email = _said(group, "email")
    return any(
        full_name(known) not in named and not (email and known.email and email != known.email) for known in found
    )


def _works_at(known: Known, group: Group) -> bool:
    return {record.facility for record in group} <= {stint.facility for stint in known.stints}


def _candidates(group: Group, register: Register, claimed: set[int]) -> list[Known]:
    number = _said(group, "number")
    places = [record.facility for record in group]
    namesakes = register.by_name.get(full_name(group[0]))
    return [
        known
        for known in _at(places, namesakes)
        if known.key not in claimed and not (number and known.number and number != known.number)
    ]
