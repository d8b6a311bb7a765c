"""What somebody looked at: the profile of an account on its system, and a person's roles after a change of job."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import AccountRefused
from accounts.models import PortalAccount, ProfileCheck
from accounts.sentences import possessive
from accounts.services.checks import check_profile, review_job_change, void_profile_check
from accounts.services.logins import is_own, places_of
from accounts.words import day
from facilities.access import Action, NotAllowed, authorize
from facilities.models import Facility
from systems.policy import day_in
from web.forms.accounts import DayForm
from web.looks import last_check, roles_at
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.accounts import title_of
from web.views.logins import account_in_scope, crumbs
from web.views.people import people_crumbs, person_crumb, person_of

_MAY_LOOK = "Somebody else has to look at your own roles."


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_profile(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that name, phone and e-mail on the system were found right on a day."""
    scope, now = request.scope, timezone.now()
    account = account_in_scope(scope, pk)
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    form = DayForm(request.POST if request.method == "POST" else None, label="Looked at on", at=now)
    if form.is_valid():
        try:
            check_profile(scope=scope, account=account, checked_on=form.cleaned_data["on"], at=now)
        except AccountRefused as exc:
            form.add_error("on" if exc.field else None, exc.message)
        else:
            say(request, f"{title_of(is_own(scope, account), account)}: the profile was right.")
            return redirect("web:account", scope.organization.slug, account.pk)
    context = {"account": account, "form": form, "last": last_check(account), "crumbs": crumbs(scope, account)}
    return render(request, "web/account_profile.html", context)


@require_POST
@organization_page
def profile_check_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back that a profile was looked at."""
    scope = request.scope
    mine = ProfileCheck.objects.filter(account__in=PortalAccount.objects.visible_to(scope))
    check = get_object_or_404(mine.select_related("account__person", "account__system"), pk=pk)
    void_profile_check(scope=scope, check=check, at=timezone.now())
    say(request, f"Taken back: the profile was not looked at on {day(check.checked_on)}.")
    return redirect("web:account", scope.organization.slug, check.account_id)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def job_look(request: ScopedRequest, pk: int, place: int) -> HttpResponse:
    """Show a person's roles at a facility after a change of job, and record that somebody looked at them."""
    scope, now = request.scope, timezone.now()
    who = person_of(scope, pk)
    facility = get_object_or_404(Facility.objects.visible_to(scope).select_related("organization"), pk=place)
    authorize(scope, Action.REVIEW_ACCESS, [facility.pk])
    if scope.user_id is not None and who.user_id == scope.user_id:
        raise NotAllowed(_MAY_LOOK)
    refused = ""
    if request.method == "POST":
        try:
            review_job_change(scope=scope, person=who, facility=facility, at=now)
        except AccountRefused as exc:
            refused = exc.message
        else:
            say(request, f"Recorded: {possessive(str(who))} roles at {facility.name} were looked at.")
            return redirect(who)
    context = {
        "title": f"{possessive(str(who))} roles at {facility.name}",
        "person": who,
        "facility": facility,
        "roles": roles_at(who, facility, day_in(now, facility.zone)),
        "refused": refused,
        "crumbs": [*people_crumbs(scope), person_crumb(who)],
    }
    return render(request, "web/job_look.html", context)
