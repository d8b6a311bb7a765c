from typing import Any

from django.conf import settings
from django.utils import timezone

from audit.commands import ContractCommand, Outcome, Refused
from audit.services import Ref, sign_heads
from audit.verify import verify_chains


class Command(ContractCommand):
    help = "After setting, changing or removing AUDIT_SIGNING_KEY: verify the chains, then sign their heads anew."

    def run(self, **options: Any) -> Outcome:
        verdict = verify_chains(signatures=False)
        if verdict.first_bad is not None:
            bad = verdict.first_bad
            raise Refused("not_whole", bad.why, {"chain": bad.chain, "seq": bad.seq, "item": bad.item})
        signed = sign_heads(actor=Ref("command:sign_audit", "manage.py sign_audit"), at=timezone.now())
        done = "signed" if settings.AUDIT_SIGNING_KEY else "cleared of signatures (no AUDIT_SIGNING_KEY is set)"
        return Outcome({"heads": signed, "signed": bool(settings.AUDIT_SIGNING_KEY)}, [f"{signed} heads {done}."])
