"""What the catalogue says about which kinds of request there are on a system: see `accounts.policy.offering`."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from accounts.models import Deadline
from accounts.policy.offering import Surface
from audit.bulk import among
from systems.models import PolicyKind, RequestKind, Step, System, SystemRole
from systems.selectors import clock_policies


def surfaces(systems: Iterable[int]) -> dict[int, Surface]:
    """Return by key what decides which kinds of request each system has. Five queries, however many systems."""
    keys = set(systems)
    roles = Counter(SystemRole.objects.current().filter(system__in=among(keys)).values_list("system_id", flat=True))
    opens: dict[int, list[str]] = defaultdict(list)
    stays = set()  # authorities where a login elsewhere counts: such an account stays with its person
    behind = System.objects.current().filter(sign_in_via__in=among(keys)).order_by("position", "slug")
    for authority, name, counts in behind.values_list("sign_in_via_id", "name", "counts_at_authority"):
        opens[authority].append(name)
        if counts:
            stays.add(authority)
    certified = set(clock_policies().filter(kind=PolicyKind.CERTIFICATION).order_by().values_list("system", flat=True))
    proofed = set(
        Step.objects.current().filter(request_kind=RequestKind.PROOFING).order_by().values_list("system_id", flat=True)
    )
    return {
        system.pk: Surface(
            name=system.name,
            authority=system.sign_in_via.name if system.sign_in_via else "",
            opens=tuple(opens[system.pk]) if system.pk in stays else (),
            roles=roles[system.pk],
            certified=system.pk in certified,
            proofed=system.pk in proofed or system.sign_in_via_id in proofed,
        )
        for system in System.objects.filter(pk__in=among(keys)).select_related("sign_in_via")
    }


def late_certifications(grants: Collection[int], on: date) -> dict[int, date]:
    """Return by when these roles were to be certified, where that has passed: CMS's side removes them. One query."""
    late = Deadline.objects.open().filter(kind=Deadline.Kind.CERTIFICATION, grant__in=among(grants), due_on__lt=on)
    return {grant: due for grant, due in late.values_list("grant", "due_on") if grant is not None}
