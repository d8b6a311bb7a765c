"""Deeds about dates that hang on a role or a facility: certified, owed, done, recorded by mistake."""

from collections.abc import Callable
from typing import Any

from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import AccountRefused
from accounts.models import Acknowledgement, Certification, Obligation, PortalAccount, RoleGrant
from accounts.sentences import possessive
from accounts.services.certifying import record_certification, void_certification
from accounts.services.duties import record_acknowledgement, void_acknowledgement, workplaces
from accounts.services.obligations import Owed, add_obligation, meet_obligation, void_obligation
from accounts.words import day
from facilities.access import Action, authorize
from facilities.models import Facility
from staff.models import Person
from web.forms.accounts import DayForm
from web.forms.duties import AcknowledgedForm, CertifiedForm, ObligationForm, TakeBackForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.facilities import facility_crumbs, place_crumb
from web.views.logins import crumbs
from web.views.people import people_crumbs, person_crumb, person_of


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def certify(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record on which day the approver certified a role for another year."""
    scope, now = request.scope, timezone.now()
    seen = RoleGrant.objects.to_end().filter(account__in=PortalAccount.objects.visible_to(scope))
    grant = get_object_or_404(seen.select_related("account__person", "account__system", "role", "facility"), pk=pk)
    authorize(scope, Action.KEEP_ACCOUNT, [grant.facility_id])
    what = f"{possessive(str(grant.account.person))} {grant.account.system.name} role {grant.role.name}"
    form = CertifiedForm(request.POST or None, label="It was certified on", at=now)

    def deed() -> None:
        typed = form.cleaned_data
        record_certification(scope=scope, grant=grant, certified_on=typed["on"], certified_by=typed["by"], at=now)

    text = {
        "title": f"{what} was certified",
        "explain": f"At {grant.facility.name}. The next certification counts from that day.",
        "button": "Record the certification",
        "said": f"{what}: the certification is recorded.",
    }
    fields = {"certified_on": "on", "certified_by": "by"}
    return asked(request, form, text, crumbs(scope, grant.account), deed, fields)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def certification_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back that a role was certified, with the reason."""
    scope = request.scope
    seen = Certification.objects.known().filter(grant__account__in=PortalAccount.objects.visible_to(scope))
    told = get_object_or_404(
        seen.select_related("grant__account__person", "grant__account__system", "grant__role", "grant__facility"), pk=pk
    )
    grant = told.grant
    authorize(scope, Action.KEEP_ACCOUNT, [grant.facility_id])
    text = {
        "title": f"The certification of {day(told.certified_on)} does not count",
        "explain": f"{possessive(str(grant.account.person))} {grant.account.system.name} role {grant.role.name} at"
        f" {grant.facility.name}. What stood before it counts again: the certification before, or the grant.",
        "button": f"Take back the certification of {day(told.certified_on)}",
        "said": f"Taken back: the certification of {day(told.certified_on)}.",
    }
    form = TakeBackForm(request.POST or None)
    return asked(
        request,
        form,
        text,
        crumbs(scope, grant.account),
        lambda: void_certification(
            scope=scope, certification=told, reason=form.cleaned_data["reason"], at=timezone.now()
        ),
        {},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def acknowledge(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that somebody acknowledged a document; ``?document=`` says which one is asked about."""
    scope, now = request.scope, timezone.now()
    who = person_of(scope, pk)
    own = scope.user_id is not None and who.user_id == scope.user_id
    authorize(scope, Action.KEEP_ACCOUNT, workplaces(who, timezone.now()), own=own)
    document = request.GET.get("document", Acknowledgement.Document.RULES)
    form = AcknowledgedForm(request.POST or None, label="On", at=now, initial={"document": document})

    def deed() -> None:
        typed = form.cleaned_data
        record_acknowledgement(
            scope=scope,
            person=who,
            document=typed["document"],
            acknowledged_on=typed["on"],
            version=typed["version"],
            at=now,
        )

    text = {
        "title": f"{who} acknowledged a document",
        "explain": "Portalkeeper keeps the day only; the signed document stays where you file it.",
        "button": f"Record what {who} acknowledged",
        "said": f"Recorded: what {who} acknowledged.",
    }
    return asked(request, form, text, [*people_crumbs(scope), person_crumb(who)], deed, {"acknowledged_on": "on"})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def acknowledgement_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back that somebody acknowledged a document, with the reason."""
    scope = request.scope
    seen = Acknowledgement.objects.known().filter(person__in=Person.objects.visible_to(scope))
    told = get_object_or_404(seen.select_related("person__organization"), pk=pk)
    who = told.person
    own = scope.user_id is not None and who.user_id == scope.user_id
    authorize(scope, Action.KEEP_ACCOUNT, workplaces(who, timezone.now()), own=own)
    text = {
        "title": f"The acknowledgement of {day(told.acknowledged_on)} does not count",
        "explain": f"{who}, {told.get_document_display()}. What stood before it counts again: the acknowledgement"
        " before, or none.",
        "button": f"Take back the acknowledgement of {day(told.acknowledged_on)}",
        "said": f"Taken back: what {who} acknowledged on {day(told.acknowledged_on)}.",
    }
    form = TakeBackForm(request.POST or None)
    return asked(
        request,
        form,
        text,
        [*people_crumbs(scope), person_crumb(who)],
        lambda: void_acknowledgement(
            scope=scope, acknowledgement=told, reason=form.cleaned_data["reason"], at=timezone.now()
        ),
        {},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def obligation_add(request: ScopedRequest, pk: int) -> HttpResponse:
    """Tell what a facility owes by a day."""
    scope, now = request.scope, timezone.now()
    place = get_object_or_404(Facility.objects.visible_to(scope).select_related("organization"), pk=pk)
    authorize(scope, Action.EDIT_FACILITY, [place.pk])
    form = ObligationForm(request.POST or None, facility=place, at=now)

    def deed() -> None:
        typed = form.cleaned_data
        owed = Owed(typed["kind"], typed.get("event_on"), typed["title"], typed["due_on"])
        add_obligation(scope=scope, facility=place, owed=owed, at=now)

    text = {
        "title": f"What {place.name} owes",
        "explain": "Its administrators are reminded before the last day.",
        "button": "Add it",
        "said": f"{place.name}: added.",
    }
    return asked(request, form, text, [*facility_crumbs(request), place_crumb(place)], deed, {})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def obligation_met(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that what was owed has been done."""
    scope, now = request.scope, timezone.now()
    owed = _obligation(request, pk)
    form = DayForm(request.POST or None, label="Done on", at=now)
    text = {
        "title": f"{owed.title or owed.get_kind_display()} is done",
        "explain": f"At {owed.facility.name}. Nobody is reminded of it any more.",
        "button": "Record that it is done",
        "said": f"{owed.facility.name}: recorded as done.",
        "void_url": reverse("web:obligation-void", args=[scope.organization.slug, owed.pk]),
        "void": owed.title or owed.get_kind_display(),
    }
    return asked(
        request,
        form,
        text,
        [*facility_crumbs(request), place_crumb(owed.facility)],
        lambda: meet_obligation(scope=scope, obligation=owed, met_on=form.cleaned_data["on"], at=now),
        {"met_on": "on"},
    )


@require_POST
@organization_page
def obligation_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take back what was added by mistake."""
    owed = _obligation(request, pk)
    void_obligation(scope=request.scope, obligation=owed, at=timezone.now())
    say(request, f"{owed.facility.name}: taken back. Nobody is reminded of it any more.")
    return redirect(owed.facility)


def _obligation(request: ScopedRequest, pk: int) -> Obligation:
    """Return an open obligation on which the member may act. Raises Http404 out of scope, NotAllowed."""
    scope = request.scope
    known = Obligation.objects.filter(facility__in=Facility.objects.visible_to(scope), voided_at=None, met_on=None)
    owed = get_object_or_404(known.select_related("facility__organization"), pk=pk)
    authorize(scope, Action.EDIT_FACILITY, [owed.facility_id])
    return owed


def asked(
    request: ScopedRequest,
    form: Form,
    text: dict[str, Any],
    way: list[dict[str, str]],
    deed: Callable[[], object],
    fields: dict[str, str],
) -> HttpResponse:
    """Ask, do the deed and go back to the end of the way; a refusal stands beside its field with what was typed."""
    back = way[-1]["url"]
    if form.is_valid():
        try:
            deed()
        except AccountRefused as exc:
            name = fields.get(exc.field, exc.field)
            form.add_error(name if name in form.fields else None, exc.message)
        else:
            say(request, text["said"])
            return redirect(back)
    return render(request, "web/deed.html", {"form": form, "text": text, "back": back, "crumbs": way})
