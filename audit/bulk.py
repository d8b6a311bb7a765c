"""Set-based writes for both engines. `bulk_create(ignore_conflicts=True)` is banned: on SQLite it silently
drops rows that break a check; this statement raises on both.
"""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Func, JSONField, Model, QuerySet, TextField, Value
from django.db.models.expressions import Combinable, RawSQL
from django.db.models.functions import Cast, Concat

_BATCH = 5_000
MANY = 1_000  # rows of one act from which the planner should hear of them


def insert_from(
    model: type[Model],
    rows: "QuerySet[Any, Any]",
    columns: Mapping[str, Any],
    *,
    conflict: Sequence[str],
    where: str = "",
) -> int:
    """INSERT into ``model`` what ``rows`` selects; rows that exist by the unique key stay. Returns how many were new.

    ``columns``: field name of ``model`` -> expression over ``rows``. ``conflict``: fields of the unique key, with
    ``where`` as the SQL predicate of a partial one. Raises IntegrityError for a row that breaks any other rule.
    """
    quote = connection.ops.quote_name
    aliases = {f"column_{position}": expression for position, expression in enumerate(columns.values())}
    try:
        select, params = rows.annotate(**aliases).values_list(*aliases).query.sql_with_params()
    except EmptyResultSet:
        return 0
    targets = ", ".join(quote(_column(model, name)) for name in columns)
    key = ", ".join(quote(_column(model, name)) for name in conflict)
    predicate = f" WHERE {where}" if where else ""
    sql = (  # `WHERE true`: SQLite would else read ON CONFLICT as part of a join
        f"INSERT INTO {quote(model._meta.db_table)} ({targets}) SELECT * FROM ({select}) AS found WHERE true"  # noqa: S608
        f" ON CONFLICT ({key}){predicate} DO NOTHING"
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def _column(model: type[Model], name: str) -> str:
    column = model._meta.get_field(name).column  # type: ignore[union-attr]
    return str(column)


def refresh_statistics(*models: type[Model]) -> None:
    """Let the planner know what an act has just written in bulk; what follows, and the lists, would else be slow."""
    names = [connection.ops.quote_name(model._meta.db_table) for model in models]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ANALYZE {', '.join(names)}")
            return
        cursor.execute("PRAGMA analysis_limit = 1000")  # a sample will do
        for name in names:
            cursor.execute(f"ANALYZE {name}")


def among(keys: Iterable[int]) -> RawSQL:
    """Return whole numbers as a subquery for ``pk__in``: one parameter, however many they are.

    SQLite takes 32,766 parameters in a statement, and PostgreSQL plans each of them: for keys without a bound.
    """
    numbers = [int(key) for key in keys]
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::bigint[])", [numbers])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(numbers)])


def among_texts(words: Iterable[str]) -> RawSQL:
    """Return texts as a subquery for ``__in``: one parameter, however many they are."""
    if connection.vendor == "postgresql":
        return RawSQL("SELECT unnest(%s::text[])", [list(words)])
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(list(words))])


def texts_by_key(texts: Mapping[int, Mapping[str, Any]]) -> Combinable:
    """Return, for each row, what is said of it here by its key: as ``payload`` of `audit.services.record_many`."""
    every = Value(json.dumps({str(key): said for key, said in texts.items()}), output_field=TextField())
    key = Cast(F("pk"), TextField())
    if connection.vendor == "postgresql":
        return Func(Cast(every, JSONField()), key, function="jsonb_extract_path_text", output_field=TextField())
    path = Concat(Value('$."'), key, Value('"'), output_field=TextField())
    return Func(every, path, function="JSON_EXTRACT", output_field=TextField())


def reserve_keys(model: type[Model], count: int) -> list[int]:
    """Return ``count`` new primary keys. On SQLite the IMMEDIATE transaction's write lock keeps them ours."""
    if not count:
        return []
    table = model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)", [table, count]
            )
            return [key for (key,) in cursor.fetchall()]
        cursor.execute(
            f"SELECT max((SELECT coalesce(max(id), 0) FROM {connection.ops.quote_name(table)}),"  # noqa: S608
            " (SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = %s))",
            [table],
        )
        (last,) = cursor.fetchone()
    return list(range(last + 1, last + 1 + count))


def insert_rows(model: type[Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """INSERT rows of plain values, in the order of ``columns`` (field names), in a few statements; return how many.

    COPY on PostgreSQL, a prepared statement on SQLite: a third of the time of ``bulk_create``. Raises IntegrityError
    and DataError for rows that break a rule. An empty text in a nullable column is stored as NULL.
    """
    fields = [model._meta.get_field(name) for name in columns]
    names = [_column(model, name) for name in columns]
    never_null = [name for name, field in zip(names, fields, strict=True) if not field.null]
    return load_rows(model._meta.db_table, names, _prepared(fields, rows), never_null=never_null)


def load_rows(
    table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]], *, never_null: Sequence[str] = ()
) -> int:
    """INSERT rows into a table that need not be a model's, in the order of ``columns`` (their SQL names).

    Values are numbers, texts, days and None; an empty text is NULL in columns that are not ``never_null``.
    """
    quote = connection.ops.quote_name
    names = ", ".join(map(quote, columns))
    forced = f", FORCE_NOT_NULL ({', '.join(map(quote, never_null))})" if never_null else ""
    marks = ", ".join(["%s"] * len(columns))
    remaining = iter(rows)
    written = 0
    with connection.cursor() as cursor:
        while batch := list(islice(remaining, _BATCH)):
            written += len(batch)
            if connection.vendor == "postgresql":
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(batch)
                text.seek(0)
                cursor.copy_expert(f"COPY {quote(table)} ({names}) FROM STDIN WITH (FORMAT csv{forced})", text)
            else:
                cursor.executemany(f"INSERT INTO {quote(table)} ({names}) VALUES ({marks})", batch)  # noqa: S608
    return written


def _prepared(fields: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """Yield the rows as the driver takes them: days and instants by the engine's own adapter."""
    kinds = [field.get_internal_type() for field in fields]
    adapt: dict[int, Any] = {}
    for position, kind in enumerate(kinds):
        if kind == "DateField" and connection.vendor != "postgresql":  # what is copied is written as text anyway
            adapt[position] = _day
        elif kind == "DateTimeField":
            adapt[position] = _instant
    empties = [position for position, field in enumerate(fields) if field.null]
    for row in rows:
        values = list(row)
        for position, function in adapt.items():
            if values[position] is not None:
                values[position] = function(values[position])
        for position in empties:
            if values[position] == "":
                values[position] = None
        yield values


def _day(value: Any) -> str:
    return str(value.isoformat())


@lru_cache(maxsize=64)  # a run writes one instant a hundred thousand times
def _instant(value: Any) -> str:
    return str(connection.ops.adapt_datetimefield_value(value))


def update_rows(
    model: type[Model], match: Sequence[str], columns: Sequence[str], rows: Iterable[Sequence[Any]], *, also: str = ""
) -> int:
    """UPDATE rows by ``match`` (field names); each of ``rows`` gives their values, then those of ``columns``.

    ``also`` is SQL for further assignments. Returns how many rows matched: fewer than given means that somebody
    else changed one meanwhile. Values are numbers, texts, days as ISO text and None; no column may be an instant.
    """
    quote = connection.ops.quote_name
    postgresql = connection.vendor == "postgresql"
    fields = [model._meta.get_field(name) for name in (*match, *columns)]
    texts = {"CharField", "TextField", "EmailField"}
    picked = []
    for position, field in enumerate(fields):
        value = f"value->>{position}"
        kind = field.get_internal_type()
        if kind == "DateField":
            picked.append(f"CAST({value} AS date) AS c{position}" if postgresql else f"{value} AS c{position}")
        else:
            picked.append(f"{value} AS c{position}" if kind in texts else f"CAST({value} AS bigint) AS c{position}")
    each = "jsonb_array_elements(%s::jsonb)" if postgresql else "json_each(%s)"
    table = quote(model._meta.db_table)
    assignments = [f"{quote(_column(model, name))} = new.c{len(match) + n}" for n, name in enumerate(columns)]
    same = [f"{table}.{quote(_column(model, name))} = new.c{n}" for n, name in enumerate(match)]
    sql = (
        f"UPDATE {table} SET {', '.join([*assignments, *filter(None, [also])])}"  # noqa: S608
        f" FROM (SELECT {', '.join(picked)} FROM {each}) AS new WHERE {' AND '.join(same)}"
    )
    remaining = iter(rows)
    matched = 0
    with connection.cursor() as cursor:
        while batch := list(islice(remaining, _BATCH)):
            cursor.execute(sql, [json.dumps(batch)])
            matched += cursor.rowcount
    return matched
