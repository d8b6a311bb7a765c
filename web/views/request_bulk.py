"""One change asked for on many accounts of a list: what each will be is shown first, then all of it is one bundle."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.finding_words import WORDS
from accounts.models import Finding, PortalAccount
from accounts.policy.requesting import Kind
from accounts.services.requests.deciders import own_person
from accounts.services.requests.drafting import draft
from accounts.services.requests.submitting import submit
from accounts.words import count_noun
from facilities.access import Action, Scope, authorize
from staff.models import Person
from systems.models import SystemRole
from systems.policy import EASTERN, day_in
from web.finding_filters import narrowed
from web.forms.findings import FindingFilter
from web.forms.requests import ManyForm
from web.forms.shown import show_instead
from web.requests.foreseen import deciders_of
from web.requests.kinds import PLAIN
from web.requests.many import KINDS, MOST, Many, Wish, many_of
from web.scope import ScopedRequest, organization_page
from web.selection import Selection, selection_of
from web.toasts import say
from web.views.request_new import request_crumbs

SHOWN = 25  # sentences in view; the rest unfolds


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def requests_bulk(request: ScopedRequest) -> HttpResponse:
    """Choose the change, look at what each will be, then ask for all of it in one act."""
    scope, now = request.scope, timezone.now()
    authorize(scope, Action.REQUEST_ACCESS, [place for _, place in scope.roles if place is not None])
    data = request.POST if request.method == "POST" else request.GET
    selection, back = _selected(scope, data)
    if selection.refusal:
        say(request, f"Nothing was asked for: {selection.refusal}.", level=messages.ERROR)
        return redirect(back)
    try:
        me = own_person(scope)
    except AccountRefused as exc:
        say(request, exc.message, level=messages.ERROR)
        return redirect(back)
    too_many = selection.accounts.order_by()[: MOST + 1].count() > MOST
    context = {"words": selection.words, "kept": selection.kept, "back": back, "too_many": too_many, "most": MOST}
    wish, choices = _choices(selection, data)
    context |= {"crumbs": request_crumbs(request), "wish": wish, **choices}
    if not too_many and wish is not None:
        many = _looked(request, selection, wish, me)
        form = _form(request, many)
        if form.is_valid() and _still_so(form, len(many.asks)):
            made = _asked(request, selection, wish, me, form)
            if made:
                say(request, f"{count_noun(made, 'request,requests').capitalize()} sent in one bundle.")
                return redirect("web:requests", scope.organization.slug)
        context |= _preview(many, form, deciders_of(scope, many.requests, day_in(now, EASTERN)))
    return render(request, "web/requests_bulk.html", context)


def _selected(scope: Scope, data: QueryDict) -> tuple[Selection, str]:
    """Return the accounts and the page to go back to: ticked or matching ones of the list, or those of findings."""
    slug = scope.organization.slug
    if data.get("of") != "findings":
        found = selection_of(scope, data)
        return found, f"{reverse('web:accounts', args=[slug])}?{found.filters.query}".rstrip("?")
    form = FindingFilter(data, scope=scope)
    kind = form.chosen.get("kind", "")
    if not kind:
        raise Http404("No such cause.")
    on = day_in(timezone.now(), EASTERN)
    findings = narrowed(Finding.objects.visible_to(scope).open(), form.chosen, on).filter(account__isnull=False)
    accounts = PortalAccount.objects.visible_to(scope).filter(pk__in=findings.order_by().values("account"))
    words = f"All accounts with the finding “{WORDS[kind].heading}”."
    kept = [("of", "findings"), *form.kept]
    return Selection(accounts, words, kept, form), f"{reverse('web:findings', args=[slug])}?{urlencode(form.kept)}"


def _choices(selection: Selection, data: QueryDict) -> tuple[Wish | None, dict[str, Any]]:
    """Return what is wished, None until it is whole, and what can be chosen. Two queries."""
    kind = data.get("do", "")
    kind = kind if kind in KINDS else ""
    systems = list(selection.accounts.order_by().values_list("system", flat=True).distinct()[:2])
    roles: list[SystemRole] = []
    if len(systems) == 1:
        roles = list(SystemRole.objects.current().filter(system=systems[0]).order_by("position", "pk"))
    by_slug = {role.slug: role for role in roles}
    old, new = by_slug.get(data.get("old", "")), by_slug.get(data.get("new", ""))
    remark = ""
    wish: Wish | None = Wish(kind) if kind else None
    if kind == Kind.ROLE_CHANGE:
        wish = Wish(kind, old, new) if old and new and old != new else None
        if not roles:
            remark = "To change roles, narrow the list down to one system first."
        elif wish is None and ("old" in data or "new" in data):
            remark = "Choose the role that is held, and another one that it becomes."
    return wish, {
        "do": kind,
        "roles": roles if len(roles) > 1 else [],
        "old": old,
        "new": new,
        "remark": remark,
        "kinds": [{"value": each, "label": PLAIN[each][0]} for each in KINDS],
    }


def _looked(request: ScopedRequest, selection: Selection, wish: Wish, me: Person, reason: str = "") -> Many:
    now = timezone.now()
    return many_of(request.scope, selection.accounts, wish, me, reason, now, day_in(now, EASTERN))


def _form(request: ScopedRequest, many: Many) -> ManyForm:
    nobody = deciders_of(request.scope, many.requests, day_in(timezone.now(), EASTERN)).nobody
    form = ManyForm(request.POST if request.method == "POST" else None, nobody=nobody)
    form.fields["count"].initial = len(many.asks)
    return form


def _still_so(form: ManyForm, now: int) -> bool:
    """Return whether as many are asked for as the page said; else say so, and let the member look again."""
    said = form.cleaned_data["count"]
    if said == now:
        return True
    show_instead(form, "count", str(now))
    form.add_error(None, f"Meanwhile it would be {now:,} instead of {said:,} requests. Look again, then send.")
    return False


def _asked(request: ScopedRequest, selection: Selection, wish: Wish, me: Person, form: ManyForm) -> int:
    """Ask for all of them, all or none. Returns how many; 0 with the refusal on the form."""
    typed, now = form.cleaned_data, timezone.now()
    many = _looked(request, selection, wish, me, typed["reason"])
    try:
        if not many.asks or len(many.asks) > MOST:
            raise AccountRefused(f"Between one and {MOST} requests go into one bundle.")
        with transaction.atomic():
            drafts = draft(scope=request.scope, asks=many.asks, at=now)
            reason = typed.get("unapproved_reason", "")
            return len(submit(scope=request.scope, requests=drafts, at=now, unapproved_reason=reason))
    except AccountRefused as exc:
        form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        return 0


def _preview(many: Many, form: ManyForm, deciders: Any) -> dict[str, Any]:
    return {
        "form": form,
        "count": len(many.asks),
        "over": len(many.asks) > MOST,
        "first": many.sentences[:SHOWN],
        "rest": many.sentences[SHOWN:],
        "left_out": many.left_out,
        "deciders": deciders,
    }
