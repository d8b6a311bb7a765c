"""What somebody looked at and found right: the profile on a system (R-43), the roles after a change of job (R-38)."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from accounts.errors import AccountRefused
from accounts.models import AccessLook, PortalAccount, ProfileCheck
from accounts.services.logins import is_own, places_of, record_act
from accounts.words import day as in_words
from audit.services import Ref, record
from facilities.access import Action, NotAllowed, Scope, authorize
from facilities.models import Facility
from facilities.services.rechecks import recheck
from staff.models import Employment, Person
from systems.policy import day_in, eastern_day, latest_day


def check_profile(*, scope: Scope, account: PortalAccount, checked_on: date, at: datetime) -> ProfileCheck:
    """Record that name, phone and e-mail on the system were found right on a day. The same day again changes nothing.

    Raises NotAllowed; AccountRefused for a day in the future or before the opening, for an account that is removed,
    and for one without a profile of its own (``elsewhere``: it is the one of the account it signs in through).
    """
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    if checked_on > latest_day(at):
        raise AccountRefused("A profile cannot have been checked in the future.", field="checked_on")
    day = eastern_day(checked_on, at)
    with transaction.atomic():
        mine = PortalAccount.objects.open().filter(pk=account.pk, organization=scope.organization)
        current = mine.select_for_update(of=("self",)).first()
        if current is None:
            raise AccountRefused("This account was removed; it has no profile any more.", code="removed")
        if current.identity_id is not None:
            message = "The profile belongs to the account it signs in through. Record it there."
            raise AccountRefused(message, code="elsewhere")
        if day < current.opened_on:
            message = f"The account was opened on {in_words(current.opened_on)}, after that day."
            raise AccountRefused(message, field="checked_on")
        known = ProfileCheck.objects.known().filter(account=current, checked_on=day).first()
        if known is not None:
            return known
        check = ProfileCheck.objects.create(
            organization=scope.organization,
            account=current,
            checked_on=day,
            recorded_at=at,
            recorded_by=scope.actor.label,
        )
        recheck(places_of(account))
        _record_profile(scope, account, "profile.checked", day, at)
    return check


def void_profile_check(*, scope: Scope, check: ProfileCheck, at: datetime) -> None:
    """Take back that a profile was checked. Safe to repeat. Raises NotAllowed."""
    account = check.account
    authorize(scope, Action.KEEP_ACCOUNT, places_of(account), own=is_own(scope, account))
    with transaction.atomic():
        known = ProfileCheck.objects.known().filter(pk=check.pk, organization=scope.organization)
        if not known.update(voided_at=at):
            return
        recheck(places_of(account))
        _record_profile(scope, account, "profile.check-voided", check.checked_on, at)


def _record_profile(scope: Scope, account: PortalAccount, action: str, day: date, at: datetime) -> None:
    record_act(scope=scope, account=account, action=action, at=at, payload={"checked_on": day.isoformat()})


def review_job_change(*, scope: Scope, person: Person, facility: Facility, at: datetime) -> AccessLook:
    """Record that somebody looked today at a person's roles at a facility, and that what is left is to stay.

    A second look on the same day changes nothing. Raises NotAllowed, also on one's own roles, and AccountRefused for
    a facility where the person does not work.
    """
    authorize(scope, Action.REVIEW_ACCESS, [facility.pk])
    if scope.user_id is not None and person.user_id == scope.user_id:
        raise NotAllowed("Somebody else has to look at your own roles.")
    day = day_in(at, facility.zone)
    works_there = Employment.objects.in_force(day).filter(
        organization=scope.organization, person=person, facility=facility
    )
    if not works_there.exists():
        raise AccountRefused(f"{person} does not work at {facility.name}.")
    looks = AccessLook.objects.filter(person=person, facility=facility, looked_on=day, voided_at=None)
    with transaction.atomic():
        known = looks.first()
        if known is not None:
            return known
        try:
            with transaction.atomic():
                look = looks.create(
                    organization=scope.organization,
                    person=person,
                    facility=facility,
                    looked_on=day,
                    recorded_at=at,
                    recorded_by=scope.actor.label,
                )
        except IntegrityError:  # told twice at the same moment
            return looks.get()
        recheck([facility.pk])
        record(
            chain=scope.organization.key,
            action="access.looked-at",
            actor=scope.actor,
            subject=Ref(person.key, str(person)),
            at=at,
            payload={"facility": facility.key, "looked_on": day.isoformat()},
        )
    return look
