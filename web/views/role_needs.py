"""Why somebody needs a privileged role: said on the way from the account's page, said anew, taken back."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.models import PortalAccount, RoleGrant, RoleNeed
from accounts.sentences import possessive
from accounts.services.role_needs import state_need, void_need
from accounts.words import instant
from facilities.access import Action, authorize
from web.forms.duties import NeedForm, TakeBackForm
from web.scope import ScopedRequest, organization_page
from web.views.duties import asked
from web.views.logins import crumbs


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def role_need(request: ScopedRequest, pk: int) -> HttpResponse:
    """State why a privileged role is needed."""
    scope, now = request.scope, timezone.now()
    seen = RoleGrant.objects.known().filter(account__in=PortalAccount.objects.visible_to(scope), role__privileged=True)
    grant = get_object_or_404(seen.select_related("account__person", "account__system", "role", "facility"), pk=pk)
    authorize(scope, Action.KEEP_ACCOUNT, [grant.facility_id])
    here = RoleNeed.objects.known().filter(account=grant.account, facility=grant.facility, role=grant.role)
    said = here.values_list("need", flat=True).first() or ""
    what = f"{possessive(str(grant.account.person))} {grant.account.system.name} role {grant.role.name}"
    form = NeedForm(request.POST or None, initial={"need": said})
    text = {
        "title": f"Why {grant.account.person} needs to be {grant.role.name}",
        "explain": f"On {grant.account.system.name}, at {grant.facility.name}. The role can raise the rights of others,"
        " so somebody says what it is needed for.",
        "button": "Say why it is needed",
        "said": f"{what}: recorded why it is needed.",
    }
    return asked(
        request,
        form,
        text,
        crumbs(scope, grant.account),
        lambda: state_need(scope=scope, grant=grant, need=form.cleaned_data["need"], at=now),
        {},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def role_need_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back why a privileged role is needed, with the reason."""
    scope = request.scope
    seen = RoleNeed.objects.known().filter(account__in=PortalAccount.objects.visible_to(scope))
    told = get_object_or_404(seen.select_related("account__person", "account__system", "role", "facility"), pk=pk)
    authorize(scope, Action.KEEP_ACCOUNT, [told.facility_id])
    text = {
        "title": f"Why {told.account.person} is {told.role.name} was not right",
        "explain": f"On {told.account.system.name}, at {told.facility.name}. {told.recorded_by} said on"
        f" {instant(told.recorded_at)}: {told.need}",
        "button": "Take it back",
        "said": f"Taken back: why {told.account.person} needs to be {told.role.name}.",
    }
    form = TakeBackForm(request.POST or None)
    return asked(
        request,
        form,
        text,
        crumbs(scope, told.account),
        lambda: void_need(scope=scope, need=told, reason=form.cleaned_data["reason"], at=timezone.now()),
        {},
    )
