"""What happened to a request, newest first: acts of the audit chain, decisions, comments; names as the member reads."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Q

from accounts.hand_over_words import COLLEAGUE
from accounts.models import AccessRequest, Approval, RequestNote, RequestStep
from audit.canonical import ITEMS_PER_EVENT
from audit.models import AuditEvent, AuditItem
from facilities.access import Scope
from staff.models import Person
from web.requests.words import was_sent_back

SHOWN: Final = 100  # the newest acts; the audit chain has all
_TOLD: Final[dict[str, str]] = {
    "request.drafted": "Draft made",
    "request.submitted": "Submitted",
    "request.changed": "What is asked for was changed",
    "request.withdrawn": "Withdrawn",
    "request.taken-over": "Taken over from who asked and has left",
    "request.step-done": "Step done",
    "request.step-failed": "Step did not work",
    "request.done": "Done",
    "request.failed": "It did not work",
    "request.retried": "Tried again",
    "request.undone": "Taken back: it was not done",
    "request.countersigned": "Looked at by a second person",
}
# Told by their own rows, with what was said.
_ELSEWHERE: Final = ("request.approved", "request.rejected", "request.sent-back", "request.commented")
_VERDICTS: Final = {Approval.Verdict.APPROVE.value: "Approved", Approval.Verdict.REJECT.value: "Rejected"}


class Names:
    """Who is called by name: everybody for who reads the facility's people, else herself and those she may see."""

    def __init__(self, scope: Scope, *, users: Iterable[int], people: Iterable[int]) -> None:
        rows = Person.objects.visible_to(scope).filter(Q(user__in=set(users)) | Q(pk__in=set(people)))
        found = list(rows.distinct())
        self._by_user = {person.user_id: str(person) for person in found}
        self._by_key = {person.pk: str(person) for person in found}

    def of_actor(self, key: str, label: str) -> str:
        """Return who acted: a person's name, or the command that did."""
        kind, _, number = key.partition(":")
        if kind != "user":
            return label
        return self._by_user.get(int(number), COLLEAGUE)

    def reads(self, person: int) -> bool:
        """Return whether the member may see a person."""
        return person in self._by_key

    def of(self, person: int) -> str:
        """Return a person's name."""
        return self._by_key.get(person, COLLEAGUE)


@dataclass(frozen=True, slots=True)
class History:
    """What is stored about what happened to a request, and the names of all in it."""

    events: list[AuditEvent]
    notes: list[RequestNote]
    approvals: list[Approval]
    names: Names


def history_of(scope: Scope, request: AccessRequest) -> History:
    """Read what happened to a request. Five queries."""
    events = _events(scope, request)
    notes = list(RequestNote.objects.filter(request=request).order_by("-pk")[:SHOWN])
    approvals = list(Approval.objects.filter(request=request).order_by("-pk")[:SHOWN])
    names = Names(
        scope,
        users=[int(each.actor_key[5:]) for each in events if each.actor_key.startswith("user:")],
        people={
            request.requester_person_id,
            request.beneficiary_person_id,
            *(note.person_id for note in notes if note.person_id),
            *(each.approver_person_id for each in approvals),
            *(each.in_place_of_id for each in approvals if each.in_place_of_id),
        },
    )
    return History(events, notes, approvals, names)


def who_did(history: History, step: RequestStep) -> str:
    """Return who said what came of a step, by name as far as the member reads it; nothing where nobody did."""
    if step.actor == RequestStep.Actor.APPROVER:
        standing = [each for each in history.approvals if each.voided_at is None]
        return history.names.of(standing[0].approver_person_id) if standing else ""
    keys = {event.actor_label: event.actor_key for event in history.events}
    if not step.done_by:
        return ""
    return history.names.of_actor(keys[step.done_by], step.done_by) if step.done_by in keys else COLLEAGUE


def question_of(history: History, request: AccessRequest) -> dict[str, str]:
    """Return what whoever decides wants to know of a request that was sent back, and who; nothing for another one."""
    if not was_sent_back(request):
        return {}
    asked = next((note for note in history.notes if note.kind == RequestNote.Kind.SENT_BACK), None)
    if asked is None:
        return {}
    return {"by": history.names.of(asked.person_id) if asked.person_id else asked.by, "text": asked.text}


def entries_of(history: History, request: AccessRequest) -> list[dict[str, Any]]:
    """Return the entries for `components/timeline.html`, newest first."""
    names = history.names
    entries = [_event(each, request, names) for each in history.events]
    entries += [_note(note, names) for note in history.notes]
    entries += [_approval(each, names) for each in history.approvals]
    return sorted(entries, key=lambda entry: (entry["at"], entry["rank"]), reverse=True)[:SHOWN]


def _events(scope: Scope, request: AccessRequest) -> list[AuditEvent]:
    chain = AuditEvent.objects.filter(chain=scope.organization.key).exclude(action__in=_ELSEWHERE)
    items = AuditItem.objects.filter(subject_key=request.key).order_by("-pk")[:SHOWN].values_list("pk", flat=True)
    acts = {key // ITEMS_PER_EVENT for key in items}
    touched = chain.filter(Q(pk__in=acts) | Q(subject_key=request.key), action__startswith="request.")
    return list(touched.order_by("-seq")[:SHOWN])


def _event(event: AuditEvent, request: AccessRequest, names: Names) -> dict[str, Any]:
    title = _TOLD.get(event.action) or event.action.removeprefix("request.").replace("-", " ").capitalize()
    if event.action.startswith("request.step-"):
        title = f"{title}: {event.subject_label}"
    return {
        "at": event.at,
        "title": title,
        "text": event.reason,
        "by": names.of_actor(event.actor_key, event.actor_label),
        "rank": (0, event.seq),
    }


def _note(note: RequestNote, names: Names) -> dict[str, Any]:
    by = names.of(note.person_id) if note.person_id else note.by
    return {"at": note.at, "title": note.get_kind_display(), "text": note.text, "by": by, "rank": (1, note.pk)}


def _approval(each: Approval, names: Names) -> dict[str, Any]:
    by = names.of(each.approver_person_id)
    if each.in_place_of_id:
        by = f"{by}, in place of {names.of(each.in_place_of_id)}"
    entry: dict[str, Any] = {"at": each.at, "title": _VERDICTS[each.verdict], "text": each.reason, "by": by}
    if each.voided_at:
        entry["voided"] = "the request was changed or sent back since."
    return entry | {"rank": (2, each.pk)}
