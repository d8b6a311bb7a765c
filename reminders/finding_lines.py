"""Lines of a digest about what is wrong now: the worst first, the rest counted by cause."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Window
from django.db.models.functions import RowNumber

from accounts.finding_words import WORDS, sentence, since
from accounts.models import Finding
from accounts.telling import SUBJECTS, Names, about, names
from reminders.addresses import link_to, link_to_page, link_to_request
from reminders.found import gravity
from reminders.letter import Addressee, Line
from reminders.models import Reminder

ROWS: Final = 10  # per digest, fewer where dates leave no room; beyond them counts per cause


@dataclass(slots=True)
class Wrong:
    """What one person is told of findings: how many, the keys of those shown with whether told before, the rest."""

    count: int = 0
    shown: list[tuple[int, bool]] = field(default_factory=list)
    more: dict[str, int] = field(default_factory=dict)  # kind of finding -> how many further ones


@dataclass(frozen=True, slots=True)
class Gathered:
    """What many people are told of findings, by person, and what the sentences need."""

    wrong: Mapping[int, Wrong]
    findings: Mapping[int, Finding]
    facts: Mapping[int, dict[str, Any]]
    names: Names


def gather(waiting: QuerySet[Reminder]) -> Gathered:
    """Return what these reminders tell of findings. Five queries at most, whatever the number."""
    planned = waiting.filter(finding__isnull=False)
    wrong = _counted(planned)
    if not wrong:
        return Gathered({}, {}, {}, Names({}, {}))
    before = Reminder.objects.filter(
        finding=OuterRef("finding"), recipient=OuterRef("recipient"), state=Reminder.State.IN_DIGEST
    )
    order = [gravity(), F("finding__opened_on").desc(), F("finding_id").desc()]
    ranked = planned.annotate(
        told=Exists(before), rank=Window(RowNumber(), partition_by=F("recipient"), order_by=order)
    ).filter(rank__lte=ROWS)
    for person, key, told in ranked.order_by("recipient", "rank").values_list("recipient", "finding_id", "told"):
        wrong[person].shown.append((key, told))
    findings = Finding.objects.select_related(*SUBJECTS).in_bulk(
        {key for each in wrong.values() for key, _ in each.shown}
    )
    for each in wrong.values():
        for key, _ in each.shown:
            each.more[findings[key].kind] -= 1
    facts = dict(_readable(findings.values()))
    return Gathered(wrong, findings, facts, names({each.organization_id for each in findings.values()}, facts.values()))


def _readable(findings: Iterable[Finding]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield key and facts; what nobody can read spoils the letters that would tell it, and no other."""
    for finding in findings:
        try:
            facts = json.loads(finding.facts)
        except ValueError:
            continue
        if isinstance(facts, dict):
            yield finding.pk, facts


def _counted(planned: QuerySet[Reminder]) -> dict[int, Wrong]:
    wrong: dict[int, Wrong] = defaultdict(Wrong)
    counted = planned.order_by().values("recipient", "finding__kind").annotate(number=Count("pk"))
    for person, kind, number in counted.values_list("recipient", "finding__kind", "number"):
        wrong[person].count += number
        wrong[person].more[kind] = number
    return wrong


def lines(to: Addressee, gathered: Gathered, on: date, *, room: int) -> Iterable[Line]:
    """Yield as many lines of one person as there is room for, the worst finding first."""
    for key, told in gathered.wrong[to.person_id].shown[:room]:
        finding = gathered.findings[key]
        facts = gathered.facts[key]
        said = sentence(finding.kind, facts, about(finding, facts, gathered.names, on, mailed=True))
        detail = f"{since(finding.opened_on, on)} What clears it: {WORDS[finding.kind].clears}"
        opens, url = _subject(to, finding)
        yield Line("wrong", said, detail, url, to.had_mail and not told, opens)


def _subject(to: Addressee, finding: Finding) -> tuple[str, str]:
    """Return what a line leads to and its address, which is empty for who cannot sign in here."""
    who = finding.person or (finding.account.person if finding.account else None)
    if who is not None and who.pk == to.person_id and who.user_id is None:
        return "", ""
    if finding.kind == Finding.Kind.UNAPPROVED_REQUEST:
        request = int(finding.subject_key.rpartition(":")[2])
        return "request", link_to_request(to.slug, request, finding.facility_id or 0)
    if finding.facility_id:
        return "facility", link_to("web:facility", to.slug, finding.facility_id)
    if finding.account_id:
        return "account", link_to("web:account", to.slug, finding.account_id)
    if finding.person_id:
        return "person", link_to("web:person", to.slug, finding.person_id)
    return "list", link_to_page("web:findings", to.slug)


def further(to: Addressee, gathered: Gathered, *, room: int) -> list[tuple[str, str]]:
    """Return (text, address) of what the lines do not show, by cause, the most frequent first."""
    page = link_to_page("web:findings", to.slug)
    wrong = gathered.wrong[to.person_id]
    more = Counter(wrong.more)
    more.update(gathered.findings[key].kind for key, _ in wrong.shown[room:])
    rest = sorted(more.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(f"{number:,} more: {WORDS[kind].heading}", f"{page}?kind={kind}") for kind, number in rest if number]


def speaks_of_others(to: Addressee, gathered: Gathered) -> bool:
    """Return whether any line is about anything but the reader."""
    shown = (gathered.findings[key] for key, _ in gathered.wrong[to.person_id].shown)
    return any(to.person_id not in (each.person_id, each.account and each.account.person_id) for each in shown)
