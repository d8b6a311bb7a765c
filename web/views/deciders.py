"""Settings: who decides requests where nobody else may, and whether privileged roles take two people."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.services.requests.house import able_to_decide, house_of, set_house
from facilities.access import Action, authorize
from web.forms.request_ends import DecidersForm
from web.forms.shown import show_instead
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.settings import settings_crumbs


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def deciders(request: ScopedRequest) -> HttpResponse:
    """Show and set the outside deputy, and whether two people approve privileged roles."""
    scope = request.scope
    authorize(scope, Action.SET_DECIDERS)
    house = house_of(scope)
    form = DecidersForm(request.POST if request.method == "POST" else None, house=house, people=able_to_decide(scope))
    if form.is_valid():
        try:
            set_house(scope=scope, at=timezone.now(), **form.cleaned_data)
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            if exc.code == "stale":  # saving once more is a decision
                show_instead(form, "version", str(house_of(scope).version))
        else:
            say(request, "Saved who decides. It holds for requests made from now on.")
            return redirect("web:settings", scope.organization.slug)
    context = {"form": form, "house": house, "crumbs": settings_crumbs(scope)}
    return render(request, "web/deciders.html", context)
