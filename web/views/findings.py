"""Findings: what is wrong now, by cause, each with its why and the way to the deed."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.finding_words import SEVERITIES, WORDS
from accounts.models import Finding
from accounts.models.watch import FindingQuerySet, Severity
from accounts.words import count_noun, listed
from facilities.access import Action, Scope
from facilities.models import Facility
from facilities.services.rechecks import being_rechecked
from systems.policy import EASTERN, day_in
from web.finding_filters import narrowed
from web.finding_list import counts, finding_rows, groups, page_rows, ranked
from web.forms.findings import FindingFilter
from web.keyset import page_of
from web.scope import ScopedRequest, organization_page
from web.teaching import towards_facilities

PAGE_ROWS = 30


@require_safe
@organization_page
def findings(request: ScopedRequest) -> HttpResponse:
    """List open findings by cause, or all of one cause; filters are part of the address."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    form = FindingFilter(request.GET, scope=scope)
    chosen = form.chosen
    found = narrowed(Finding.objects.visible_to(scope).open(), chosen, on)
    context: dict[str, Any] = {
        "form": form,
        "chips": form.chips(),
        "filtered": bool(form.filters),
        "summary": summary(found),
    }
    kind = chosen.get("kind", "")
    if kind:
        page = page_of(request, page_rows(ranked(found)), by=("rank", "pk"), size=PAGE_ROWS)
        context |= {"words": WORDS[kind], "rows": finding_rows(scope, page.rows, on), "page": page}
        context["many_url"] = _many_url(scope, form) if _about_people(page.rows) else ""
        context["crumbs"] = [{"label": "Findings", "url": reverse("web:findings", args=[scope.organization.slug])}]
    else:
        context["groups"] = [
            {"group": group, "url": _with(request, "kind", group.kind)} for group in groups(scope, found, on)
        ]
        if not context["groups"] and not form.filters:
            context["looked"] = Facility.objects.filter(organization=scope.organization).exists()
            context["first"] = towards_facilities(scope)
            context["pending"] = context["looked"] and being_rechecked(scope.organization)
            if context["pending"]:
                context["summary"] = "Nothing is known to be wrong, but not everything was looked at yet."
            if not context["looked"]:
                context["summary"] = "No facility is registered yet, so nothing was looked at."
    return render(request, "web/findings.html", context)


def _about_people(rows: Sequence[Any]) -> bool:
    """Return whether findings of one cause are about people or their accounts."""
    return bool(rows) and bool(rows[0].account_id or rows[0].person_id)


def _many_url(scope: Scope, form: FindingFilter) -> str:
    """Return where something is asked for about everybody of a cause; nothing for who asks for herself at most."""
    if not scope.may(Action.REQUEST_ACCESS, [place for _, place in scope.roles if place is not None]):
        return ""
    return f"{reverse('web:requests-bulk', args=[scope.organization.slug])}?of=findings&{form.query}"


def summary(findings: FindingQuerySet) -> str:
    """Return the one sentence on top, such as ``12 findings are open: two critical and ten medium.``"""
    by_severity = dict.fromkeys(SEVERITIES, 0)
    for _, severity, count in counts(findings):
        by_severity[severity] += count
    total = sum(by_severity.values())
    if not total:
        return "Nothing is wrong as far as we know."
    parts = [
        f"{count_noun(count, ',').strip()} {Severity(severity).label.lower()}"
        for severity, count in by_severity.items()
        if count
    ]
    are = "is" if total == 1 else "are"
    return f"{count_noun(total, 'finding,findings').capitalize()} {are} open: {listed(parts)}."


def _with(request: ScopedRequest, name: str, value: str) -> str:
    rest = request.GET.copy()
    for key in ("after", "before"):
        rest.pop(key, None)
    rest[name] = value
    return f"?{rest.urlencode()}"
