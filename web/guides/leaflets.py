"""One-page guides to a piece of work here. What CMS says in them is read from the catalogue, with its mark."""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.db.models import Model

from reminders.ladder import LONG_CLOCK_DAYS, Audience, Ladder, ladder_of
from systems.models import ContactPoint, Note, Policy, Step, Term
from web.guides.citing import Bibliography
from web.guides.limits import limit_of_guide


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of the catalogue that a leaflet tells, under the name by which its template asks for it."""

    name: str
    model: type[Model]
    fact: str
    system: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Leaflet:
    """A page of its own, `web/help_<slug>.html`, that fits one printed sheet."""

    slug: str
    title: str
    text: str
    icon: str
    facts: tuple[Fact, ...] = ()

    @property
    def template(self) -> str:
        return f"web/help_{self.slug.replace('-', '_')}.html"


def _limit(system: str, fact: str, label: str) -> Fact:
    return Fact(f"{system}_limit", Policy, fact, system, label)


_LIMITS: Final = (
    _limit("iqies", "IQ-INACT-1", "iQIES"),
    _limit("eqrs", "EQRS-INACT-1", "EQRS"),
    _limit("idm", "EP-INACT-1", "Enterprise Portal (IDM)"),
)
LEAFLETS: Final = (
    Leaflet(
        "monday",
        "Your Monday morning",
        "Ten minutes a week for whoever holds or looks after accounts.",
        "today",
        _LIMITS,
    ),
    Leaflet(
        "leaving",
        "Somebody leaves",
        "From the last day to the proof that nothing stayed open.",
        "people",
        (
            Fact("iqies", Step, "IQ-REM-1", "iqies", "iQIES"),
            Fact("harp", Step, "HARP-REM-1", "harp", "HARP"),
            Fact("idm", Note, "EP-OFF-1", "idm", "Enterprise Portal (IDM)"),
            Fact("official", Note, "IQ-SO-7", "iqies"),
            Fact("told", Policy, "ARS-TERM-1"),
            Fact("hipaa", Note, "HIPAA-1"),
        ),
    ),
    Leaflet(
        "lapsed",
        "A login lapsed: what now",
        "Find out what is true, get back in, and say so here.",
        "late",
        (
            *_LIMITS,
            Fact("desk", ContactPoint, "HD-1", label="iQIES"),
            Fact("desk_harp", ContactPoint, "HD-3", label="HARP, HQR and EQRS"),
        ),
    ),
    Leaflet(
        "spreadsheet",
        "Bring in your spreadsheet",
        "The list you keep today becomes the register, and nothing is written before you agree.",
        "imports",
        (Fact("format", Note, "EXP-5"), Fact("iqies", Note, "EXP-4", "iqies"), Fact("eqrs", Note, "EXP-2", "eqrs")),
    ),
    Leaflet(
        "who-hears",
        "Who hears what",
        "Which mail goes to whom, and when.",
        "mail",
        (
            Fact("iqies", Policy, "IQ-INACT-1", "iqies"),
            Fact("eqrs", Policy, "EQRS-INACT-1", "eqrs"),
            Fact("certify", Step, "EP-CERT-4", "idm"),
        ),
    ),
    Leaflet(
        "surveyor",
        "Get ready for the surveyor",
        "What to open and what to print when somebody asks for evidence.",
        "shield",
        (
            Fact("epoc", Term, "IQ-ROLE-6", "iqies"),
            Fact("review", Policy, "ARS-REV-1"),
            Fact("privileges", Policy, "ARS-REV-2"),
            Fact("ends", Note, "HIPAA-1"),
            Fact("looked", Note, "HIPAA-2"),
        ),
    ),
)


def told(leaflet: Leaflet, bibliography: Bibliography, on: date) -> dict[str, dict[str, Any]]:
    """Return what the catalogue says, by the names of the leaflet's facts. One query for each of them."""
    found = {}
    for fact in leaflet.facts:
        rows = fact.model._default_manager.filter(fact_id=fact.fact, withdrawn=False).select_related("source")
        if fact.model is ContactPoint:
            row = rows.filter(contact__key=fact.fact, kind=ContactPoint.Kind.PHONE, current=True).first()
        else:
            owned = rows.filter(system__slug=fact.system) if fact.system else rows.filter(system=None)
            row = owned.order_by("pk").first()
        if row is not None:
            found[fact.name] = _said(row, bibliography, on) | {"label": fact.label, "system": fact.system}
    return found


def _said(row: Any, bibliography: Bibliography, on: date) -> dict[str, Any]:
    if isinstance(row, Policy):
        return {"limit": limit_of_guide(row, bibliography, on), "cite": bibliography.cite(row)}
    return {"text": getattr(row, "text", "") or row.value, "cite": bibliography.cite(row)}


def mails() -> list[dict[str, Any]]:
    """Return when a mail goes out, and who joins when, for each kind of date; read off the ladders that plan them."""
    kinds = (
        ("A login", "inactivity", LONG_CLOCK_DAYS),
        ("Deletion of an account", "deletion", None),
        ("Certification of a role", "certification", None),
        ("Access of somebody who leaves", "removal", None),
        ("Rules of behavior", "acknowledgement", None),
        ("Review of accounts", "review", None),
    )
    rows = []
    for label, kind, limit in kinds:
        ladder = ladder_of(kind, limit)
        if ladder is not None:
            rows.append(
                {
                    "label": label,
                    "days": _days(ladder),
                    "first": _first(ladder),
                    "facility": _from(ladder, Audience.FACILITY),
                    "organization": _from(ladder, Audience.ORGANIZATION),
                }
            )
    return rows


def _days(ladder: Ladder) -> str:
    words = [str(step) if step else "on the day" for step in ladder.before]
    return f"{', '.join(words)}; then {'daily' if ladder.daily else 'the day after'}"


def _first(ladder: Ladder) -> str:
    if ladder.of_the_place:
        return "Whoever runs the facility"
    return "The approver" if ladder.told_afterwards else "The person"


def _from(ladder: Ladder, audience: Audience) -> str:
    step = ladder.joins(audience)
    if step < 0:
        return "the day after"
    return f"{step} day{'s' if step > 1 else ''}" if step else "on the day"
