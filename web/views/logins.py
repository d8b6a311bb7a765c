"""Recording that somebody signed in: one click, another day, several at once; and taking it back."""

from collections.abc import Iterable
from datetime import date
from itertools import groupby

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from accounts.errors import LoginRejected
from accounts.models import LoginEvent, PortalAccount
from accounts.sentences import recorded
from accounts.services.bulk_logins import recordable
from accounts.services.contradictions import refuse_unofficial
from accounts.services.logins import LoginOutcome, is_own, places_of, record_login, record_logins, void_login
from accounts.services.sightings import Seen, state_last_login
from accounts.words import count_noun, day
from facilities.access import Action, Scope, authorize
from staff.models import Person
from systems.policy import EASTERN, day_in
from web.forms.logins import LoginDayForm, SeenForm, SeveralLoginsForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say

SEVERAL = 60  # accounts on the page for several logins; more are reached by person


def account_in_scope(scope: Scope, pk: int) -> PortalAccount:
    """Return an account the member may read. What is out of scope does not exist: Http404."""
    mine = PortalAccount.objects.visible_to(scope).select_related("person", "system", "organization", "identity")
    return get_object_or_404(mine, pk=pk)


def back(request: HttpRequest, scope: Scope, account: PortalAccount) -> HttpResponseRedirect:
    """Return to Today where the deed was done there, else to the account."""
    if request.GET.get("from") == "today":
        return redirect("web:today", scope.organization.slug)
    return redirect("web:account", scope.organization.slug, account.pk)


@require_POST
@organization_page
def login(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that the holder signed in today."""
    scope, now = request.scope, timezone.now()
    account = account_in_scope(scope, pk)
    try:
        outcome = record_login(scope=scope, account=account, happened_on=day_in(now, EASTERN), at=now)
    except LoginRejected as exc:
        say(request, exc.message, level=messages.ERROR)
    else:
        _tell(request, scope, account, outcome, day_in(now, EASTERN))
    return back(request, scope, account)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def login_another_day(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record a login of another day. The form stands on this page too, for what was typed must not be lost."""
    scope, now = request.scope, timezone.now()
    account, today = account_in_scope(scope, pk), day_in(now, EASTERN)
    authorize(scope, Action.RECORD_LOGIN, places_of(account), own=is_own(scope, account))
    form = LoginDayForm(request.POST if request.method == "POST" else None, at=now)
    if form.is_valid():
        try:
            outcome = record_login(scope=scope, account=account, happened_on=form.cleaned_data["on"], at=now)
        except LoginRejected as exc:
            form.add_error("on", exc.message)
        else:
            _tell(request, scope, account, outcome, today)
            return back(request, scope, account)
    if request.method == "POST" and request.headers.get("HX-Request"):
        # The row is replaced by what the answer shows under its id, so refuse on the page it stands on.
        say(request, " ".join(str(error) for errors in form.errors.values() for error in errors), level=messages.ERROR)
        return back(request, scope, account)
    return render(
        request,
        "web/login_another_day.html",
        {"account": account, "form": form, "own": is_own(scope, account), "crumbs": crumbs(scope, account)},
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def login_seen(request: ScopedRequest, pk: int) -> HttpResponse:
    """Let a Security Official state which last login the system shows."""
    scope, now = request.scope, timezone.now()
    account = account_in_scope(scope, pk)
    authorize(scope, Action.RECORD_LOGIN, places_of(account))
    refuse_unofficial(scope, account, now)
    form = SeenForm(request.POST if request.method == "POST" else None, at=now)
    if form.is_valid():
        last, seen = form.cleaned_data["on"], form.cleaned_data["seen_on"]
        try:
            outcome = state_last_login(scope=scope, account=account, last_login_on=last, seen_on=seen, at=now)
        except LoginRejected as exc:
            form.add_error("seen_on" if exc.field == "seen_on" else "on", exc.message)
        else:
            say(request, _seen(outcome, account, last))
            return redirect("web:account", scope.organization.slug, account.pk)
    context = {"account": account, "form": form, "crumbs": crumbs(scope, account)}
    return render(request, "web/login_seen.html", context)


def _seen(outcome: Seen, account: PortalAccount, last: date) -> str:
    if not outcome.created:
        return f"That was recorded already for {account.system.name}; nothing changed."
    text = f"Recorded: {account.person} last signed in to {account.system.name} on {day(last)}."
    if outcome.contradicted:
        gone = count_noun(outcome.contradicted, "later login no longer counts,later logins no longer count")
        text += f" {gone.capitalize()}."
    return text


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def logins_record(request: ScopedRequest) -> HttpResponse:
    """Record one day's login on several accounts: the member's own, or those of a person (``?person=``)."""
    scope, now = request.scope, timezone.now()
    today = day_in(now, EASTERN)
    offered, more = _offered(request, scope)
    if request.method == "POST":
        offered = _asked_for(request, scope, offered)
    choices = [(account.pk, account.system.name) for account in offered]
    form = SeveralLoginsForm(request.POST if request.method == "POST" else None, at=now, choices=choices)
    if form.is_valid():
        chosen = [account for account in offered if account.pk in form.cleaned_data["accounts"]]
        try:
            outcomes = record_logins(scope=scope, accounts=chosen, happened_on=form.cleaned_data["on"], at=now)
        except LoginRejected as exc:
            form.add_error("on" if exc.field == "happened_on" else None, exc.message)
        else:
            _tell_several(request, outcomes, form.cleaned_data["on"], today)
            return redirect("web:today", scope.organization.slug)
    ticked = set(request.POST.getlist("accounts"))
    groups = [
        {"person": person, "own": is_own(scope, rows[0]), "rows": [(row, str(row.pk) in ticked) for row in rows]}
        for person, rows in _by_person(offered)
    ]
    return render(request, "web/logins.html", {"groups": groups, "form": form, "more": more})


def _offered(request: HttpRequest, scope: Scope) -> tuple[list[PortalAccount], bool]:
    """Return active accounts on which this member may record, her own first, and whether there are more."""
    readable = PortalAccount.objects.visible_to(scope).running()
    mine = recordable(scope, readable).select_related("person", "system")
    asked = request.GET.get("person", "")
    if asked:
        mine = mine.filter(person=int(asked)) if asked.isdecimal() and len(asked) < 19 else mine.none()
    own = list(mine.filter(person__user=scope.user_id).order_by("system__position", "pk")[:SEVERAL])
    others = mine.exclude(pk__in=[account.pk for account in own]).order_by("person__last_name", "person", "pk")
    found = [*own, *others[: SEVERAL - len(own) + 1]]
    return found[:SEVERAL], len(found) > SEVERAL


def _asked_for(request: HttpRequest, scope: Scope, offered: list[PortalAccount]) -> list[PortalAccount]:
    """Return the offered accounts and any other ticked one. Http404 for a ticked account the member cannot see."""
    ticked = {int(pk) for pk in request.POST.getlist("accounts") if pk.isdecimal() and len(pk) < 19}
    missing = ticked - {account.pk for account in offered}
    if not missing:
        return offered
    readable = PortalAccount.objects.visible_to(scope).select_related("person", "system")
    further = list(readable.filter(pk__in=sorted(missing)[:SEVERAL]).order_by("pk"))
    if {account.pk for account in further} != missing:
        raise Http404("No such account among yours.")
    return [*offered, *further]


def _by_person(accounts: Iterable[PortalAccount]) -> Iterable[tuple[Person, list[PortalAccount]]]:
    for _, rows in groupby(accounts, key=lambda account: account.person_id):
        found = list(rows)
        yield found[0].person, found


@require_POST
@organization_page
def login_void(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take a recorded login back. Doing it twice changes nothing."""
    scope, now = request.scope, timezone.now()
    readable = PortalAccount.objects.visible_to(scope).order_by().values("pk")
    mine = LoginEvent.objects.filter(organization=scope.organization, account__in=readable)
    event = get_object_or_404(mine.select_related("account__person", "account__system", "via__account__person"), pk=pk)
    void_login(scope=scope, event=event, reason="Taken back on the page", at=now)
    say(request, f"Taken back: the login to {event.account.system.name} on {day(event.happened_on)} no longer counts.")
    return back(request, scope, event.account)


def crumbs(scope: Scope, account: PortalAccount) -> list[dict[str, str]]:
    """Return the way to a page below an account."""
    slug = scope.organization.slug
    return [
        {"label": "Accounts", "url": reverse("web:accounts", args=[slug])},
        {
            "label": f"{account.person}, {account.system.name}",
            "url": reverse("web:account", args=[slug, account.pk]),
        },
    ]


def _tell(request: HttpRequest, scope: Scope, account: PortalAccount, outcome: LoginOutcome, on: date) -> None:
    undo = reverse("web:login-void", args=[scope.organization.slug, outcome.event.pk])
    if request.GET.get("from") == "today":
        undo += "?from=today"
    if not outcome.created:
        say(request, f"That login to {account.system.name} was recorded already; nothing changed.", level=messages.INFO)
        return
    text = recorded(
        system=account.system.name,
        happened_on=outcome.event.happened_on,
        on=on,
        due_on=outcome.due_on,
        check=outcome.check_pending,
        own=is_own(scope, account),
    )
    say(request, text, undo_url=undo, level=messages.WARNING if outcome.check_pending else messages.SUCCESS)


def _tell_several(request: HttpRequest, outcomes: list[LoginOutcome], happened_on: date, on: date) -> None:
    new = sum(outcome.created for outcome in outcomes)
    when = "today" if happened_on == on else day(happened_on)
    text = f"{count_noun(new, 'login,logins').capitalize()} recorded for {when}."
    if new < len(outcomes):
        text += f" {count_noun(len(outcomes) - new, 'login was,logins were').capitalize()} recorded already."
    checks = sum(outcome.check_pending for outcome in outcomes)
    if checks:
        text += " Some came after the last safe day: please look whether the roles are still there."
    say(request, text, level=messages.WARNING if checks else messages.SUCCESS)
