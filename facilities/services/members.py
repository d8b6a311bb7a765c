"""Invitations and memberships. Accepting one also links a person: that part lives in `staff`."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, validate_email
from django.db import transaction

from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.errors import FacilitiesError
from facilities.models import Facility, Invitation, Membership, Organization
from facilities.models.tenancy import Role
from users.models import LONGEST_ADDRESS, User

VALID_FOR = timedelta(days=14)


class InvitationRefused(FacilitiesError):
    """The invitation cannot be made or used."""

    code = "invitation_refused"


@dataclass(frozen=True, slots=True)
class IssuedInvitation:
    """A new invitation with the token that is shown once and never stored."""

    invitation: Invitation
    token: str


def issue_invitation(
    *, organization: Organization, email: str, role: str, facility: Facility | None, actor: Ref, at: datetime
) -> IssuedInvitation:
    """Open a single-use door; an older unused one for the same address is shut. The caller authorizes.

    Raises InvitationRefused for an address or role that cannot be used.
    """
    email = email.strip().lower()
    try:
        validate_email(email)
        MaxLengthValidator(LONGEST_ADDRESS)(email)
    except ValidationError as exc:
        raise InvitationRefused(f"{email!r} is not an e-mail address.", field="email") from exc
    if role not in Role.values:
        raise InvitationRefused(f"There is no role {role!r}.", field="role")
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        Invitation.objects.filter(organization=organization, email=email, accepted_at=None, revoked_at=None).update(
            revoked_at=at
        )
        invitation = Invitation.objects.create(
            organization=organization,
            facility=facility,
            email=email,
            role=role,
            token_hash=_hash(token),
            invited_by=actor.label,
            created_at=at,
            expires_at=at + VALID_FOR,
        )
        record(
            chain=organization.key,
            action="member.invited",
            actor=actor,
            subject=Ref(invitation.key, email),
            at=at,
            payload={"role": role, "facility": facility.key if facility else None},
        )
    return IssuedInvitation(invitation, token)


def invite_member(*, scope: Scope, email: str, role: str, facility: Facility | None, at: datetime) -> IssuedInvitation:
    """Invite somebody into the scope's organization. Raises NotAllowed, InvitationRefused."""
    authorize(scope, Action.MANAGE_MEMBERS)
    if facility is not None and facility.organization_id != scope.organization.pk:
        raise InvitationRefused("That facility does not belong to this organization.", field="facility")
    user = User.objects.filter(email=email.strip().lower()).first()
    held = Membership.objects.open().filter(organization=scope.organization, user=user, role=role, facility=facility)
    if user is not None and held.exists():
        raise InvitationRefused(f"{email} already has this role.", field="email")
    return issue_invitation(
        organization=scope.organization, email=email, role=role, facility=facility, actor=scope.actor, at=at
    )


def usable_invitation(*, token: str, at: datetime) -> Invitation:
    """Return the invitation behind a token. Raises InvitationRefused when it is unknown, used, shut or too old."""
    found = Invitation.objects.select_related("organization", "facility").filter(token_hash=_hash(token)).first()
    if found is None or found.revoked_at is not None:
        raise InvitationRefused("This invitation is not valid. Ask an administrator for a new one.", code="unknown")
    if found.accepted_at is not None:
        raise InvitationRefused("This invitation has been used. Sign in instead.", code="used")
    if found.expires_at <= at:
        raise InvitationRefused("This invitation has expired. Ask an administrator for a new one.", code="expired")
    return found


def redeem_invitation(*, invitation: Invitation, user: User, at: datetime) -> Membership:
    """Turn an invitation into a membership, once. Runs inside the caller's transaction.

    Raises InvitationRefused when somebody else used it a moment ago or the address is another one.
    """
    if user.email != invitation.email:
        raise InvitationRefused(f"This invitation is for {invitation.email}. Sign in with that address.", code="other")
    fresh = Invitation.objects.filter(pk=invitation.pk, accepted_at=None, revoked_at=None, expires_at__gt=at)
    if not fresh.update(accepted_at=at):
        raise InvitationRefused("This invitation has just been used or withdrawn.", code="used")
    membership, created = Membership.objects.open().get_or_create(
        organization=invitation.organization, user=user, role=invitation.role, facility=invitation.facility
    )
    if created:
        record(
            chain=invitation.organization.key,
            action="member.joined",
            actor=Ref(user.key, user.email),
            subject=Ref(membership.key, user.email),
            at=at,
            payload={"role": invitation.role, "invitation": invitation.key},
        )
    return membership


def end_membership(*, scope: Scope, membership: Membership, at: datetime) -> None:
    """Take a role away. Refuses to remove the last administrator. Raises NotAllowed, InvitationRefused."""
    authorize(scope, Action.MANAGE_MEMBERS)
    with transaction.atomic():
        at_large = (
            Membership.objects.select_for_update()
            .open()
            .filter(organization=scope.organization, role=Role.ADMINISTRATOR, facility=None)
        )
        administrators = set(at_large.values_list("pk", flat=True))
        if administrators == {membership.pk}:
            raise InvitationRefused("This is the last administrator. Invite another one first.", code="last")
        mine = Membership.objects.open().filter(pk=membership.pk, organization=scope.organization)
        if mine.update(ended_at=at):
            record(
                chain=scope.organization.key,
                action="member.removed",
                actor=scope.actor,
                subject=Ref(membership.key, membership.user.email),
                at=at,
                payload={"role": membership.role},
            )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
