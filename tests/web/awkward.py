"""An organization with all that makes a count and a list differ: what ended, left, was voided, removed or closed."""

from datetime import timedelta

from accounts.models import PortalAccount, RoleGrant
from accounts.services.figures import keep_figures
from accounts.services.requests.deciding import decide
from accounts.services.requests.drafting import Ask, draft
from accounts.services.requests.guards import guards_of
from accounts.services.requests.submitting import submit
from accounts.services.rules.sweep import check_rules
from facilities.access import Scope
from facilities.models import Facility, Organization
from facilities.models.tenancy import Role
from imports.models import Import
from imports.opening import Held
from imports.uploads import keep_upload
from reminders.services.tick import run_tick
from staff.models import Employment, Person
from staff.roster.keeping import kept_form
from staff.roster.reading import Roster, look_over
from systems.models import System, SystemRole
from tests import factories
from tests.conftest import NOON, TODAY
from web.scale import Population, seed_scale

SLUG = "scale-1-001"
_YESTERDAY, _LAST_MONTH = TODAY - timedelta(days=1), TODAY - timedelta(days=30)


def awkward():
    """Return its members by what they may read: all of it, two facilities, nothing but their own."""
    seed_scale(population=Population(facilities=4, accounts=170, on=TODAY, organizations=1, due_share=0.5))
    organization = Organization.objects.get(slug=SLUG)
    places = list(Facility.objects.filter(organization=organization).order_by("pk"))
    _name(organization, places)
    _spoil(organization, places)
    members = _members(organization, places)
    _lose_unknown(organization)
    _ask(organization, members["all"])
    _upload(organization, members["all"])
    run_tick(at=NOON)
    check_rules(at=NOON, since=None, full=True)
    keep_figures(at=NOON)
    return members


def _name(organization, places):
    """Let no name have a number in it, and no two people the same."""
    Organization.objects.filter(pk=organization.pk).update(name="Sample Care Group")
    for place, name in zip(places, ("Oak House", "Elm House", "Ash House", "Yew House"), strict=True):
        Facility.objects.filter(pk=place.pk).update(name=name)
    for number, person in enumerate(Person.objects.filter(organization=organization).order_by("pk")):
        last = f"{chr(ord('A') + number // 26)}{chr(ord('a') + number % 26)}{person.last_name.lower()}"
        Person.objects.filter(pk=person.pk).update(last_name=last)


def _spoil(organization, places):
    """Let every second account be awkward in one of seven ways, and the last facility be closed."""
    accounts = PortalAccount.objects.filter(organization=organization)
    for number, account in enumerate(accounts.filter(status="active").order_by("pk")):
        grants = RoleGrant.objects.filter(account=account)
        match number % 14:
            case 0:  # its roles have ended, the account goes on
                grants.update(valid_to=_LAST_MONTH, valid_from=_LAST_MONTH - timedelta(days=100))
            case 2:  # moved: the role here has ended, there is another one
                grants.update(valid_to=_LAST_MONTH, valid_from=_LAST_MONTH - timedelta(days=100))
                there = places[(number + 1) % 3]
                if not grants.filter(facility=there, valid_to=None).exists():
                    role = grants.first().role
                    factories.GrantFactory(account=account, facility=there, role=role)
            case 4:  # typed by mistake
                grants.update(voided_at=NOON)
            case 6:  # begins next week
                grants.update(valid_from=TODAY + timedelta(days=7))
            case 8:
                accounts.filter(pk=account.pk).update(status="removed", removed_on=_YESTERDAY)
            case 10:
                accounts.filter(pk=account.pk).update(status="lost", loss="disabled", lost_at=NOON)
                grants.update(valid_to=_YESTERDAY, valid_from=_LAST_MONTH)
            case 12:
                Employment.objects.filter(person=account.person).update(valid_to=_YESTERDAY)
    Facility.objects.filter(pk=places[-1].pk).update(closed_on=_YESTERDAY)


def _lose_unknown(organization):
    """Let an account be lost whose login nobody knows, beside one that works, with its role as it was."""
    grants = RoleGrant.objects.in_force(TODAY).filter(organization=organization, account__status="active")
    beside = grants.filter(account__login_state="unknown", facility__closed_on=None).order_by("pk").first()
    lost = factories.AccountFactory(
        organization=organization, person=factories.PersonFactory(organization=organization, last_name="Lostlogin"),
        system=beside.account.system, login_state="unknown", status="lost", loss="disabled", lost_at=NOON,
    )  # fmt: skip
    factories.GrantFactory(account=lost, facility=beside.facility, role=beside.role)


def _members(organization, places):
    reach = {"all": [None], "two": places[:2]}
    members = {}
    for name, facilities in reach.items():
        members[name] = factories.UserFactory(email=f"{name}@example.org", name=f"{name.title()} Reader")
        for facility in facilities:
            role = Role.COORDINATOR if facility else Role.ADMINISTRATOR
            factories.MembershipFactory(user=members[name], organization=organization, facility=facility, role=role)
        _person(organization, members[name])
    holder = Person.objects.filter(organization=organization, user=None, accounts__isnull=False).order_by("pk").first()
    members["holder"] = factories.UserFactory(email=holder.email, name=str(holder))
    Person.objects.filter(pk=holder.pk).update(user=members["holder"], user_confirmed_at=NOON)
    factories.MembershipFactory(user=members["holder"], organization=organization, role=Role.HOLDER)
    return members


def _person(organization, user):
    factories.PersonFactory(organization=organization, email=user.email, user=user, user_confirmed_at=NOON)
    return user


def _ask(organization, user):
    """Ask for more than a page of roles: some were decided, some wait, some are drafts."""
    scope = Scope.of(user, organization)
    system = System.objects.get(slug="iqies")
    role = SystemRole.objects.get(system=system, slug="provider-assessment-viewer")
    place = Facility.objects.filter(organization=organization).order_by("pk").first()
    without = Person.objects.filter(organization=organization).exclude(accounts__system=system).exclude(user=user)
    asks = [Ask("new-account", system, place, person, role, reason="Helps out.") for person in without.order_by("pk")]
    made = draft(scope=scope, asks=asks, at=NOON)
    guards = guards_of(made, NOON)
    sent = [each for each in made if not any(guard.blocks for guard in guards[each.pk])]  # the others stay drafts
    submitted = submit(scope=scope, requests=sent, at=NOON)
    other = _person(organization, factories.UserFactory(email="decides@example.org"))
    factories.MembershipFactory(user=other, organization=organization, role=Role.ADMINISTRATOR)
    decide(scope=Scope.of(other, organization), requests=submitted[:3], approve=True, reason="Agreed.", at=NOON)


def _upload(organization, user):
    """Let a list of people wait to be looked at."""
    lines = "".join(f"Ada,{chr(ord('A') + number)}listed,015000\n" for number in range(26))
    roster = look_over(Roster, Held("roster.csv", f"First name,Last name,CCN\n{lines}".encode()))
    kept = {"file_name": roster.file, "sha256": roster.sha256, "content": kept_form(roster)}
    keep_upload(scope=Scope.of(user, organization), kind=Import.Kind.STAFF, at=NOON, **kept)
