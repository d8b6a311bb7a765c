"""How long an account lasts: lasting, temporary until a day, or for an emergency."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.models import PortalAccount
from accounts.services.logins import is_own, places_of
from accounts.services.terms import longest_until, state_term
from accounts.words import day
from facilities.access import Action, authorize
from web.forms.accounts import TermForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.accounts import title_of
from web.views.logins import account_in_scope, crumbs

Term = PortalAccount.Term


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_term(request: ScopedRequest, pk: int) -> HttpResponse:
    """State how long an account is to last."""
    scope = request.scope
    this = account_in_scope(scope, pk)
    authorize(scope, Action.EDIT_ACCOUNT, places_of(this))
    longest = {term: longest_until(this.opened_on, term) for term in (Term.TEMPORARY, Term.EMERGENCY)}
    form = TermForm(request.POST if request.method == "POST" else None, account=this, longest=longest)
    title = title_of(is_own(scope, this), this)
    if form.is_valid():
        try:
            state_term(scope=scope, account=this, at=timezone.now(), **form.cleaned_data)
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            form.show_version(account_in_scope(scope, pk).version)
        else:
            say(request, _said(title, this))
            return redirect("web:account", scope.organization.slug, this.pk)
    text = {
        "title": f"How long {title[:1].lower() + title[1:] if is_own(scope, this) else title} lasts",
        "button": "Save how long it lasts",
        "explain": f"It was opened on {day(this.opened_on)}. Who looks after it is reminded before its last day.",
    }
    context = {"form": form, "text": text, "back": this.get_absolute_url(), "crumbs": crumbs(scope, this)}
    return render(request, "web/deed.html", context)


def _said(title: str, account: PortalAccount) -> str:
    until = account.lasts_until or longest_until(account.opened_on, account.term)
    if account.term == Term.LASTING or until is None:
        return f"{title} is a lasting one."
    return f"{title} lasts until {day(until)}; then it has to be removed."
