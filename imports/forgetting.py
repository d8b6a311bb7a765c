"""What imports keep of people's files ends with the time for undoing; hash, counts and audit stay."""

from datetime import datetime

from django.db import transaction

from imports.models import UNDO_WITHIN, Import, ImportRow


def forget_cells(*, at: datetime) -> int:
    """Empty cells, values before and reasons of imports that cannot be undone any more; return how many imports."""
    with transaction.atomic():
        over = Import.objects.filter(emptied_at=None, applied_at__lt=at - UNDO_WITHIN)
        keys = list(over.values_list("pk", flat=True)[:500])
        ImportRow.objects.filter(source__in=keys).update(cells="", change="", reason="")
        return Import.objects.filter(pk__in=keys).update(emptied_at=at)
