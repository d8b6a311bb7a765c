"""From address to scope: every page of an organization starts with `organization_page`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import render

from facilities.access import NotAllowed, Scope
from facilities.models import Organization


class ScopedRequest(HttpRequest):
    """A request whose member and organization are known."""

    scope: Scope
    rail_path: str  # the page that it stands under in the rail, where its own address does not tell (`web.context`)


def organization_page(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Resolve ``slug`` to the member's scope as ``request.scope``; for everybody else the page does not exist.

    The organization is part of the address, never of the session: two tabs cannot act in the wrong tenant.
    A refusal by `authorize` becomes 403 with its sentence.
    """

    @wraps(view)
    def scoped(request: HttpRequest, slug: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        organization = Organization.objects.filter(slug=slug).first()
        scope = Scope.of(request.user, organization) if organization is not None else None  # type: ignore[arg-type]
        if scope is None:
            raise Http404("No such organization among yours.")
        request.scope = scope  # type: ignore[attr-defined]
        try:
            return view(request, *args, **kwargs)
        except NotAllowed as exc:
            return render(request, "403.html", {"message": exc.message}, status=403)

    return scoped
