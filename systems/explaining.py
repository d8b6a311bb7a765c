"""What the catalogue says about a login, a grant and a day, without any stored account."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from systems.models import Confidence, Policy, System
from systems.policy import Due, PolicyVersion, days_left, due, overdue
from systems.selectors import clock_policies, version_of

# Facts a clock may count from, as a person would ask for them.
_ASKS: Final = {
    Policy.Basis.LOGIN: "last login, or day of the grant where there was none",
    Policy.Basis.PASSWORD: "day of the last password change",
    Policy.Basis.CERTIFICATION: "day of the grant or of the last certification",
}
_DEADLINE_KINDS: Final = ("inactivity", "deletion", "password", "certification")


class UnknownLogin:
    """The last login is not known: nothing may be counted from a guess."""


UNKNOWN: Final = UnknownLogin()


class BasisRefused(ValueError):  # noqa: N818  (a verdict on input)
    """Days that cannot be: `field` names the one at fault."""

    def __init__(self, field_name: str, message: str) -> None:
        super().__init__(message)
        self.field_name = field_name
        self.message = message


@dataclass(frozen=True, slots=True)
class ExplainedDeadline:
    """The binding deadline of one kind with everything needed to believe it."""

    kind: str
    basis_on: date
    due: Due
    on: date
    policy: Policy
    confidence: str

    @property
    def days_left(self) -> int:
        return days_left(self.due.due_on, self.on)

    @property
    def overdue(self) -> bool:
        return overdue(self.due.due_on, self.on)


@dataclass(frozen=True, slots=True)
class Explanation:
    """The deadlines; `not_counted` maps a kind to the fact that was missing."""

    system: System
    on: date
    unknown: bool
    deadlines: list[ExplainedDeadline] = field(default_factory=list)
    not_counted: dict[str, str] = field(default_factory=dict)


def explain(
    *, system: System, on: date, last_login: date | UnknownLogin | None = None, granted_on: date | None = None
) -> Explanation:
    """Return the deadlines the catalogue gives an account. `last_login` None = never signed in, counted from the grant.

    An unknown login, or none with no day of a grant, gives no deadline at all: no date is invented. Raises
    BasisRefused for a login after `on`, the day asked about, or a grant after it.
    """
    login = last_login if isinstance(last_login, date) else None
    for name, day in (("last_login", login), ("granted_on", granted_on)):
        if day is not None and day > on:
            raise BasisRefused(name, f"{day} lies after {on}, the day asked about")
    counted = _counted_chains(system)
    if isinstance(last_login, UnknownLogin) or (login is None and granted_on is None):
        missing = {kind: _ASKS[Policy.Basis(rows[0].basis)] for kind, rows in counted.items()}
        return Explanation(system, on, unknown=True, not_counted=missing)
    basis = {Policy.Basis.LOGIN: login or granted_on, Policy.Basis.CERTIFICATION: granted_on}
    explanation = Explanation(system, on, unknown=False)
    for kind, rows in counted.items():
        basis_on = basis.get(Policy.Basis(rows[0].basis))
        if basis_on is None:
            explanation.not_counted[kind] = _ASKS[Policy.Basis(rows[0].basis)]
            continue
        found = due(basis_on, [version_of(row) for row in rows])
        if found is not None:
            row = next(row for row in rows if row.pk == found.version.policy_id)
            confidence = confidence_of(basis_on, rows, row)
            explanation.deadlines.append(ExplainedDeadline(kind, basis_on, found, on, row, confidence))
    return explanation


def confidence_of(basis_on: date, chain: list[Policy], binding: Policy) -> str:
    """Return how far the date may be trusted: an assumed start weakens it only for a basis before that start."""
    for row in chain:
        assumed = row.start_confidence == Confidence.INFERENCE and row.effective_from is not None
        if assumed and row.effective_from and basis_on < row.effective_from:
            return str(Confidence.INFERENCE.value)
    return binding.confidence


def _counted_chains(system: System) -> Mapping[str, list[Policy]]:
    rows = list(clock_policies().filter(system=system).select_related("source"))
    chains = {kind: [row for row in rows if row.kind == kind] for kind in _DEADLINE_KINDS}
    return {kind: chain for kind, chain in chains.items() if chain}


def deadline_document(deadline: ExplainedDeadline) -> dict[str, Any]:
    """Return a deadline as plain values for JSON."""
    policy, source = deadline.policy, deadline.policy.source
    return {
        "kind": deadline.kind,
        "due_on": deadline.due.due_on,
        "days_left": deadline.days_left,
        "overdue": deadline.overdue,
        "consequence": policy.consequence,
        "consequence_text": policy.consequence_text,
        "cure": policy.cure_text,
        "policy": policy.key,
        "source": f"{source.key}: {source.title}, {source.document_date}",
        "source_url": source.url,
        "confidence": deadline.confidence,
        "basis_on": deadline.basis_on,
        "limit": _limit_words(deadline.due.version),
        "effective_from": policy.effective_from,
        "effective_to": policy.effective_to,
        "start_note": policy.start_note,
        "start_confidence": policy.start_confidence,
    }


def _limit_words(version: PolicyVersion) -> str:
    count, unit = (version.limit_years, "year") if version.limit_years else (version.limit_days, "day")
    plural = "" if count == 1 else "s"
    return f"more than {count} {unit}{plural}" if version.boundary == "gt" else f"{count} {unit}{plural} or more"
