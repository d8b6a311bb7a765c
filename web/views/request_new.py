"""Asking for access in four short steps. The answers are the address: no step stores anything before the last."""

from dataclasses import replace
from typing import Any

from django.db import transaction
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.models import AccessRequest
from accounts.policy.requesting import Kind
from accounts.services.requests.deciders import own_person
from accounts.services.requests.drafting import draft
from accounts.services.requests.submitting import submit
from accounts.words import count_noun
from audit.secrets import found_secret
from facilities.access import Action
from systems.policy import EASTERN, day_in
from web.forms.requests import SendForm
from web.requests.asked_steps import (
    ROLE,
    SEND,
    TITLES,
    WHERE,
    WHO,
    Asking,
    answers,
    first_step,
    instead_for_who_left,
    instead_of,
    second_step,
    third_step,
    with_more,
)
from web.requests.asking import Asked, asks_of, needs_decision, unsaved
from web.requests.foreseen import deciders_of, lines_of
from web.requests.kinds import ACCESS, HEADINGS
from web.requests.places import Closed, closed_among
from web.requests.reach import may_ask_for_others
from web.requests.successors import form_with_both
from web.requests.wanting import Wanting, wanting_of
from web.scope import ScopedRequest, organization_page
from web.toasts import say

LASTING = frozenset({"removal", "forgotten-id", "contact-change", "unlock", "proofing", "certification"})


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def request_new(request: ScopedRequest) -> HttpResponse:
    """Show the step that is open; the last one keeps a draft or sends."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    try:
        me = own_person(scope)
    except AccountRefused as exc:
        return _page(request, {"refused": exc.message})
    asked = request.GET.copy()
    if "person" not in asked and not may_ask_for_others(scope) and not {"grant", "account", "pick"} & asked.keys():
        asked["person"] = str(me.pk)
    if _puts_both(request):
        for name in ("over", "successor", "leaving"):
            asked.setlist(name, request.POST.getlist(name))
    asking, remark = with_more(Asking(scope, me, wanting_of(scope, asked), asked, on))
    step = WHERE if remark else asking.step
    if step == SEND:
        return _send(request, asking)
    if request.method == "POST":  # an answer was lost on the way: the step that asks for it again
        return redirect(request.get_full_path())
    if step != WHO and (gone := instead_for_who_left(asking)):
        return _page(request, {"step": step, "asking": asking, "gone": gone})
    context = {WHO: first_step, WHERE: second_step, ROLE: third_step}[step](asking)
    if onward := context.get("go") or context.get("only"):
        return redirect(request.path + onward)
    if remark:
        context["remarks"] = [remark]
    return _page(request, context | {"step": step, "asking": asking})


def _page(request: ScopedRequest, context: dict[str, Any], template: str = "web/request_new.html") -> HttpResponse:
    step, asking = context.get("step", 0), context.get("asking")
    context |= {
        "heading": HEADINGS.get(asking.wanting.kind if asking else "", HEADINGS[ACCESS]),
        "title": TITLES.get(step, ""),
        "answers": answers(asking, step) if asking else [],
        "wanting": asking.wanting if asking else None,
        "crumbs": request_crumbs(request),
    }
    return render(request, template, context)


def request_crumbs(request: ScopedRequest) -> list[dict[str, str]]:
    """Return the way back to the list of requests."""
    return [{"label": "Requests", "url": reverse("web:requests", args=[request.scope.organization.slug])}]


def _puts_both(request: ScopedRequest) -> bool:
    """Return whether the member named who comes or goes beside it; nothing is kept yet, and what is typed stays."""
    return request.method == "POST" and request.POST.get("deed") == "both"


def _form(request: ScopedRequest, **given: Any) -> SendForm:
    """Return the form of the last step with what was typed; unchecked where somebody was named beside it only."""
    if _puts_both(request):
        typed = {
            name: text for name, text in request.POST.items() if not found_secret(str(text))
        }  # not shown again
        return SendForm(initial=typed, **given)
    return SendForm(request.POST if request.method == "POST" else None, **given)


def _send(request: ScopedRequest, asking: Asking) -> HttpResponse:
    scope, now, wanting = request.scope, timezone.now(), asking.wanting
    try:
        asked = asks_of(scope, wanting, asking.on, {})
    except AccountRefused as exc:
        return _page(request, {"step": SEND, "asking": asking, "refused": exc.message})
    both = form_with_both(scope, wanting, asking.asked.get("over", ""), asking.on)
    if onward := both.get("go"):
        if not _puts_both(request):
            return redirect(request.path + onward)
        answers = QueryDict(onward[1:])
        return _send(request, replace(asking, asked=answers, wanting=wanting_of(scope, answers)))
    seen = unsaved(scope, asked.asks, asking.me)
    deciders = deciders_of(scope, seen, asking.on)
    closed = closed_among(asked.asks, asking.on)
    form = _form(
        request,
        needs_reason=needs_decision(seen),
        closed=closed is not None,
        lasting=wanting.kind in LASTING,
        removal=wanting.kind == Kind.REMOVAL,
        nobody=deciders.nobody,
    )
    if form.is_valid() and asked.asks:
        made = _stored(request, asking, form)
        if made is not None:
            return redirect(_after(request, made))
    for each in seen:
        each.still_needed_reason = "(asked for below)" if closed else ""
    lines = lines_of(scope, seen, now)
    context = {
        "step": SEND,
        "asking": asking,
        "form": form,
        "lines": lines,
        "left_out": asked.left_out,
        "blocked": any(line.blocking for line in lines),
        "deciders": deciders,
        "needs_decision": needs_decision(seen),
        "both": both,
        **_instead_of_taking_over(wanting, closed),
        "may_invite": scope.may(Action.MANAGE_MEMBERS),
        "may_set": scope.may(Action.SET_DECIDERS),
    }
    return _page(request, context)


def _instead_of_taking_over(wanting: Wanting, closed: Closed | None) -> dict[str, Any]:
    """Return where a successor works today instead, where what she would take over has closed."""
    if closed is None or wanting.successor is None:
        return {}
    return {"closed": closed, **instead_of(Wanting(person=wanting.successor), closed)}


def _stored(request: ScopedRequest, asking: Asking, form: SendForm) -> list[AccessRequest] | None:
    """Keep drafts, and send them where that was pressed: all of it, or nothing and the remark on the form."""
    scope, now = request.scope, timezone.now()
    sending = request.POST.get("deed") != "draft"
    try:
        with transaction.atomic():
            asked: Asked = asks_of(scope, asking.wanting, asking.on, form.typed)
            made = draft(scope=scope, asks=asked.asks, at=now)
            if sending:
                reason = form.cleaned_data.get("unapproved_reason", "")
                made = submit(scope=scope, requests=made, at=now, unapproved_reason=reason)
    except AccountRefused as exc:
        form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        return None
    many = count_noun(len(made), "request,requests")
    if not sending:
        say(request, f"Kept as {'a draft' if len(made) == 1 else many + ' in draft'}. You find it under My requests.")
    elif needs_decision(made):
        say(request, f"{many.capitalize()} sent. Whoever decides has it now.")
    else:
        say(request, f"{many.capitalize()} sent. Nobody here has to decide: the steps have begun.")
    return made


def _after(request: ScopedRequest, made: list[AccessRequest]) -> str:
    """Return the page of the one request, or the list that has all of them."""
    if len(made) == 1:
        return made[0].get_absolute_url()
    return reverse("web:requests", args=[request.scope.organization.slug])
