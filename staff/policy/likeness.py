"""Whether somebody new in a roster may be somebody who is missing in it: the same name, misspelled or married. Pure."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import Final, NamedTuple

from staff.policy.names import digits, first_word, folded, full_name
from staff.policy.values import Known, Stint, Time
from staff.spelling import forgiven, mistakes

_PHONE: Final = 7  # digits from which two phones may be one
_BEGINNING: Final = 3  # letters from which the beginning of a last name counts as the name: Lopez of Lopez-Diaz
_SUFFIXES: Final = frozenset({"jr", "sr", "ii", "iii", "iv"})


class Newcomer(NamedTuple):
    """Somebody whom a file has and the register does not know; ``line`` is that of her first row."""

    line: int
    first_name: str
    last_name: str
    number: str
    email: str
    phone: str
    times: tuple[Time, ...]


class Newcomers:
    """The newcomers of a file by their whole names, and by what their names begin with at each place."""

    def __init__(self, found: Iterable[Newcomer], *, on: date) -> None:
        self._on = on
        self._by_name: dict[str, list[Newcomer]] = defaultdict(list)
        self._by_place: dict[tuple[int, str], list[Newcomer]] = defaultdict(list)
        for each in found:
            self._by_name[full_name(each)].append(each)
            for time in each.times:
                for way in (each, _turned(each)):
                    for key in _keys(way):
                        self._by_place[time.facility, key].append(each)

    def like(self, known: Known, gone: list[Stint]) -> Iterator[Newcomer]:
        """Yield who may be this person: of one name anywhere, of a name like it where she is missing."""
        for stint in gone:
            for key in _keys(known):
                here = self._by_place.get((stint.facility, key), ())
                yield from (each for each in here if _either_way(known, stint, each, self._on))
        yield from (each for each in self._by_name.get(full_name(known), ()) if not _differ(known, each, all))


def _keys(who: Known | Newcomer) -> tuple[str, str]:
    """Return what two names have to share to be compared: the first name, or where the last name begins."""
    return first_word(who.first_name), f"*{folded(who.last_name)[:1]}"


def _turned(new: Newcomer) -> Newcomer:
    return new._replace(first_name=new.last_name, last_name=new.first_name)


def _either_way(known: Known, stint: Stint, new: Newcomer, on: date) -> bool:
    """Return whether they may be one, also with first and last name in each other's place."""
    if may_be(known, stint, new, on=on):
        return True
    turned = _turned(new)
    return _alike_last(known, turned) and may_be(known, stint, turned, on=on)


def may_be(known: Known, stint: Stint, new: Newcomer, *, on: date) -> bool:
    """Return whether a newcomer at the place of ``stint`` may be the one who is missing there.

    Two names that could be one, unless an employee number or an e-mail says otherwise; against these stands only the
    same phone or the same day of hire, with the first name or both names alike. With nothing against it the last name
    is enough for these. Of whom only the first name is left, a day of hire of her own is somebody new.
    """
    first, last = first_word(known.first_name) == first_word(new.first_name), _last(known) == _last(new)
    if first and last:
        return not _differ(known, new, all)
    begins = next(time.starts_on for time in new.times if time.facility == stint.facility)
    phone = digits(known.phone)
    alike = _alike_first(known, new, first), last or _alike_last(known, new)
    hired_together = begins == stint.starts_on and begins != on  # a day that the file gives
    hint = hired_together or (len(phone) >= _PHONE and phone == digits(new.phone))
    if _differ(known, new, any):
        return hint and (first or all(alike))
    return all(alike) or (hint and (first or last)) or (first and begins == on)


def _differ(known: Known, new: Newcomer, told: Callable[[Iterable[bool]], bool]) -> bool:
    """Return whether any, or all, of number and e-mail say that these are two people."""
    pairs = ((known.number, new.number), (known.email, new.email))
    return told(bool(old and said and old != said) for old, said in pairs)


def _alike_first(known: Known, new: Newcomer, same: bool) -> bool:
    one, other = first_word(known.first_name), first_word(new.first_name)
    return same or one[:1] == other[:1] or _misspelled(one, other)


def _alike_last(known: Known, new: Newcomer) -> bool:
    one, other = _last(known), _last(new)
    shorter, longer = sorted((one, other), key=len)
    return (len(shorter) >= _BEGINNING and longer.startswith(shorter)) or _misspelled(one, other)


def _misspelled(one: str, other: str) -> bool:
    """Return whether two names differ by no more letters than are forgiven in the shorter one."""
    one, other = one.upper(), other.upper()
    most = forgiven(min(one, other, key=len))
    return abs(len(one) - len(other)) <= most and mistakes(one, other, most) is not None


def _last(who: Known | Newcomer) -> str:
    """Return a last name as it is compared, without a Jr behind it."""
    words = who.last_name.replace(".", " ").replace(",", " ").split()
    while len(words) > 1 and words[-1].casefold() in _SUFFIXES:
        words.pop()
    return folded(" ".join(words))
