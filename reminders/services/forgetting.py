"""The text of mails ends after 30 days; its hash, its subject and what came of it stay."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from reminders.models import Digest, TrialMail

KEPT_FOR: Final = timedelta(days=30)


def forget_mails(*, at: datetime) -> int:
    """Empty the text of mails and test mails written over 30 days ago; return how many. Safe to repeat.

    A digest that may still be sent keeps its text.
    """
    with transaction.atomic():
        digests = Digest.objects.filter(created_at__lt=at - KEPT_FOR).exclude(message="")
        gone = digests.exclude(state=Digest.State.READY).update(message="")
        trials = TrialMail.objects.filter(created_at__lt=at - KEPT_FOR).exclude(message="")
        return gone + trials.update(message="")
