"""Findings told by name: what their facts have only keys of is looked up, for pages and for mails alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from accounts.finding_words import About
from accounts.models import Finding
from staff.models import Person
from systems.models import System

PEOPLE: Final = 10  # named in a sentence at most
SUBJECTS: Final = ("facility", "person", "account__person", "account__system")  # to be selected with what is told


@dataclass(frozen=True, slots=True)
class Names:
    """What facts only have keys of: systems by slug, people by organization and key."""

    systems: dict[str, str]
    people: dict[tuple[int, int], str]


def names(organizations: Iterable[int], facts: Iterable[dict[str, Any]]) -> Names:
    """Return the names that occur in facts of these organizations' findings. Two queries.

    Who stands in the facts of a finding that somebody may read holds something at its facility.
    """
    facts = list(facts)
    slugs = {each["system"] for each in facts if "system" in each}
    keys = {key for each in facts for key in each.get("people", ())[:PEOPLE]}
    systems = System.objects.filter(slug__in=slugs).values_list("slug", "name")
    people = Person.objects.filter(organization__in=set(organizations), pk__in=keys)
    return Names(dict(systems), {(person.organization_id, person.pk): str(person) for person in people})


def about(finding: Finding, facts: dict[str, Any], known: Names, on: date) -> About:
    """Return what a sentence about the finding names; ``finding`` has its `SUBJECTS` selected."""
    others = [(finding.organization_id, key) for key in facts.get("people", ())]
    return About(
        person=str(finding.person or (finding.account.person if finding.account else "")),
        facility=finding.facility.name if finding.facility else "",
        system=known.systems.get(facts.get("system", ""), finding.account.system.name if finding.account else ""),
        others=tuple(known.people[key] for key in others if key in known.people),
        on=on,
        opened_on=finding.opened_on,
    )
