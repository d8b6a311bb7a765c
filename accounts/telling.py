"""Findings told by name: what their facts have only keys of is looked up, for pages and for mails alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Exists, OuterRef, Q

from accounts.finding_words import About
from accounts.models import Finding, PortalAccount
from accounts.words import count_word
from facilities.access import Scope
from staff.models import Person
from systems.models import System

STRANGER: Final = "somebody at another facility"
PEOPLE: Final = 10  # named in a sentence at most
SUBJECTS: Final = ("facility", "person", "account__person", "account__system")  # to be selected with what is told


@dataclass(frozen=True, slots=True)
class Names:
    """What facts only have keys of: systems by slug, people by organization and key."""

    systems: dict[str, str]
    people: dict[tuple[int, int], str]


def names(organizations: Iterable[int], facts: Iterable[dict[str, Any]], scope: Scope | None = None) -> Names:
    """Return the names that occur in facts of these organizations' findings; with ``scope`` only whom that one reads.

    Two queries. A user ID is shared across facilities: who stands in the facts need not be the reader's to know.
    """
    facts = list(facts)
    slugs = {each["system"] for each in facts if "system" in each}
    keys = {key for each in facts for key in each.get("people", ())[:PEOPLE]}
    systems = System.objects.filter(slug__in=slugs).values_list("slug", "name")
    people = Person.objects.filter(organization__in=set(organizations), pk__in=keys)
    if scope is not None and scope.reads is not None:
        held = PortalAccount.objects.visible_to(scope).filter(person=OuterRef("pk"))
        people = people.filter(Q(pk__in=Person.objects.visible_to(scope).values("pk")) | Exists(held))
    return Names(dict(systems), {(person.organization_id, person.pk): str(person) for person in people})


def about(finding: Finding, facts: dict[str, Any], known: Names, on: date, *, mailed: bool = False) -> About:
    """Return what a sentence about the finding names; ``finding`` has its `SUBJECTS` selected.

    Whom the reader may not know (``known`` has no name) is somebody at another facility. ``mailed``: one text goes
    to readers of several facilities, so people are named only where all of them are at the facility it is about.
    """
    keys = () if mailed and finding.facility_id is None else facts.get("people", ())[:PEOPLE]
    others = [(finding.organization_id, key) for key in keys]
    named = [known.people[key] for key in others if key in known.people]
    unknown = len(others) - len(named)
    if unknown:
        named.append(STRANGER if unknown == 1 else f"{count_word(unknown)} people at other facilities")
    return About(
        person=str(finding.person or (finding.account.person if finding.account else "")),
        facility=finding.facility.name if finding.facility else "",
        system=known.systems.get(facts.get("system", ""), finding.account.system.name if finding.account else ""),
        others=tuple(named),
        on=on,
        opened_on=finding.opened_on,
    )
