"""Identity proofing and second factor of an account at a sign-in authority: how far they are, never more."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.services.identity_states import state_identity
from accounts.services.logins import is_own, places_of
from facilities.access import Action, authorize
from web.forms.accounts import IdentityForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.accounts import title_of
from web.views.logins import account_in_scope, crumbs


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_identity(request: ScopedRequest, pk: int) -> HttpResponse:
    """State how far proofing and second factor are."""
    scope, at = request.scope, timezone.now()
    this = account_in_scope(scope, pk)
    if this.identity_id is not None:
        raise Http404
    authorize(scope, Action.KEEP_ACCOUNT, places_of(this), own=is_own(scope, this))
    form = IdentityForm(request.POST if request.method == "POST" else None, account=this, at=at)
    title = title_of(is_own(scope, this), this)
    if form.is_valid():
        try:
            state_identity(scope=scope, account=this, at=at, **form.cleaned_data)
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            form.show_version(account_in_scope(scope, pk).version)
        else:
            say(request, f"{title}: identity and second factor are written down.")
            return redirect("web:account", scope.organization.slug, this.pk)
    text = {
        "title": f"{title}: identity and second factor",
        "button": "Save how far they are",
        "explain": "Roles on other systems wait for both. Only the state is kept here, never a number or an answer.",
    }
    context = {"form": form, "text": text, "back": this.get_absolute_url(), "crumbs": crumbs(scope, this)}
    return render(request, "web/deed.html", context)
