"""One thing asked for about many people of a list: what each will be is shown first, then all of it is one bundle."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.errors import AccountRefused
from accounts.finding_words import WORDS
from accounts.models import Finding, PortalAccount
from accounts.services.requests.deciders import own_person
from accounts.services.requests.drafting import draft
from accounts.services.requests.submitting import submit
from accounts.words import count_noun
from facilities.access import Action, Scope, authorize
from staff.models import Person
from systems.policy import EASTERN, day_in
from web.finding_filters import narrowed
from web.forms.findings import FindingFilter
from web.forms.requests import ManyForm
from web.forms.shown import show_instead
from web.requests.foreseen import Deciders, deciders_of
from web.requests.many import MOST, Chosen, Many, Wish, many_of
from web.requests.many_choices import choices_of
from web.scope import ScopedRequest, organization_page
from web.selection import Selection, selection_of
from web.toasts import say
from web.views.request_new import LASTING, request_crumbs

SHOWN = 25  # sentences in view; the rest unfolds
_BELOW = "(asked for below)"


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def requests_bulk(request: ScopedRequest) -> HttpResponse:
    """Choose what is wanted, look at what each will be, then ask for all of it in one act."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    authorize(scope, Action.REQUEST_ACCESS, [place for _, place in scope.roles if place is not None])
    data = request.POST if request.method == "POST" else request.GET
    selection, chosen, back = _selected(scope, data)
    if selection.refusal:
        say(request, f"Nothing was asked for: {selection.refusal}.", level=messages.ERROR)
        return redirect(back)
    try:
        me = own_person(scope)
    except AccountRefused as exc:
        say(request, exc.message, level=messages.ERROR)
        return redirect(back)
    too_many = max(chosen.accounts.order_by()[: MOST + 1].count(), chosen.people.order_by()[: MOST + 1].count()) > MOST
    context = {"words": selection.words, "kept": selection.kept, "back": back, "too_many": too_many, "most": MOST}
    choices = choices_of(scope, chosen, data, on)
    context |= {"crumbs": request_crumbs(request), "choices": choices, "wish": choices.wish}
    if not too_many and choices.wish is not None:
        many = _looked(request, chosen, choices.wish, me, {"still_needed_reason": _BELOW if choices.still else ""})
        deciders = deciders_of(scope, many.requests, on)
        form = _form(request, choices.wish, many, deciders)
        if form.is_valid() and _still_so(form, len(many.asks)):
            made = _asked(request, chosen, choices.wish, me, form)
            if made:
                say(request, f"{count_noun(made, 'request,requests').capitalize()} sent in one bundle.")
                return redirect("web:requests", scope.organization.slug)
        context |= _preview(many, form, deciders)
    return render(request, "web/requests_bulk.html", context)


def _selected(scope: Scope, data: QueryDict) -> tuple[Selection, Chosen, str]:
    """Return what is selected, and the page to go back to: ticked or matching accounts, or what findings are about."""
    slug = scope.organization.slug
    if data.get("of") != "findings":
        found = selection_of(scope, data)
        people = Person.objects.filter(pk__in=found.accounts.order_by().values("person"))
        back = f"{reverse('web:accounts', args=[slug])}?{found.filters.query}".rstrip("?")
        return found, Chosen(found.accounts, people), back
    form = FindingFilter(data, scope=scope)
    kind = form.chosen.get("kind", "")
    if not kind:
        raise Http404("No such cause.")
    on = day_in(timezone.now(), EASTERN)
    findings = narrowed(Finding.objects.visible_to(scope).open(), form.chosen, on).order_by()
    accounts = PortalAccount.objects.visible_to(scope).filter(
        pk__in=findings.filter(account__isnull=False).values("account")
    )
    alone = findings.filter(account=None, person__isnull=False).values("person")
    people = Person.objects.filter(Q(pk__in=accounts.order_by().values("person")) | Q(pk__in=alone))
    words = f"Everybody with the finding “{WORDS[kind].heading}”."
    kept = [("of", "findings"), *form.kept]
    back = f"{reverse('web:findings', args=[slug])}?{urlencode(form.kept)}"
    return Selection(accounts, words, kept, form), Chosen(accounts, people), back


def _looked(request: ScopedRequest, chosen: Chosen, wish: Wish, me: Person, typed: dict[str, Any]) -> Many:
    now = timezone.now()
    return many_of(request.scope, chosen, wish, me, typed, now, day_in(now, EASTERN))


def _form(request: ScopedRequest, wish: Wish, many: Many, deciders: Deciders) -> ManyForm:
    form = ManyForm(
        request.POST if request.method == "POST" else None,
        nobody=deciders.nobody,
        closed=wish.still,
        lasting=wish.kind in LASTING,
    )
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


def _asked(request: ScopedRequest, chosen: Chosen, wish: Wish, me: Person, form: ManyForm) -> int:
    """Ask for all of them, all or none. Returns how many; 0 with the refusal on the form."""
    now = timezone.now()
    many = _looked(request, chosen, wish, me, form.typed)
    try:
        if not many.asks or len(many.asks) > MOST:
            raise AccountRefused(f"Between one and {MOST} requests go into one bundle.")
        with transaction.atomic():
            drafts = draft(scope=request.scope, asks=many.asks, at=now)
            reason = form.cleaned_data.get("unapproved_reason", "")
            return len(submit(scope=request.scope, requests=drafts, at=now, unapproved_reason=reason))
    except AccountRefused as exc:
        form.add_error(exc.field if exc.field in form.fields else None, exc.message)
        return 0


def _preview(many: Many, form: ManyForm, deciders: Deciders) -> dict[str, Any]:
    return {
        "form": form,
        "count": len(many.asks),
        "over": len(many.asks) > MOST,
        "first": many.sentences[:SHOWN],
        "rest": many.sentences[SHOWN:],
        "left_out": many.left_out,
        "closed": many.closed,
        "deciders": deciders,
    }
