"""The page of one request: what will change, who decides, the steps, what happened."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.db.models import Count, Q
from django.http import Http404
from django.urls import reverse

from accounts.models import AccessRequest, Approval
from accounts.policy.requesting import CARRIED_OUT, NEEDS_APPROVAL, Approved, Kind, State
from accounts.services.requests.countersigning import may_countersign, to_countersign
from accounts.services.requests.deciders import able_to
from accounts.services.requests.finishing_many import nothing_left
from accounts.services.requests.rights import (
    authorize_carrying,
    authorize_finishing,
    authorize_undoing,
    authorize_withdrawing,
    is_own_request,
    may,
)
from accounts.services.requests.taking_over import has_gone, is_about, may_take_over
from accounts.services.requests.undoing import may_still_undo
from accounts.sheets import sheet_of
from accounts.words import count_noun, day
from facilities.access import Action, Scope
from staff.models import Person
from systems.policy import EASTERN, day_in
from web.guides.citing import Bibliography
from web.guides.steps import prerequisites_of
from web.lock_out import lock_out_help
from web.requests.change import change_of
from web.requests.ends import file_links
from web.requests.history import History, entries_of, history_of, question_of
from web.requests.kinds import ACCESS
from web.requests.listing import READ_WITH, Desk, desk_of
from web.requests.needed import put_in_ways
from web.requests.seen import sealed
from web.requests.steps import reading_of, steps_of
from web.requests.ways import ask_url
from web.requests.words import asked, stands

_WITH_FILES = (State.DONE, State.IN_PROGRESS, State.FAILED)
_RUNNING = (State.DRAFT, State.SUBMITTED, State.APPROVED, State.IN_PROGRESS, State.FAILED)


def request_of(scope: Scope, key: int, at: datetime) -> AccessRequest:
    """Return a request that the member reads or may decide. Raises Http404 for every other one."""
    rows = AccessRequest.objects.filter(organization=scope.organization).select_related(
        *READ_WITH, "asked_first_person", "system__sign_in_via", "role__approved_by", "bundle"
    )
    found = rows.filter(pk=key, pk__in=AccessRequest.objects.visible_to(scope).values("pk")).first()
    if found is None:
        # Who stands in for somebody, or decides from outside, sees what she is to decide or decided.
        desk = desk_of(scope, day_in(at, EASTERN))
        beyond = Q(pk__in=desk.decisions.filter(pk=key).values("pk"))
        if desk.reach.person is not None:
            decided = Approval.objects.filter(request=key, approver_person=desk.reach.person)
            beyond |= Q(pk__in=decided.values("request"))
        found = rows.filter(beyond, pk=key).first()
    if found is None:
        found = to_countersign(scope, key, at)
    if found is None:
        raise Http404("No such request among yours.")
    return found


def page(scope: Scope, request: AccessRequest, at: datetime) -> dict[str, Any]:
    """Return what the page shows. A fixed number of queries for each kind of request."""
    on = day_in(at, EASTERN)
    desk = desk_of(scope, on)
    reading = reading_of(scope, request, at)
    bibliography: Bibliography = reading.pop("bibliography")
    running = request.state in _RUNNING
    waits = request.state == State.SUBMITTED and request.approval == Approved.NEEDED
    may_decide = waits and desk.decisions.filter(pk=request.pk).exists()
    history = history_of(scope, request)
    steps = steps_of(scope, request, reading, bibliography, history, on)
    prerequisites = _prerequisites(scope, request, bibliography, on) if running else []
    put_in_ways(scope, request, steps, (each["system"] for each in prerequisites))
    return {
        "request": request,
        "title": asked(request),
        "stands": stands(request, on),
        "names": {
            "requester": history.names.of(request.requester_person_id),
            "beneficiary": str(request.beneficiary_person),
        },
        "person_url": _person_url(scope, request, history),
        "facts": _facts(request),
        "gone": _gone(desk, request, history.names.of(request.requester_person_id)) if running else "",
        "change": change_of(scope, request, at, on) if running else {},
        "prerequisites": prerequisites,
        "seal": sealed(request),
        "about_own": desk.me is not None and is_about(request, desk.me),
        "may_decide": may_decide,
        "not_hers": _not_hers(scope, desk.me, request),
        "who_decides": "" if may_decide else _who_decides(scope, request, history.approvals, on),
        "bundle": _bundle(request, desk.readable()),
        "steps": steps,
        "all_answered": not any(step["unanswered"] for step in steps),
        "lock_out": lock_out_help(request.system, on) if request.kind == Kind.UNLOCK and running else None,
        "history": entries_of(history, request),
        "question": question_of(history, request),
        "waiting": desk.waiting_count().number,
        **reading,
        **_deeds(scope, desk.me, request, at),
    }


def _gone(desk: Desk, request: AccessRequest, name: str) -> str:
    """Return that who asked has left, as the member may know her name.

    One query; none for who asked herself, nor for an administrator, whose desk knows it.
    """
    asker = request.requester_person
    if asker.user_id == desk.scope.user_id:
        return ""
    words = desk.left_words(request) if desk.leads else has_gone(asker, desk.on)
    return words.replace(str(asker), name[:1].upper() + name[1:], 1)


def _person_url(scope: Scope, request: AccessRequest, history: History) -> str:
    key = request.beneficiary_person_id
    return reverse("web:person", args=[scope.organization.slug, key]) if history.names.reads(key) else ""


def _facts(request: AccessRequest) -> list[dict[str, str]]:
    said = [
        ("Why", request.reason or "No reason was given."),
        ("Wanted from", day(request.wanted_on)),
        ("Only until", day(request.wanted_until)),
        ("Still needed, although it has closed there", request.still_needed_reason),
        ("Why nobody decided it", request.unapproved_reason),
        ("Why it ended", request.ended_reason),
        ("Holds since", day(request.effective_on)),
        ("Proof", _proof(request)),
    ]
    return [{"label": label, "text": text} for label, text in said if text]


def _proof(request: AccessRequest) -> str:
    """Return what proves that it was carried out: in words, by a file, or who saw it."""
    seen = f" by {request.seen_by}" if request.seen_by else ""
    said = f": {request.proof_text}" if request.proof_text else ""
    return f"{request.get_proof_display()}{seen}{said}" if request.proof else ""


def _prerequisites(scope: Scope, request: AccessRequest, bibliography: Bibliography, on: date) -> list[dict[str, Any]]:
    """Return what has to be there first, for access that the person does not have yet."""
    if request.kind not in NEEDS_APPROVAL:
        return []
    told = prerequisites_of(request.system, scope.organization.slug, bibliography, on)
    return [each for each in told if not each["kind"]]  # those of a registration bear no kind


def _who_decides(scope: Scope, request: AccessRequest, approvals: Iterable[Approval], on: date) -> str:
    """Return who may, in words, for whoever may not; nothing where nobody has to."""
    if request.state != State.SUBMITTED or request.approval != Approved.NEEDED:
        return ""
    able = able_to(scope.organization, [request], on)[request.pk]
    if able.nobody:
        return (
            "Nobody may decide this any more, or too few people: whoever could has asked for it, gets it, decided it"
            f" already or left. {request.requester_person} may let it go on without a second person, with a reason; or"
            " an administrator invites another approver, or names an outside deputy under Settings."
        )
    given = sum(
        each.voided_at is None and (each.revision, each.verdict) == (request.revision, Approval.Verdict.APPROVE)
        for each in approvals
    )
    privileged = request.role is not None and request.role.privileged
    who = "An administrator" if privileged else "An approver or administrator"
    if is_own_request(scope, request):
        words = f"Somebody else decides what you asked for or would get: {who.lower()} of {request.facility.name}."
    else:
        words = f"{who} of {request.facility.name} decides, who neither asked for it nor gets it."
    if request.approvers_needed > 1:
        words += f" It takes two of them; {count_noun(given, 'has,have')} approved so far."
    if able.outside is not None:
        words += " Where people are missing here, the outside deputy decides."
    return words


def _not_hers(scope: Scope, me: Person | None, request: AccessRequest) -> str:
    """Return who records the steps instead of whom they would be about; nothing where they are the member's own."""
    carried = request.state in (State.APPROVED, State.IN_PROGRESS) and request.kind == Kind.REMOVAL
    if not carried or me is None or not is_about(request, me) or may(authorize_carrying, scope, request):
        return ""
    return (
        "Somebody else records how the removal of your own access goes on: another administrator of"
        f" {request.facility.name} or of the organization, who finds it among what waits."
    )


def _bundle(request: AccessRequest, readable: Any) -> dict[str, Any]:
    """Return how many were asked for together, wait, and have every step behind them; nothing for a single one."""
    if request.bundle_id is None:
        return {}
    mine = readable.filter(bundle=request.bundle_id).order_by()
    counted: dict[str, Any] = mine.aggregate(
        number=Count("pk"),
        waiting=Count("pk", filter=Q(state=State.SUBMITTED)),
        ready=Count("pk", filter=Q(nothing_left(), state__in=CARRIED_OUT)),
    )
    return counted


def _deeds(scope: Scope, me: Person | None, request: AccessRequest, at: datetime) -> dict[str, Any]:
    """Return what the member may do, and the addresses of what other pages do."""
    slug, own, state = scope.organization.slug, is_own_request(scope, request), request.state
    may_ask = scope.may(Action.REQUEST_ACCESS, [request.facility_id], own=own)
    may_stop, may_carry, may_finish = (
        may(right, scope, request) for right in (authorize_withdrawing, authorize_carrying, authorize_finishing)
    )
    asker = scope.user_id is not None and request.requester_person.user_id == scope.user_id

    def link(name: str, *, when: bool) -> str:
        return reverse(f"web:{name}", args=[slug, request.pk]) if when else ""

    further = ask_url(scope, person=request.beneficiary_person_id, kind=ACCESS, facility=request.facility_id)
    return {
        "may_withdraw": may_stop and state in _RUNNING,
        "may_comment": may_ask or scope.may(Action.DECIDE_REQUEST, [request.facility_id]),
        "edit_url": link("request-edit", when=asker and state in (State.DRAFT, State.SUBMITTED, State.APPROVED)),
        "finish_url": link(
            "request-finish",
            when=may_finish and state in (State.APPROVED, State.IN_PROGRESS),
        ),
        "fail_url": link("request-fail", when=may_carry and state == State.IN_PROGRESS),
        "retry_url": link("request-retry", when=may_carry and state == State.FAILED),
        "undo_url": link("request-undo", when=may_still_undo(request, at) and may(authorize_undoing, scope, request)),
        "take_over_url": link("request-take-over", when=may_take_over(scope, me, request)),
        "further_url": further if request.state == State.DONE and request.kind in NEEDS_APPROVAL and may_ask else "",
        "countersign_url": link("request-countersign", when=may_countersign(scope, request, at)),
        "files": file_links(request) if state in _WITH_FILES else [],
        "sheet_url": link(
            "request-sheet",
            when=may_carry and state in _RUNNING and _has_sheet(scope, request),
        ),
    }


def _has_sheet(scope: Scope, request: AccessRequest) -> bool:
    return sheet_of(request, AccessRequest.objects.visible_to(scope)) is not None
