"""Finding people by what somebody begins to type: their names, work e-mail and employee number, at once or nearly."""

from typing import Final

from django.db import connection
from django.db.models import F, Q

from facilities.models import Organization
from staff.beginnings import LAST, Folded, begins
from staff.models import Person, PersonQuerySet
from staff.spelling import beginnings_near, forgiven, mistakes, plain

WORDS: Final = 5  # more are not looked at
_NEAR_WORDS: Final = 3
_NEAR_LETTERS: Final = 3  # of fewer, too many names are near
_NAMES_READ: Final = 4_000  # different names that are compared with what was typed
_NAMES_TAKEN: Final = 100

# Each step of the walk is one look into the index: what it costs grows with different names, not with people.
_WALK: Final = """
WITH RECURSIVE starts(start, stop) AS (VALUES {starts}),
walk(stop, name) AS (
    SELECT starts.stop, (
        SELECT {folded} FROM {table}
        WHERE organization_id = %s AND {folded} >= starts.start AND {folded} < starts.stop
        ORDER BY {folded} LIMIT 1
    ) FROM starts
    UNION ALL
    SELECT walk.stop, (
        SELECT {folded} FROM {table}
        WHERE organization_id = %s AND {folded} > walk.name AND {folded} < walk.stop
        ORDER BY {folded} LIMIT 1
    ) FROM walk WHERE walk.name IS NOT NULL
)
SELECT name FROM walk LIMIT %s
"""


def people_called(readable: PersonQuerySet, text: str, at_most: int) -> list[Person]:
    """Return at most so many of the readable people whose name, e-mail or number begins so, best first. Two queries.

    First and last name in either order, each by its beginning; of the employee number, all of it. Each way of reading
    the text is the first few rows of one range of an index, however many people begin alike.
    """
    words = text.replace(",", " ").split()[:WORDS]
    if not words:
        return []
    whole = " ".join(words)
    ways = [
        _few(readable.filter(_named(first, last)), "last_name" if last else "first_name", at_most)
        for first, last in _splits(words)
    ]
    ways += [
        _few(readable.filter(begins("email", whole)), "email", at_most),
        # As typed or in one case: each is one look into the index that keeps numbers apart, and one person at most.
        readable.filter(employee_number__in=[whole, whole.upper(), whole.lower()]),
    ]
    found = _any_of(ways)
    return sorted(found, key=lambda person: (_rank(person, whole.upper()), _by_name(person)))[:at_most]


def people_nearly_called(readable: PersonQuerySet, organization: Organization, text: str, at_most: int) -> list[Person]:
    """Return at most so many of the readable people whose names are spelled nearly so, nearest first. Four queries."""
    words = [word for word in text.replace(",", " ").split()[:_NEAR_WORDS] if plain(word)]
    if not words:
        return []
    splits = _splits(words)
    lasts = _near_names(organization, "last_name", {last for _, last in splits})
    firsts = _near_names(organization, "first_name", {first for first, _ in splits})
    named = readable.alias(folded_first_name=Folded(F("first_name")), folded_last_name=Folded(F("last_name")))
    ways = []
    for first, last in splits:
        nearly = _nearly("first_name", first, firsts), _nearly("last_name", last, lasts)
        if None not in nearly:
            ways.append(_few(named.filter(*nearly), "last_name" if last else "first_name", at_most))
    if not ways:
        return []
    whole = plain(" ".join(words))
    return sorted(_any_of(ways), key=lambda person: (_distance(person, whole), _by_name(person)))[:at_most]


def _splits(words: list[str]) -> list[tuple[str, str]]:
    """Return the (first, last) names that the words can mean; an empty one was not given."""
    whole = " ".join(words)
    found = [("", whole), (whole, "")]
    for cut in range(1, len(words)):
        one, other = " ".join(words[:cut]), " ".join(words[cut:])
        found += [(one, other), (other, one)]
    return found


def _named(first: str, last: str) -> Q:
    return (begins("first_name", first) if first else Q()) & (begins("last_name", last) if last else Q())


def _nearly(field: str, part: str, near: dict[str, list[str]]) -> Q | None:
    """Return the condition that a name is spelled nearly so; None: nobody's is."""
    if len(part) < _NEAR_LETTERS:
        return begins(field, part) if part else Q()
    return Q(**{f"folded_{field}__in": near[part]}) if near[part] else None


def _few(people: PersonQuerySet, order: str, at_most: int) -> PersonQuerySet:
    """Return the first few, as a part of a union: SQLite takes no limit there but inside of a subquery.

    In the order of the index that finds them: in another, PostgreSQL may walk through everybody until it has a few.
    """
    return Person.objects.filter(pk__in=people.order_by(Folded(F(order))).values("pk")[:at_most])


def _any_of(ways: list[PersonQuerySet]) -> list[Person]:
    """Return the people of all ways. Two queries: as one, an engine may prefer to read everybody."""
    first, *rest = (way.values_list("pk") for way in ways)
    keys = [pk for (pk,) in first.union(*rest)]
    return list(Person.objects.filter(pk__in=keys)) if keys else []


def _rank(person: Person, whole: str) -> int:
    """Put who is called exactly so first, then beginnings of last names, of first names, and the others."""
    first, last = person.first_name.upper(), person.last_name.upper()
    if whole in {first, last, f"{first} {last}", f"{last} {first}"}:
        return 0
    return next((rank for rank, name in enumerate((last, first), 1) if name.startswith(whole)), 3)


def _by_name(person: Person) -> tuple[str, str, int]:
    return person.last_name.upper(), person.first_name.upper(), person.pk


def _distance(person: Person, whole: str) -> tuple[int, int]:
    first, last = plain(person.first_name), plain(person.last_name)
    far = 2 * forgiven(whole) + 1
    found = [
        (far if (count := mistakes(whole, name, far - 1)) is None else count, abs(len(name) - len(whole)))
        for name in (first, last, f"{first} {last}", f"{last} {first}")
    ]
    return min(found)


def _near_names(organization: Organization, field: str, parts: set[str]) -> dict[str, list[str]]:
    """Return for each part the names of the organization's people, in capitals, that are spelled nearly so."""
    long = {part for part in parts if len(part) >= _NEAR_LETTERS}
    known = [(name, plain(name)) for name in _walked(organization, field, long)] if long else []
    near = {}
    for part in long:
        typed = plain(part)
        found = ((mistakes(typed, bare, forgiven(typed)), name) for name, bare in known)
        ranked = sorted((count, len(name), name) for count, name in found if count is not None)
        near[part] = [name for _, _, name in ranked[:_NAMES_TAKEN]]
    return near


def _walked(organization: Organization, field: str, parts: set[str]) -> set[str]:
    starts = sorted({start for part in parts for start in beginnings_near(part)})
    folded = f"UPPER({field})"
    if connection.vendor == "postgresql":
        folded = f'(UPPER({field}) COLLATE "C")'
    rows = ", ".join(["(UPPER(%s), UPPER(%s))"] * len(starts))
    statement = _WALK.format(starts=rows, folded=folded, table=Person._meta.db_table)
    bounds = [value for start in starts for value in (start, start + LAST)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [*bounds, organization.pk, organization.pk, _NAMES_READ])
        return {name for (name,) in cursor.fetchall() if name is not None}
