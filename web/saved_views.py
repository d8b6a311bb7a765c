"""Views that members keep: the filters of a list under a name, their own or (by an administrator) everybody's.

What is shared is recorded in the audit chain, for it changes what others see; one's own views are nobody's business.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.urls import reverse

from audit.services import Ref, record
from facilities.access import Action, NotAllowed, Scope, authorize
from facilities.errors import FacilitiesError
from web.models import SavedView

MOST = 40  # a member's own, and as many shared, for each list; more is no list to choose from


class ViewRefused(FacilitiesError):
    """A view that cannot be kept as typed."""

    code = "view_refused"


@dataclass(frozen=True, slots=True)
class Views:
    """What stands above a list: its views, and where to keep what is shown if no view does."""

    links: list["ViewLink"]
    all_url: str
    save_url: str
    plain: bool


@dataclass(frozen=True, slots=True)
class ViewLink:
    """One view to choose above a list."""

    name: str
    url: str
    current: bool
    shared: bool
    edit_url: str = ""  # only where the member may change it


def views_of(scope: Scope, which: str, query: str) -> Views:
    """Return the views of a list, the shared ones first; ``query`` is what is shown now. One query."""
    mine = SavedView.objects.visible_to(scope).filter(list=which).order_by("name", "pk")
    slug = scope.organization.slug
    all_url = reverse(f"web:{which}", args=[slug])
    links = [
        ViewLink(
            view.name,
            f"{all_url}?{view.query}",
            view.query == query,
            view.user_id is None,
            reverse("web:view", args=[slug, view.pk]) if may_change(scope, view) else "",
        )
        for view in sorted(mine, key=lambda view: view.user_id is not None)
    ]
    kept = any(link.current for link in links)
    save_url = "" if kept or not query else f"{reverse('web:view-save', args=[slug, which])}?{query}"
    return Views(links, all_url, save_url, plain=not query)


def may_change(scope: Scope, view: SavedView) -> bool:
    """Return whether the member may rename or delete a view that she sees."""
    return view.user_id == scope.user_id or (view.user_id is None and scope.may(Action.SHARE_VIEW))


def save_view(*, scope: Scope, which: str, name: str, query: str, shared: bool, at: datetime) -> SavedView:
    """Keep the filters of a list under a name. Raises NotAllowed for sharing, ViewRefused for the name."""
    if shared:
        authorize(scope, Action.SHARE_VIEW)
    with transaction.atomic():
        _refuse_taken(scope, which, name)
        same_kind = SavedView.objects.filter(organization=scope.organization, list=which)
        if same_kind.filter(user=None if shared else scope.user_id).count() >= MOST:
            raise ViewRefused(f"There are {MOST} views already. Delete one that nobody needs.", field="name")
        view = SavedView.objects.create(
            organization=scope.organization,
            user_id=None if shared else scope.user_id,
            list=which,
            name=name,
            query=query,
            created_at=at,
        )
        _record(scope, view, "view.shared", at)
    return view


def rename_view(*, scope: Scope, view: SavedView, name: str, at: datetime) -> None:
    """Give a view another name; the same one again writes nothing. Raises NotAllowed, ViewRefused."""
    authorize_change(scope, view)
    if name == view.name:
        return
    with transaction.atomic():
        _refuse_taken(scope, view.list, name, but=view.pk)
        SavedView.objects.filter(pk=view.pk).update(name=name)
        _record(scope, view, "view.renamed", at, name=name)


def delete_view(*, scope: Scope, view: SavedView, at: datetime) -> None:
    """Forget a view; the rows it showed stay as they are. Raises NotAllowed."""
    authorize_change(scope, view)
    with transaction.atomic():
        deleted, _ = SavedView.objects.filter(pk=view.pk).delete()
        if deleted:
            _record(scope, view, "view.deleted", at)


def authorize_change(scope: Scope, view: SavedView) -> None:
    """Raise NotAllowed unless the member may rename or delete the view."""
    if view.user_id is None:
        authorize(scope, Action.SHARE_VIEW)
    elif view.user_id != scope.user_id:
        raise NotAllowed("This view is somebody else's.")


def _refuse_taken(scope: Scope, which: str, name: str, but: int | None = None) -> None:
    """Refuse a name that the member sees above the list already, but for the view that is renamed."""
    seen = SavedView.objects.visible_to(scope).filter(list=which, name__iexact=name).values_list("pk", flat=True)
    if set(seen) - {but}:
        raise ViewRefused("There is a view of this name already. Choose another one.", field="name")


def _record(scope: Scope, view: SavedView, action: str, at: datetime, **more: str) -> None:
    if view.user_id is None:
        record(
            chain=scope.organization.key,
            action=action,
            actor=scope.actor,
            subject=Ref(view.key, view.name),
            at=at,
            payload={"list": view.list, "query": view.query, **more},
        )
