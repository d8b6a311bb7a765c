"""The act of an import in the audit chain, with an item for each of its rows that counts."""

from datetime import datetime

from django.db.models import QuerySet, Value
from django.db.models.functions import JSONObject

from audit.services import Ref, record_many
from facilities.access import Scope
from imports.models import Import, ImportRow

IMPORT_ROW = ("organization", "source", "line", "kind", "status", "subject_key", "summary", "reason", "cells", "change")


def record_rows(
    action: str, rows: "QuerySet[ImportRow, ImportRow]", scope: Scope, source: Import, at: datetime, reason: str = ""
) -> None:
    """Record one act of an import with an item for each subject it changed, without the rows that it rejected."""
    record_many(
        action=action,
        actor=scope.actor,
        subject=Ref(source.key, source.file_name),
        at=at,
        reason=reason,
        rows=rows.exclude(status=ImportRow.Status.REJECTED).annotate(
            chain=Value(scope.organization.key), payload=JSONObject(kind="kind", line="line", change="summary")
        ),
    )
