"""What a system demands of an account, and who helps: the catalogue's words beside one account."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Deadline, PortalAccount, RoleGrant
from accounts.words import listed
from systems.models import Contact, Policy, System
from systems.paths import closed
from systems.policy import in_force
from systems.provider_types import kind_of
from systems.selectors import clock_policies, stream_paths, version_of
from web.dossiers import limit_of, source_of

_KINDS = {
    Deadline.Kind.INACTIVITY: "Logins",
    Deadline.Kind.DELETION: "Deletion",
    Deadline.Kind.PASSWORD: "Password",
}


def demands(account: PortalAccount, deadlines: Sequence[Deadline], on: date) -> list[dict[str, Any]]:
    """Return per kind what the system tolerates, what follows, the way back and the source. One query."""
    policies = list(clock_policies().filter(system=account.system, kind__in=list(_KINDS)).select_related("source"))
    binding = {deadline.kind: deadline.policy_id for deadline in deadlines}
    found = []
    for kind, title in _KINDS.items():
        chain = [policy for policy in policies if policy.kind == kind]
        policy = next((each for each in chain if each.pk == binding.get(kind)), None) or _today(chain, on)
        if policy is None:
            continue
        found.append(
            {
                "title": title,
                "limit": limit_of(policy, account.system.name),
                "consequence": policy.consequence_text,
                "cure": policy.cure_text,
                "source": source_of(policy),
            }
        )
    return found


def _today(chain: Sequence[Policy], on: date) -> Policy | None:
    version = in_force([version_of(policy) for policy in chain], on)
    return next((policy for policy in chain if version and policy.pk == version.policy_id), None)


@dataclass(frozen=True, slots=True)
class Desk:
    """A help desk with its ways of contact and whether somebody is there now."""

    contact: Contact
    points: list[Any]
    hours: str


def help_desks(system: System, at: datetime) -> list[Desk]:
    """Return the help desks of a system. Two queries."""
    desks = Contact.objects.current().filter(systems=system).prefetch_related("points").order_by("position", "key")
    return [
        Desk(
            contact,
            [point for point in contact.points.all() if point.current and not point.withdrawn],
            hours(contact, at),
        )
        for contact in desks
    ]


def hours(contact: Contact, at: datetime) -> str:
    """Return ``Open now, until 20:00 (New York)``, or when it opens; nothing where no source prints the hours."""
    if not contact.weekdays or contact.opens is None or contact.closes is None:
        return ""
    local = at.astimezone(ZoneInfo(contact.zone))
    city = contact.zone.rpartition("/")[2].replace("_", " ")
    span = f"{contact.opens:%H:%M} to {contact.closes:%H:%M} {city} time"
    works_today = str(local.isoweekday()) in contact.weekdays
    if works_today and contact.opens <= local.time() < contact.closes:
        return f"Open now, until {contact.closes:%H:%M} {city} time."
    days = "on weekdays" if contact.weekdays == "12345" else _days(contact.weekdays)
    return f"Closed now. Open {days}, {span}."


def _days(weekdays: str) -> str:
    names = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
    return "on " + listed([names[int(number) - 1] for number in weekdays])


def moved_away(account: PortalAccount, grants: Sequence[RoleGrant], on: date) -> str:
    """Return a sentence when every stream known to have run over this system has ended for all its facilities.

    Only a hint: nobody published when the system itself ends, and what a facility really uses is not recorded yet.
    """
    places = {grant.facility.pk: grant.facility for grant in grants}
    if not places:
        return ""
    paths = [path for path in stream_paths() if path.system == account.system.slug]
    for place in places.values():
        kind = kind_of(place.provider_type, licensed_only=place.licensed_only)
        if not closed([path for path in paths if path.provider_type == kind], on):
            return ""
    names = listed([place.name for place in places.values()])
    return (
        f"Every data stream that we know to have run over {account.system.name} for {names} has moved elsewhere."
        " If nobody there uses it any more, have the account removed."
    )
