"""Walks every tenant row and compares its organization with those of the rows it points to."""

from django.apps import apps
from django.db.models import F, ForeignKey


def rows_of_two_tenants() -> list[str]:
    """Return a line per foreign key whose two ends belong to different organizations; empty is right."""
    wrong = []
    for model in apps.get_models():
        names = {field.name for field in model._meta.get_fields()}
        if "organization" not in names:
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey) or field.name == "organization":
                continue
            if "organization" not in {other.name for other in field.related_model._meta.get_fields()}:
                continue
            crossing = (
                model._base_manager.filter(**{f"{field.name}__isnull": False})
                .exclude(**{f"{field.name}__organization": F("organization")})
                .count()
            )
            if crossing:
                wrong.append(f"{model._meta.label}.{field.name}: {crossing} rows")
    return wrong
