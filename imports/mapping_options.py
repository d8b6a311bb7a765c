"""The options of import commands that say what a column means, and those that keep it for the next list."""

from datetime import datetime
from typing import Any, NamedTuple

from django.core.management.base import CommandParser

from facilities.access import Scope
from imports.answers import ListReport
from imports.mappings import MappingRefused, find_mapping, mapping_name, save_mapping
from imports.models import Import


class Reading(NamedTuple):
    """How a list is to be read, and the name to keep that under, if any."""

    columns: dict[str, str]
    system: str
    save_as: str


def add_mapping_options(parser: CommandParser) -> None:
    """Add --mapping, --save-mapping and --column."""
    parser.add_argument("--mapping", default="", metavar="NAME", help="read the columns as saved under this name")
    parser.add_argument("--save-mapping", default="", metavar="NAME", help="save how this list was read")
    parser.add_argument(
        "--column", action="append", default=[], metavar="FIELD=TITLE", help="say what a column means; repeatable"
    )


def read_options(scope: Scope, kind: Import.Kind, options: dict[str, Any]) -> Reading:
    """Return what the options say; what is typed counts before what was saved. Raises MappingRefused."""
    columns: dict[str, str] = {}
    system = options.get("system", "")
    if options["mapping"]:
        saved = find_mapping(organization=scope.organization, kind=kind, name=options["mapping"])
        columns, system = dict(saved.columns), system or saved.system
    for text in options["column"]:
        name, equals, title = text.partition("=")
        if not equals or not name.strip():
            raise MappingRefused(f"Write --column FIELD=TITLE, not {text!r}.", code="column", field="--column")
        columns[name.strip()] = title.strip()
    return Reading(columns, system, mapping_name(options["save_mapping"]) if options["save_mapping"] else "")


def keep_reading(scope: Scope, kind: Import.Kind, reading: Reading, report: ListReport, at: datetime) -> None:
    """Save how the list was read where that was asked for; a dry run saves nothing."""
    if not reading.save_as or report.dry_run:
        return
    none = {name: "" for name, title in reading.columns.items() if not title}
    read = {column["field"]: column["title"] for column in report.columns}
    save_mapping(
        scope=scope,
        kind=kind,
        name=reading.save_as,
        header=report.header,
        columns=none | read,
        system=reading.system,
        at=at,
    )
