"""Systems: what they are for and what they demand; a guide to each with the calculator of its dates."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import PortalAccount
from systems.explaining import UNKNOWN as LOGIN_UNKNOWN
from systems.explaining import BasisRefused, explain
from systems.models import Document, Note, Policy
from systems.policy import EASTERN, day_in
from web.forms.systems import DAY, NEVER, UNKNOWN, CalculatorForm
from web.guides.calculator import Answer, answer, house_words
from web.guides.citing import Bibliography
from web.guides.guide import Guide, guide_of, notes_by_topic, system_rows
from web.guides.limits import limits
from web.guides.overview import overview
from web.guides.timelines import timeline_of
from web.keyset import asked_for
from web.scope import ScopedRequest, organization_page


@require_safe
@organization_page
def systems(request: ScopedRequest) -> HttpResponse:
    """List the systems of the catalogue, which every member may read."""
    asked = asked_for(request)
    groups = overview(request.scope, day_in(timezone.now(), EASTERN), asked)
    found = sum(len(group.rows) for group in groups)
    return render(request, "web/systems.html", {"groups": groups, "asked": asked, "found": found})


@require_safe
@organization_page
def system(request: ScopedRequest, system: str) -> HttpResponse:
    """Show the guide to one system; a question in the address is answered by its calculator."""
    scope, now = request.scope, timezone.now()
    this = get_object_or_404(system_rows(), slug=system)
    guide = guide_of(this, scope.organization.slug, now)
    form = CalculatorForm(request.GET, today=guide.on)
    told = _answer(request, guide, form) if form.asked else None
    mine = PortalAccount.objects.visible_to(scope).filter(system=this).exclude(status=PortalAccount.Status.REMOVED)
    context: dict[str, Any] = guide.parts | {
        "system": this,
        "on": guide.on,
        "form": form,
        "answer": told,
        "timeline": timeline_of(this.name, guide.policies, guide.on, told.marks if told else ()),
        "accounts": mine.count(),
        "house": "" if guide.parts["glance"]["limit"] else house_words(scope.organization, this),
        "crumbs": _crumbs(request),
    }
    cited = guide.bibliography
    if context["timeline"]:
        for row in context["timeline"].rows:
            row["cite"] = cited.cite(row["policy"])
    return render(request, "web/system.html", context | {"sources": guide.sources})


def _answer(request: ScopedRequest, guide: Guide, form: CalculatorForm) -> Answer | None:
    """Return the answer to a question that makes sense; otherwise its remarks stand beside the fields."""
    if not form.is_valid():
        return None
    asked = form.cleaned_data
    login = asked["last_login"] if asked["login"] == DAY else None
    on = asked["on"] or guide.on
    try:
        found = explain(
            system=guide.system,
            on=on,
            last_login=LOGIN_UNKNOWN if asked["login"] == UNKNOWN else login,
            granted_on=asked["granted_on"],
        )
    except BasisRefused as exc:
        form.add_error(exc.field_name, "This day lies after the one you look from.")
        return None
    return answer(
        found=found,
        organization=request.scope.organization,
        bibliography=guide.bibliography,
        login=login,
        granted_on=asked["granted_on"],
        never=asked["login"] == NEVER,
    )


@require_safe
@organization_page
def system_rules(request: ScopedRequest) -> HttpResponse:
    """Show what holds for every system: general rules, versions of the rules of behavior, notes."""
    on, bibliography = day_in(timezone.now(), EASTERN), Bibliography()
    policies = list(Policy.objects.current().filter(system=None).select_related("source"))
    documents = list(Document.objects.current().select_related("source").order_by("slug", "-in_force_from"))
    context: dict[str, Any] = {
        "limits": limits(policies, bibliography, on),
        "documents": [{"row": row, "cite": bibliography.cite(row)} for row in documents],
        "notes": notes_by_topic(Note.objects.filter(system=None), bibliography),
        "crumbs": _crumbs(request),
    }
    return render(request, "web/systems_rules.html", context | {"sources": bibliography.entries()})


def _crumbs(request: ScopedRequest) -> list[dict[str, str]]:
    return [{"label": "Systems", "url": reverse("web:systems", args=[request.scope.organization.slug])}]
