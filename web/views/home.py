"""Where signing in lands when the address names no organization."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from facilities.models import Organization


def home(request: HttpRequest) -> HttpResponse:
    """Go to Today of the only organization; let members of several choose."""
    mine = Organization.objects.filter(memberships__user=request.user.pk, memberships__ended_at=None).distinct()
    organizations = list(mine.order_by("name"))
    if len(organizations) == 1:
        return redirect(organizations[0])
    return render(request, "web/home.html", {"organizations": organizations})
