"""Jobs that a facility must have filled: ePOC administrator (R-49), PS&R's two people (R-51), record keepers (R-27).

And somebody to whom the reports in Managed File Transfer come (R-58).
"""

from collections.abc import Iterator

from accounts.models import Deadline, FacilityStream, Finding
from accounts.models.register import HouseRule
from accounts.models.watch import Severity
from accounts.policy.cover import holding, two_people_missing
from accounts.policy.streams import GETS_REPORTS, streams_of, systems_on
from accounts.services.rules.catalogue_read import Known
from accounts.services.rules.found import Found, Rule, Slice
from accounts.services.rules.house import wanted_since
from accounts.services.rules.sites import Place, places
from audit.bulk import among
from systems.models import Ability, Stream, SystemRole

_EPOC, _PSR = Finding.Kind.NO_EPOC_ADMINISTRATOR.value, Finding.Kind.PSR_TWO_PEOPLE.value
_KEEPERS = Finding.Kind.FEW_KEEPERS.value
_PICKUP = Finding.Kind.NO_FILE_PICKUP.value
_MFT, _AUTO_ROUTE = "mft", "auto-route-iqr"
_LEAST = 2  # QIES-QUO-9: more than one


def _own(place: Place, catalogue: Known, part: Slice, group: str) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield (stream, systems of that day) of the group's streams for which the facility's own people answer."""
    for stream, (through, paths) in streams_of(place.site, catalogue.ways).items():
        if through == FacilityStream.Through.OWN and catalogue.ways.groups.get(stream) == group:
            yield stream, systems_on(paths, place.site, part.on)


def no_epoc_administrator(part: Slice) -> Iterator[Found]:
    """Yield one finding per facility where nobody receives statements of deficiencies, once such a role exists."""
    catalogue, sites = places(part)
    for place in sites:
        for stream, systems in _own(place, catalogue, part, Stream.Group.SURVEY):
            roles = {
                key
                for key, role in catalogue.roles.items()
                if role.system in systems and role.usable(part.on) and role.may(Ability.PLAN_OF_CORRECTION, stream)
            }
            if roles and not holding(place.held, roles, catalogue.roles, part.on):
                system = min(catalogue.roles[key].system for key in roles)
                facts = {"stream": stream, "system": system}
                yield Found(
                    _EPOC, f"facility:{place.key}/stream:{stream}", Severity.HIGH.value, facts, facility=place.key
                )


def psr_two_people(part: Slice) -> Iterator[Found]:
    """Yield one finding per CCN that lacks the official, the user, or a second person for one of the two."""
    catalogue, sites = places(part)
    for place in sites:
        if not place.has_ccn:
            continue
        for stream, systems in _own(place, catalogue, part, Stream.Group.COST):
            there = {key: role for key, role in catalogue.roles.items() if role.system in systems}
            deciding = {key for key, role in there.items() if role.official}
            reading = {key for key, role in there.items() if role.may(Ability.REPORTS, stream)}
            officials = holding(place.held, deciding, catalogue.roles, part.on)
            users = holding(place.held, reading, catalogue.roles, part.on)
            missing = two_people_missing(officials, users) if deciding and reading else ""
            if missing:
                facts = {"system": min(systems), "missing": missing, "people": sorted(officials | users)}
                yield Found(
                    _PSR, f"facility:{place.key}/stream:{stream}", Severity.HIGH.value, facts, facility=place.key
                )


def few_keepers(part: Slice) -> Iterator[Found]:
    """Yield one finding per facility with fewer than two record keepers, once the organization wants the rule."""
    if wanted_since(part, HouseRule.Rule.KEEPERS) is None:
        return
    for place in places(part)[1]:
        if len(place.keepers) < _LEAST:
            severity = Severity.MEDIUM if place.keepers else Severity.HIGH
            facts = {"people": sorted(place.keepers)}
            yield Found(_KEEPERS, f"facility:{place.key}", severity.value, facts, facility=place.key)


def no_file_pickup(part: Slice) -> Iterator[Found]:
    """Yield one finding per hospital whose reports nobody gets: a file waits, or the mailbox is held, without the role.

    Reports are routed only to who holds the permission with "Auto-Route (IQR)" (HQR-PERM-1).
    """
    catalogue, sites = places(part)
    waiting = _files_waiting(part)
    mailboxes = {
        place.key: {each.person for each in place.held if each.system == _MFT and each.counts} for place in sites
    }
    hospitals = [place for place in sites if place.site.kind in GETS_REPORTS]
    concerned = [place for place in hospitals if place.key in waiting or mailboxes[place.key]]
    routed = _routed() if concerned else set()
    for place in concerned:
        if holding(place.held, routed, catalogue.roles, part.on):
            continue
        people = sorted(mailboxes[place.key])
        facts = {"system": _MFT, "fact": "HQR-PERM-1", "waiting": waiting.get(place.key), "people": people}
        yield Found(_PICKUP, f"facility:{place.key}", Severity.MEDIUM.value, facts, facility=place.key)


def _routed() -> set[int]:
    """Return the role to whose holders reports are routed. One query."""
    roles = SystemRole.objects.current().filter(system__slug=_MFT, slug=_AUTO_ROUTE)
    return set(roles.values_list("pk", flat=True))


def _files_waiting(part: Slice) -> dict[int, str]:
    """Return by facility until when the file stays, or stayed, that goes first and was not picked up. One query."""
    rows = Deadline.objects.open().filter(kind=Deadline.Kind.WINDOW, obligation__facility__in=among(part.facilities))
    days: dict[int, str] = {}
    for facility, due_on in rows.order_by("-due_on").values_list("obligation__facility", "due_on"):
        if facility is not None:
            days[facility] = due_on.isoformat()
    return days


EPOC = Rule("epoc-administrators", "ePOC administrators", (_EPOC,), "facility", no_epoc_administrator)
PSR = Rule("psr-two-people", "Two people for PS&R", (_PSR,), "facility", psr_two_people)
PICKUP = Rule("file-pickup", "Reports in Managed File Transfer", (_PICKUP,), "facility", no_file_pickup)
KEEPERS = Rule("record-keepers", "Keepers of the backup record", (_KEEPERS,), "facility", few_keepers)
