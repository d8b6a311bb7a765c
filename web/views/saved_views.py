"""Keeping the filters of a list as a view; renaming and deleting it."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from audit.secrets import found_secret
from facilities.access import Action, Scope
from web.forms.lists import ListFilter
from web.forms.views import ViewForm
from web.lists import FORMS
from web.models import SavedView
from web.saved_views import ViewRefused, authorize_change, delete_view, rename_view, save_view
from web.scope import ScopedRequest, organization_page
from web.toasts import say


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def view_save(request: ScopedRequest, which: str) -> HttpResponse:
    """Ask for a name and keep the filters that stand in the address under it."""
    scope = request.scope
    filters = _filters(request, which)
    form = ViewForm(_typed(request), may_share=scope.may(Action.SHARE_VIEW))
    if form.is_valid() and _fit_to_keep(form, filters):
        typed = form.cleaned_data
        try:
            view = save_view(
                scope=scope,
                which=which,
                name=typed["name"],
                query=filters.query,
                shared=typed.get("shared", False),
                at=timezone.now(),
            )
        except ViewRefused as exc:
            form.add_error(exc.field or None, exc.message)
        else:
            say(request, f"Kept as “{view.name}”. It stands above the list.")
            return redirect(f"{reverse(f'web:{which}', args=[scope.organization.slug])}?{view.query}")
    return _page(request, form, which, title="Keep this view", sentence=filters.sentence(), query=filters.query)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def view_edit(request: ScopedRequest, pk: int) -> HttpResponse:
    """Rename a view, or go on to delete it."""
    scope = request.scope
    view = _view(scope, pk)
    authorize_change(scope, view)
    form = ViewForm(_typed(request), initial={"name": view.name}, may_share=False)
    if form.is_valid():
        try:
            rename_view(scope=scope, view=view, name=form.cleaned_data["name"], at=timezone.now())
        except ViewRefused as exc:
            form.add_error(exc.field or None, exc.message)
        else:
            say(request, f"The view is called “{form.cleaned_data['name']}” now.")
            return redirect(f"{reverse(f'web:{view.list}', args=[scope.organization.slug])}?{view.query}")
    return _page(request, form, view.list, title=f"Rename “{view.name}”", view=view, query=view.query)


@require_POST
@organization_page
def view_delete(request: ScopedRequest, pk: int) -> HttpResponse:
    """Forget a view."""
    scope = request.scope
    view = _view(scope, pk)
    delete_view(scope=scope, view=view, at=timezone.now())
    say(request, f"The view “{view.name}” is deleted. What it showed is all still there.")
    return redirect(f"web:{view.list}", scope.organization.slug)


def _typed(request: ScopedRequest) -> Any:
    return request.POST if request.method == "POST" else None


def _view(scope: Scope, pk: int) -> SavedView:
    return get_object_or_404(SavedView.objects.visible_to(scope), pk=pk)


def _filters(request: ScopedRequest, which: str) -> ListFilter:
    if which not in FORMS:
        raise Http404("There is no such list.")
    return FORMS[which](request.GET, scope=request.scope)


def _fit_to_keep(form: ViewForm, filters: ListFilter) -> bool:
    """Return whether the filters can be kept; what is searched for is text, and text may hold a secret."""
    kind = found_secret(filters.chosen.get("q", ""))
    if kind:
        form.add_error(None, f"What is searched for looks like {kind}, which is never kept. Search for something else.")
    return not kind


def _page(request: ScopedRequest, form: ViewForm, which: str, **context: Any) -> HttpResponse:
    label = SavedView.List(which).label
    request.rail_path = reverse(f"web:{which}", args=[request.scope.organization.slug])
    back = f"{request.rail_path}?{context['query']}"
    crumbs = [{"label": label, "url": back}]
    return render(request, "web/view.html", {"form": form, "back": back, "crumbs": crumbs, **context})
