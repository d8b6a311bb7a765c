"""Compile what a caller says about the rows of an act into one SELECT, payload included."""

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import F, Func, QuerySet, TextField, Value
from django.db.models.functions import Cast, JSONObject


@dataclass(frozen=True, slots=True)
class Source:
    """A compiled queryset with the columns audit_chain, audit_subject, audit_pk and audit_payload.

    ``payload`` is the SQL over them that makes the text of an item, its subject put in.
    """

    sql: str
    params: tuple[Any, ...]
    payload: str


def compile_rows(rows: "QuerySet[Any, Any]") -> Source | None:
    """Compile a queryset that has ``chain`` and ``subject_key``, and maybe ``payload`` (a JSON object).

    Each may be a field or an annotation. Returns None for a queryset that cannot hold a row.
    """
    payload, made = _payload(rows)
    columns: dict[str, Any] = {
        "audit_chain": Cast(F("chain"), TextField()),
        "audit_subject": Cast(F("subject_key"), TextField()),
        "audit_pk": F("pk"),
        "audit_payload": payload,
    }
    unordered = rows if rows.query.is_sliced else rows.order_by()
    try:
        sql, params = unordered.annotate(**columns).values_list(*columns).query.sql_with_params()
    except EmptyResultSet:
        return None
    return Source(sql, tuple(params), made)


class _ItemText(Func):
    """JSON_OBJECT as text; several times cheaper than building, merging and printing jsonb."""

    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="JSON_OBJECT", **context)

    def as_postgresql(self, compiler: Any, connection: Any, **context: Any) -> Any:
        keys_as_text = self.copy()
        keys_as_text.set_source_expressions(
            [
                Cast(expression, TextField()) if position % 2 == 0 else expression
                for position, expression in enumerate(self.get_source_expressions())
            ]
        )
        template = "JSON_BUILD_OBJECT(%(expressions)s)::text"
        return keys_as_text.as_sql(compiler, connection, template=template, **context)


def _payload(rows: "QuerySet[Any, Any]") -> tuple[Any, str]:
    """Return the expression to select and the SQL that makes the item's text of it.

    The row's own subject is put in last, so it wins over one that the caller wrote.
    """
    annotated = rows.query.annotations.get("payload")
    given: list[Any] = []
    if isinstance(annotated, JSONObject):
        given = annotated.get_source_expressions()
    elif annotated is not None or any(field.name == "payload" for field in rows.model._meta.concrete_fields):
        if connection.vendor != "postgresql":
            return F("payload"), "json_set(source.audit_payload, '$.subject', source.audit_subject)"
        merged = "(source.audit_payload::jsonb || jsonb_build_object('subject', source.audit_subject))::text"
        return F("payload"), merged
    return _ItemText(*given, Value("subject"), F("subject_key")), "source.audit_payload"
