"""One account with its clock and history, and what people do with it."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.errors import AccountRefused, LoginRejected
from accounts.models import Deadline, PortalAccount
from accounts.policy.requesting import Kind
from accounts.sentences import possessive
from accounts.services.contradictions import may_see
from accounts.services.inventory import correct_account, regain_account, remove_account, report_loss
from accounts.services.logins import confirm_roles, is_own, places_of
from accounts.services.requests.gone import draft_reactivation
from accounts.words import count_noun
from facilities.access import Action, Scope, authorize
from systems.policy import EASTERN, Standing, day_in, latest_day
from web.demands import demands, help_desks, moved_away
from web.dossiers import Dossier, gather
from web.duties import concerning, duty_rows
from web.forms.accounts import AccountForm, DayForm, LossForm
from web.history import timeline
from web.looks import last_check, roles_here, stated_needs
from web.others import beside
from web.requests.beside import of_account
from web.requests.ways import GET_BACK, Link, ways_of_account
from web.rows import deadline_row, unknown_row
from web.scope import ScopedRequest, organization_page
from web.stale import both_versions
from web.standings import clock_of, held_on
from web.toasts import say
from web.told import will_be_told_of_deadlines
from web.views.logins import account_in_scope, back, crumbs

FINE = Standing.FINE


@require_safe
@organization_page
def account(request: ScopedRequest, pk: int) -> HttpResponse:
    """Show one account: how it stands and why, its history, what the system demands, and what can be done."""
    scope, now = request.scope, timezone.now()
    on = day_in(now, EASTERN)
    this = account_in_scope(scope, pk)
    running = Deadline.objects.open().filter(account=this).select_related("policy__source").order_by("due_on", "pk")
    deadlines = list(running)
    for deadline in deadlines:
        deadline.account, deadline.organization = this, scope.organization
    dossier = gather(scope, [this], deadlines, on)[this.pk]
    # What is far away and not about the next login stands in the history and beside it.
    near = [row for row in deadlines if row.kind == Deadline.Kind.INACTIVITY or clock_of(row).standing(on) != FINE]
    rows = [deadline_row(scope, dossier, deadline, back="") for deadline in near]
    coming = will_be_told_of_deadlines(scope, near, now)
    for row, deadline in zip(rows, near, strict=True):
        row["why"]["coming"] = coming[deadline.pk]
    active = this.status == PortalAccount.Status.ACTIVE
    if active and this.login_state == PortalAccount.LoginState.UNKNOWN:
        rows.insert(0, unknown_row(scope, dossier, back=""))
    under_way = of_account(scope, this, on)
    asks, way_back = _asks(scope, this, dossier, under_way["by_kind"])
    needs = stated_needs(this, dossier.grants)
    certified = concerning(scope, on).filter(grant__account=this)
    return render(
        request,
        "web/account.html",
        {
            "account": this,
            "own": dossier.own,
            "title": title_of(dossier.own, this),
            "lasts_until": next((row.due_on for row in deadlines if row.kind == Deadline.Kind.TEMPORARY), None),
            "held": held_on(this, deadlines, on),
            "roles": roles_here(scope, dossier.open_grants, needs),
            "places": scope.reads,
            "others": beside(scope, this, dossier.open_grants, on),
            "running": under_way,
            "profile_check": last_check(this),
            "rows": rows,
            "duties": duty_rows(certified, scope=scope, on=on),
            "timeline": timeline(scope, dossier, deadlines, needs),
            "demands": demands(this, deadlines, on),
            "desks": help_desks(this.system, now),
            "moved_away": moved_away(this, dossier.open_grants, on) if active else "",
            "may_edit": dossier.may(scope, Action.KEEP_ACCOUNT),
            "may_remove": dossier.may(scope, Action.EDIT_ACCOUNT),
            "may_report": dossier.may(scope, Action.REPORT_LOSS),
            "may_record": active and dossier.may(scope, Action.RECORD_LOGIN),
            "may_state": active and dossier.may(scope, Action.RECORD_LOGIN) and may_see(scope, this, now),
            "asks": asks,
            "way_back": way_back,
            "user_id": this.identity.user_id if this.identity else this.user_id,
            "crumbs": crumbs(scope, this)[:1],
        },
    )


def _asks(
    scope: Scope, this: PortalAccount, dossier: Dossier, under_way: Mapping[str, str]
) -> tuple[list[Link], Link | None]:
    """Return what can be asked for, and apart from it what brings a lost account back.

    ``under_way``: kind of request -> the address of one that runs.
    """
    if not dossier.may(scope, Action.REQUEST_ACCESS):
        return [], None
    asks = ways_of_account(scope, this, dossier.open_grants, dossier.on, left=dossier.left_on is not None)
    if this.status != PortalAccount.Status.LOST or not dossier.may(scope, Action.REPORT_LOSS):
        return asks, None
    back = next((ask for ask in asks if ask["label"] == GET_BACK), None)
    running = under_way.get(Kind.REACTIVATION)
    others = [ask for ask in asks if ask is not back]
    return others, {"label": "See the request", "url": running} if back and running else back


def title_of(own: bool, account: PortalAccount) -> str:
    """Return ``Your iQIES account`` or ``Jane Sample’s iQIES account``."""
    return f"{'Your' if own else possessive(str(account.person))} {account.system.name} account"


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_edit(request: ScopedRequest, pk: int) -> HttpResponse:
    """Correct user ID, day of the last password change or note; a save that came second shows both versions."""
    scope, now = request.scope, timezone.now()
    this = _allowed(request, pk, Action.KEEP_ACCOUNT)
    form = AccountForm(request.POST if request.method == "POST" else None, account=this, latest=latest_day(now))
    differing: list[dict[str, str]] = []
    if form.is_valid():
        typed = form.cleaned_data
        try:
            correct_account(
                scope=scope,
                account=this,
                version=typed["version"],
                user_id=typed.get("user_id", ""),
                password_changed_on=typed["password_changed_on"],
                note=typed["note"],
                at=now,
            )
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
            if exc.code == "stale":
                differing = both_versions(form, account_in_scope(scope, pk))
        else:
            say(request, f"{title_of(is_own(scope, this), this)} saved.")
            return redirect("web:account", scope.organization.slug, this.pk)
    return render(
        request,
        "web/account_edit.html",
        {
            "account": this,
            "title": f"Edit {_lower(title_of(is_own(scope, this), this))}",
            "form": form,
            "differing": differing,
            "crumbs": crumbs(scope, this),
        },
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_remove(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that the account no longer exists on the system."""
    this = _allowed(request, pk, Action.EDIT_ACCOUNT)
    title = title_of(is_own(request.scope, this), this)
    text = {
        "title": f"Remove {_lower(title)}",
        "label": "It was removed on",
        "button": f"Remove {_lower(title)}",
        "explain": f"This records that the account no longer exists on {this.system.name}: its roles end that day and"
        " its clocks stop. It does not remove anything at CMS; that is done there first.",
        "danger": True,
        "said": f"{title} removed.",
    }
    return _on_a_day(
        request, this, text, lambda on, at: remove_account(scope=request.scope, account=this, removed_on=on, at=at)
    )


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_lost(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that the account no longer works: what happened, and on which day."""
    scope, now = request.scope, timezone.now()
    this = _allowed(request, pk, Action.REPORT_LOSS)
    title = title_of(is_own(scope, this), this)
    form = LossForm(request.POST if request.method == "POST" else None, at=now)
    if form.is_valid():
        typed = form.cleaned_data
        try:
            report_loss(scope=scope, account=this, loss=typed["loss"], lost_on=typed["on"], at=now)
        except AccountRefused as exc:
            form.add_error({"loss": "loss", "lost_on": "on"}.get(exc.field), exc.message)
        else:
            say(request, f"{title} is marked as lost. Tell it here when it is back.")
            return redirect("web:account", scope.organization.slug, this.pk)
    text = {
        "title": f"{title} no longer works",
        "button": f"Record that {_lower(title)} is lost",
        "explain": "Its roles end that day and nobody is reminded to sign in. The way back stands on its page.",
        "danger": True,
    }
    context = {"form": form, "text": text, "back": this.get_absolute_url(), "crumbs": crumbs(scope, this)}
    return render(request, "web/deed.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def account_regain(request: ScopedRequest, pk: int) -> HttpResponse:
    """Record that a lost account is back."""
    this = _allowed(request, pk, Action.REPORT_LOSS)
    title = title_of(is_own(request.scope, this), this)
    text = {
        "title": f"{title} is back",
        "label": "It was given back on",
        "button": f"Record that {_lower(title)} is back",
        "explain": "The roles that ended with the loss open again from that day, and a new clock starts with it.",
        "danger": False,
        "said": f"{title} is back. A new clock has started.",
    }
    return _on_a_day(
        request, this, text, lambda on, at: regain_account(scope=request.scope, account=this, regained_on=on, at=at)
    )


def _on_a_day(
    request: ScopedRequest, this: PortalAccount, text: dict[str, Any], deed: Callable[[date, datetime], object]
) -> HttpResponse:
    """Ask for a day and do the deed; a refusal stands beside the field with what was typed."""
    now = timezone.now()
    data = request.POST if request.method == "POST" else None
    form = DayForm(data, label=text["label"], at=now)
    if form.is_valid():
        try:
            deed(form.cleaned_data["on"], now)
        except AccountRefused as exc:
            form.add_error("on" if exc.field else None, exc.message)
        else:
            say(request, text["said"])
            return redirect("web:account", request.scope.organization.slug, this.pk)
    context = {"form": form, "text": text, "back": this.get_absolute_url(), "crumbs": crumbs(request.scope, this)}
    return render(request, "web/deed.html", context)


@require_POST
@organization_page
def account_check(request: ScopedRequest, pk: int) -> HttpResponse:
    """Take the answer to *check your roles*: still there, or gone."""
    scope = request.scope
    this = account_in_scope(scope, pk)
    answer = request.POST.get("answer")
    if answer not in {"there", "gone"}:
        say(request, "Nothing was saved: say whether the roles are still there or gone.", level=messages.ERROR)
        return back(request, scope, this)
    try:
        confirm_roles(scope=scope, account=this, still_there=answer == "there", at=timezone.now())
    except LoginRejected as exc:
        say(request, exc.message, level=messages.ERROR)
    else:
        _tell_answer(request, this, answer == "there")
    return back(request, scope, this)


def _tell_answer(request: ScopedRequest, this: PortalAccount, there: bool) -> None:
    """Say what the answer came to; where roles are gone, getting them back is drafted, and the toast leads there."""
    if there:
        say(request, f"{this.system.name}: the roles are still there. A new clock has started.")
        return
    gone = f"{this.system.name}: the roles ended today."
    drafts = draft_reactivation(scope=request.scope, account=this, at=timezone.now())
    if not drafts:
        say(request, f"{gone} When they are given back, tell it on the account's page.")
        return
    slug = request.scope.organization.slug
    page = reverse("web:request-edit", args=[slug, drafts[0].pk])
    many = count_noun(len(drafts), "request,requests")
    are = "is" if len(drafts) == 1 else "are"
    say(request, f"{gone} {many.capitalize()} to get them back {are} drafted: look and submit.", more_url=page)


def _allowed(request: ScopedRequest, pk: int, action: Action) -> PortalAccount:
    """Return an account on which the member may do this. Raises Http404 out of scope, NotAllowed without the right."""
    this = account_in_scope(request.scope, pk)
    authorize(request.scope, action, places_of(this), own=is_own(request.scope, this))
    return this


def _lower(title: str) -> str:
    return title.replace("Your ", "your ", 1) if title.startswith("Your ") else title
