"""Accepting an invitation: user, membership and person in one act."""

from datetime import datetime

from allauth.account.models import EmailAddress
from django.db import IntegrityError, transaction

from audit.services import Ref, record
from facilities.models import Invitation, Membership
from facilities.services.members import InvitationRefused, redeem_invitation
from staff.models import Person
from users.models import User


def accept_invitation(
    *, invitation: Invitation, at: datetime, user: User | None = None, name: str = "", password: str = ""
) -> Membership:
    """Make the invited address a member, with a user of its own if it has none, and link or create its person.

    The link of mail proves the address. Raises InvitationRefused when the invitation is not usable any more,
    belongs to another address, or the address already signs in here and ``user`` is not that user.
    """
    with transaction.atomic():
        if user is None:
            user = _new_user(invitation.email, name, password)
        _refuse_second_address(user)
        membership = redeem_invitation(invitation=invitation, user=user, at=at)
        EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
        link_person(user=user, invitation=invitation, at=at)
    return membership


def _new_user(email: str, name: str, password: str) -> User:
    taken = InvitationRefused(f"{email} already signs in here. Sign in first, then accept.", code="sign_in")
    if User.objects.filter(email=email).exists():
        raise taken
    if not name.strip():
        raise InvitationRefused("Please give your name.", field="name")
    try:
        with transaction.atomic():
            return User.objects.create_user(email, password, name=name.strip())
    except IntegrityError as exc:  # the button was clicked twice
        raise taken from exc


def _refuse_second_address(user: User) -> None:
    if EmailAddress.objects.filter(email=user.email, verified=True).exclude(user=user).exists():
        raise InvitationRefused(
            f"{user.email} is a further address of another sign-in. Remove it there, or ask for an invitation to"
            " that sign-in's own address.",
            code="other_sign_in",
        )


def link_person(*, user: User, invitation: Invitation, at: datetime) -> Person:
    """Return the organization's person of this user: linked by work e-mail, else created.

    A link by e-mail is a proposal until an administrator confirms it, unless exactly this address was invited
    by one (which the invitation is). Two people with the address: neither is linked, a new one is made.
    """
    organization = invitation.organization
    linked = Person.objects.filter(organization=organization, user=user).first()
    if linked is not None:
        return linked
    matches = list(Person.objects.filter(organization=organization, user=None, email__iexact=user.email)[:2])
    if len(matches) == 1:
        person = matches[0]
        Person.objects.filter(pk=person.pk).update(user=user, user_confirmed_at=at)
        person.user, person.user_confirmed_at = user, at
    else:
        first, _, last = user.name.strip().rpartition(" ")
        person = Person.objects.create(
            organization=organization,
            first_name=first,
            last_name=last or user.email,
            email=user.email,
            user=user,
            user_confirmed_at=at,
        )
    record(
        chain=organization.key,
        action="person.linked",
        actor=Ref(user.key, user.email),
        subject=Ref(person.key, str(person)),
        at=at,
        payload={"user": user.key, "invitation": invitation.key, "created": len(matches) != 1},
    )
    return person
