"""Paging by key: page 400 costs what page one costs, and rows that come or go shift nothing."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from django.core import signing
from django.db import connection
from django.db.models import BooleanField, F, Func, Model, Q, QuerySet, Value
from django.http import HttpRequest

Row = TypeVar("Row", bound=Model)
SALT = "web.keyset"
COUNTED_AT_MOST = 500


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows and the addresses (query strings) of the pages around them, empty at an end."""

    rows: list[Row]
    next_url: str = ""
    previous_url: str = ""


def page_of(
    request: HttpRequest,
    rows: QuerySet[Row],
    *,
    by: Sequence[str],
    size: int = 50,
    falling: bool = False,
    parts: Sequence[QuerySet[Row]] = (),
) -> Page[Row]:
    """Return the page of ``rows`` that ``?after=`` or ``?before=`` names, in ascending order of the fields ``by``.

    ``falling``: in descending order instead, the newest first. ``parts``: only rows that lie in one of them; each is
    read no further than the page goes. The last field has to be unique. One query. A key that was tampered with gives
    the first page.
    """
    key, backwards = _asked(request, by)
    down = backwards != falling

    def ordered(some: QuerySet[Row]) -> QuerySet[Row]:
        some = some.order_by(*(f"-{name}" for name in by) if down else by)
        return some.filter(_beyond(by, key, "<" if down else ">")) if key else some

    if parts:
        rows = rows.filter(pk__in=_keys_of(parts, size + 1, ordered))
    found = list(ordered(rows)[: size + 1])
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    if not found:
        return Page([])
    return Page(
        found,
        next_url=_url(request, "after", found[-1], by) if more or backwards else "",
        previous_url=_url(request, "before", found[0], by) if (more if backwards else key) else "",
    )


def in_slices(rows: QuerySet[Row], *, by: Sequence[str], size: int = 1_000) -> Iterator[list[Row]]:
    """Yield all rows in the order of ``by``, a slice at a time: memory stays flat on both engines."""
    key: list[Any] = []
    while True:
        rest = rows.filter(_beyond(by, key, ">")) if key else rows
        found = list(rest.order_by(*by)[:size])
        if found:
            yield found
        if len(found) < size:
            return
        key = [_value(found[-1], field) for field in by]


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows there are, exact up to a cap: counting on would read them all."""

    number: int
    capped: bool = False

    def __str__(self) -> str:
        return f"{self.number:,}+" if self.capped else f"{self.number:,}"


def count_of(rows: QuerySet[Any]) -> Count:
    """Return how many rows there are, or that they are more than the cap. One query."""
    found = rows.order_by()[: COUNTED_AT_MOST + 1].count()
    return Count(min(found, COUNTED_AT_MOST), found > COUNTED_AT_MOST)


def count_of_parts(parts: Sequence[QuerySet[Any]]) -> Count:
    """Return how many rows lie in one of the parts, as `count_of`. One query."""
    found = _keys_of(parts, COUNTED_AT_MOST + 1, lambda part: part.order_by()).count()
    return Count(min(found, COUNTED_AT_MOST), found > COUNTED_AT_MOST)


def _keys_of(
    parts: Sequence[QuerySet[Any]], at_most: int, ordered: Callable[[QuerySet[Any]], QuerySet[Any]]
) -> QuerySet[Any]:
    """Return the keys of the first rows of each part: one range each, where a condition OR another would read all."""
    first = [ordered(part).values("pk")[:at_most] for part in parts]
    if not connection.features.supports_slicing_ordering_in_compound:
        # SQLite takes no limit inside of a UNION, but inside of what is united.
        first = [some.model._default_manager.filter(pk__in=some).order_by().values("pk") for some in first]
    return first[0].union(*first[1:])


def asked_for(request: HttpRequest) -> str:
    """Return what ``?q=`` searches for; a NUL, which PostgreSQL does not take, is left out."""
    return request.GET.get("q", "").replace("\0", "").strip()


def page_after(request: HttpRequest, row: Model, *, by: Sequence[str]) -> str:
    """Return the query string of the page that begins after a row."""
    return _url(request, "after", row, by)


def last_page_url(request: HttpRequest, *, by: Sequence[str], beyond: Sequence[Any]) -> str:
    """Return the query string of the last page: what comes before a key that lies ``beyond`` every row."""
    kept = [(key, value) for key, value in request.GET.items() if key not in {"after", "before"}]
    return "?" + urlencode([*kept, ("before", signing.dumps(list(beyond), salt=_salt(by)))])


def _asked(request: HttpRequest, by: Sequence[str]) -> tuple[list[Any], bool]:
    for name, backwards in (("after", False), ("before", True)):
        token = request.GET.get(name)
        if token:
            try:
                key = signing.loads(token, salt=_salt(by))
            except signing.BadSignature:
                return [], False
            return key, backwards
    return [], False


def _salt(by: Sequence[str]) -> str:
    """Bind a key to its fields: the key of another list is no key of this one."""
    return ":".join([SALT, *by])


class _Beyond(Func):
    """``(a, b) > (x, y)`` as both engines know it: one range of an index on the fields, not a filter over it."""

    output_field = BooleanField()

    def __init__(self, *sources: Any, side: str) -> None:
        super().__init__(*sources)
        self.side = side

    def as_sql(
        self,
        compiler: Any,
        connection: Any,
        function: Any = None,
        template: Any = None,
        arg_joiner: Any = None,
        **context: Any,
    ) -> Any:
        parts = [compiler.compile(source) for source in self.get_source_expressions()]
        half = len(parts) // 2
        left, right = (", ".join(text for text, _ in some) for some in (parts[:half], parts[half:]))
        return f"({left}) {self.side} ({right})", [value for _, values in parts for value in values]


def _beyond(by: Sequence[str], key: Sequence[Any], side: str) -> Q:
    """Return the condition of lying behind (``>``) or before (``<``) a key in the order of the fields ``by``."""
    whole = _compared(by, key, side)
    table = by[0].rpartition("__")[0]
    leading = next((n for n, name in enumerate(by) if name.rpartition("__")[0] != table), len(by))
    if leading == len(by):
        return Q(whole)
    # A comparison over two tables is no range of an index; what it implies for the first table is.
    return Q(_compared(by[:leading], key[:leading], f"{side}="), whole)


def _compared(by: Sequence[str], key: Sequence[Any], side: str) -> _Beyond:
    return _Beyond(*(F(name) for name in by), *(Value(value) for value in key), side=side)


def _url(request: HttpRequest, name: str, row: Model, by: Sequence[str]) -> str:
    kept = [(key, value) for key, value in request.GET.items() if key not in {"after", "before"}]
    token = signing.dumps([_value(row, field) for field in by], salt=_salt(by))
    return "?" + urlencode([*kept, (name, token)])


def _value(row: Model, field: str) -> Any:
    value: Any = row
    for part in field.split("__"):
        value = getattr(value, part)
    if isinstance(value, datetime):  # as the engine stores it: the key is compared as it stands
        return str(connection.ops.adapt_datetimefield_value(value))
    return value.isoformat() if isinstance(value, date) else value
