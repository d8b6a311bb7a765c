"""Registering a facility: find it in CMS's directory or type it, look at what the directory says, confirm."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from accounts.words import count_noun
from facilities.access import Action, authorize
from facilities.ccn import type_descriptions
from facilities.checks import FacilityCheck, check_facility
from facilities.models import Facility, Provider
from facilities.services.places import FacilityFacts, FacilityRefused, register_facility
from facilities.suggestions import Suggestions, suggest
from web.forms.facilities import FIELD_OF_PROBLEM, FindForm, RegisterForm
from web.scope import ScopedRequest, organization_page
from web.toasts import say
from web.views.facilities import facility_crumbs


@require_http_methods(["GET", "POST"])
@organization_page
def facility_register(request: ScopedRequest) -> HttpResponse:
    """Check a place against CMS's directory, show what it knows and doubts, and store it when confirmed."""
    authorize(request.scope, Action.REGISTER_FACILITY)
    context: dict[str, Any] = {"crumbs": facility_crumbs(request)}
    if request.method == "GET":
        context |= _found(request) | _taken(request)
        return render(request, "web/facility_register.html", context)
    data = request.POST.copy()
    if data.get("take_ccn"):
        data["ccn"] = str(data["take_ccn"])  # "Did you mean ...?" answered with one click
    form = RegisterForm(data)
    if form.is_valid():
        check, place = _check(form), form.place  # before remarks take fields out of the cleaned data
        confirmed = data.get("confirm") == place
        if confirmed:
            stored = _register(request, form)
            if stored is not None:
                say(request, f"{stored.name} is registered.")
                return redirect(stored)
        context |= _checked(form, check, place, confirmed=confirmed)
    return render(request, "web/facility_register.html", context | {"form": form})


@require_safe
@organization_page
def facility_suggest(request: ScopedRequest) -> HttpResponse:
    """Return the facilities of CMS's directory that match what has been typed so far, as a part of a page."""
    authorize(request.scope, Action.REGISTER_FACILITY)
    return render(request, "web/facility_suggest.html", _found(request))


def _found(request: ScopedRequest) -> dict[str, Any]:
    find = FindForm(request.GET)
    if not find.is_valid() or not find.cleaned_data["find"]:
        return {"find": find, "found": None, "said": ""}
    found = suggest(typed=find.cleaned_data["find"], state=find.cleaned_data["in_state"])
    kinds = type_descriptions()
    rows = [{"provider": row, "kind": kinds.get(row.provider_type, "").partition(" (")[0]} for row in found.rows]
    return {"find": find, "found": rows, "said": _said(found)}


def _said(found: Suggestions) -> str:
    if found.too_short:
        return "Type at least three letters of its name, or the first two characters of its CCN."
    if not found.rows:
        return "Nothing in CMS’s directory matches. Try fewer words, or fill in the form below."
    if found.more:
        shown = count_noun(len(found.rows), "one,").strip()
        return f"These are the first {shown}. Type more, or choose a state, to narrow them down."
    return f"{count_noun(len(found.rows), 'facility matches,facilities match').capitalize()}."


def _taken(request: ScopedRequest) -> dict[str, Any]:
    """Return the form: filled in and checked with the facility that was chosen from the directory, else empty."""
    asked = request.GET.get("take", "").replace("\0", "")
    known = Provider.objects.filter(ccn=asked).first() if asked else None
    if known is None:
        return {"form": RegisterForm()}
    names = ("ccn", "state", "zip_code", "name", "address", "city")
    form = RegisterForm({name: getattr(known, name) for name in names})
    checked = _checked(form, _check(form), form.place) if form.is_valid() else {}
    return {"form": form, **checked}


def _check(form: RegisterForm) -> FacilityCheck:
    data = form.cleaned_data
    ccn = "N/A" if data["licensed_only"] else data["ccn"]
    return check_facility(ccn=ccn, state=data["state"], zip_code=data["zip_code"])


def _register(request: ScopedRequest, form: RegisterForm) -> Facility | None:
    data = form.cleaned_data
    facts = FacilityFacts(
        ccn=data["ccn"],
        state=data["state"],
        zip_code=data["zip_code"],
        name=data["name"],
        licensed_only=data["licensed_only"],
        address=data["address"],
        city=data["city"],
    )
    try:
        return register_facility(
            scope=request.scope, facts=facts, override_reason=data["override_reason"], at=timezone.now()
        )
    except FacilityRefused as exc:
        # Doubts of the directory are added by `_remark`; what else the service refuses is added here.
        doubts = {problem.message for problem in exc.check.problems} if exc.check else set()
        if exc.message not in doubts:
            form.add_error(FIELD_OF_PROBLEM.get(exc.field), exc.message)
        return None


def _remark(form: RegisterForm, check: FacilityCheck, *, overruled: bool) -> None:
    """Put each problem beside its field, unless a reason overrules what can be overruled."""
    usable = _usable(check)
    for problem in check.problems:
        if problem.code == "licensed_only" or (overruled and usable):
            continue
        form.add_error(FIELD_OF_PROBLEM[problem.field], problem.message)


def _usable(check: FacilityCheck) -> bool:
    """Return whether the place could be stored at all, doubts aside."""
    numbered = check.normalized_ccn is not None or any(each.code == "licensed_only" for each in check.problems)
    return bool(numbered and check.state and check.zip_code)


def _checked(form: RegisterForm, check: FacilityCheck, place: str, *, confirmed: bool = False) -> dict[str, Any]:
    """Fill in what the directory knows, put its doubts beside the fields, and say what may be done now."""
    form.fill_in(check)
    overruled = bool(form.cleaned_data.get("override_reason", "").strip())
    doubts = [problem for problem in check.problems if problem.code != "licensed_only"]
    usable = _usable(check)
    proposal = (check.normalized_ccn or "") if any(problem.code == "restored" for problem in check.problems) else ""
    if confirmed and usable and doubts and not overruled:
        form.add_error("override_reason", "Say why it is right all the same, or correct what is doubted.")
    _remark(form, check, overruled=overruled)
    settled = usable and not proposal  # a repaired number is taken with a click of its own, not with a reason
    return {
        "check": check,
        "proposal": proposal,
        "confirm": place if settled else "",
        "may_overrule": settled and bool(doubts),
        "doubts": doubts,
        "kind": type_descriptions().get(check.provider_type or "", ""),
    }
