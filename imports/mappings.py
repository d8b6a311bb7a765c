"""How an organization's own lists are to be read: mappings saved under a name, and what somebody chose last time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.db import transaction

from audit.secrets import found_secret
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.errors import FacilitiesError
from facilities.models import Organization
from imports.columns import CHOSEN, column_names
from imports.models import Import, SavedMapping

_LONGEST: Final = 60
_REMEMBERED: Final = 20  # imports that are looked through for an earlier choice of columns
ACTIONS: Final = {Import.Kind.STAFF: Action.IMPORT_PEOPLE, Import.Kind.ACCOUNTS: Action.IMPORT_ACCOUNTS}


class MappingRefused(FacilitiesError):
    """There is no such mapping, or it cannot be saved so; ``field`` is the option to blame."""


def find_mapping(*, organization: Organization, kind: Import.Kind, name: str) -> SavedMapping:
    """Return a saved mapping. Raises MappingRefused, which names those that there are."""
    saved = SavedMapping.objects.filter(organization=organization, kind=kind)
    found = saved.filter(name=name).first()
    if found is None:
        names = ", ".join(saved.order_by("name").values_list("name", flat=True)[:20]) or "none so far"
        raise MappingRefused(f"There is no mapping {name!r}. Saved are: {names}.", code="no_mapping", field="--mapping")
    return found


class Remembered(NamedTuple):
    """How a list with this header was read before: field -> name of its column, empty for none. ``name``: if saved."""

    columns: dict[str, str]
    system: str = ""
    name: str = ""


def fitting(*, scope: Scope, kind: Import.Kind, header: Sequence[str]) -> list[SavedMapping]:
    """Return the saved mappings whose columns this header has, by name."""
    names = set(column_names(header))
    saved = SavedMapping.objects.filter(organization=scope.organization, kind=kind).order_by("name")
    return [each for each in saved if names.issuperset(filter(None, each.columns.values()))]


def remembered(*, scope: Scope, kind: Import.Kind, header: Sequence[str]) -> Remembered:
    """Return how to read a list: as the newest mapping that was saved from the same header row, else as somebody chose
    for the newest list of this organization whose columns are all here, else nothing.
    """
    same = [each for each in fitting(scope=scope, kind=kind, header=header) if each.header == list(header)]
    if same:
        newest = max(same, key=lambda each: (each.saved_at, each.pk))
        return Remembered(newest.columns, newest.system, newest.name)
    names = set(column_names(header))
    earlier = Import.objects.filter(organization=scope.organization, kind=kind).order_by("-applied_at", "-pk")
    for columns in earlier.values_list("columns", flat=True)[:_REMEMBERED]:
        chosen = {field: title for field, (title, sure) in columns.items() if sure == CHOSEN}
        if chosen and names.issuperset(chosen.values()):
            return Remembered(chosen)
    return Remembered({})


def mapping_name(text: str) -> str:
    """Return the name under which a mapping can be saved. Raises MappingRefused."""
    name = text.strip()
    if not name or len(name) > _LONGEST or not name.isprintable():
        message = f"The name of a mapping has 1 to {_LONGEST} characters, all of them in one line."
        raise MappingRefused(message, code="mapping_name", field="--save-mapping")
    if kind := found_secret(name):
        message = f"The name of a mapping looks like {kind}; nothing was stored."
        raise MappingRefused(message, code="secret", field="--save-mapping")
    return name


def save_mapping(
    *,
    scope: Scope,
    kind: Import.Kind,
    name: str,
    header: Sequence[str],
    columns: Mapping[str, str],
    system: str = "",
    at: datetime,
) -> SavedMapping:
    """Save how a list was read, or replace what was saved under the name; the same again writes nothing.

    ``columns``: field -> name of its column, empty for "no column"; what is not among them is guessed.
    Raises NotAllowed, MappingRefused.
    """
    authorize(scope, ACTIONS[kind])
    name = mapping_name(name)
    same = SavedMapping.objects.filter(organization=scope.organization, kind=kind, name=name)
    known = same.filter(system=system).first()
    if known is not None and (known.columns, known.header) == (dict(columns), list(header)):
        return known
    facts = {
        "columns": dict(columns),
        "header": list(header),
        "system": system,
        "saved_at": at,
        "saved_by": scope.actor.label,
    }
    with transaction.atomic():
        mapping, _ = SavedMapping.objects.update_or_create(
            organization=scope.organization, kind=kind, name=name, defaults=facts
        )
        record(
            chain=scope.organization.key,
            action="mapping.saved",
            actor=scope.actor,
            subject=Ref(f"mapping:{mapping.pk}", name),
            at=at,
            payload={"kind": str(kind), "columns": dict(columns), "system": system},
        )
    return mapping
