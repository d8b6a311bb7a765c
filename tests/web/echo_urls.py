"""A page with one row that can be done and undone: for the CSRF check and the swap in the browser."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template import engines
from django.urls import include, path, reverse

from web.style_samples import samples
from web.toasts import say

PAGE = """{% extends "base.html" %}{% block content %}
<h1 id="greeting">{% if done %}Nothing is due{% else %}One login is due{% endif %}</h1>
<ol class="rows">{% include "components/row_action.html" with row=row only %}</ol>{% endblock %}"""


@login_not_required
def today(request: HttpRequest) -> HttpResponse:
    """Show the row as the session has it."""
    done = request.session.get("done", "")
    row = samples()["rows"][1] | {"another_day": {"url": reverse("do"), "value": "2026-11-20"}}
    row["deeds"] = [
        {"label": "I signed in today", "url": reverse("do"), "fields": [{"name": "on", "value": "2026-11-21"}]}
    ]
    if done:
        row = {
            "id": row["id"],
            "sentence": row["sentence"],
            "done": f"Recorded for {done}.",
            "undo_url": reverse("undo"),
        }
    return HttpResponse(engines["django"].from_string(PAGE).render({"row": row, "done": done}, request))


@login_not_required
def do(request: HttpRequest) -> HttpResponse:
    """Record the day and go back to the page, as every view of ours does."""
    request.session["done"] = request.POST["on"]
    say(request, "Login recorded.", undo_url=reverse("undo"))
    return redirect("today")


@login_not_required
def undo(request: HttpRequest) -> HttpResponse:
    """Forget it again."""
    request.session["done"] = ""
    return redirect("today")


@login_not_required
def signed_out(request: HttpRequest) -> HttpResponse:
    """Behave like any page after the session ended."""
    return redirect("account_login")


urlpatterns = [
    path("today/", today, name="today"),
    path("do/", do, name="do"),
    path("undo/", undo, name="undo"),
    path("signed-out/", signed_out, name="signed-out"),
    path("auth/", include("allauth.urls")),
]
