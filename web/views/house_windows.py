"""How often people sign in to each system by the organization's own rule: what holds, and a change with its preview."""

from datetime import date
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.errors import AccountRefused
from accounts.models import HouseWindow, PortalAccount
from accounts.services.clocks import HOUSE_FLAG_DAYS
from accounts.services.house_windows import MOST_DAYS, Published, Wanted, mark_of, published_limits, set_window
from accounts.words import count_noun, day
from facilities.access import Action, Scope, authorize
from reminders.rungs import HOUSE_MENTION_DAYS
from systems.models import System
from systems.policy import EASTERN, day_in
from web.forms.settings import WindowForm
from web.guides.citing import Bibliography
from web.guides.limits import rule_words
from web.house_preview import Preview, preview
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.settings import SHOWN_AT_MOST, settings_crumbs


@require_safe
@organization_page
def house_windows(request: ScopedRequest) -> HttpResponse:
    """Show for every system CMS's limit and the organization's own, those with accounts first."""
    scope, on = request.scope, day_in(timezone.now(), EASTERN)
    limits = published_limits(on)
    windows = {each.system_id: each for each in HouseWindow.objects.filter(organization=scope.organization)}
    held = set(PortalAccount.objects.open().filter(organization=scope.organization).values_list("system", flat=True))
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for system in System.objects.current().order_by("position", "slug"):
        window = windows.get(system.pk)
        limit = limits.get(system.pk)
        url = reverse("web:house-window", args=[scope.organization.slug, system.slug])
        rows[system.pk in held or window is not None].append(
            {
                "cells": [
                    {"text": system.name, "url": url} if scope.may(Action.SWITCH_RULES) else {"text": system.name},
                    {"text": rule_words(limit.policy) if limit else "CMS publishes none."},
                    {"text": _holds(window, limit)},
                ]
            }
        )
    context = {
        "columns": [{"label": label} for label in ("System", "CMS’s limit", "Your rule")],
        "rows": rows[True],
        "others": rows[False],
        "may_switch": scope.may(Action.SWITCH_RULES),
        "crumbs": settings_crumbs(scope),
    }
    return render(request, "web/house_windows.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@organization_page
def house_window(request: ScopedRequest, system: str) -> HttpResponse:
    """Change what holds for one system: looked at first, set with consent."""
    scope, now = request.scope, timezone.now()
    which = get_object_or_404(System.objects.current(), slug=system)
    authorize(scope, Action.SWITCH_RULES)
    limit = published_limits(day_in(now, EASTERN)).get(which.pk)
    window = HouseWindow.objects.filter(organization=scope.organization, system=which).first()
    form = WindowForm(
        request.POST or None,
        initial=_initial(window, limit),
        limited=limit is not None,
        usual="CMS’s limit alone" if limit else _usual_words(limit),
        longest=limit.safe_days - 1 if limit else MOST_DAYS,
    )
    looked = None
    if form.is_valid():
        asked = {**form.cleaned_data, "wanted": Wanted(form.cleaned_data["wanted"]), "system": which, "at": now}
        try:
            if "consent" in request.POST:
                set_window(scope=scope, **asked)
                say(request, f"{which.name}: {_said(scope, which, limit)}")
                return redirect("web:house-windows", scope.organization.slug)
            looked = preview(scope=scope, **asked)
        except AccountRefused as exc:
            form.add_error(exc.field if exc.field in form.fields else None, exc.message)
    guide = reverse("web:system", args=[scope.organization.slug, which.slug])
    context = {
        "form": form,
        "system": which,
        "holds": _holds(window, limit),
        "set_by": window.set_by if window else "",
        "limit": rule_words(limit.policy) if limit else "",
        "cite": Bibliography(guide).cite(limit.policy) if limit else None,
        "crumbs": [*settings_crumbs(scope), _crumb(scope)],
        **(_seen(looked, form, limit) if looked else {}),
    }
    return render(request, "web/house_window.html", context)


def _seen(looked: Preview, form: WindowForm, limit: Published | None) -> dict[str, Any]:
    """Return what the preview shows, with the values that consent sends again."""
    return {
        "looked": looked,
        "kept": [(name, value) for name, value in form.cleaned_data.items() if value is not None],
        "chosen": _chosen(form, limit),
        "people": looked.people[:SHOWN_AT_MOST],
        "further": max(len(looked.people) - SHOWN_AT_MOST, 0),
    }


def _crumb(scope: Scope) -> dict[str, str]:
    return {"label": "Days between logins", "url": reverse("web:house-windows", args=[scope.organization.slug])}


def _initial(window: HouseWindow | None, limit: Published | None) -> dict[str, Any]:
    initial: dict[str, Any] = {"mark": mark_of(window), "wanted": Wanted.USUAL}
    if window is not None:
        initial |= {"wanted": Wanted.OWN if window.enabled else Wanted.OFF}
        initial |= {"flag_days": window.flag_days, "mention_days": window.mention_days}
    elif limit is None:
        initial |= {"flag_days": HOUSE_FLAG_DAYS, "mention_days": HOUSE_MENTION_DAYS}
    return initial


def _usual_words(limit: Published | None) -> str:
    if limit:
        return "CMS’s limit alone."
    return f"Portalkeeper’s default: a login every {HOUSE_FLAG_DAYS} days, mentioned after {HOUSE_MENTION_DAYS}."


def _own_words(flag_days: int, mention_days: int | None, limit: Published | None) -> str:
    words = f"Sign in at least every {count_noun(flag_days, 'day,days')}"
    return f"{words}." if limit or not mention_days else f"{words}, mentioned after {mention_days}."


def _holds(window: HouseWindow | None, limit: Published | None) -> str:
    """Return what holds at the organization, and since when where somebody set it."""
    if window is None:
        return _usual_words(limit)
    words = _own_words(window.flag_days, window.mention_days, limit) if window.enabled else "No dates."
    if limit and window.enabled and window.flag_days >= limit.safe_days:
        words = f"{words} CMS’s limit is stricter by now and holds."
    if window.set_at is None:
        return words
    since: date = day_in(window.set_at, EASTERN)
    return f"{words} Set on {day(since)}."


def _chosen(form: WindowForm, limit: Published | None) -> str:
    """Return what was chosen, in the words of the button and the preview."""
    data = form.cleaned_data
    if data["wanted"] == Wanted.OWN:
        return _own_words(data["flag_days"], data.get("mention_days"), limit)
    return _usual_words(limit) if data["wanted"] == Wanted.USUAL else "No dates."


def _said(scope: Scope, system: System, limit: Published | None) -> str:
    words = _holds(HouseWindow.objects.filter(organization=scope.organization, system=system).first(), limit)
    return words[0].lower() + words[1:] if not words.startswith("CMS") and not words.startswith("Portal") else words
