"""What a system demands of an account, and who helps: the catalogue's words beside one account."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Exists, OuterRef, Q

from accounts.models import AccessRequest, Deadline, PortalAccount, RoleGrant
from accounts.policy.advising import advice_is_near
from accounts.policy.business_days import is_federal_holiday
from accounts.policy.requesting import State
from accounts.selectors import systems_in_use
from accounts.words import count_noun, listed, zone_short
from systems.models import Contact, ContactPoint, Policy, System
from systems.paths import closed
from systems.provider_types import kind_of
from systems.selectors import clock_policies, stream_paths
from web.dossiers import limit_of, source_of
from web.guides.limits import today_of

_ADVICE = "advice"
_KINDS = {
    Deadline.Kind.INACTIVITY: "Logins",
    Deadline.Kind.DELETION: "Deletion",
    Deadline.Kind.PASSWORD: "Password",
}


def demands(account: PortalAccount, deadlines: Sequence[Deadline], on: date) -> list[dict[str, Any]]:
    """Return per kind what the system tolerates, what follows, the way back and the source, then advice. One query."""
    policies = list(
        clock_policies().filter(system=account.system, kind__in=[*_KINDS, _ADVICE]).select_related("source")
    )
    binding = {deadline.kind: deadline.policy_id for deadline in deadlines}
    found = []
    for kind, title in _KINDS.items():
        chain = [policy for policy in policies if policy.kind == kind]
        policy = next((each for each in chain if each.pk == binding.get(kind)), None) or today_of(policies, kind, on)
        if policy is None:
            continue
        found.append(_demand(policy, title, limit_of(policy, account.system.name)))
    quiet = any(deadline.muted for deadline in deadlines)
    return found + [_advice(account, policy, on, quiet=quiet) for policy in policies if policy.kind == _ADVICE]


def _demand(policy: Policy, title: str, limit: str) -> dict[str, Any]:
    return {
        "title": title,
        "limit": limit,
        "consequence": policy.consequence_text,
        "cure": policy.cure_text,
        "source": source_of(policy),
    }


def _advice(account: PortalAccount, policy: Policy, on: date, *, quiet: bool) -> dict[str, Any]:
    """Return what is advised; ``now`` tells how many days have passed once the day is near, unless nobody is to act."""
    often = f"at least every {count_noun(policy.limit_days or 0, 'day,days')}"
    demand = _demand(policy, "Advice", f"Sign in {often}.") | {"cure": "", "consequence": policy.cure_text}
    last_on = account.last_login_on or account.opened_on
    running = account.status == PortalAccount.Status.ACTIVE and account.login_state != PortalAccount.LoginState.UNKNOWN
    if running and not quiet and advice_is_near(last_on, policy.limit_days or 0, on):
        days = count_noun((on - last_on).days, "day,days")
        demand["now"] = f"{days} have passed since the last login."
    return demand


@dataclass(frozen=True, slots=True)
class Desk:
    """A help desk with its ways of contact, each with its address for a tap, and whether somebody is there now."""

    contact: Contact
    points: list[tuple[ContactPoint, str]]
    hours: str


def help_desks(system: System, at: datetime) -> list[Desk]:
    """Return the help desks of a system. Two queries."""
    desks = Contact.objects.current().filter(systems=system).prefetch_related("points").order_by("position", "key")
    return [
        Desk(
            contact,
            [(point, url_of(point)) for point in contact.points.all() if point.current and not point.withdrawn],
            hours(contact, at),
        )
        for contact in desks
    ]


def url_of(point: ContactPoint) -> str:
    """Return the address that calls a number or writes a mail; nothing for other ways of contact."""
    if point.kind == ContactPoint.Kind.PHONE:
        return "tel:" + "".join(sign for sign in point.value if sign.isdigit() or sign == "+")
    return f"mailto:{point.value}" if point.kind == ContactPoint.Kind.EMAIL else ""


def hours(contact: Contact, at: datetime) -> str:
    """Return ``Open now, until 20:00 ET.``, or when it opens; nothing where no source prints the hours."""
    if not contact.weekdays or contact.opens is None or contact.closes is None:
        return ""
    local = at.astimezone(ZoneInfo(contact.zone))
    zone = zone_short(contact.zone)
    span = f"{contact.opens:%H:%M} to {contact.closes:%H:%M} {zone}"
    works_today = str(local.isoweekday()) in contact.weekdays
    if works_today and is_federal_holiday(local.date()):
        return f"A federal holiday today: may be closed. Else {span}."
    if works_today and contact.opens <= local.time() < contact.closes:
        return f"Open now, until {contact.closes:%H:%M} {zone}."
    if works_today and local.time() < contact.opens:
        return f"Closed now; opens today at {contact.opens:%H:%M} {zone}."
    days = "on weekdays" if contact.weekdays == "12345" else _days(contact.weekdays)
    return f"Closed now. Open {days}, {span}."


def _days(weekdays: str) -> str:
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return "on " + listed([names[int(number) - 1] for number in weekdays])


def moved_away(account: PortalAccount, grants: Sequence[RoleGrant], on: date) -> str:
    """Return a sentence when every stream known to have run over this system has ended for all its facilities.

    Only a hint: nobody published when the system itself ends, and what a facility really uses is not recorded yet. Who
    said that it is still needed at one of them, of the facility or in a request, is not asked again.
    """
    places = {grant.facility.pk: grant.facility for grant in grants}
    if not places:
        return ""
    paths = [path for path in stream_paths() if path.system == account.system.slug]
    for place in places.values():
        kind = kind_of(place.provider_type, licensed_only=place.licensed_only)
        if not closed([path for path in paths if path.provider_type == kind], on):
            return ""
    if _still_needed(account, places):
        return ""
    names = listed([place.name for place in places.values()])
    return (
        f"Every data stream that we know to have run over {account.system.name} for {names} has moved elsewhere."
        " If nobody there uses it any more, have the account removed."
    )


def _still_needed(account: PortalAccount, places: Collection[int]) -> bool:
    """Return whether somebody said that the system is still needed at one of the places. Two queries at most.

    What was asked for so and is done counts while the access that came of it is there.
    """
    if any(account.system.slug in systems for systems in systems_in_use(places).values()):
        return True
    asked = AccessRequest.objects.filter(
        beneficiary_person=account.person_id, system=account.system_id, facility__in=places
    )
    here = RoleGrant.objects.to_end().filter(account=account, facility=OuterRef("facility"))
    opened = here.filter(pk=OuterRef("opened_grant"))
    stood = here.filter(recorded_at__lte=OuterRef("closed_at"))  # it opened none: the account works again
    stays = Exists(opened) | (Q(opened_grant=None) & Exists(stood))
    stands = Q(state__in=[State.SUBMITTED, State.APPROVED, State.IN_PROGRESS]) | (Q(state=State.DONE) & stays)
    return asked.filter(stands).exclude(still_needed_reason="").exists()
