"""An upload: taken in, looked at beside the register, and written with consent. Nothing is written before it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial, wraps
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import Finding
from accounts.services.account_lists import ListRefused
from facilities.access import Action, Scope, authorize
from facilities.errors import FacilitiesError
from facilities.models import Facility
from imports.mappings import ACTIONS, fitting, remembered, save_mapping
from imports.models import Import, PendingImport
from imports.opening import FileRefused
from imports.uploads import UploadGone, choose_columns, content_of, discard_upload, keep_upload
from staff.roster.keeping import Kept, kept_form, taken_up
from staff.roster.reading import Roster, look_over
from systems.policy import day_in
from web.forms.imports import ReadAs, UploadForm, read_as, system_choices
from web.imports.kinds import KINDS
from web.imports.parts import Compared, Pages, columns_of, dates_of, parts_of
from web.imports.telling import imports_crumb
from web.scope import ScopedRequest, organization_page
from web.toasts import say

PART_PAGE = 100  # rows of one part of a preview on a page of their own


def upload_page(view: Callable[..., HttpResponse], *, absent: str = "") -> Callable[..., HttpResponseBase]:
    """Give the view one of the member's own uploads and the time; what is over leads to where it went on.

    ``absent``: what is said on Imports where there is no such upload; without it the page does not exist.
    """

    @never_cache
    @organization_page
    @wraps(view)
    def found(request: ScopedRequest, pk: int, **others: Any) -> HttpResponse:
        scope, at = request.scope, timezone.now()
        authorize(scope, Action.IMPORT_PEOPLE)
        mine = PendingImport.objects.filter(organization=scope.organization, user=scope.user_id)
        slug = scope.organization.slug
        pending = mine.filter(pk=pk).first()
        if pending is None and absent:
            say(request, absent, level=messages.INFO)
            return redirect("web:imports", slug)
        if pending is None:
            raise Http404("No such upload among yours.")
        authorize(scope, ACTIONS[Import.Kind(pending.kind)])
        taken = _taken(request, pending)
        if taken is not None:
            return taken
        try:
            if pending.expires_at <= at:
                raise UploadGone(f"“{pending.file_name}” was kept for a day. Please choose the file again.")
            return view(request, pending, at, **others)
        except UploadGone as exc:
            again = mine.filter(pk=pk).first()
            taken = _taken(request, again) if again else None  # by a second click that was faster
            if taken is not None:
                return taken
            say(request, exc.message, level=messages.ERROR)
            return redirect("web:import-new", slug)

    return found


def _taken(request: ScopedRequest, pending: PendingImport) -> HttpResponse | None:
    """Return where an upload went on that was consented to; None before."""
    slug = request.scope.organization.slug
    if pending.source_id:
        return redirect("web:import", slug, pending.source_id)
    if pending.noted_at:
        text = f"“{pending.file_name}” was taken already. No account changed; what it does not show stands below."
        say(request, text, level=messages.INFO)
        return redirect(f"{reverse('web:findings', args=[slug])}?kind={Finding.Kind.MISSING_IN_FILE}")
    return None


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def import_new(request: ScopedRequest) -> HttpResponse:
    """Take a file or a pasted table in; it is searched for secrets before any of it is kept."""
    scope = request.scope
    authorize(scope, Action.IMPORT_PEOPLE)
    asked = (request.POST if request.method == "POST" else request.GET).get("kind", "")
    pages = KINDS.get(asked, KINDS[Import.Kind.STAFF])
    authorize(scope, ACTIONS[pages.kind])
    form = UploadForm(arrived=0, has_system=pages.has_system)
    if request.method == "POST":
        arrived = request.META.get("CONTENT_LENGTH") or ""
        size = int(arrived) if arrived.isdecimal() else 0
        form = UploadForm(request.POST, request.FILES, arrived=size, has_system=pages.has_system)
    if form.is_valid():
        try:
            roster = look_over(pages.make, form.held, most_rows=pages.most_rows)
        except FileRefused as exc:
            form.refuse(exc)
        else:
            pending = _kept(scope, pages, roster, form.cleaned_data.get("system", ""))
            return redirect("web:import-look", scope.organization.slug, pending.pk)
    context = {
        "form": form,
        "kind": pages.kind.value,
        "sample": "accounts" if pages.kind == Import.Kind.ACCOUNTS else "people",
        "sample_of": Facility.objects.visible_to(scope).open().order_by("name", "pk").first(),
        "crumbs": [imports_crumb(scope)],
    }
    return render(request, "web/import_new.html", context)


def _kept(scope: Scope, pages: Pages, roster: Roster, system: str) -> PendingImport:
    """Keep what was read, to be read as a list with this header was before."""
    before = remembered(scope=scope, kind=pages.kind, header=roster.header)
    return keep_upload(
        scope=scope,
        kind=pages.kind,
        file_name=roster.file,
        sha256=roster.sha256,
        content=kept_form(roster),
        at=timezone.now(),
        columns=dict.fromkeys(pages.fields, "") | before.columns if before.columns else {},
        system=system or before.system,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@upload_page
def import_look(request: ScopedRequest, pending: PendingImport, at: datetime) -> HttpResponse:
    """Show what an upload would change, worries first; POST changes what its columns are taken for."""
    scope, pages, wanted = request.scope, KINDS[pending.kind], ReadAs(pending.columns, pending.system)
    if request.method == "POST":
        header = taken_up(pages.make, Kept(content_of(pending)), None).header
        wanted = _wanted(request, pages, pending, header)
        if not wanted.wrong:
            choose_columns(scope=scope, pending=pending, columns=wanted.columns, system=wanted.system)
            if wanted.save_as:
                _save(request, pages, header, wanted, at)
            return redirect("web:import-look", scope.organization.slug, pending.pk)
    roster, found, missing = _looked_at(scope, pending, at)
    columns = columns_of(roster)
    if wanted.wrong:
        columns = [column | {"field": request.POST.get(column["select"], column["field"])} for column in columns]
    saved = fitting(scope=scope, kind=pages.kind, header=roster.header)
    context = {
        "pending": pending,
        "wrong": wanted.wrong,
        "missing": missing,
        "fields": pages.fields.items(),
        "columns": columns,
        "unsure": any(column["unsure"] for column in columns),
        "systems": system_choices() if pages.has_system else [],
        "system": wanted.system,
        "save_as": wanted.save_as,
        "saved": saved,
        "read_as": next((each.name for each in saved if _is_read(pending, each.columns, each.system)), ""),
        "roster": roster,
        "crumbs": [imports_crumb(scope)],
    }
    return render(request, "web/import_look.html", context | (_outcome(pages, scope, found, at) if found else {}))


def _wanted(request: ScopedRequest, pages: Pages, pending: PendingImport, header: list[str]) -> ReadAs:
    """Return how the list is to be read: as saved under a name, or column by column."""
    name = request.POST.get("mapping")
    if name is None:
        return read_as(request.POST, header, pages.fields, has_system=pages.has_system)
    saved = {each.name: each for each in fitting(scope=request.scope, kind=pages.kind, header=header)}
    if name not in saved:
        wrong = "Choose the name under which the way of reading was saved."
        if name:
            wrong = f"No way of reading is saved under “{name[:60]}” that fits this list."
        return ReadAs(pending.columns, pending.system, wrong=wrong)
    return ReadAs(dict.fromkeys(pages.fields, "") | saved[name].columns, saved[name].system)


def _save(request: ScopedRequest, pages: Pages, header: list[str], wanted: ReadAs, at: datetime) -> None:
    save_mapping(
        scope=request.scope,
        kind=pages.kind,
        name=wanted.save_as,
        header=header,
        columns=wanted.columns,
        system=wanted.system,
        at=at,
    )
    say(request, f"Saved as “{wanted.save_as}”. Lists with the same titles are read so from now on.")


def _is_read(pending: PendingImport, columns: dict[str, str], system: str) -> bool:
    used = {name: column for name, column in pending.columns.items() if column}
    return (used, pending.system) == ({name: column for name, column in columns.items() if column}, system)


def _looked_at(scope: Scope, pending: PendingImport, at: datetime) -> tuple[Roster, Compared | None, str]:
    """Return (the list, its comparison with the register or None, what it lacks for one)."""
    pages = KINDS[pending.kind]
    try:
        found = pages.preview(scope, pending, at)
    except (FileRefused, ListRefused) as exc:  # the catalogue may have lost the system since
        return taken_up(pages.make, Kept(content_of(pending)), pending.columns or None), None, exc.message
    return found.roster, found, ""


def _outcome(pages: Pages, scope: Scope, found: Compared, at: datetime) -> dict[str, Any]:
    return {
        "report": found.report,
        "digest": found.digest,
        "parts": parts_of(pages, scope, found, list(pages.parts)),
        "dates": dates_of(found.roster, on=day_in(at, scope.organization.zone)),
        "outcome": pages.outcome(scope, found, at),
    }


@require_safe
@upload_page
def import_part(request: ScopedRequest, pending: PendingImport, at: datetime, part: str) -> HttpResponse:
    """Show all rows of one part of a preview, a hundred at a time."""
    scope, pages = request.scope, KINDS[pending.kind]
    if part not in pages.parts:
        raise Http404("A preview has no such part.")
    found = _looked_at(scope, pending, at)[1]
    start = _start(request)
    shown = next(iter(parts_of(pages, scope, found, [part], start=start, size=PART_PAGE)), None) if found else None
    if shown and not shown.rows:  # the part is shorter by now
        return redirect("web:import-part", scope.organization.slug, pending.pk, part)
    end = start + len(shown.rows) if shown else 0
    look = {"label": pending.file_name, "url": reverse("web:import-look", args=[scope.organization.slug, pending.pk])}
    context = {
        "part": shown,
        "title": pages.parts[part].title,
        "first": start + 1,
        "last": end,
        "previous_url": f"?from={max(start - PART_PAGE, 0)}" if start else "",
        "next_url": f"?from={end}" if shown and end < shown.count else "",
        "look": look,
        "crumbs": [imports_crumb(scope), look],
    }
    return render(request, "web/import_part.html", context)


def _start(request: HttpRequest) -> int:
    asked = request.GET.get("from", "")
    return int(asked) if asked.isascii() and asked.isdecimal() and len(asked) < 8 else 0


@require_POST
@upload_page
def import_consent(request: ScopedRequest, pending: PendingImport, at: datetime) -> HttpResponse:
    """Write what was looked at, once; where the outcome is another one by now, show that instead."""
    scope, slug = request.scope, request.scope.organization.slug
    left = frozenset(int(key) for key in request.POST.getlist("left") if key.isdecimal() and len(key) < 19)
    try:
        source, done = KINDS[pending.kind].consent(scope, pending, at, digest=request.POST.get("digest", ""), left=left)
    except UploadGone:
        raise
    except (FacilitiesError, FileRefused) as exc:
        say(request, exc.message, level=messages.ERROR)
        return redirect("web:import-look", slug, pending.pk)
    if source is None and not done:
        say(request, "There was nothing to import: the register says the same.", level=messages.INFO)
        return redirect("web:import-look", slug, pending.pk)
    say(request, f"{done or 'Imported'}.")
    return redirect("web:import", slug, source) if source else redirect("web:imports", slug)


@require_POST
@partial(upload_page, absent="This list is not waiting any more. What was imported stands below.")
def import_discard(request: ScopedRequest, pending: PendingImport, at: datetime) -> HttpResponse:
    """Throw an upload away; a second click says that it is gone, by whatever way: its row may be a day old."""
    discard_upload(scope=request.scope, pending=pending)
    say(request, f"“{pending.file_name}” is discarded. Nothing was imported.")
    return redirect("web:imports", request.scope.organization.slug)
