"""The steps of a request as a checklist: what to do, who does it, by when, where to read about it."""

from collections.abc import Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Final

from django.urls import reverse

from accounts.models import AccessRequest, RequestStep
from accounts.policy.requesting import Kind, State
from accounts.services.requests.rights import authorize_step, may
from accounts.words import count_noun, day, day_short, in_days, listed
from facilities.access import Scope
from systems.models import Step, System, SystemAddress
from web.guides.citing import Bibliography, weakness
from web.guides.desks import desks_of
from web.guides.steps import phrases_of
from web.requests.history import History, who_did
from web.requests.words import due_words, last_day

_Actor = RequestStep.Actor
_States = RequestStep.State
_UNITS: Final = {
    Step.Unit.MINUTES.value: "minute,minutes",
    Step.Unit.HOURS.value: "hour,hours",
    Step.Unit.CALENDAR_DAYS.value: "calendar day,calendar days",
    Step.Unit.BUSINESS_DAYS.value: "full business day,full business days",
}
_LOOKS: Final = {
    _States.DONE.value: "done",
    _States.FAILED.value: "failed",
    _States.OPEN.value: "open",
    _States.SKIPPED.value: "quiet",
    _States.WAITING.value: "quiet",
}
# Words of forms that are for one case only; all others fit wherever their form is used.
_ONLY_FOR: Final = {
    "QIES-FORM-1": "removal",
    "QIES-FORM-2": "who stays",  # removes everybody else: never beside the removal of one
    "QIES-FORM-3": "licensed in Texas",
    "QIES-FORM-4": "licensed",
}


def steps_of(
    scope: Scope,
    request: AccessRequest,
    reading: dict[str, Any],
    bibliography: Bibliography,
    history: History,
    on: date,
) -> list[dict[str, Any]]:
    """Return the steps in order, each with what the page shows of it. ``reading``: as `reading_of`. Two queries."""
    own = scope.user_id is not None and request.beneficiary_person.user_id == scope.user_id
    runs = request.state in (State.APPROVED, State.IN_PROGRESS)
    hers, others = (
        runs and may(partial(authorize_step, actor=actor), scope, request) for actor in (_Actor.HOLDER, _Actor.FACILITY)
    )
    rows = list(RequestStep.objects.filter(request=request).order_by("position"))
    cited = _catalogue(request, rows)
    # What mends another step is no step of the way as long as nothing went wrong.
    shown = [row for row in rows if not (row.cure_for and row.state == _States.WAITING)]
    told = []
    for row in shown:
        recordable = hers if row.actor == _Actor.HOLDER else others
        step = _step(row, cited.get(row.key_in_list), _who(row, request, own=own), recordable, bibliography, on)
        step["outcome"] = _outcome(row, who_did(history, row))
        if request.state in (State.REJECTED, State.WITHDRAWN):
            step |= _ended(row, request, step["outcome"])
        step["help"] = help_words(request.system, reading["desks"]) if is_stuck(row, rows) else ""
        told.append(step)
    return told


def is_stuck(row: RequestStep, rows: Sequence[RequestStep]) -> bool:
    """Return whether a step did not work and no other step is open that would mend it or what it was to mend."""
    if row.state != _States.FAILED:
        return False
    meant = {row.cure_for} if row.cure_for else {row.key_in_list, row.together}
    return not any(each.state == _States.OPEN and each.cure_for in meant - {""} for each in rows)


def help_words(system: System, desks: Sequence[dict[str, Any]]) -> str:
    """Return whom to ask where no published way leads on. ``desks``: as `web.guides.desks.desks_of`."""
    then = "Once it is mended, record the step again; where there is no way on, say below that it cannot be done."
    if not desks:
        return f"No help desk of {system.name} was published: ask {system.operator}. {then}"
    desk = desks[0]
    reached = listed(point["value"] for point in desk["points"] if point["kind"] in ("phone", "email", "web"))
    whose = f" of {desk['of']}" if desk["of"] else ""
    return f"No published step mends this. Ask the help desk{whose}: {desk['name']}, {reached}. {then}"


def _catalogue(request: AccessRequest, rows: Sequence[RequestStep]) -> dict[str, Step]:
    keys = {row.key_in_list for row in rows if row.fact}
    found = Step.objects.current().filter(system=request.system_id, key__in=keys).select_related("source")
    facts = {row.key_in_list: row.fact for row in rows}
    return {step.key: step for step in found if step.fact_id == facts[step.key]}


def _step(
    row: RequestStep, cited: Step | None, who: str, may: bool, bibliography: Bibliography, on: date
) -> dict[str, Any]:
    last = last_day(row)
    late = row.state == _States.OPEN and last is not None and last < on
    recordable = may and row.actor != _Actor.APPROVER and row.state not in (_States.WAITING, _States.SKIPPED)
    return {
        "pk": row.pk,
        "title": row.title,
        "text": row.text,
        "look": "late" if late else _LOOKS[row.state],
        "state": "Late" if late else row.get_state_display(),
        "cure": bool(row.cure_for),
        "who": who,
        "takes": _takes(row, weakness(cited.confidence, short=True) if cited else "", on),
        "stage": row.stage,
        "cite": bibliography.cite(cited) if cited else None,
        "note": row.note,
        "open": row.state == _States.OPEN,
        "unanswered": row.state in (_States.OPEN, _States.WAITING, _States.FAILED),
        "recordable": recordable,
    }


def _ended(row: RequestStep, request: AccessRequest, outcome: str) -> dict[str, str]:
    """Return what a step of a rejected or withdrawn request looks like: nobody takes what is open any more."""
    if row.state in (_States.OPEN, _States.WAITING):
        return {"look": "quiet", "state": "Not needed any more", "takes": "", "help": ""}
    if row.actor == _Actor.APPROVER and request.state == State.REJECTED:
        return {"look": "quiet", "state": "Rejected", "outcome": outcome.replace("Done on", "Rejected on", 1)}
    return {}


def _takes(row: RequestStep, weak: str, on: date) -> str:
    """Return how long it takes and by when: ``Two full business days: by Tue 24 Nov (in four days).``

    Where no number was printed that is no last day: ``Said to take several weeks (not from CMS). Ask how it stands on
    Fri 11 Dec (…).`` ``weak``: how weak its source is.
    """
    if row.takes:
        asks = row.state == _States.OPEN and row.due_on is not None
        near = f"{day_short(row.due_on)} ({in_days(row.due_on, on)})"
        told = f"Said to take {row.takes}{f' ({weak})' if weak else ''}."
        return told + (f" Ask how it stands on {near}." if asks else "")
    takes = count_noun(row.duration, _UNITS[row.unit]).capitalize() if row.duration is not None else ""
    due = due_words(row.due_on, on) if row.state == _States.OPEN else ""
    said = f"{takes}: {due}" if takes and due else takes or due[:1].upper() + due[1:]
    return f"{said}." if said else ""


def _outcome(row: RequestStep, who: str) -> str:
    """Return what came of a step, on which day, and who said so: ``Done on Fri 20 Nov 2026, said by Carol Test.``"""
    told = f", said by {who}" if who else ""
    if row.state in (_States.DONE, _States.FAILED):
        return f"{'Done' if row.state == _States.DONE else 'Did not work'} on {day(row.done_on)}{told}."
    return f"Not needed{told}." if row.state == _States.SKIPPED and row.done_by else ""


def _who(row: RequestStep, request: AccessRequest, *, own: bool) -> str:
    privileged = request.role is not None and request.role.privileged
    return {
        _Actor.HOLDER.value: "You do this" if own else f"{request.beneficiary_person} does this",
        _Actor.OFFICIAL.value: "A Security Official or another approver on CMS’s side does this",
        _Actor.FACILITY.value: f"{request.facility.name} does this",
        _Actor.HELP_DESK.value: "The help desk does this",
        _Actor.CMS.value: "CMS does this",
        _Actor.APPROVER.value: f"Decided here, by {'an' if privileged else 'an approver or'} administrator",
    }[row.actor]


def reading_of(scope: Scope, request: AccessRequest, at: datetime) -> dict[str, Any]:
    """Return web addresses, words to copy and help desks, with the bibliography that cites them. Four queries."""
    system = request.system
    guide = reverse("web:system", args=[scope.organization.slug, system.slug])
    bibliography = Bibliography(guide)
    authorities = [system, *([system.sign_in_via] if system.sign_in_via else [])]
    phrases = phrases_of(system, bibliography)
    return {
        "guide_url": guide,
        "bibliography": bibliography,
        "addresses": _addresses(authorities),
        "phrases": [phrase for phrase in phrases if _fits(phrase["cite"].fact, request)],
        "desks": desks_of(authorities, bibliography, at),
    }


def _addresses(systems: Sequence[System]) -> list[dict[str, str]]:
    """Return where the steps are taken: the addresses in use of a system and of where one signs in. One query."""
    rows = SystemAddress.objects.current().filter(system__in=systems, status="current").order_by("position", "pk")
    found = list(rows)
    return [
        {"url": row.url, "of": "" if system is systems[0] else system.name}
        for system in systems
        for row in found
        if row.system_id == system.pk
    ]


def _fits(fact: str, request: AccessRequest) -> bool:
    case = _ONLY_FOR.get(fact)
    licensed = request.facility.licensed_only
    return {
        None: True,
        "removal": request.kind == Kind.REMOVAL,
        "who stays": False,  # on a page of its own
        "licensed": licensed,
        "licensed in Texas": licensed and request.facility.state == "TX",
    }[case]
