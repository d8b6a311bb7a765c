"""Lines of a digest about what hangs on a role, a person or a facility instead of an account."""

from datetime import date
from typing import Any, Final

from django.db.models import BigIntegerField, Case, CharField, F, OuterRef, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from accounts import duty_sentences as words
from accounts.models import AccessReview, Acknowledgement, Deadline, Obligation, RequestStep, RoleGrant
from accounts.policy.requesting import KIND_WORDS, Kind
from reminders.addresses import link_to, link_to_request

COLUMNS: Final = (
    "grant_id",
    "grant__role__name",
    "grant__facility__name",
    "grant__valid_from",
    "grant__account__person__first_name",
    "grant__account__person__last_name",
    "person_id",
    "person__first_name",
    "person__last_name",
    "obligation_id",
    "obligation__kind",
    "obligation__title",
    "obligation__event_on",
    "obligation__facility__name",
    "facility_id",
    "facility__name",
    "subject_key",
    "basis_on",
    "request_step_id",
    "request_step__title",
    "request_step__actor",
    "request_step__takes",
    "request_step__request_id",
    "request_step__request__kind",
    "request_step__request__facility_id",
    "request_step__request__facility__name",
    "request_step__request__system__name",
    "request_step__request__beneficiary_person__first_name",
    "request_step__request__beneficiary_person__last_name",
)
DOCUMENTS: Final = {
    Acknowledgement.Document.RULES.value: "the rules of behavior",
    Acknowledgement.Document.ADDENDUM.value: "the addendum for privileged users",
}
REVIEWED: Final = {
    AccessReview.Extent.ACCOUNTS.value: "all accounts",
    AccessReview.Extent.PRIVILEGES.value: "all privileged roles",
}
WHAT_IS_OWED: Final = {
    Obligation.Kind.LTCMI.value: "every late MDS and LTCMI completed and accepted",
    Obligation.Kind.MFT_FILE.value: "the hospital-specific report in Managed File Transfer picked up",
}
MODELLED: Final = "A rule of your organization, modelled on the HHS rules of behavior."


def place_of(on: date) -> Coalesce:
    """Return the facility under which a deadline is counted: its own, else the account's first with a grant in force.

    What a person owes is counted under none.
    """
    grants = RoleGrant.objects.in_force(on).filter(account=OuterRef("deadline__account")).order_by("facility_id")
    own = (
        "deadline__grant__facility_id",
        "deadline__facility_id",
        "deadline__obligation__facility_id",
        "deadline__request_step__request__facility_id",
    )
    return Coalesce(Subquery(grants.values("facility_id")[:1]), *own, output_field=BigIntegerField())


def holder() -> Coalesce:
    """Return, for reminders, the person that a deadline is about, None for what a facility owes."""
    paths = ("deadline__account__person_id", "deadline__grant__account__person_id", "deadline__person_id")
    return Coalesce(*paths, turn_of(), output_field=BigIntegerField())


def turn_of(path: str = "deadline__") -> Case:
    """Return whose own step of a request a deadline is, None where somebody else carries it out."""
    step = f"{path}request_step__"
    removal = When(**{f"{step}request__kind": Kind.REMOVAL}, then=None)  # of her own access nobody carries out
    mine = When(**{f"{step}actor": RequestStep.Actor.HOLDER}, then=F(f"{step}request__beneficiary_person_id"))
    return Case(removal, mine, output_field=BigIntegerField())


def acknowledged(path: str = "deadline__") -> Subquery:
    """Return, for rows that reach their deadline by a path, when what it asks a person for was acknowledged last."""
    known = Acknowledgement.objects.filter(person=OuterRef(f"{path}person"), voided_at=None)
    same = known.annotate(key=Concat(Value("person:"), Cast("person_id", CharField()), Value("/"), F("document")))
    newest = same.filter(key=OuterRef(f"{path}subject_key")).order_by("-acknowledged_on")
    return Subquery(newest.values("acknowledged_on")[:1])


def said(
    row: dict[str, Any], on: date, *, own: bool, slug: str, left_on: date | None = None
) -> tuple[str, str, str, str]:
    """Return section, sentence, line below and address of a row of a digest.

    ``left_on``: the last day of whom it is about, where that has passed.
    """
    deadline = {name.removeprefix("deadline__"): value for name, value in row.items()}
    deadline |= {"grant__account__system__name": row["system"], "last_on": row["acknowledged"], "left_on": left_on}
    duty, kind = duty_of(deadline, on, own=own), deadline["kind"]
    where = url(slug, deadline, row["account"], row["place"])
    return "late" if duty.passed and not duty.takes else "due", sentence(kind, duty), detail(kind, duty), where


def duty_of(deadline: Any, on: date, *, own: bool) -> words.Duty:
    """Return the plain values of a deadline's row, whose columns are named as in `COLUMNS`."""
    value = deadline.get
    common: dict[str, Any] = {"due_on": value("due_on"), "on": on, "own": own, "cure": value("policy__cure_text") or ""}
    if value("grant_id"):
        granted, basis = value("grant__valid_from"), value("basis_on")
        return words.Duty(
            **common,
            about=value("grant__role__name"),
            person=_name(value("grant__account__person__first_name"), value("grant__account__person__last_name")),
            facility=value("grant__facility__name"),
            system=value("grant__account__system__name"),
            last_on=basis if basis != granted else None,
            since_on=granted,
            left_on=value("left_on"),
        )
    if value("person_id"):
        about = DOCUMENTS[value("subject_key").rpartition("/")[2]]
        name = _name(value("person__first_name"), value("person__last_name"))
        return words.Duty(**common, about=about, person=name, last_on=value("last_on"))
    if value("facility_id"):
        about = REVIEWED[value("subject_key").rpartition("/")[2]]
        return words.Duty(**common, about=about, facility=value("facility__name"), since_on=value("basis_on"))
    if value("request_step_id"):
        step, request = "request_step__", "request_step__request__"
        beneficiary = f"{request}beneficiary_person__"
        return words.Duty(
            **common,
            about=value(f"{step}title"),
            actor=value(f"{step}actor"),
            takes=value(f"{step}takes"),
            request=KIND_WORDS[value(f"{request}kind")],
            person=_name(value(f"{beneficiary}first_name"), value(f"{beneficiary}last_name")),
            facility=value(f"{request}facility__name"),
            system=value(f"{request}system__name"),
            since_on=value("basis_on"),
        )
    return words.Duty(
        **common,
        about=WHAT_IS_OWED.get(value("obligation__kind"), value("obligation__title")),
        facility=value("obligation__facility__name"),
        since_on=value("obligation__event_on"),
    )


def _name(first: str, last: str) -> str:
    return f"{first} {last}".strip()


def sentence(kind: str, duty: words.Duty) -> str:
    """Return what a row says."""
    if kind == Deadline.Kind.CERTIFICATION:
        return words.certification_due(duty)
    if kind == Deadline.Kind.TEMPORARY:
        return words.role_ends(duty)
    if kind == Deadline.Kind.ACKNOWLEDGEMENT:
        return words.acknowledgement_due(duty)
    if kind == Deadline.Kind.REVIEW:
        return words.review_due(duty)
    if duty.request:
        return words.step_due(duty)
    return words.obligation_due(duty)


def detail(kind: str, duty: words.Duty) -> str:
    """Return the line under a row."""
    if kind == Deadline.Kind.CERTIFICATION:
        return words.after_certification(duty)
    if kind == Deadline.Kind.TEMPORARY:
        return words.after_role_ends(duty)
    if kind == Deadline.Kind.ACKNOWLEDGEMENT:
        return MODELLED
    if kind == Deadline.Kind.REVIEW:
        return words.after_review(duty)
    if duty.request:
        return words.after_step(duty)
    return words.after_obligation(duty)


def url(slug: str, deadline: Any, account: int | None, place: int | None) -> str:
    """Return the page on which something can be done about it."""
    if account:
        return link_to("web:account", slug, account)
    if deadline.get("person_id"):
        return link_to("web:person", slug, deadline.get("person_id"))
    if deadline.get("request_step_id"):
        return link_to_request(slug, deadline.get("request_step__request_id"), place or 0)
    return link_to("web:facility", slug, place or 0)
