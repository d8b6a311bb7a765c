"""Imports that were written: the list, what one of them did, and taking it back."""

from typing import Any

from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import PortalAccount
from accounts.services import account_list_undo
from accounts.words import count_noun, instant
from facilities.access import Action, Scope, authorize
from imports.models import Import, ImportRow
from imports.undoing import Prospect, UndoRefused
from imports.uploads import pending_of
from staff.models import Person
from staff.services import roster_undo
from web.imports.kinds import KINDS
from web.imports.telling import (
    can_undo,
    did,
    facilities_of,
    facility_names,
    imports_crumb,
    name_of,
    row_cells,
    state,
    subjects_of,
    undo_until,
)
from web.keyset import page_of
from web.scope import ScopedRequest, organization_page
from web.toasts import say

NAMED = 25  # people or accounts named before taking an import back
_NOUNS = {"staff": "person,people", "accounts": "account,accounts"}
_UNDOING: dict[str, Any] = {"staff": roster_undo, "accounts": account_list_undo}
_STATUSES = {
    "applied": "Applied",
    "rejected": "Rejected",
    "undone": "Taken back",
    "kept": "Kept, changed since",
}


@require_safe
@organization_page
def imports(request: ScopedRequest) -> HttpResponse:
    """List imports, the newest first, and the member's own uploads that wait for consent."""
    scope, at = request.scope, timezone.now()
    authorize(scope, Action.IMPORT_PEOPLE)
    organization = scope.organization
    mine = Import.objects.filter(organization=organization)
    page = page_of(request, mine, by=("applied_at", "pk"), falling=True)
    rows = [
        {
            "cells": [
                {
                    "text": each.file_name,
                    "url": reverse("web:import", args=[organization.slug, each.pk]),
                    "note": f"{instant(each.applied_at, organization.zone)}, by {each.applied_by}",
                },
                {"text": did(each)},
                {"text": state(each, organization, at)},
            ]
        }
        for each in page.rows
    ]
    context = {
        "rows": rows,
        "columns": [{"label": label} for label in ("File", "What it did", "Taking it back")],
        "page": page,
        "waiting": list(pending_of(scope, at=at).order_by("-created_at", "-pk")),
    }
    return render(request, "web/imports.html", context)


def _import_of(scope: Scope, pk: int) -> Import:
    """Return an import of the organization. Raises NotAllowed; Http404."""
    authorize(scope, Action.IMPORT_PEOPLE)
    return get_object_or_404(Import.objects.filter(organization=scope.organization), pk=pk)


@require_safe
@organization_page
def import_done(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show what an import did, row by row."""
    scope, at = request.scope, timezone.now()
    source = _import_of(scope, pk)
    organization = scope.organization
    rows = ImportRow.objects.filter(source=source)
    counts = dict(rows.order_by().values_list("status").annotate(count=Count("pk")))
    asked = request.GET.get("status", "")
    page = page_of(request, rows.filter(status=asked) if asked in _STATUSES else rows, by=("pk",))
    subjects = subjects_of(organization, page.rows)
    names = facility_names(organization, facilities_of(page.rows))
    context: dict[str, Any] = {
        "source": source,
        "did": did(source),
        "unchanged": count_noun(source.counts.get("unchanged", 0), _NOUNS[source.kind]),
        "state": state(source, organization, at),
        "may_undo": can_undo(source, at),
        "taken": [(KINDS[source.kind].fields.get(name, name), title) for name, (title, _) in source.columns.items()],
        "statuses": [(key, words, counts[key]) for key, words in _STATUSES.items() if counts.get(key)],
        "asked": asked if asked in _STATUSES else "",
        "rows": [{"cells": row_cells(row, subjects, names)} for row in page.rows],
        "columns": [{"label": label} for label in ("Who", "What happened", "What was written")],
        "page": page,
        "crumbs": [imports_crumb(scope)],
    }
    return render(request, "web/import.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def import_undo(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take an import back, after saying what will be put back and what somebody has changed since."""
    scope, at = request.scope, timezone.now()
    source = _import_of(scope, pk)
    undoing = _UNDOING[source.kind]
    ahead, refused = Prospect(), ""
    try:
        if request.method == "POST":
            done = undoing.undo_import(scope=scope, source=source, at=at)
            say(request, _taken_back(_NOUNS[source.kind], done.undone, len(done.kept)))
            return redirect("web:import", scope.organization.slug, source.pk)
        ahead = undoing.look_ahead(scope=scope, source=source, at=at)
    except UndoRefused as exc:
        if exc.code == "undone" and request.method == "POST":  # a second click: its page says when it was taken back
            return redirect("web:import", scope.organization.slug, source.pk)
        refused = exc.message
    crumb = {"label": source.file_name, "url": reverse("web:import", args=[scope.organization.slug, source.pk])}
    context = {
        "source": source,
        "ahead": ahead,
        "back": sum(ahead.kinds.values()),
        "everybody": "everybody" if source.kind == Import.Kind.STAFF else "every account",
        "kept": _kept(scope, source, ahead.kept[:NAMED]),
        "more": max(len(ahead.kept) - NAMED, 0),
        "refused": refused,
        "until": undo_until(source.applied_at, scope.organization),
        "crumbs": [imports_crumb(scope), crumb],
    }
    return render(request, "web/import_undo.html", context)


def _kept(scope: Scope, source: Import, keys: list[int]) -> list[dict[str, str]]:
    """Return the people or accounts that stay, by name, with their pages."""
    organization = scope.organization
    found: list[Person] | list[PortalAccount]
    if source.kind == Import.Kind.STAFF:
        people = Person.objects.filter(organization=organization, pk__in=keys).select_related("organization")
        found = list(people.order_by("last_name", "first_name", "pk"))
    else:
        accounts = PortalAccount.objects.filter(organization=organization, pk__in=keys)
        known = accounts.select_related("organization", "person", "system")
        found = list(known.order_by("person__last_name", "person__first_name", "pk"))
    return [{"name": name_of(each), "url": each.get_absolute_url()} for each in found]


def _taken_back(nouns: str, undone: int, kept: int) -> str:
    said = f"Taken back for {count_noun(undone, nouns)}."
    if kept:
        said += f" Kept, because somebody changed them since: {count_noun(kept, nouns)}."
    return said
