"""``manage.py release_mail``: let mail leave again after a restore."""

from typing import Any

from django.core.management.base import CommandParser
from django.db import transaction
from django.utils import timezone

from audit.commands import ContractCommand, Outcome
from audit.models import INSTALLATION
from audit.services import Ref, record
from reminders.models import Digest, MailHold


class Command(ContractCommand):
    """Repeating it changes nothing."""

    help = "End the hold that a restore put on all mail."

    def add_options(self, parser: CommandParser) -> None:
        parser.add_argument("--by", default="manage.py release_mail", help="who decided it, for the record")

    def run(self, **options: Any) -> Outcome:
        now, by = timezone.now(), options["by"]
        with transaction.atomic():
            released = MailHold.objects.filter(released_at=None).update(released_at=now, released_by=by[:200])
            waiting = Digest.objects.filter(state=Digest.State.READY).count()
            if released:
                record(
                    chain=INSTALLATION,
                    action="mail.released",
                    actor=Ref("command:release_mail", by),
                    subject=Ref("installation", "This installation"),
                    at=now,
                    payload={"holds": released, "digests_waiting": waiting},
                )
        text = f"Released; {waiting} digests wait for the next tick." if released else "No mail was held."
        return Outcome({"released": released, "digests_waiting": waiting}, [text])
