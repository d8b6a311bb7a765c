"""Who always stands in for somebody: named and ended."""

from datetime import date

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.words import day
from facilities.access import Action, Scope, authorize
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.audience import has_left
from staff.models import Deputy, Employment, Person
from staff.services.deputies import DeputyRefused, end_deputy, name_deputy
from staff.services.people import present_workplaces
from web.forms.people import DeputyForm, LeavingForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.people import people_crumbs, person_crumb, person_of, today


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def person_deputy(request: ScopedRequest, pk: int) -> HttpResponse:
    """Name who always stands in for somebody; a member may name her own deputy."""
    scope = request.scope
    who = person_of(scope, pk)
    authorize(scope, Action.NAME_DEPUTY, present_workplaces(who, today()), own=_own(scope, who))
    on = today()
    form = DeputyForm(request.POST or None, able=_able(scope, who, on), initial={"since": on})
    if form.is_valid():
        try:
            named = name_deputy(scope=scope, person=who, at=timezone.now(), **form.cleaned_data)
        except DeputyRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            say(request, f"{named.deputy} stands in for {who} from {day(named.valid_from)}.")
            return redirect(who)
    crumbs = [*people_crumbs(scope), person_crumb(who)]
    return render(request, "web/person_deputy.html", {"form": form, "person": who, "crumbs": crumbs})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def deputy_end(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record the last day of a lasting deputy."""
    scope = request.scope
    lasting = Deputy.objects.filter(absence=None, person__in=Person.objects.visible_to(scope))
    if request.method != "POST":  # a button pressed twice posts about the row that its first press has replaced
        lasting = lasting.known()
    named = get_object_or_404(lasting.select_related("person__organization", "deputy"), pk=pk)
    who = named.person
    authorize(scope, Action.NAME_DEPUTY, present_workplaces(who, today()), own=_own(scope, who))
    form = LeavingForm(request.POST or None, initial={"last_day_on": named.valid_to or today()})
    form.fields["last_day_on"].label, form.fields["last_day_on"].help_text = "Last day", "It may lie ahead."
    if form.is_valid():
        try:
            ended = end_deputy(scope=scope, deputy=named, at=timezone.now(), **form.cleaned_data)
        except DeputyRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        else:
            until = f"until {day(ended.valid_to)}" if ended else "no more"
            say(request, f"{named.deputy} stands in for {who} {until}.")
            return redirect(who)
    context = {"form": form, "person": who, "deputy": named, "crumbs": [*people_crumbs(scope), person_crumb(who)]}
    return render(request, "web/deputy_end.html", context)


def _able(scope: Scope, who: Person, on: date) -> QuerySet[Person]:
    """Return who works where the person works, and administrators, as far as the member sees them."""
    there = Employment.objects.in_force(on).filter(facility__in=present_workplaces(who, on)).values("person")
    administering = Membership.objects.open().filter(organization=scope.organization, role=Role.ADMINISTRATOR)
    found = Person.objects.visible_to(scope).filter(Q(pk__in=there) | Q(user__in=administering.values("user")))
    return found.exclude(pk=who.pk).exclude(has_left(on, "pk")).order_by("last_name", "first_name", "pk")


def _own(scope: Scope, who: Person) -> bool:
    return scope.user_id is not None and who.user_id == scope.user_id
