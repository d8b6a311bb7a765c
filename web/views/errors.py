"""Answers to requests that came to nothing, in our words."""

from django.http import HttpRequest, HttpResponse, HttpResponseServerError
from django.shortcuts import render
from django.template.loader import render_to_string

from audit.context import request_id


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Tell that the page was open too long; the reason is in the log, it would help nobody here."""
    return render(request, "403_csrf.html", status=403)


def server_error(request: HttpRequest) -> HttpResponse:
    """Give the number under which the log tells what broke; without request context, which may be what broke."""
    return HttpResponseServerError(render_to_string("500.html", {"number": request_id.get()}))
