"""One scene for each kind of request: the request, being carried out, and what is true once it is finished."""

from datetime import timedelta

from accounts.models import Certification, PortalAccount, ProfileCheck
from accounts.policy.requesting import Kind, State
from accounts.services.inventory import report_loss
from accounts.services.requests.deciding import decide
from systems.models import SystemRole
from tests.accounts.holding import held
from tests.conftest import NOON, TODAY
from tests.requests.asking import submitted

YESTERDAY = TODAY - timedelta(days=1)


def role(slug, system="iqies"):
    return SystemRole.objects.get(system__slug=system, slug=slug)


def viewer():
    return role("provider-assessment-viewer")


def running(cast, **given):
    """Return a request that is being carried out: submitted, and decided by Alice where that is needed."""
    request = submitted(cast, **given)
    if request.state == State.SUBMITTED:
        [request] = decide(scope=cast.scope("alice"), requests=[request], approve=True, at=NOON)
    return request


def asked(cast, **given):
    """Return a request for Henry that is being carried out."""
    return running(cast, person="henry", **given)


def iqies(cast):
    """Return the account on which Henry views assessments."""
    return held(cast, last_login=TODAY - timedelta(days=10), roles=[viewer()], person="henry")


def new_account(cast):
    """A new account is there and was never signed in to."""
    return (
        asked(cast),
        lambda: (
            PortalAccount.objects.open().get(person=cast.people["henry"], system__slug="iqies").login_state == "never"
        ),
    )


def additional_role(cast):
    """Two roles are held."""
    account = iqies(cast)
    asks = asked(cast, kind=Kind.ADDITIONAL_ROLE, role="provider-administrator", account=account)
    return asks, lambda: account.grants.known().filter(valid_to=None).count() == 2


def role_change(cast):
    """One role ended the day before, the other is held."""
    account = iqies(cast)
    old = account.grants.get()
    Certification.objects.create(
        organization=cast.riverside, grant=old, certified_on=YESTERDAY, recorded_at=NOON, recorded_by="x"
    )
    asks = asked(cast, kind=Kind.ROLE_CHANGE, role="provider-administrator", account=account, grant=old)
    return (
        asks,
        lambda: (
            account.grants.known().get(role=viewer()).valid_to == YESTERDAY
            and account.grants.known().get(valid_to=None).role.slug == "provider-administrator"
        ),
    )


def removal(cast):
    """The account went with its last role."""
    account = iqies(cast)
    asks = asked(cast, kind=Kind.REMOVAL, role="", account=account, grant=account.grants.get())
    return asks, lambda: PortalAccount.objects.get(pk=account.pk).status == "removed"


def reactivation(cast):
    """The role is held again from that day."""
    account = iqies(cast)
    report_loss(scope=cast.scope("carol"), account=account, loss="inactive", lost_on=YESTERDAY, at=NOON)
    asks = asked(cast, kind=Kind.REACTIVATION, role="", account=account)
    return asks, lambda: account.grants.known().get(valid_to=None).valid_from == TODAY


def unlock(cast):
    """The account works."""
    account = held(cast, "qies", last_login=YESTERDAY, person="henry")
    report_loss(scope=cast.scope("carol"), account=account, loss="locked", lost_on=YESTERDAY, at=NOON)
    asks = asked(cast, kind=Kind.UNLOCK, role="", account=account, system="qies", still_needed_reason="Old records.")
    return asks, lambda: PortalAccount.objects.get(pk=account.pk).status == "active"


def forgotten_id(cast):
    """The user ID stands where one signs in."""
    account = iqies(cast)
    asks = asked(cast, kind=Kind.FORGOTTEN_ID, role="", account=account)
    return asks, lambda: PortalAccount.objects.get(pk=account.identity_id).user_id == "HTEST01"


def contact_change(cast):
    """The profile was checked."""
    account = iqies(cast)
    asks = asked(cast, kind=Kind.CONTACT_CHANGE, role="", account=account)
    return asks, lambda: ProfileCheck.objects.known().get().account_id == account.identity_id


def proofing(cast):
    """Identity is proved."""
    account = iqies(cast)
    asks = asked(cast, kind=Kind.PROOFING, role="", system="harp")
    return asks, lambda: PortalAccount.objects.get(pk=account.identity_id).proofing == "done"


def certification(cast):
    """The role is certified."""
    account = held(cast, "idm", last_login=YESTERDAY, person="henry")
    grant = account.grants.get()
    asks = asked(cast, kind=Kind.CERTIFICATION, role="", account=account, grant=grant, system="idm")
    return asks, lambda: Certification.objects.known().get(grant=grant).certified_on == TODAY


SCENES = {
    Kind.NEW_ACCOUNT: new_account,
    Kind.ADDITIONAL_ROLE: additional_role,
    Kind.ROLE_CHANGE: role_change,
    Kind.REMOVAL: removal,
    Kind.REACTIVATION: reactivation,
    Kind.UNLOCK: unlock,
    Kind.FORGOTTEN_ID: forgotten_id,
    Kind.CONTACT_CHANGE: contact_change,
    Kind.PROOFING: proofing,
    Kind.CERTIFICATION: certification,
}
