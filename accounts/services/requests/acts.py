"""What all acts on requests share: the lock, the words for the audit chain, one event for many."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db.models import CharField, F, Value
from django.db.models.functions import Cast, Concat, JSONObject

from accounts.models import AccessRequest
from accounts.policy.requesting import KIND_WORDS
from audit.bulk import among, texts_by_key
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


def how_it_is(request: AccessRequest) -> dict[str, Any]:
    """Return of one request (read with `READ_WITH`) what `record_all` says of each."""
    return {
        "kind": request.kind,
        "state": request.state,
        "revision": request.revision,
        "system": request.system.slug,
        "facility": request.facility.key,
        "person": request.beneficiary_person.key,
        "role": request.role.slug if request.role else None,
    }


def record_all(
    scope: Scope,
    action: str,
    keys: Iterable[int],
    at: datetime,
    reason: str = "",
    told: Mapping[int, Mapping[str, Any]] | None = None,
) -> None:
    """Record one act on requests: one event, an item for each. ``told``: what is said of each instead of how it is."""
    rows = AccessRequest.objects.filter(organization=scope.organization, pk__in=among(keys)).annotate(
        chain=Value(scope.organization.key),
        subject_key=Concat(Value("request:"), Cast("pk", CharField())),
        payload=texts_by_key(told)
        if told is not None
        else JSONObject(
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
