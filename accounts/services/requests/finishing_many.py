"""Several requests of one bundle finished in one act, with one proof that holds for all of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, RequestStep
from accounts.models.requests import AccessRequestQuerySet
from accounts.policy.requesting import CARRIED_OUT, Kind
from accounts.services.requests.acts import lock_requests, record_all
from accounts.services.requests.ending import close_out, let_hold
from accounts.services.requests.proving import (
    Evidence,
    Proof,
    finished_alike,
    refuse_not_running,
    refuse_said,
    refuse_unproved,
)
from accounts.services.requests.rights import authorize_finishing
from audit.bulk import among
from facilities.access import NotAllowed, Scope
from staff.models import Person
from systems.policy import eastern_day

FINISHED_AT_MOST: Final = 500  # a bundle
_States = RequestStep.State
_NEEDED: Final = Q(state=_States.OPEN) | Q(state=_States.WAITING, cure_for="")  # steps; those that mend only if asked


@dataclass(slots=True)
class Finished:
    """What was finished, and what was not with the reason and what to do instead."""

    done: list[AccessRequest] = field(default_factory=list)
    refused: list[tuple[AccessRequest, str]] = field(default_factory=list)


def at_finish(requests: AccessRequestQuerySet) -> AccessRequestQuerySet:
    """Return, of requests, what is being carried out and has every step behind it."""
    return requests.filter(nothing_left(), state__in=CARRIED_OUT)


def nothing_left() -> Q:
    """Return the condition on requests that none of their steps is still to do."""
    return Q(~Exists(RequestStep.objects.filter(_NEEDED, request=OuterRef("pk"))))


def sorted_out(scope: Scope, requests: Iterable[AccessRequest]) -> Finished:
    """Return which requests (read with `acts.READ_WITH`) the member may finish together now. Nothing is written.

    One query, and what `authorize_finishing` asks for removals.
    """
    rows = list(requests)
    left = _first_left(rows)
    found = Finished()
    for row in rows:
        try:
            _refuse(scope, row, left.get(row.pk))
        except (AccountRefused, NotAllowed) as exc:
            found.refused.append((row, exc.message))
        else:
            found.done.append(row)
    return found


def finish_many(
    *,
    scope: Scope,
    requests: Sequence[AccessRequest],
    effective_on: date,
    proof: str,
    proof_text: str = "",
    seen_by: Person | None = None,
    at: datetime,
) -> Finished:
    """Record that requests were carried out, from one day on and by one proof: in words, or by who saw it.

    Each is guarded as if it were finished alone; what is refused stays as it is and is told with its reason, the others
    are finished. One audit event with an item each. What was finished by these very words before counts as done. Raises
    AccountRefused where day or proof hold for none.
    """
    evidence = Evidence(proof, proof_text.strip(), seen_by if proof == Proof.SEEN else None)
    refuse_said(effective_on, evidence, at)
    refuse_unproved(scope, None, evidence)
    found, told, on = Finished(), {}, eastern_day(effective_on, at)
    with transaction.atomic():
        held = lock_requests(scope, [request.pk for request in requests])
        if len(held) > FINISHED_AT_MOST:
            raise AccountRefused(f"At most {FINISHED_AT_MOST} requests are finished in one act.")
        left = _first_left(held.values())
        people = {row.beneficiary_person_id for row in held.values()}
        list(
            Person.objects.filter(pk__in=among(people)).order_by("pk").select_for_update(no_key=True).values_list("pk")
        )
        for row in held.values():
            if finished_alike(row, effective_on, evidence, at):
                found.done.append(row)
                continue
            try:
                _refuse(scope, row, left.get(row.pk))
                with transaction.atomic():  # of one that is refused nothing stays
                    told[row.pk] = let_hold(scope, row, on, evidence, ("", ""), at, {})
            except (AccountRefused, NotAllowed) as exc:
                found.refused.append((row, exc.message))
            else:
                found.done.append(row)
        close_out(scope, [held[key] for key in told], at)
        record_all(scope, "request.done", told, at, evidence.text, told=told)
    return found


def _refuse(scope: Scope, request: AccessRequest, left: RequestStep | None) -> None:
    """Raise NotAllowed or AccountRefused where a request is not finished together with others."""
    authorize_finishing(scope, request)
    refuse_not_running(request)
    if request.kind == Kind.FORGOTTEN_ID:
        raise AccountRefused("What became known is its user ID: finish it on its own page, and type that there.")
    if left is not None:
        raise AccountRefused(f"“{left.title}” is still to do. Record that step on its page first, or finish it there.")


def _first_left(requests: Iterable[AccessRequest]) -> dict[int, RequestStep]:
    """Return by request the first step that is still to do. One query."""
    rows = RequestStep.objects.filter(_NEEDED, request__in=among(row.pk for row in requests))
    found: dict[int, RequestStep] = {}
    for step in rows.order_by("request", "position", "pk"):
        found.setdefault(step.request_id, step)
    return found
