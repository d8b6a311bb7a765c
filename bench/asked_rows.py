"""Made-up requests of one organization, in the mix of states that years of asking leave behind. The same each time.

They are written set-wise and take the ways that the database allows: drafts, then submitted, decided, carried out.
"""

import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.db.models import F, QuerySet

from audit.bulk import refresh_statistics

if TYPE_CHECKING:
    from accounts.models import AccessRequest
    from facilities.access import Scope

FEW, MANY = 50, 500  # requests of a bundle
_BATCH: Final = 10_000
_ASKS_HERSELF: Final = 0.25  # share of requests by the member who measures
_KINDS: Final = ("new-account", "role-change", "additional-role", "removal", "unlock")
_KIND_WEIGHTS: Final = (40, 15, 15, 20, 10)
_DECIDED: Final = frozenset(_KINDS[:3])
_STATES: Final = ("draft", "submitted", "approved", "in_progress", "done", "rejected", "withdrawn", "failed")
_WEIGHTS: Final = (4, 8, 4, 20, 52, 4, 4, 4)
_STEPS: Final = (
    ("sign-in", "Sign in and ask", "holder"),
    ("confirm", "Confirm it", "official"),
    ("wait", "Wait for CMS", "cms"),
)


def put_in_requests(scope: "Scope", count: int, at: datetime) -> None:
    """Write so many requests with their steps and decisions."""
    rng = random.Random("requests")  # noqa: S311  # nosec B311  (made-up data)
    asked = _asked(scope, rng, at)
    left = count
    while left:
        with transaction.atomic():
            rows = list(islice(asked, min(_BATCH, left)))
            _write(scope, rows, rng, at)
        left -= len(rows)
    _refresh()


def put_in_bundle(scope: "Scope", size: int, at: datetime) -> int:
    """Write a bundle of submitted requests by somebody else, with the steps of the catalogue; return its key."""
    from accounts.models import AccessRequest, RequestBundle, RequestStep
    from accounts.services.requests.carrying import open_steps
    from accounts.services.requests.planning import plan_steps

    rng = random.Random(f"bundle-{size}")  # noqa: S311  # nosec B311
    with transaction.atomic():
        made = [row for row, _ in islice(_asked(scope, rng, at, kinds=("new-account",), alone=False), size)]
        bundle = RequestBundle.objects.create(
            organization=scope.organization, requester_person=made[0].requester_person, created_at=at
        )
        for row in made:
            row.bundle, row.requester_person = bundle, made[0].requester_person
        AccessRequest.objects.bulk_create(made, batch_size=500)
        every = AccessRequest.objects.filter(bundle=bundle)
        every.update(state="submitted", submitted_at=at)
        rows = list(every.select_related("system", "facility", "role"))
        on = at.date()
        RequestStep.objects.bulk_create(plan_steps(rows, on), batch_size=500)
        open_steps([row.pk for row in rows], on=on, at=at)
    return bundle.pk


def _refresh() -> None:
    from accounts.models import AccessRequest, Approval, RequestStep

    refresh_statistics(AccessRequest, RequestStep, Approval)


def _asked(
    scope: "Scope", rng: random.Random, at: datetime, kinds: Sequence[str] = (), *, alone: bool = True
) -> "Iterator[tuple[AccessRequest, str]]":
    """Yield drafts for the people of the organization without end, each with the state it will get.

    ``alone``: also by the member herself; who decides a bundle has not asked for it.
    """
    from accounts.models import AccessRequest
    from staff.models import Employment, Person
    from systems.models import SystemRole

    people = list(Person.objects.filter(organization=scope.organization).order_by("pk"))
    me = next(person for person in people if person.user_id == scope.user_id)
    askers = [person for person in people if person.user_id and person != me]
    works = Employment.objects.filter(person__organization=scope.organization).order_by("-pk")
    place_of = dict(works.values_list("person_id", "facility_id"))
    roles = list(SystemRole.objects.filter(system__slug="iqies", privileged=False).order_by("pk"))
    some = [person for person in people if person not in (me, *askers)]
    number = 0
    while True:
        kind = rng.choice(kinds) if kinds else rng.choices(_KINDS, _KIND_WEIGHTS)[0]
        requester = me if alone and rng.random() < _ASKS_HERSELF else rng.choice(askers)
        beneficiary = some[number % len(some)]
        number += 1
        role = rng.choice(roles)
        row = AccessRequest(
            organization=scope.organization, kind=kind, system_id=role.system_id,
            facility_id=place_of[beneficiary.pk], role=role if kind in _DECIDED else None,
            requester_person=requester, beneficiary_person=beneficiary, reason="Takes over.",
            approval="needed" if kind in _DECIDED else "not_needed",
            created_at=at - timedelta(minutes=rng.randrange(1_000_000)),
        )  # fmt: skip
        yield row, rng.choices(_STATES, _WEIGHTS)[0]


def _write(scope: "Scope", rows: "list[tuple[AccessRequest, str]]", rng: random.Random, at: datetime) -> None:
    from accounts.models import AccessRequest

    made = AccessRequest.objects.bulk_create([row for row, _ in rows], batch_size=2_000)
    by_state: dict[str, list[AccessRequest]] = {state: [] for state in _STATES}
    for row, (_, state) in zip(made, rows, strict=True):
        # what needs no decision is carried out at once
        early = state in ("submitted", "approved", "rejected") and row.kind not in _DECIDED
        by_state["in_progress" if early else state].append(row)
    every = AccessRequest.objects.filter(pk__gte=made[0].pk, pk__lte=made[-1].pk)
    _of(every, by_state["withdrawn"]).update(state="withdrawn", closed_at=at)
    sent = every.exclude(pk__in=_keys([*by_state["draft"], *by_state["withdrawn"]]))
    sent.update(state="submitted", submitted_at=F("created_at"))
    _decide(scope, every, by_state, at)
    running = [row for state in ("in_progress", "done", "failed") for row in by_state[state]]
    _of(every, running).update(state="in_progress")
    on = at.date()
    _of(every, by_state["done"]).update(state="done", closed_at=at, effective_on=on, proof="note", proof_text="Seen.")
    _of(every, by_state["failed"]).update(state="failed", closed_at=at, ended_reason="No answer.")
    _write_steps(by_state, rng, at)


def _decide(scope: "Scope", every: "QuerySet[AccessRequest]", by_state: dict[str, Any], at: datetime) -> None:
    """Let somebody who has not asked approve or reject."""
    from accounts.models import Approval
    from staff.models import Person

    deciders = list(Person.objects.filter(organization=scope.organization, user_confirmed_at__isnull=False)[:3])
    rows = []
    for state in ("approved", "in_progress", "done", "failed", "rejected"):
        for row in by_state[state]:
            if row.kind not in _DECIDED:
                continue
            other = next(
                each for each in deciders if each.pk not in (row.requester_person_id, row.beneficiary_person_id)
            )
            rejected = state == "rejected"
            rows.append(
                Approval(
                    organization=scope.organization,
                    request=row,
                    revision=1,
                    approver_person=other,
                    verdict="reject" if rejected else "approve",
                    reason="Not needed." if rejected else "",
                    requester_person_id=row.requester_person_id,
                    beneficiary_person_id=row.beneficiary_person_id,
                    at=at,
                )  # fmt: skip
            )
    Approval.objects.bulk_create(rows, batch_size=2_000)
    decided = [
        row
        for state in ("approved", "in_progress", "done", "failed")
        for row in by_state[state]
        if row.kind in _DECIDED
    ]
    _of(every, decided).update(state="approved", decided_at=at)
    _of(every, by_state["rejected"]).update(state="rejected", decided_at=at, closed_at=at, ended_reason="Not needed.")


def _write_steps(by_state: dict[str, Any], rng: random.Random, at: datetime) -> None:
    """Write the decision and three steps: behind what has ended all are through, else one is open."""
    from accounts.models import RequestStep
    from audit.bulk import insert_rows

    fields = (
        "organization", "request", "position", "key_in_list", "title", "text", "fact", "actor", "unit", "after",
        "together", "cure_for", "stage", "takes", "state", "due_on", "done_on", "done_at", "done_by", "note",
    )  # fmt: skip
    on = at.date()

    def rows() -> Iterator[tuple[Any, ...]]:
        for state, some in by_state.items():
            for row in some if state not in ("draft", "withdrawn") else ():
                steps = [("our-decision", "Decision here", "approver")] if row.kind in _DECIDED else []
                steps += _STEPS
                at_step = _open_one(state, len(steps), rng)
                for position, (key, title, actor) in enumerate(steps):
                    stand = "done" if position < at_step else "open" if position == at_step else "waiting"
                    due = on + timedelta(days=rng.randrange(-3, 12)) if stand == "open" else None
                    done = (on, at) if stand == "done" else (None, None)
                    yield (
                        row.organization_id, row.pk, position, key, title, "", "", actor, "", "", "", "", "", "", stand,
                        due, *done, "", "",
                    )  # fmt: skip

    insert_rows(RequestStep, fields, rows())


def _open_one(state: str, steps: int, rng: random.Random) -> int:
    """Return the position of the open step; behind the last one nothing is open."""
    if state in ("submitted", "rejected"):
        return 0 if state == "submitted" else 1
    return rng.randrange(1, steps + (rng.random() < 0.1)) if state in ("approved", "in_progress") else steps


def _of(every: "QuerySet[AccessRequest]", rows: "Sequence[AccessRequest]") -> "QuerySet[AccessRequest]":
    return every.filter(pk__in=_keys(rows))


def _keys(rows: "Sequence[AccessRequest]") -> Any:
    from audit.bulk import among

    return among(row.pk for row in rows)
