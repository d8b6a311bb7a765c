"""What a why says only when somebody opens it: who will be told of a date or a finding, and who else holds it."""

from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import resolve, reverse
from django.utils import timezone
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from accounts.models import Deadline, Finding, PortalAccount, RoleGrant
from accounts.telling import SUBJECTS
from systems.policy import EASTERN, day_in
from web.dossiers import source_of
from web.duties import clears, duty_rows
from web.finding_list import finding_rows, page_rows
from web.others import beside
from web.scope import ScopedRequest, organization_page
from web.told import mails_about_findings, told_of_deadlines, will_be_told_of_deadlines, will_be_told_of_finding
from web.views.logins import crumbs

_OPENS: Final = {"account": "Open the account", "person": "Open the person", "facility": "Open the facility"}
_MAILS = 10  # about findings of one account; its history has more


@require_safe
@vary_on_headers("HX-Request")
@organization_page
def deadline_why(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show who will be told of an open deadline, and who else holds the system; of a duty also the rest of its why."""
    scope, now = request.scope, timezone.now()
    on = day_in(now, EASTERN)
    rows = Deadline.objects.visible_to(scope).open()
    rows = rows.select_related("account__person", "account__system", "policy__source", "organization")
    deadline = get_object_or_404(rows, pk=pk)
    account = deadline.account
    context: dict[str, Any] = {"coming": will_be_told_of_deadlines(scope, [deadline], now)[deadline.pk]}
    if account is not None:
        context |= {
            "others": _beside(request, account, on),
            "mails": [
                {"at": at, "who": who, "about": about}
                for at, who, about in mails_about_findings(scope, account, _MAILS)
            ],
            "title": f"{account.person}: {account.system.name}",
            "url": account.get_absolute_url(),
            "deed": _OPENS["account"],
            "crumbs": crumbs(scope, account),
        }
    else:
        row = duty_rows(Deadline.objects.filter(pk=pk), scope=scope, on=on)[0]
        context |= {"title": row["sentence"], "url": row["url"], "clears": clears(deadline.kind), "duty": True}
        context["deed"] = _deed(row["url"])
        context |= {"source": source_of(deadline.policy) if deadline.policy else None}
        context |= {"told": told_of_deadlines(scope, [deadline])[deadline.pk]}
    return _answer(request, context)


@require_safe
@vary_on_headers("HX-Request")
@organization_page
def finding_why(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show who will be told of an open finding; of one about an account, who else holds the system there."""
    scope, now = request.scope, timezone.now()
    on = day_in(now, EASTERN)
    rows = page_rows(Finding.objects.visible_to(scope).open()).select_related("organization", *SUBJECTS)
    finding = get_object_or_404(rows, pk=pk)
    account = finding.account
    context: dict[str, Any] = {
        "coming": will_be_told_of_finding(scope, finding, now),
        "others": _beside(request, account, on) if account else [],
    }
    if not request.headers.get("HX-Request"):
        row = finding_rows(scope, [finding], on)[0]
        context |= {"title": row["sentence"], "url": row["url"], "deed": _deed(row["url"])}
        context["crumbs"] = [{"label": "Findings", "url": reverse("web:findings", args=[scope.organization.slug])}]
    return _answer(request, context)


def _answer(request: ScopedRequest, context: dict[str, Any]) -> HttpResponse:
    """Return the part for an open why, or the same as a page where no script asked for it."""
    part = bool(request.headers.get("HX-Request"))
    return render(request, "web/why_more.html" if part else "web/why_page.html", context)


def _deed(url: str) -> str:
    """Return what the button to the page is called that the date or finding is about."""
    name = resolve(urlsplit(url).path).url_name if url else None
    return _OPENS.get(name or "", "Open it")


def _beside(request: ScopedRequest, account: PortalAccount, on: date) -> list[dict[str, Any]]:
    grants = RoleGrant.objects.in_force(on).filter(account=account).select_related("facility")
    return beside(request.scope, account, grants, on)
