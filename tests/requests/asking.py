"""Requests for tests, through the services only."""

from datetime import datetime

from accounts.models import AccessRequest, PortalAccount
from accounts.services.requests.cms_side import Said, day_field_of, open_on_cms_side, outcome_field
from accounts.services.requests.drafting import Ask, draft
from accounts.services.requests.submitting import submit
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY, Cast


def ask(cast: Cast, *, person: str = "henry", role: str = "provider-assessment-viewer", **given: object) -> Ask:
    """Return what somebody asks for: by default an iQIES account for Henry at Oak House."""
    system = System.objects.get(slug=given.pop("system", "iqies"))
    values = {
        "kind": "new-account",
        "system": system,
        "facility": cast.oak,
        "beneficiary": cast.people[person],
        "role": SystemRole.objects.get(system=system, slug=role) if role else None,
        "reason": "She takes over the assessments.",
    }
    return Ask(**(values | given))


def drafted(cast: Cast, by: str = "carol", at: datetime = NOON, **given: object) -> AccessRequest:
    """Return a draft, by default Carol's for Henry."""
    return draft(scope=cast.scope(by), asks=[ask(cast, **given)], at=at)[0]


def with_harp(cast: Cast, person: str) -> PortalAccount:
    """Return the person's HARP account, ready for roles elsewhere."""
    known = PortalAccount.objects.filter(person=cast.people[person], system__slug="harp").first()
    return known or factories.AccountFactory(
        organization=cast.riverside,
        person=cast.people[person],
        system=System.objects.get(slug="harp"),
        proofing="done",
        second_factor="app",
    )


def submitted(cast: Cast, by: str = "carol", at: datetime = NOON, **given: object) -> AccessRequest:
    """Return a submitted request, by default Carol's for Henry."""
    with_harp(cast, str(given.get("person", "henry")))
    return submit(scope=cast.scope(by), requests=[drafted(cast, by, at, **given)], at=at)[0]


def cms_did(request: AccessRequest) -> dict[int, Said]:
    """Return that CMS's side did today whatever was left to it."""
    return {step.pk: Said("done", TODAY) for step in open_on_cms_side(request)}


def cms_did_typed(request: AccessRequest) -> dict[str, str]:
    """Return the same as a page sends it."""
    typed = {}
    for step in open_on_cms_side(request):
        typed |= {outcome_field(step): "done", day_field_of(step): TODAY.isoformat()}
    return typed
