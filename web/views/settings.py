"""Settings: members and invitations, the start of reminders, the clocks in use."""

from collections.abc import Collection
from datetime import date
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from accounts.house_words import HOUSE_RULES
from accounts.models import HouseRule
from accounts.services.requests.house import house_of
from accounts.words import day
from facilities.access import Action, Scope, authorize
from facilities.models import Facility, Invitation, Membership, Organization
from facilities.services.members import InvitationRefused, end_membership, invite_member
from facilities.services.organizations import start_reminders as begin_reminders
from facilities.services.rechecks import being_rechecked
from reminders.audience import has_left
from staff.models import Person
from systems.policy import day_in
from web.first_mail import first_mail
from web.forms.facilities import zone_words
from web.forms.settings import InviteForm
from web.invitations import join_link, send_invitation
from web.keyset import page_of
from web.scope import ScopedRequest, organization_page
from web.toasts import say

SHOWN_AT_MOST = 25  # people whose first mail is spelled out


@require_safe
@organization_page
def settings(request: ScopedRequest) -> HttpResponse:
    """Show the member's own roles, and to those who read everything the members and open invitations."""
    scope = request.scope
    mine = Membership.objects.open().filter(organization=scope.organization, user=scope.user_id)
    context: dict[str, Any] = {
        "mine": [_role_words(each) for each in mine.select_related("facility").order_by("role", "pk")],
        "zone": zone_words(scope.organization.zone),
        "rules_on": HouseRule.objects.known().filter(organization=scope.organization, rule__in=HOUSE_RULES).count(),
        "house": house_of(scope),
        "may_set_deciders": scope.may(Action.SET_DECIDERS),
        "may_manage": scope.may(Action.MANAGE_MEMBERS),
        "may_start": scope.may(Action.START_REMINDERS),
        "may_lead": scope.acts_at(Action.LEAD_FIRST_HOUR) != frozenset(),
    }
    if scope.reads is None:
        context |= _members(request)
    return render(request, "web/settings.html", context)


def _members(request: ScopedRequest) -> dict[str, Any]:
    organization = request.scope.organization
    open_ones = Membership.objects.open().filter(organization=organization).select_related("user", "facility")
    page = page_of(request, open_ones, by=("user__email", "pk"))
    invited = Invitation.objects.filter(
        organization=organization, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    gone = _left(organization, {each.user_id for each in page.rows})
    members = [(each, day_in(each.created_at, organization.zone), gone.get(each.user_id)) for each in page.rows]
    newest = invited.select_related("facility").order_by("-created_at", "-pk")
    return {"page": page, "members": members, "invited": list(newest[:50])}


def _left(organization: Organization, users: Collection[int]) -> dict[int | None, date]:
    """Return by user the last day of members who work here no more: their roles were left open. One query."""
    on = day_in(timezone.now(), organization.zone)
    gone = Person.objects.filter(has_left(on, "pk"), organization=organization, user__in=users)
    last = Max("employments__valid_to", filter=Q(employments__voided_at=None))
    return dict(gone.annotate(left_on=last).order_by().values_list("user_id", "left_on"))


def _role_words(membership: Membership) -> str:
    where = f"at {membership.facility.name}" if membership.facility else "for all facilities"
    return f"{membership.get_role_display()} {where}"


def _places(scope: Scope) -> QuerySet[Facility]:
    return Facility.objects.filter(organization=scope.organization).open().order_by("name", "pk")


@never_cache
@require_http_methods(["GET", "POST"])
@organization_page
def member_invite(request: ScopedRequest) -> HttpResponse:
    """Invite somebody: the link is shown once, here, and mailed."""
    scope = request.scope
    authorize(scope, Action.MANAGE_MEMBERS)
    form = InviteForm(request.POST if request.method == "POST" else None, places=_places(scope))
    context: dict[str, Any] = {"form": form, "crumbs": settings_crumbs(scope)}
    if form.is_valid():
        try:
            issued = invite_member(scope=scope, at=timezone.now(), **form.cleaned_data)
        except InvitationRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            # Shown in the answer itself: a redirect would have to keep the token somewhere.
            mailed = send_invitation(issued)
            context |= {"invitation": issued.invitation, "link": join_link(issued.token), "mailed": mailed}
            return render(request, "web/settings_invited.html", context)
    return render(request, "web/settings_invite.html", context)


@require_http_methods(["GET", "POST"])
@organization_page
def member_end(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take a role away, after naming it once more."""
    scope = request.scope
    mine = Membership.objects.open().filter(organization=scope.organization).select_related("user", "facility")
    membership = get_object_or_404(mine, pk=pk)
    authorize(scope, Action.MANAGE_MEMBERS)
    refused = ""
    if request.method == "POST":
        try:
            end_membership(scope=scope, membership=membership, at=timezone.now())
        except InvitationRefused as exc:
            refused = exc.message
        else:
            say(request, f"{membership.user} is no longer {_role_words(membership).lower()}.")
            return redirect("web:settings", scope.organization.slug)
    context = {
        "membership": membership,
        "role": _role_words(membership),
        "myself": membership.user_id == scope.user_id,
        "refused": refused,
        "last_role": not mine.filter(user=membership.user).exclude(pk=membership.pk).exists(),
    }
    return render(request, "web/settings_member_end.html", context | {"crumbs": settings_crumbs(scope)})


@require_http_methods(["GET", "POST"])
@organization_page
def start_reminders(request: ScopedRequest) -> HttpResponse:
    """Show who would get what in the first mail; mails start when an administrator says so."""
    scope, at = request.scope, timezone.now()
    authorize(scope, Action.START_REMINDERS)
    organization = scope.organization
    if request.method == "POST":
        begun = begin_reminders(organization=organization, actor=scope.actor, at=at)
        said = "Reminders have started. The first mails leave on the next morning of each person."
        say(request, said if begun else "Reminders were started already; nothing was changed.")
        return redirect("web:settings", organization.slug)
    first = first_mail(organization=organization, at=at) if organization.reminders_started_at is None else None
    context = {
        "first": first,
        "people": first.people[:SHOWN_AT_MOST] if first else [],
        "further": max(len(first.people) - SHOWN_AT_MOST, 0) if first else 0,
        "pending": being_rechecked(organization),
        "started_on": _started_on(organization),
    }
    return render(request, "web/start_reminders.html", context | {"crumbs": settings_crumbs(scope)})


def _started_on(organization: Organization) -> str:
    started = organization.reminders_started_at
    return day(day_in(started, organization.zone)) if started else ""


def settings_crumbs(scope: Scope) -> list[dict[str, str]]:
    """Return the way up from a page below Settings."""
    return [{"label": "Settings", "url": reverse("web:settings", args=[scope.organization.slug])}]
