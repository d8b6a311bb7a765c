"""Data sheets of requests: on a page with words to copy, and as PDF; and the list of who stays at a facility."""

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from accounts.models import AccessRequest
from accounts.policy.data_sheets import Sheet, SheetRefused
from accounts.sheets import keep_sheet, people_with_access, sheet_of
from accounts.words import instant
from facilities.access import Action, authorize
from facilities.models import Facility
from web.requests.wanting import key_of
from web.scope import ScopedRequest, organization_page
from web.sheet_pdf import sheet_pdf

_READ_WITH = ("system", "facility", "role", "grant__role", "account__identity", "beneficiary_person")


@require_safe
@organization_page
def request_sheet(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what goes on the form, with words to copy."""
    this, sheet = _sheet(request, pk)
    pdf = reverse("web:request-sheet-pdf", args=[request.scope.organization.slug, this.pk])
    return render(request, "web/sheet.html", {"sheet": sheet, "this": this, "pdf": pdf})


@require_safe
@organization_page
def request_sheet_pdf(request: ScopedRequest, pk: int) -> HttpResponse:
    """Give the same as PDF."""
    this, sheet = _sheet(request, pk)
    return _pdf(request, sheet, f"request-{this.pk}")


@require_safe
@organization_page
def remove_all_but(request: ScopedRequest, pk: int) -> HttpResponse:
    """Ask who stays at a facility, and show the words that have everybody else removed (R-36). Changes nothing."""
    readable = Facility.objects.visible_to(request.scope)
    facility = get_object_or_404(readable, pk=pk)
    authorize(request.scope, Action.REQUEST_ACCESS, [facility.pk])
    accounts = people_with_access(facility)
    ticked = {key for each in request.GET.getlist("stays") if (key := key_of(each)) is not None}
    sheet, refused = None, ""
    if "ask" in request.GET:
        try:
            sheet = keep_sheet(facility, [account for account in accounts if account.pk in ticked])
        except SheetRefused as exc:
            refused = str(exc)
    if sheet is not None and request.GET["ask"] == "pdf":
        return _pdf(request, sheet, f"remove-all-but-{facility.name}")
    query = request.GET.copy()
    query["ask"] = "pdf"
    context = {
        "facility": facility,
        "accounts": accounts,
        "ticked": ticked,
        "sheet": sheet,
        "refused": refused,
        "pdf": f"?{query.urlencode()}",
    }
    return render(request, "web/remove_all_but.html", context)


def _sheet(request: ScopedRequest, pk: int) -> tuple[AccessRequest, Sheet]:
    readable = AccessRequest.objects.visible_to(request.scope)
    this = get_object_or_404(readable.select_related(*_READ_WITH), pk=pk)
    sheet = sheet_of(this, readable)
    if sheet is None:
        raise Http404("This request needs no form.")
    return this, sheet


def _pdf(request: ScopedRequest, sheet: Sheet, name: str) -> HttpResponse:
    printed = f"Made by {request.user} on {instant(timezone.now())}."
    answer = HttpResponse(sheet_pdf(sheet, printed=printed), content_type="application/pdf")
    answer["Content-Disposition"] = f'attachment; filename="{slugify(name)[:60]}.pdf"'
    return answer
