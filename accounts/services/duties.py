"""House rules that count from the day an organization switches them on, and acknowledgements of documents."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from accounts.errors import AccountRefused
from accounts.models import Acknowledgement, Deadline, Finding, HouseRule, RoleGrant
from accounts.services.further_clocks import follow_duties, recompute_acknowledgements
from accounts.services.logins import EARLIEST
from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.models import Facility, Organization
from facilities.services.rechecks import recheck
from staff.models import Employment, Person
from systems.policy import EASTERN, day_in, eastern_day, latest_day


def switch_rule(*, scope: Scope, rule: str, on: bool, at: datetime) -> HouseRule | None:
    """Switch a rule of the organization on from today, or off. Safe to repeat: an earlier start stays.

    Returns the rule in force. Raises NotAllowed, and AccountRefused for a rule that cannot be switched.
    """
    authorize(scope, Action.SWITCH_RULES)
    if rule not in HouseRule.Rule.values:
        raise AccountRefused("This rule cannot be switched.", field="rule")
    known = HouseRule.objects.filter(organization=scope.organization, rule=rule, voided_at=None)
    with transaction.atomic():
        # Two clicks come one after the other.
        Organization.objects.select_for_update(no_key=True).get(pk=scope.organization.pk)
        current = known.first()
        if on == (current is not None):
            return current
        if current is not None:
            known.update(voided_at=at)
        else:
            current = HouseRule.objects.create(
                organization=scope.organization,
                rule=rule,
                enabled_on=day_in(at, EASTERN),
                recorded_at=at,
                recorded_by=scope.actor.label,
            )
        follow_duties(at=at, organization=scope.organization.pk)
        recheck(Facility.objects.filter(organization=scope.organization).values_list("pk", flat=True))
        record(
            chain=scope.organization.key,
            action="rule.switched-on" if on else "rule.switched-off",
            actor=scope.actor,
            subject=Ref(f"house-rule:{rule}", HouseRule.Rule(rule).label),
            at=at,
        )
    return current if on else None


def record_acknowledgement(
    *, scope: Scope, person: Person, document: str, acknowledged_on: date, version: str = "", at: datetime
) -> Acknowledgement:
    """Record that somebody acknowledged a document. The same day again changes nothing.

    Raises NotAllowed, and AccountRefused for an unknown document, a day in the future or before
    2000, and another version for a day that is recorded already.
    """
    own = scope.user_id is not None and person.user_id == scope.user_id
    authorize(scope, Action.KEEP_ACCOUNT, workplaces(person, at), own=own)
    if document not in Acknowledgement.Document.values:
        raise AccountRefused("Say what was acknowledged.", field="document")
    if acknowledged_on > latest_day(at):
        raise AccountRefused("It cannot have been acknowledged in the future.", field="acknowledged_on")
    if acknowledged_on < EARLIEST:
        raise AccountRefused("That day is before any of these systems existed.", field="acknowledged_on")
    day = eastern_day(acknowledged_on, at)
    same = Acknowledgement.objects.filter(
        organization=scope.organization, person=person, document=document, acknowledged_on=day, voided_at=None
    )
    with transaction.atomic():
        known = same.first()
        if known is not None:
            _check_same(known, version.strip())
            return known
        try:
            with transaction.atomic():
                made = same.create(
                    organization=scope.organization,
                    person=person,
                    document=document,
                    version=version.strip(),
                    acknowledged_on=day,
                    recorded_at=at,
                    recorded_by=scope.actor.label,
                )
        except IntegrityError:  # told twice at the same moment
            return same.get()
        _follow(made, at)
        _record(scope, made, "document.acknowledged", at)
    return made


def void_acknowledgement(*, scope: Scope, acknowledgement: Acknowledgement, reason: str, at: datetime) -> None:
    """Take an acknowledgement back that was recorded by mistake; the row stays, with the reason. Safe to repeat.

    The one before it counts again, or none. Raises NotAllowed, and AccountRefused without a reason.
    """
    person = acknowledgement.person
    own = scope.user_id is not None and person.user_id == scope.user_id
    authorize(scope, Action.KEEP_ACCOUNT, workplaces(person, at), own=own)
    reason = reason.strip()
    if not reason:
        raise AccountRefused("Say why it is taken back.", field="reason")
    with transaction.atomic():
        known = Acknowledgement.objects.known().filter(pk=acknowledgement.pk, organization=scope.organization)
        if known.update(voided_at=at, void_reason=reason):
            _follow(acknowledgement, at)
            _record(scope, acknowledgement, "document.acknowledgement-voided", at, reason)


def _check_same(known: Acknowledgement, version: str) -> None:
    """Refuse to pass over in silence another version than the one that is recorded for that day."""
    if version and version != known.version:
        stands = f"with version “{known.version}”" if known.version else "without a version"
        message = f"That day is recorded already, {stands}. Take that back first if it is wrong."
        raise AccountRefused(message, field="version", code="recorded")


def workplaces(person: Person, at: datetime) -> list[int]:
    """Return the keys of facilities where somebody works or is to begin: those who act there act for the person.

    Of whoever works at none, only the organization's members may tell anything.
    """
    known = Employment.objects.known().filter(person=person).going_on(day_in(at, EASTERN))
    return list(known.values_list("facility_id", flat=True))


def _follow(told: Acknowledgement, at: datetime) -> None:
    recompute_acknowledgements(people=[told.person_id], at=at)
    ahead = Deadline.objects.filter(person=told.person_id, due_on__gte=day_in(at, EASTERN))
    Finding.objects.open().filter(kind=Finding.Kind.LAPSE, deadline__in=ahead).update(closed_at=at)
    holds = RoleGrant.objects.known().filter(account__person=told.person_id).values_list("facility_id", flat=True)
    worked = Employment.objects.known().filter(person=told.person_id).values_list("facility_id", flat=True)
    recheck({*worked, *holds})


def _record(scope: Scope, told: Acknowledgement, action: str, at: datetime, reason: str = "") -> None:
    record(
        chain=scope.organization.key,
        action=action,
        actor=scope.actor,
        subject=Ref(told.person.key, str(told.person)),
        at=at,
        reason=reason,
        payload={
            "document": told.document,
            "version": told.version,
            "acknowledged_on": told.acknowledged_on.isoformat(),
        },
    )
