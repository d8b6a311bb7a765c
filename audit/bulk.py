"""One set-based insert for both engines. `bulk_create(ignore_conflicts=True)` is banned: on SQLite it silently
drops rows that break a check; this statement raises on both.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Model, QuerySet


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
