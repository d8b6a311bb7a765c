"""Requests of somebody who has left: the next in line takes them over, or withdraws them.

Next in line are the administrators of the facility; where none is left, those of the organization. Whoever takes one
over asks for it from then on: she changes and sends it, and has no say in its decision. That happens once: who asked
in between would be forgotten, and could decide. Nobody takes over what takes or changes access of her own.
"""

from collections.abc import Collection
from datetime import date, datetime

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.errors import AccountRefused
from accounts.models import AccessRequest, Approval, HandOver
from accounts.policy.requesting import ABOUT_WHAT_IS_HELD, ENDED, Kind, State
from accounts.services.requests.acts import label, lock_request
from accounts.services.requests.deciders import own_person, works_here
from audit.bulk import among
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from staff.models import Person
from systems.policy import EASTERN, day_in


def left_askers(organization: Organization, on: date) -> dict[int, bool]:
    """Return who asked for what runs, or did not work, and asks no more.

    Person -> whether she works here still, without being a member. One query.
    """
    gone = Person.objects.filter(~works_here(on) | ~_is_member(), organization=organization, user__isnull=False)
    hers = AccessRequest.objects.filter(requester_person=OuterRef("pk"))
    runs, failed = Exists(hers.filter(closed_at=None)), Exists(hers.filter(state=State.FAILED))
    gone = gone.filter(Q(runs) | Q(failed)).annotate(stays=works_here(on))
    return dict(gone.values_list("pk", "stays"))


def hand_down(*, at: datetime) -> int:
    """Write down, once for each running request, that who asked has left. Returns how many; safe to repeat.

    Also where reminders have not started, so that their first day tells nothing old. One query while nobody has left.
    """
    on = day_in(at, EASTERN)
    running = AccessRequest.objects.filter(closed_at=None)
    askers = Person.objects.filter(pk__in=running.order_by().values("requester_person"), user__isnull=False)
    gone = list(askers.filter(~works_here(on) | ~_is_member()).values_list("pk", flat=True))
    if not gone:
        return 0
    known = HandOver.objects.filter(request=OuterRef("pk"), what=HandOver.What.LEFT)
    with transaction.atomic():
        left = running.filter(
            ~Exists(known.filter(by_person=OuterRef("requester_person"))),
            requester_person__in=among(gone),
        )
        rows = [
            HandOver(organization_id=tenant, request_id=pk, by_person_id=asker, what=HandOver.What.LEFT, at=at)
            for pk, tenant, asker in left.order_by("pk").values_list("pk", "organization_id", "requester_person_id")
        ]
        HandOver.objects.bulk_create(rows, batch_size=500)
    return len(rows)


def has_gone(asker: Person, on: date) -> str:
    """Return in words that who asked asks no more, nothing while she does. One query."""
    once = Person.objects.filter(pk=asker.pk, user__isnull=False).annotate(
        stays=works_here(on), member=Exists(_seats())
    )
    found = once.values_list("stays", "member").first()
    if found is None or all(found):
        return ""
    return gone_words(str(asker), stays=found[0])


def gone_words(name: str, *, stays: bool) -> str:
    """Return why somebody asks no more."""
    return f"{name}, who asked, {'can no longer sign in here' if stays else 'no longer works here'}."


def _seats() -> QuerySet[Membership]:
    return Membership.objects.open().filter(
        user=OuterRef("user"), organization=OuterRef("organization"), user__is_active=True
    )


def _is_member() -> Q:
    return Q(Exists(_seats()))


def to_take_over(scope: Scope, me: Person | None, gone: Collection[int], on: date) -> QuerySet[AccessRequest]:
    """Return what runs, was asked for by somebody who has ``gone``, and falls to the member as the next in line.

    ``me``: her person. What was taken over once is among it: it is seen through, or withdrawn and asked for anew.
    """
    return _fallen(scope, me, gone, on).filter(closed_at=None)


def to_try_again(scope: Scope, me: Person | None, gone: Collection[int], on: date) -> QuerySet[AccessRequest]:
    """As `to_take_over`, what did not work: it is tried again, or withdrawn."""
    return _fallen(scope, me, gone, on).filter(state=State.FAILED)


def _fallen(scope: Scope, me: Person | None, gone: Collection[int], on: date) -> QuerySet[AccessRequest]:
    theirs = AccessRequest.objects.filter(organization=scope.organization, requester_person__in=among(gone))
    mine = _next_in_line(scope, on)
    if me is not None:
        hers = Q(beneficiary_person=me) | (Q(beneficiary_person__email__iexact=me.email) if me.email else Q(pk__in=()))
        mine &= ~(Q(kind__in=ABOUT_WHAT_IS_HELD) & hers)
    return theirs.filter(mine)


def own_removals(scope: Scope, on: date) -> QuerySet[AccessRequest]:
    """Return what runs of removals that the holder asked for herself, and the member carries out as the next in line.

    Where nobody else leads there, the holder herself is it (`rights.authorize_carrying`).
    """
    running = AccessRequest.objects.filter(
        organization=scope.organization, kind=Kind.REMOVAL, requester_person=F("beneficiary_person"), closed_at=None
    )
    if not any(role == Role.ADMINISTRATOR for role, _ in scope.roles):
        return running.none()
    leads = Membership.objects.open().filter(
        Q(facility=None) | Q(facility=OuterRef("facility")),
        ~Q(user__people=OuterRef("beneficiary_person")),
        role=Role.ADMINISTRATOR,
        organization=OuterRef("organization"),
        user__is_active=True,
    )
    hers = Q(beneficiary_person__user=scope.user_id)
    return running.filter(_next_in_line(scope, on), ~hers | ~Q(Exists(leads)))


def _next_in_line(scope: Scope, on: date) -> Q:
    """Return the condition on requests that they fall to the member: nobody nearer leads there."""
    here = [place for role, place in scope.roles if role == Role.ADMINISTRATOR and place is not None]
    mine = Q(facility__in=here)
    if (Role.ADMINISTRATOR, None) in scope.roles:
        mine |= ~_nearer(on)
    return mine


def _nearer(on: date) -> Q:
    """Return the condition on requests that an administrator of the facility is left to take them over."""
    seats = Membership.objects.open().filter(
        facility=OuterRef(OuterRef("facility")),
        role=Role.ADMINISTRATOR,
        user__is_active=True,
        user=OuterRef("user"),
    )
    there = Person.objects.filter(works_here(on), Exists(seats), organization=OuterRef("organization"))
    others = there.exclude(pk=OuterRef("beneficiary_person")).exclude(
        ~Q(email=""), email__iexact=OuterRef("beneficiary_person__email")
    )
    held = Q(kind__in=ABOUT_WHAT_IS_HELD)
    return (held & Q(Exists(others))) | (~held & Q(Exists(there)))


def is_about(request: AccessRequest, person: Person) -> bool:
    """Return whether a request (read with its people) takes or changes somebody's own access.

    Be it on a second record with her work e-mail.
    """
    gets = request.beneficiary_person
    twin = bool(person.email) and gets.email.casefold() == person.email.casefold()
    return request.kind in ABOUT_WHAT_IS_HELD and (gets.pk == person.pk or twin)


def may_take_over(scope: Scope, me: Person | None, request: AccessRequest) -> bool:
    """Return whether the member (``me``: her person) could take a request over, once who asked has gone: for buttons.

    One that was taken over once is not.
    """
    if me is None or State(request.state) in ENDED or request.asked_first_person_id is not None:
        return False
    return scope.may(Action.TAKE_OVER_REQUEST, [request.facility_id]) and not is_about(request, me)


def take_over(*, scope: Scope, request: AccessRequest, at: datetime) -> AccessRequest:
    """Take over what somebody asked for who has left; the acting member asks for it from now on. Safe to repeat.

    Who asked first stays known, and neither of the two decides it. Raises NotAllowed, and AccountRefused for one that
    has ended (``ended``), whose asker is still here (``still_here``), that was taken over before (``once``), that takes
    or changes access of her own (``own``), and for who decided it herself (``decided``).
    """
    authorize(scope, Action.TAKE_OVER_REQUEST, [request.facility_id])
    me = own_person(scope)
    with transaction.atomic():
        held = lock_request(scope, request.pk)
        if held.requester_person_id != me.pk:
            _check(held, me, at)
            AccessRequest.objects.filter(pk=held.pk).update(
                requester_person=me,
                asked_first_person=F("requester_person"),
                version=F("version") + 1,
            )
            record(
                chain=scope.organization.key,
                action="request.taken-over",
                actor=scope.actor,
                subject=Ref(held.key, label(held)),
                at=at,
                payload={"from": held.requester_person.key, "to": me.key, "state": held.state},
            )
    request.refresh_from_db()
    return request


def _check(held: AccessRequest, me: Person, at: datetime) -> None:
    if State(held.state) in ENDED:
        raise AccountRefused("It has ended; there is nothing to take over.", code="ended")
    if not has_gone(held.requester_person, day_in(at, EASTERN)):
        raise AccountRefused(
            f"{held.requester_person}, who asked, is still here. Write her a comment instead.", code="still_here"
        )
    if held.asked_first_person_id is not None:
        raise AccountRefused(
            "It was taken over once already: see it through as it is, or withdraw it and ask anew.", code="once"
        )
    if is_about(held, me):
        raise AccountRefused(
            "It is about your own access, so another administrator takes it over or withdraws it.", code="own"
        )
    mine = Approval.objects.filter(request=held, revision=held.revision, voided_at=None)
    if mine.filter(Q(approver_person=me) | Q(in_place_of=me)).exists():
        raise AccountRefused(
            "You approved this request, or somebody did in your place, so you cannot be the one who asks for it."
            " Another administrator takes it over; or withdraw it, and it is asked for anew.",
            code="decided",
        )
