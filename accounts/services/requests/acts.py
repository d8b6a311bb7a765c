"""What all acts on requests share: the lock, the words for the audit chain, one event for many."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat, JSONObject

from accounts.models import AccessRequest
from accounts.policy.requesting import KIND_WORDS
from audit.bulk import among
from audit.services import Ref, record_many
from facilities.access import Scope

READ_WITH = ("system", "facility", "role", "requester_person", "beneficiary_person", "asked_first_person")


def label(request: AccessRequest) -> str:
    """Return the words by which a request is known in the audit chain."""
    return f"{KIND_WORDS[request.kind]}: {request.beneficiary_person}, {request.system.name}"


def lock_request(scope: Scope, key: int) -> AccessRequest:
    """Lock one request of the organization and return it as it is now. Raises AccessRequest.DoesNotExist."""
    return lock_requests(scope, [key])[key]


def lock_requests(scope: Scope, keys: Iterable[int]) -> dict[int, AccessRequest]:
    """Lock requests of the organization in the order of their keys and return them as they are now, by key.

    Raises AccessRequest.DoesNotExist where one is not there.
    """
    wanted = set(keys)
    mine = AccessRequest.objects.filter(organization=scope.organization, pk__in=among(wanted)).order_by("pk")
    found = {row.pk: row for row in mine.select_for_update(of=("self",)).select_related(*READ_WITH)}
    if wanted - found.keys():
        raise AccessRequest.DoesNotExist("A request is not there.")
    return found


def record_all(scope: Scope, action: str, keys: Iterable[int], at: datetime, reason: str = "") -> None:
    """Record one act on requests: one event, an item for each."""
    rows = AccessRequest.objects.filter(organization=scope.organization, pk__in=among(keys)).annotate(
        chain=Value(scope.organization.key),
        subject_key=Concat(Value("request:"), Cast("pk", CharField())),
        payload=JSONObject(
            kind=F("kind"),
            state=F("state"),
            revision=F("revision"),
            system=F("system__slug"),
            facility=Concat(Value("facility:"), Cast("facility_id", CharField())),
            person=Concat(Value("person:"), Cast("beneficiary_person_id", CharField())),
            role=F("role__slug"),
        ),
    )
    subject = Ref(scope.organization.key, scope.organization.name)
    record_many(action=action, actor=scope.actor, subject=subject, at=at, rows=rows, reason=reason)
