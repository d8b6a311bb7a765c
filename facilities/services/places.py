"""Registering and correcting facilities. The directory's doubts stop a form until a person overrules them."""

from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import F

from audit.services import Ref, record
from facilities.access import Action, Scope, authorize
from facilities.checks import FacilityCheck, check_facility
from facilities.errors import FacilitiesError
from facilities.models import Facility
from facilities.services.rechecks import recheck
from facilities.zones import zone_of


class FacilityRefused(FacilitiesError):
    """The facility cannot be stored; ``check`` carries what the directory says, if it was asked."""

    def __init__(self, message: str, *, field: str = "", code: str = "", check: FacilityCheck | None = None) -> None:
        super().__init__(message, field=field, code=code)
        self.check = check


@dataclass(frozen=True, slots=True)
class FacilityFacts:
    """What a person typed about a facility."""

    ccn: str
    state: str
    zip_code: str
    name: str = ""
    licensed_only: bool = False
    address: str = ""
    city: str = ""


def register_facility(*, scope: Scope, facts: FacilityFacts, override_reason: str = "", at: datetime) -> Facility:
    """Store a facility after the directory check; doubts need ``override_reason``.

    Raises NotAllowed, and FacilityRefused with the check's problems when the number cannot be used, when doubts
    are not overruled, or when this organization has the CCN already.
    """
    authorize(scope, Action.REGISTER_FACILITY)
    check = check_facility(ccn="N/A" if facts.licensed_only else facts.ccn, state=facts.state, zip_code=facts.zip_code)
    _refuse_problems(check, override_reason.strip())
    name = facts.name.strip() or (check.name or "")
    if not name:
        raise FacilityRefused("The directory does not know a name for it; please type one.", field="name", check=check)
    state, zip_code = check.state, check.zip_code
    try:
        with transaction.atomic():
            facility = Facility.objects.create(
                organization=scope.organization,
                name=name,
                ccn=check.normalized_ccn,
                extension=check.extension or "",
                licensed_only=check.normalized_ccn is None,
                provider_type=check.provider_type or "",
                address=facts.address.strip(),
                city=facts.city.strip(),
                state=state,
                zip_code=zip_code,
                zone=zone_of(state, zip_code),
                override_reason=override_reason.strip() if check.problems else "",
            )
            recheck([facility.pk])
            record(
                chain=scope.organization.key,
                action="facility.registered",
                actor=scope.actor,
                subject=Ref(facility.key, facility.label),
                at=at,
                reason=facility.override_reason,
                payload={
                    "ccn": facility.ccn,
                    "state": state,
                    "zip": zip_code,
                    "problems": [problem.code for problem in check.problems],
                },
            )
    except IntegrityError as exc:
        if "facilities_one_per_ccn" in str(exc) or "ccn" in str(exc):
            raise FacilityRefused(
                f"{check.normalized_ccn} is already registered in your organization.", field="ccn", check=check
            ) from exc
        raise
    return facility


def _refuse_problems(check: FacilityCheck, override_reason: str) -> None:
    problems = [problem for problem in check.problems if problem.code != "licensed_only"]
    unusable = problems and (
        (check.normalized_ccn is None and len(problems) == len(check.problems)) or not check.state or not check.zip_code
    )
    if unusable:
        raise FacilityRefused(problems[0].message, field=problems[0].field, code=problems[0].code, check=check)
    if problems and not override_reason:
        raise FacilityRefused(problems[0].message, field=problems[0].field, code=problems[0].code, check=check)


def correct_facility(
    *, scope: Scope, facility: Facility, version: int, name: str, address: str, city: str, zone: str, at: datetime
) -> Facility:
    """Change what people may correct (never CCN or state). Raises NotAllowed, FacilityRefused on a stale save."""
    authorize(scope, Action.EDIT_FACILITY, [facility.pk])
    new = {"name": name.strip(), "address": address.strip(), "city": city.strip(), "zone": zone}
    before = {key: getattr(facility, key) for key in new}
    changed = {key: value for key, value in new.items() if before[key] != value}
    if not changed:
        return facility
    with transaction.atomic():
        same = Facility.objects.filter(pk=facility.pk, organization=scope.organization, version=version)
        if not same.update(**changed, version=F("version") + 1):
            raise FacilityRefused(
                "Somebody else saved this facility meanwhile. Look at both and save again.", code="stale"
            )
        recheck([facility.pk])
        record(
            chain=scope.organization.key,
            action="facility.corrected",
            actor=scope.actor,
            subject=Ref(facility.key, facility.label),
            at=at,
            payload={"before": {key: before[key] for key in changed}, "after": changed},
        )
    facility.refresh_from_db()
    return facility
