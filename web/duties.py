"""Dates that hang on a role, a person or a facility instead of an account, as rows that pages draw."""

from collections.abc import Container
from datetime import date, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.urls import reverse

from accounts.models import Deadline, RequestStep
from accounts.policy.requesting import Kind
from facilities.access import Action, Scope
from reminders import duty_lines
from reminders.addresses import page_of_request
from reminders.ladder import first_step
from staff.models import Person
from systems.policy import standing
from web.dossiers import left_among
from web.reach import people_in_reach

_KINDS: Final = (
    Deadline.Kind.CERTIFICATION,
    Deadline.Kind.TEMPORARY,
    Deadline.Kind.ACKNOWLEDGEMENT,
    Deadline.Kind.OBLIGATION,
    Deadline.Kind.REVIEW,
)
_CLEARS: Final = {
    Deadline.Kind.CERTIFICATION.value: "Its certification by the approver on CMS’s side, recorded here.",
    Deadline.Kind.TEMPORARY.value: "A finished removal of the role, or a finished request for it that goes further.",
    Deadline.Kind.ACKNOWLEDGEMENT.value: "The acknowledgement, recorded on the person’s page.",
    Deadline.Kind.OBLIGATION.value: "The note on the facility’s page that it is done.",
    Deadline.Kind.REVIEW.value: "A review of the access there, recorded on the facility’s page.",
    Deadline.Kind.REQUEST_STEP.value: "What came of the step, recorded on the request’s page.",
    Deadline.Kind.WINDOW.value: "The note that it is done: on the request’s page, or on that of the facility.",
}
_COLUMNS: Final = (
    "pk",
    "kind",
    "due_on",
    "policy__consequence",
    "policy__cure_text",
    "grant__facility_id",
    "grant__account_id",
    "grant__account__system__name",
    "grant__account__person_id",
    "grant__account__person__user_id",
    "obligation__facility_id",
    "person__user_id",
    "request_step__request__beneficiary_person__user_id",
    *duty_lines.COLUMNS,
)
Row = dict[str, Any]


def concerning(scope: Scope, on: date) -> QuerySet[Deadline]:
    """Return the open dates that concern the member and lie within a ladder, soonest first.

    Whoever looks after a facility sees those of its roles, its people and itself; a holder what she owes herself.
    """
    near = Q()
    for kind in _KINDS:
        near |= Q(kind=kind, due_on__lte=on + timedelta(days=first_step(kind)))
    files = Q(kind=Deadline.Kind.WINDOW, obligation__isnull=False)  # a step's window stands with its request
    near |= files & Q(due_on__lte=on + timedelta(days=first_step(Deadline.Kind.WINDOW)))
    rows = Deadline.objects.open().filter(near, organization=scope.organization, account=None)
    places = scope.reads
    if places is not None:
        rows = rows.filter(
            Q(grant__facility__in=places)
            | Q(facility__in=places)
            | Q(obligation__facility__in=places)
            | Q(person__in=Person.objects.visible_to(scope))
        )
    return rows.order_by("due_on", "pk")


def duty_rows(deadlines: QuerySet[Deadline], *, scope: Scope, on: date) -> list[Row]:
    """Return rows for `components/row_action.html` in the order given, each with its ``due_on``.

    Two queries, one more where roles are to be certified: nobody certifies what somebody holds who has left.
    """
    values = list(deadlines.annotate(last_on=duty_lines.acknowledged("")).values("last_on", *_COLUMNS))
    people = {each["person_id"] for each in values} - {None}
    holders = {each["grant__account__person_id"] for each in values if each["kind"] == Deadline.Kind.CERTIFICATION}
    left = left_among(holders, on) if holders else {}
    for each in values:
        each["left_on"] = left.get(each["grant__account__person_id"])
    reached = people_in_reach(scope, Action.KEEP_ACCOUNT, people, on)
    return [_row(each, scope, on, reached) for each in values]


def _row(each: Row, scope: Scope, on: date, reached: Container[int]) -> Row:
    users = {each["grant__account__person__user_id"], each["person__user_id"]} - {None}
    if each["request_step__actor"] == RequestStep.Actor.HOLDER and each["request_step__request__kind"] != Kind.REMOVAL:
        users = {each["request_step__request__beneficiary_person__user_id"]}
    duty = duty_lines.duty_of(each, on, own=scope.user_id in users)
    stands = standing(
        on=on,
        due_on=each["due_on"],
        soon_days=first_step(each["kind"]),
        consequence=each["policy__consequence"] or "none",
    )
    return {
        "id": f"duty-{each['pk']}",
        "due_on": each["due_on"],
        "standing": stands,
        "sentence": duty_lines.sentence(each["kind"], duty),
        "detail": duty_lines.detail(each["kind"], duty),
        "url": _url(each, scope),
        "links": _links(each, scope, reached),
        "why": {"more_url": reverse("web:deadline-why", args=[scope.organization.slug, each["pk"]]), "later": True},
    }


def clears(kind: str) -> str:
    """Return what settles a duty of this kind."""
    return _CLEARS[kind]


def _url(each: Row, scope: Scope) -> str:
    slug = scope.organization.slug
    if each["grant__account_id"]:
        return reverse("web:account", args=[slug, each["grant__account_id"]])
    if each["person_id"]:
        return reverse("web:person", args=[slug, each["person_id"]])
    if each["request_step_id"]:
        place = each["request_step__request__facility_id"]
        return page_of_request(slug, each["request_step__request_id"], place)
    return reverse("web:facility", args=[slug, each["obligation__facility_id"] or each["facility_id"]])


def _links(each: Row, scope: Scope, reached: Container[int]) -> list[dict[str, str]]:
    slug = scope.organization.slug
    if each["kind"] == Deadline.Kind.TEMPORARY or each["left_on"]:
        if not scope.may(Action.REQUEST_ACCESS, [each["grant__facility_id"]]):
            return []
        # Of whoever left all that she holds is shown: an identity that others sign in through is removed by nobody.
        gone = {"person": each["grant__account__person_id"]} if each["left_on"] else {"grant": each["grant_id"]}
        asked = {"kind": Kind.REMOVAL.value, **gone}
        return [
            {"label": "Ask for its removal", "url": f"{reverse('web:request-new', args=[slug])}?{urlencode(asked)}"}
        ]
    if each["grant_id"] and scope.may(Action.KEEP_ACCOUNT, [each["grant__facility_id"]]):
        return [{"label": "It was certified", "url": reverse("web:certify", args=[slug, each["grant_id"]])}]
    if each["obligation_id"] and scope.may(Action.EDIT_FACILITY, [each["obligation__facility_id"]]):
        return [{"label": "It is done", "url": reverse("web:obligation-met", args=[slug, each["obligation_id"]])}]
    if each["facility_id"] and scope.may(Action.RECORD_REVIEW, [each["facility_id"]]):
        page = reverse("web:facility-reviewed", args=[slug, each["facility_id"]])
        return [{"label": "It was reviewed", "url": f"{page}?extent={each['subject_key'].rpartition('/')[2]}"}]
    if each["person_id"]:
        own = scope.user_id is not None and each["person__user_id"] == scope.user_id
        if own or each["person_id"] in reached:
            document = each["subject_key"].rpartition("/")[2]
            page = reverse("web:acknowledge", args=[slug, each["person_id"]])
            return [{"label": "It was acknowledged", "url": f"{page}?document={document}"}]
    return []
