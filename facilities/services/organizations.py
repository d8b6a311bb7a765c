"""Making an organization and opening its first door."""

import re
from datetime import datetime
from zoneinfo import available_timezones

from django.db import transaction

from audit.services import Ref, record
from facilities.errors import FacilitiesError
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from facilities.services.members import IssuedInvitation, issue_invitation
from users.models import User

_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z")


class OrganizationRefused(FacilitiesError):
    """The organization cannot be made as asked."""


def create_organization(
    *, slug: str, name: str, zone: str, admin_email: str, actor: Ref, at: datetime, is_demo: bool = False
) -> tuple[Organization, IssuedInvitation | None, bool]:
    """Make the organization if there is none, and a single-use invitation for its first administrator.

    Returns (organization, invitation, created). Safe to repeat: name and zone of an existing organization
    stay; an unused invitation is replaced by a fresh one; None when that address is already an administrator.
    Raises OrganizationRefused for a slug, name or zone that cannot be used.
    """
    if not _SLUG.match(slug) or len(slug) > 50:
        raise OrganizationRefused(
            f"The short name {slug!r} cannot be used: lower-case letters, digits and single hyphens only, 50 at most.",
            field="slug",
        )
    if not name.strip() or len(name) > 150:
        raise OrganizationRefused("The name is missing or longer than 150 characters.", field="name")
    if zone not in available_timezones():
        raise OrganizationRefused(f"{zone!r} is no time zone; use a name such as America/Chicago.", field="zone")
    with transaction.atomic():
        organization, created = Organization.objects.get_or_create(
            slug=slug, defaults={"name": name.strip(), "zone": zone, "is_demo": is_demo}
        )
        invitation = None
        if not _administers(admin_email, organization):
            invitation = issue_invitation(
                organization=organization, email=admin_email, role=Role.ADMINISTRATOR, facility=None, actor=actor, at=at
            )
        if created:
            record(
                chain=organization.key,
                action="organization.created",
                actor=actor,
                subject=Ref(organization.key, organization.name),
                at=at,
                payload={"slug": slug, "zone": zone},
            )
    return organization, invitation, created


def _administers(email: str, organization: Organization) -> bool:
    user = User.objects.filter(email=email.strip().lower()).first()
    open_roles = Membership.objects.open().filter(organization=organization, role=Role.ADMINISTRATOR, facility=None)
    return user is not None and open_roles.filter(user=user).exists()


def start_reminders(*, organization: Organization, actor: Ref, at: datetime) -> bool:
    """Let mails go out from now on. Returns False when they already do. The caller authorizes."""
    with transaction.atomic():
        begun = Organization.objects.filter(pk=organization.pk, reminders_started_at=None)
        if not begun.update(reminders_started_at=at):
            return False
        record(
            chain=organization.key,
            action="reminders.started",
            actor=actor,
            subject=Ref(organization.key, organization.name),
            at=at,
        )
    return True
