"""The style page: every component in every state, for eyes, screenshots and axe. Embedded settings only."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from web.style_samples import frame_samples, samples


@login_not_required
@require_safe
def style(request: HttpRequest) -> HttpResponse:
    """Show the components; absent in production, where it would only puzzle."""
    if not settings.EMBEDDED:
        raise Http404
    return render(request, "web/style.html", samples() | frame_samples())
