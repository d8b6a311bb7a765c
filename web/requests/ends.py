"""What the pages say that end a request: what will happen, which day is meant, who may have seen it."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse

from accounts.models import AccessRequest, RequestFile
from accounts.policy.requesting import Kind, State
from audit.bulk import among
from facilities.access import Scope
from facilities.models import Membership
from staff.models import Employment, Person

# Kind -> label of the day that is asked for.
DAY_LABELS: Final[dict[str, str]] = {
    Kind.NEW_ACCOUNT: "The role is held since",
    Kind.ADDITIONAL_ROLE: "The role is held since",
    Kind.ROLE_CHANGE: "The new role is held since",
    Kind.REMOVAL: "Last day of the access",
    Kind.REACTIVATION: "It works again since",
    Kind.FORGOTTEN_ID: "The user ID is known since",
    Kind.CONTACT_CHANGE: "The profile was right on",
    Kind.UNLOCK: "It works again since",
    Kind.PROOFING: "Identity proofing was done on",
    Kind.CERTIFICATION: "The role was certified on",
}
WITH_USER_ID: Final = frozenset({Kind.NEW_ACCOUNT, Kind.FORGOTTEN_ID})
_RUNNING: Final = frozenset({State.APPROVED, State.IN_PROGRESS})


def what_happens(request: AccessRequest) -> str:
    """Return in a sentence what finishing changes in the records here. CMS is told by the steps, not by this."""
    role = f"“{request.role}”" if request.role else "the role"
    old = f"“{request.grant.role}”" if request.grant else "the old role"
    who, system, place = request.beneficiary_person, request.system.name, request.facility.name
    sentences = {
        Kind.NEW_ACCOUNT: f"{who} has {role} on {system} at {place} from that day, and a clock starts.",
        Kind.ADDITIONAL_ROLE: f"{who} has {role} on {system} at {place} from that day.",
        Kind.ROLE_CHANGE: f"{old} ends the day before, and {role} begins.",
        Kind.REMOVAL: f"{old if request.grant else 'Every role'} ends that day; with the last role the account goes.",
        Kind.REACTIVATION: f"The account on {system} works again from that day, and a new clock starts.",
        Kind.FORGOTTEN_ID: f"The user ID is kept with the account through which {who} signs in.",
        Kind.CONTACT_CHANGE: "The profile counts as checked on that day.",
        Kind.UNLOCK: f"The account on {system} works again from that day.",
        Kind.PROOFING: "Identity proofing counts as done.",
        Kind.CERTIFICATION: f"{old} is certified for another year.",
    }
    return sentences[Kind(request.kind)]


def why_not_now(request: AccessRequest) -> str:
    """Return why a request cannot be finished now, and what to do instead; nothing where it can."""
    if request.state in _RUNNING:
        return ""
    return {
        State.DRAFT: "It has not been submitted yet. Submit it first.",
        State.SUBMITTED: "It waits for a decision. It can be carried out once it is approved.",
        State.DONE: "It was finished already. If that was a mistake, undo it on its page.",
        State.FAILED: "It is recorded as not having worked. Take it up again on its page first.",
    }.get(State(request.state), "It has ended. Ask anew where it is needed after all.")


def day_label_of(requests: Sequence[AccessRequest]) -> str:
    """Return how the day is called from which requests hold."""
    kinds = {DAY_LABELS[request.kind] for request in requests}
    return kinds.pop() if len(kinds) == 1 else "It holds since, or ended on"


def may_have_seen(scope: Scope, requests: Sequence[AccessRequest], on: date) -> QuerySet[Person]:
    """Return who may be named as having seen all of it: who works at every place of it, and members for all of them.

    Who does not read the people there names herself, those in every request, or a member.
    """
    places = {request.facility_id for request in requests}
    works = _at_all(Employment.objects.in_force(on).filter(person=OuterRef("pk")), "person", places)
    seats = Membership.objects.open().filter(organization=scope.organization, user=OuterRef("user"))
    member = Q(Exists(seats.filter(facility=None))) | Q(Exists(_at_all(seats, "user", places)))
    mine = Q(user=scope.user_id) if scope.user_id is not None else Q(pk__in=())
    reads = scope.reads is None or places <= set(scope.reads)
    known = Q(member, user_confirmed_at__isnull=False) | mine
    if not reads:
        named = [{request.requester_person_id, request.beneficiary_person_id} for request in requests]
        known |= Q(pk__in=set.intersection(*named) if named else ())
    found = Person.objects.filter(known | Q(Exists(works)) if reads else known, organization=scope.organization)
    return found.order_by("last_name", "first_name", "pk")


def _at_all(rows: QuerySet[Any], whose: str, places: Collection[int]) -> QuerySet[Any]:
    """Return rows of whoever has one at each of these facilities."""
    here = rows.filter(facility__in=among(places)).order_by().values(whose)
    return here.annotate(number=Count("facility", distinct=True)).filter(number=len(places))


def file_links(request: AccessRequest) -> list[dict[str, object]]:
    """Return a request's evidence files as links, oldest first. One query."""
    slug = request.organization.slug
    return [
        {"file": file, "url": reverse("web:request-file", args=[slug, file.pk])}
        for file in RequestFile.objects.filter(request=request).order_by("pk")
    ]
