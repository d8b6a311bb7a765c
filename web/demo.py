"""A small organization of visibly made-up people, so that a first start shows every state a page can have."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.db import transaction

from accounts.models import PortalAccount
from accounts.services.inventory import AccountFacts, add_accounts
from accounts.services.logins import record_login
from audit.services import Ref
from facilities.access import Scope
from facilities.models import Facility, Membership, Organization
from facilities.models.tenancy import Role
from facilities.services.organizations import create_organization, start_reminders
from facilities.services.places import FacilityFacts, register_facility
from staff.models import Person
from staff.services.people import PersonFacts, add_person, end_employment
from systems.models import System, SystemRole
from systems.policy import EASTERN, day_in
from users.models import User

SLUG = "demo"
PASSWORD = "portalkeeper-demo"  # noqa: S105  # nosec B105  (embedded settings on loopback only)
REASON = "Demonstration: this facility does not exist."


@dataclass(frozen=True, slots=True)
class Holding:
    """One demo account: days since the last login, or never or unknown; days since it was opened."""

    system: str
    roles: tuple[str, ...]
    last_login: int | str
    opened: int = 700
    user_id: str = ""
    password_changed: int | None = None


_OAK = FacilityFacts(ccn="015980", state="AL", zip_code="35203", name="Oak Sample Nursing Center", city="Birmingham")
_PALM = FacilityFacts(ccn="121598", state="HI", zip_code="96813", name="Palm Sample Hospice", city="Honolulu")
_SUBMITTER, _OFFICIAL = ("assessment-submitter",), ("provider-security-official",)
_SINGLE = ("individual-user",)

# first name, last name, job, facility, sign-in role of ours, holdings
_PEOPLE: tuple[tuple[str, str, str, FacilityFacts, str, tuple[Holding, ...]], ...] = (
    (
        "Carol",
        "Sample",
        "MDS coordinator",
        _OAK,
        Role.COORDINATOR,
        (
            Holding("harp", _SINGLE, "unknown", user_id="CSAMPLE"),
            Holding("iqies", ("provider-assessment-coordinator",), 57),
            Holding("qies", _SINGLE, 41, user_id="CSAMPL01", password_changed=52),
            Holding("casper", _SINGLE, 66),
        ),
    ),
    (
        "Ana",
        "Example",
        "Administrator",
        _OAK,
        Role.ADMINISTRATOR,
        (
            Holding("harp", _SINGLE, 12, user_id="AEXAMPLE"),
            Holding("iqies", _OFFICIAL, 38),
            Holding("idm", _SINGLE, 55, user_id="ana.example"),
        ),
    ),
    (
        "Henry",
        "Placeholder",
        "Staffing clerk",
        _OAK,
        Role.HOLDER,
        (Holding("iqies", ("pbj-submitter-provider",), "never", opened=49, user_id="HPLACEHOLDER"),),
    ),
    ("Olive", "Specimen", "Director of nursing", _OAK, "", (Holding("iqies", _SUBMITTER, "unknown"),)),
    ("Tom", "Template", "Former biller", _OAK, "", (Holding("iqies", _SUBMITTER, 20), Holding("idm", _SINGLE, 75))),
    (
        "Kai",
        "Dummy",
        "Hospice quality nurse",
        _PALM,
        Role.COORDINATOR,
        (Holding("iqies", _SUBMITTER, 59, user_id="KDUMMY"), Holding("cmsnet", _SINGLE, 85, user_id="KD0001")),
    ),
    ("Noa", "Fiction", "Hospice administrator", _PALM, "", (Holding("iqies", _OFFICIAL, 8, user_id="NFICTION"),)),
    ("Audrey", "Auditsample", "Compliance auditor", _PALM, Role.AUDITOR, ()),
)


def seed_demo(*, at: datetime) -> Organization:
    """Make the demo organization with members, people, accounts and a started ledger, in one transaction."""
    actor = Ref("command:seed_demo", "manage.py seed_demo")
    with transaction.atomic():
        organization, _invitation, _created = create_organization(
            slug=SLUG,
            name="Demo Care Group",
            zone="America/New_York",
            admin_email=_email("Ana", "Example"),
            actor=actor,
            at=at,
            is_demo=True,
        )
        organization.invitations.update(revoked_at=at)
        scope = Scope.of_command(organization, "seed_demo")
        places = {
            facts.ccn: register_facility(scope=scope, facts=facts, override_reason=REASON, at=at)
            for facts in (_OAK, _PALM)
        }
        for first, last, job, place, role, holdings in _PEOPLE:
            _add(scope, places[place.ccn], first, last, job, role, holdings, at)
        _tell_the_rest(scope, places[_OAK.ccn], at)
        start_reminders(organization=organization, actor=actor, at=at)
    return organization


def _add(
    scope: Scope,
    facility: Facility,
    first: str,
    last: str,
    job: str,
    role: str,
    holdings: tuple[Holding, ...],
    at: datetime,
) -> None:
    today = day_in(at, EASTERN)
    person = add_person(
        scope=scope,
        facility=facility,
        facts=PersonFacts(first, last, _email(first, last)),
        job_title=job,
        starts_on=today - timedelta(days=900),
        at=at,
    )
    accounts = [_facts(holding, today) for holding in holdings]
    if accounts:
        add_accounts(scope=scope, person=person, facility=facility, accounts=accounts, at=at)
    if role:
        _sign_in(scope.organization, None if role in {Role.ADMINISTRATOR, Role.AUDITOR} else facility, person, role, at)


def _facts(holding: Holding, today: date) -> AccountFacts:
    def ago(days: int | None) -> date | None:
        return None if days is None else today - timedelta(days=days)

    system = System.objects.get(slug=holding.system)
    last = holding.last_login
    return AccountFacts(
        system=system,
        roles=list(SystemRole.objects.filter(system=system, slug__in=holding.roles)),
        opened_on=today - timedelta(days=holding.opened),
        last_login=last if isinstance(last, str) else today - timedelta(days=last),
        user_id=holding.user_id,
        password_changed_on=ago(holding.password_changed),
    )


def _sign_in(organization: Organization, facility: Facility | None, person: Person, role: str, at: datetime) -> None:
    """Give the person a demo user with a second factor and the membership."""
    user = User.objects.create_user(person.email, PASSWORD, name=str(person), is_demo=True)
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    TOTP.activate(user, generate_totp_secret())
    Membership.objects.create(user=user, organization=organization, facility=facility, role=role)
    Person.objects.filter(pk=person.pk).update(user=user, user_confirmed_at=at)


def _tell_the_rest(scope: Scope, oak: Facility, at: datetime) -> None:
    """Two stories that services must tell: a login after the last safe day, and somebody who left."""
    today = day_in(at, EASTERN)
    people = Person.objects.filter(organization=scope.organization)
    late = PortalAccount.objects.get(person=people.get(last_name="Sample"), system__slug="casper")
    record_login(scope=scope, account=late, happened_on=today, at=at)
    tom = people.get(last_name="Template")
    end_employment(scope=scope, employment=tom.employments.known().get(), last_day_on=today - timedelta(days=6), at=at)


def _email(first: str, last: str) -> str:
    return f"{first}.{last}@demo.example".lower()
