"""Findings as rows: what is wrong, since when, why, and where the deed is done. A fixed number of queries."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Case, Count, IntegerField, Value, When
from django.urls import reverse

from accounts.finding_words import SEVERITIES, WORDS, KindWords, sentence, since
from accounts.models import Deadline, Finding
from accounts.models.watch import FindingQuerySet, Severity
from accounts.place_sentences import told
from accounts.policy.moving import move_key
from accounts.policy.requesting import Kind
from accounts.telling import SUBJECTS, Names, about, names
from facilities.access import Action, Scope
from systems.policy import Standing
from web.account_filters import NOW, RUNNING, held_there
from web.dossiers import Dossier, gather
from web.duties import duty_rows
from web.reach import accounts_in_reach, people_in_reach
from web.requests.ways import ask_url, way_of_place
from web.rows import deadline_row
from web.told import told_of_findings

SHOWN = 5  # of each kind on the page of all; the page of one kind has the rest
_LOOKS = {
    Severity.CRITICAL: Standing.LATE,
    Severity.HIGH: Standing.LATE,
    Severity.MEDIUM: Standing.SOON,
    Severity.LOW: Standing.CLOSED,
    Severity.INFO: Standing.CLOSED,
}

# Kind of finding -> label and how the accounts that it counts are held; label and page where one answers it.
_TO_ACCOUNTS: dict[str, tuple[str, str]] = {
    Finding.Kind.UNKNOWN_LOGINS: ("See who to ask", f"{RUNNING}&login=unknown"),
    Finding.Kind.CLOSED_SYSTEM: ("See the accounts", NOW),
    Finding.Kind.QUOTA: ("See the accounts", NOW),
    Finding.Kind.OFFICIALS_LAPSE: ("See the accounts", NOW),
}
_TO_STATEMENTS: dict[str, tuple[str, str]] = {
    Finding.Kind.NO_ACCOUNT: ("Say who submits", "web:facility-streams"),
    Finding.Kind.NO_BACKUP: ("Say who submits", "web:facility-streams"),
    Finding.Kind.NO_SUCCESSOR: ("Say who submits", "web:facility-streams"),
    Finding.Kind.NO_EPOC_ADMINISTRATOR: ("Say who answers", "web:facility-streams"),
    Finding.Kind.PSR_TWO_PEOPLE: ("Say who fetches them", "web:facility-streams"),
    Finding.Kind.FEW_KEEPERS: ("Name a keeper", "web:facility-keepers"),
}
_PRIVILEGED_PEOPLE: Final = f"{Finding.Kind.PRIVILEGED_OPEN.value}/person"
# Where one person is all there is.
_ON_ONE: Final = (
    Finding.Kind.NO_BACKUP,
    Finding.Kind.ONE_OFFICIAL,
    Finding.Kind.OFFICIALS_LAPSE,
    Finding.Kind.PSR_TWO_PEOPLE,
    Finding.Kind.FEW_KEEPERS,
)


@dataclass(frozen=True, slots=True)
class Group:
    """All findings of one cause: its words, how many there are, the first of them as rows."""

    kind: str
    words: KindWords
    count: int
    rows: list[dict[str, Any]]


def ranked(findings: FindingQuerySet) -> FindingQuerySet:
    """Return findings with ``rank``, 0 for the worst severity, the worst and newest first."""
    whens = [When(severity=severity, then=Value(rank)) for rank, severity in enumerate(SEVERITIES)]
    return findings.annotate(rank=Case(*whens, output_field=IntegerField())).order_by("rank", "-pk")


def counts(findings: FindingQuerySet) -> list[tuple[str, str, int]]:
    """Return (kind, severity, how many), the worst and most frequent first. One query."""
    rows = findings.order_by().values_list("kind", "severity").annotate(count=Count("pk"))
    return sorted(rows, key=lambda row: (SEVERITIES.index(row[1]), -row[2], row[0]))


def groups(scope: Scope, findings: FindingQuerySet, on: date) -> list[Group]:
    """Return the findings by cause, the cause with the worst one first."""
    total: dict[str, int] = {}
    for kind, _, count in counts(findings):
        total[kind] = total.get(kind, 0) + count
    first: list[Finding] = []
    for kind in total:
        first += list(page_rows(ranked(findings.filter(kind=kind)))[:SHOWN])
    rows = finding_rows(scope, first, on)
    by_kind: dict[str, list[dict[str, Any]]] = {kind: [] for kind in total}
    for finding, row in zip(first, rows, strict=True):
        by_kind[finding.kind].append(row)
    return [Group(kind, WORDS[kind], total[kind], by_kind[kind]) for kind in total]


def page_rows(findings: FindingQuerySet) -> FindingQuerySet:
    """Return findings with everything that a row reads."""
    return findings.select_related(*SUBJECTS, "deadline__policy__source")


def finding_rows(scope: Scope, findings: Sequence[Finding], on: date) -> list[dict[str, Any]]:
    """Return a row per finding for `components/row_action.html`."""
    facts = {finding.pk: json.loads(finding.facts) for finding in findings}
    known, reach = names([scope.organization.pk], facts.values(), scope), _reach(scope, findings, on)
    mails = told_of_findings(scope, findings)
    passed = [finding.deadline for finding in findings if finding.deadline is not None]
    clocks = {deadline.pk for deadline in passed if deadline.account_id is not None}
    lapsed = [finding.account for finding in findings if finding.deadline_id in clocks and finding.account is not None]
    dossiers = gather(scope, lapsed, passed, on)
    duties = _duties([deadline.pk for deadline in passed if deadline.pk not in clocks], scope, on)
    rows: list[dict[str, Any]] = []
    for finding in findings:
        if finding.deadline_id in duties:
            row = duties[finding.deadline_id]
        elif finding.deadline is not None and finding.account_id in dossiers:
            row = _lapsed(scope, dossiers[finding.account_id], finding.deadline)
        else:
            row = _row(scope, finding, facts[finding.pk], known, reach, mails[finding.pk], on)
        row["standing"], row["words"] = _LOOKS[Severity(finding.severity)], finding.get_severity_display()
        # A deed's answer is put in by the row's own id; a second row of the same account only tells.
        if row.setdefault("id", f"finding-{finding.pk}") in {other["id"] for other in rows}:
            row = {**row, "id": f"finding-{finding.pk}", "deeds": [], "another_day": None}
        rows.append(row)
    return rows


def _lapsed(scope: Scope, dossier: Dossier, deadline: Deadline) -> dict[str, Any]:
    """Return the row of an account whose day has passed, with the way to ask for it back."""
    row = deadline_row(scope, dossier, deadline, back="")
    if deadline.kind == Deadline.Kind.INACTIVITY and not dossier.left_on and dossier.may(scope, Action.REQUEST_ACCESS):
        person = dossier.account.person_id
        back = {"label": "Ask for it back", "url": ask_url(scope, kind=Kind.REACTIVATION, person=person)}
        row["links"] = [*row.get("links", []), back]
    return row


def foreseen_rows(scope: Scope, findings: Sequence[Finding], on: date) -> list[dict[str, Any]]:
    """Return a row per finding about a facility that is stored nowhere, because it is only foreseen. Two queries."""
    facts = [json.loads(finding.facts) for finding in findings]
    known, nobody = names([scope.organization.pk], facts, scope), Reach(set(), set(), set(), set())
    rows = []
    for finding, each in zip(findings, facts, strict=True):
        row = _row(scope, finding, each, known, nobody, [], on)
        del row["why"]
        rows.append(row | {"standing": _LOOKS[Severity(finding.severity)], "words": finding.get_severity_display()})
    return rows


def _duties(deadlines: Sequence[int], scope: Scope, on: date) -> dict[int, dict[str, Any]]:
    """Return the rows of dates that hang on a role, a person or a facility, by key. One query where there are any."""
    if not deadlines:
        return {}
    rows = duty_rows(Deadline.objects.filter(pk__in=deadlines).order_by("pk"), scope=scope, on=on)
    return dict(zip(sorted(deadlines), rows, strict=True))


@dataclass(frozen=True, slots=True)
class Reach:
    """Accounts that the member may correct, or say are removed, and people whose acknowledgements she may record."""

    kept: set[int]
    removed: set[int]
    people: set[int]
    explained: set[int]  # accounts of which she may say why their roles are needed


def _reach(scope: Scope, findings: Sequence[Finding], on: date) -> Reach:
    """Four queries at most."""
    subjects: dict[str, set[int]] = {}
    for finding in findings:
        of_person = finding.kind == Finding.Kind.PRIVILEGED_OPEN and finding.account_id is None
        kind = _PRIVILEGED_PEOPLE if of_person else finding.kind
        subjects.setdefault(kind, set()).add((finding.person_id if of_person else finding.account_id) or 0)
    return Reach(
        accounts_in_reach(scope, Action.KEEP_ACCOUNT, subjects.get(Finding.Kind.STALE_PROFILE, ())),
        accounts_in_reach(scope, Action.EDIT_ACCOUNT, subjects.get(Finding.Kind.LEAVER_ACCESS, ())),
        people_in_reach(scope, Action.KEEP_ACCOUNT, subjects.get(_PRIVILEGED_PEOPLE, ()), on),
        accounts_in_reach(scope, Action.KEEP_ACCOUNT, subjects.get(Finding.Kind.PRIVILEGED_OPEN, ())),
    )


def _row(
    scope: Scope, finding: Finding, facts: dict[str, Any], known: Names, reach: Reach, sent: list[Any], on: date
) -> dict[str, Any]:
    words = WORDS[finding.kind]
    deed = _deed(scope, finding, facts, reach)
    return {
        "sentence": sentence(finding.kind, facts, about(finding, facts, known, on)),
        "url": _subject_url(scope, finding),
        "detail": since(finding.opened_on, on),
        "why": {
            "facts": [{"text": text} for text in (*facts.get("says", ()), *told(finding.kind, facts))],
            "rule": f"{words.heading}{f' ({words.rules})' if words.rules else ''}. {words.meaning}",
            "clears": words.clears,
            "told": sent,
            "more_url": reverse("web:finding-why", args=[scope.organization.slug, finding.pk]) if finding.pk else "",
            "leaves": _if_that_one_left(scope, finding, facts, known),
        },
        "links": [link for link in (deed, _to_move(scope, finding, facts), _to_ask(scope, finding, facts)) if link],
    }


def _to_move(scope: Scope, finding: Finding, facts: dict[str, Any]) -> dict[str, str] | None:
    """Return where it stands who has moved on from a closed system: the move's page, the list where there are more."""
    if finding.kind != Finding.Kind.CLOSED_SYSTEM or not facts["followers"]:
        return None
    slug, followers, streams = scope.organization.slug, facts["followers"], facts["streams"]
    one = len(followers) == len(streams) == 1
    page = (
        reverse("web:move", args=[slug, move_key(streams[0], followers[0])])
        if one
        else reverse("web:moves", args=[slug])
    )
    return {"label": "Who has moved", "url": page}


def _if_that_one_left(scope: Scope, finding: Finding, facts: dict[str, Any], known: Names) -> dict[str, str] | None:
    """Return name and page where it hangs on one person what a facility can do."""
    people = facts.get("people", ())
    if finding.kind not in _ON_ONE or len(people) != 1 or not finding.pk:
        return None
    name = known.people.get((finding.organization_id, people[0]))
    return (
        {"name": name, "url": reverse("web:person-quits", args=[scope.organization.slug, people[0]])} if name else None
    )


def _to_ask(scope: Scope, finding: Finding, facts: dict[str, Any]) -> dict[str, str] | None:
    """Return the way to ask for what a facility lacks, for those who may ask there."""
    may = finding.facility_id is not None and scope.may(Action.REQUEST_ACCESS, [finding.facility_id])
    return way_of_place(scope, finding, facts) if may else None


def _subject_url(scope: Scope, finding: Finding) -> str:
    slug = scope.organization.slug
    if finding.facility_id:
        return reverse("web:facility", args=[slug, finding.facility_id])
    if finding.account_id:
        return reverse("web:account", args=[slug, finding.account_id])
    return reverse("web:person", args=[slug, finding.person_id]) if finding.person_id else ""


def _deed(scope: Scope, finding: Finding, facts: dict[str, Any], reach: Reach) -> dict[str, str] | None:
    slug, place = scope.organization.slug, finding.facility_id
    if finding.kind in _TO_ACCOUNTS:
        label, held = _TO_ACCOUNTS[finding.kind]
        return {"label": label, "url": held_there(slug, place or 0, facts["system"], held)}
    if finding.kind in _TO_STATEMENTS and scope.may(Action.EDIT_FACILITY, [place] if place else []):
        label, page = _TO_STATEMENTS[finding.kind]
        return {"label": label, "url": reverse(page, args=[slug, place])}
    if finding.kind == Finding.Kind.STALE_RECORD:
        return {"label": "Print the record", "url": reverse("web:facility-record", args=[slug, place])}
    if finding.kind == Finding.Kind.ONE_OF_TWO_MAILS:
        return {"label": "Open the request", "url": reverse("web:request", args=[slug, facts["request"]])}
    who = finding.person or (finding.account.person if finding.account else None)
    own = who is not None and who.user_id == scope.user_id is not None
    if finding.kind == Finding.Kind.JOB_CHANGE:
        if own or not scope.may(Action.REVIEW_ACCESS, [facts["facility"]]):  # nobody looks at her own roles
            return None
        page = reverse("web:job-look", args=[slug, finding.person_id, facts["facility"]])
        return {"label": "Look at the roles", "url": page}
    if finding.kind == Finding.Kind.UNAPPROVED_REQUEST:
        # Neither who asked nor who gets it; the page asks once more, by the person.
        if own or not scope.may(Action.DECIDE_REQUEST, [place] if place else []):
            return None
        return {"label": "Look at it", "url": reverse("web:request-countersign", args=[slug, facts["request"]])}
    return _deed_on_people(scope, finding, own, reach)


def _deed_on_people(scope: Scope, finding: Finding, own: bool, reach: Reach) -> dict[str, str] | None:
    slug = scope.organization.slug
    if finding.kind == Finding.Kind.STALE_PROFILE and (own or finding.account_id in reach.kept):
        return {"label": "The profile is right", "url": reverse("web:account-profile", args=[slug, finding.account_id])}
    if finding.kind == Finding.Kind.PRIVILEGED_OPEN and finding.account_id is not None:
        page = reverse("web:account", args=[slug, finding.account_id])
        return {"label": "Say why on its page", "url": page} if finding.account_id in reach.explained else None
    if finding.kind == Finding.Kind.PRIVILEGED_OPEN and (own or finding.person_id in reach.people):
        page = reverse("web:acknowledge", args=[slug, finding.person_id])
        return {"label": "It was acknowledged", "url": f"{page}?document=addendum"}
    if finding.kind == Finding.Kind.LEAVER_ACCESS and finding.account_id in reach.removed:
        return {"label": "It was removed", "url": reverse("web:account-remove", args=[slug, finding.account_id])}
    return None
