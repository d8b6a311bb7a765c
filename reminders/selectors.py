"""Reads over the ledger and what it follows."""

from django.db.models import Subquery

from accounts.services.clocks import CLOCK_KINDS
from accounts.services.recomputation import FIRST_REVISION
from reminders.models import SweepRun
from systems.models import Policy


def recalculating() -> bool:
    """Return whether stored dates may still follow an older catalogue, until a tick has followed the newest. One query.

    A run notes the revision when it has recomputed everything; before the first run nothing can be older than the
    first load.
    """
    followed = SweepRun.objects.order_by("-at", "-pk").values("catalogue_revision")[:1]
    newest = Policy.objects.filter(kind__in=CLOCK_KINDS).order_by("-revision").annotate(followed=Subquery(followed))
    found = newest.values_list("revision", "followed").first()
    return found is not None and found[0] > max(found[1] or 0, FIRST_REVISION)
