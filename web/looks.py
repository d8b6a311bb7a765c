"""What was looked at, acknowledged, or waits for a look, as pages of an account and a person show it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.urls import reverse

from accounts.models import Acknowledgement, Finding, PortalAccount, ProfileCheck, RoleGrant, RoleNeed
from accounts.words import day
from facilities.access import Action, Scope
from facilities.models import Facility
from staff.models import Person


@dataclass(frozen=True, slots=True)
class RoleHere:
    """A role in force as the page of its account shows it; of a privileged one also why it is needed."""

    grant: RoleGrant
    need: RoleNeed | None = None
    need_url: str = ""  # where the member may say why


def stated_needs(account: PortalAccount, grants: Iterable[RoleGrant]) -> list[RoleNeed]:
    """Return why the account's privileged roles are or were needed, newest first, with what was taken back.

    One query, none for an account that never had a privileged role.
    """
    if not any(grant.role.privileged for grant in grants):
        return []
    told = RoleNeed.objects.filter(account=account).select_related("facility", "role")
    return list(told.order_by("-recorded_at", "-pk"))


def roles_here(scope: Scope, grants: Iterable[RoleGrant], needs: Iterable[RoleNeed]) -> list[RoleHere]:
    """Return roles in force, each privileged one with its need. No query."""
    stated = {(each.facility_id, each.role_id): each for each in needs if each.voided_at is None}
    found = []
    for grant in grants:
        may = grant.role.privileged and scope.may(Action.KEEP_ACCOUNT, [grant.facility_id])
        url = reverse("web:role-need", args=[scope.organization.slug, grant.pk]) if may else ""
        need = stated.get((grant.facility_id, grant.role_id)) if grant.role.privileged else None
        found.append(RoleHere(grant, need, url))
    return found


def last_check(account: PortalAccount) -> ProfileCheck | None:
    """Return when the profile was last looked at; None for never, and where the account has none of its own."""
    if account.identity_id is not None:
        return None
    return ProfileCheck.objects.known().filter(account=account).order_by("-checked_on").first()


def roles_at(who: Person, facility: Facility, on: date) -> list[dict[str, Any]]:
    """Return a person's roles in force at a facility, in words, with the way to each account. One query."""
    grants = RoleGrant.objects.in_force(on).filter(account__person=who, facility=facility)
    rows = grants.select_related("account__system", "account__organization", "role").order_by(
        "account__system__position", "role__position", "pk"
    )
    return [
        {
            "text": f"{grant.role.name} on {grant.account.system.name}, since {day(grant.valid_from)}",
            "url": grant.account.get_absolute_url(),
            "privileged": grant.role.privileged,
        }
        for grant in rows
    ]


def jobs_to_look_at(scope: Scope, who: Person) -> list[dict[str, str]]:
    """Return where roles from before a change of job were not looked at, each with the way to it. Two queries."""
    if scope.user_id is not None and who.user_id == scope.user_id:
        return []
    keys = Finding.objects.open().filter(person=who, kind=Finding.Kind.JOB_CHANGE)
    at = [int(key.rpartition(":")[2]) for key in keys.values_list("subject_key", flat=True)]
    places = Facility.objects.visible_to(scope).filter(pk__in=at).order_by("name", "pk") if at else ()
    return [
        {"place": place.name, "url": reverse("web:job-look", args=[scope.organization.slug, who.pk, place.pk])}
        for place in places
        if scope.may(Action.REVIEW_ACCESS, [place.pk])
    ]


def acknowledged(scope: Scope, who: Person, *, may: bool) -> list[dict[str, str]]:
    """Return what a person acknowledged last, in words; ``may``: with the way to take it back. One query."""
    known = Acknowledgement.objects.known().filter(person=who).order_by("document", "acknowledged_on", "pk")
    last = {each.document: each for each in known}
    slug = scope.organization.slug
    return [
        {
            "words": f"{each.get_document_display()}{f' ({each.version})' if each.version else ''}:"
            f" acknowledged on {day(each.acknowledged_on)}.",
            "what": each.get_document_display(),
            "take_back_url": reverse("web:acknowledgement-void", args=[slug, each.pk]) if may else "",
        }
        for each in last.values()
    ]
