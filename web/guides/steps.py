"""What to do: things to have first, how many people, steps for each kind of request, and the exact words of forms."""

from datetime import date
from typing import Any, Final

from django.urls import reverse

from accounts.words import count_noun, count_word, day
from systems.models import FormPhrase, Prerequisite, Quota, RequestKind, Step, System
from web.guides.citing import Bibliography

TITLES: Final = {
    RequestKind.REGISTER: "Get access",
    RequestKind.ADDITIONAL_ROLE: "Get a further role",
    RequestKind.CHANGE: "Change contact data",
    RequestKind.ROLE_CHANGE: "Change a role",
    RequestKind.REMOVE: "Remove access",
    RequestKind.REACTIVATE: "Get access back",
    RequestKind.FORGOTTEN_ID: "Forgotten user ID",
    RequestKind.UNLOCK: "Unlock after wrong passwords",
    RequestKind.PROOFING: "Try identity proofing again",
    RequestKind.CERTIFY: "Certify roles",
}
_UNITS: Final = {
    Step.Unit.MINUTES: "minute,minutes",
    Step.Unit.HOURS: "hour,hours",
    Step.Unit.CALENDAR_DAYS: "calendar day,calendar days",
    Step.Unit.BUSINESS_DAYS: "business day,business days",
}
# Who acts, where it is not the person that the account belongs to.
_ACTORS: Final = {
    Step.Actor.OFFICIAL: "A Security Official or another approver does this",
    Step.Actor.FACILITY: "The facility does this",
    Step.Actor.HELP_DESK: "The help desk does this",
    Step.Actor.CMS: "CMS does this",
}
# Steps that are not for everybody.
_ONLY: Final = {
    Step.OnlyIf.NO_OFFICIAL: "Only where nobody is a Security Official yet",
    Step.OnlyIf.FIRST_OFFICIAL: "Only for the first Security Official",
    Step.OnlyIf.SOLE_OFFICIAL: "Only where the only Security Official is the person it is for",
    Step.OnlyIf.OFFICIAL_THERE: "Only where a Security Official is there",
    Step.OnlyIf.ROLE_GONE: "Only where the role itself was removed",
    Step.OnlyIf.ROLE_UNSURE: "Only where no certification in time is known",
    Step.OnlyIf.ROLE_THERE: "Only where the way in was lost",
}


def requests_of(system: System, bibliography: Bibliography, on: date) -> list[dict[str, Any]]:
    """Return the steps by kind of request; those not in force on the day stand apart. One query."""
    rows = list(Step.objects.current().filter(system=system).select_related("source").order_by("position", "pk"))
    groups = []
    for kind in RequestKind:
        told = [_step(row, bibliography, on) for row in rows if row.request_kind == kind]
        if told:
            now, other = [each for each in told if each["now"]], [each for each in told if not each["now"]]
            groups.append({"kind": kind.value, "title": TITLES[kind], "now": now, "other": other})
    return groups


def _step(row: Step, bibliography: Bibliography, on: date) -> dict[str, Any]:
    start, end = row.effective_from, row.effective_to
    when = []
    if start:
        when.append(f"since {day(start)}" if start <= on else f"from {day(start)}")
    if end:
        when.append(f"until {day(end)}")
    return {
        "title": row.title,
        "text": row.text,
        "only": _only(row),
        "stage": row.stage,
        "actor": _ACTORS.get(Step.Actor(row.actor), ""),
        "takes": count_noun(row.duration, _UNITS[Step.Unit(row.unit)]) if row.duration is not None else row.takes,
        "when": _capital(" ".join(when)),
        "now": (start or date.min) <= on <= (end or date.max),
        "cite": bibliography.cite(row),
    }


def _only(row: Step) -> str:
    if row.cure_for:
        return "Only if that did not work"
    if row.provider_type:
        return f"Only for: {row.get_provider_type_display()}"
    return _ONLY[Step.OnlyIf(row.only_if)] if row.only_if else ""


def prerequisites_of(system: System, slug: str, bibliography: Bibliography, on: date) -> list[dict[str, Any]]:
    """Return what has to be there first, with a way to the guide of a needed system. One query."""
    rows = Prerequisite.objects.current().filter(system=system).select_related("needs_system", "source")
    return [
        {
            "text": row.text,
            "exception": row.exception,
            "until": _until(row.until_on, on),
            "kind": "" if row.request_kind == RequestKind.REGISTER else TITLES[RequestKind(row.request_kind)],
            "system": row.needs_system,
            "name": row.needs_system.name if row.needs_system else "",
            "url": reverse("web:system", args=[slug, row.needs_system.slug]) if row.needs_system else "",
            "cite": bibliography.cite(row),
        }
        for row in rows.order_by("position", "pk")
    ]


def _until(until_on: date | None, on: date) -> str:
    if until_on is None:
        return ""
    return f"Until {day(until_on)}." if until_on >= on else f"Was needed until {day(until_on)}."


def quotas_of(system: System, bibliography: Bibliography) -> list[dict[str, Any]]:
    """Return how many people may or should hold something, as sentences. One query."""
    rows = Quota.objects.current().filter(system=system).select_related("source").order_by("pk")
    return [{"text": quota_words(row), "cite": bibliography.cite(row)} for row in rows]


def quota_words(row: Quota) -> str:
    """Return a quota as words: ``Individual accounts per facility: at most two.``, or ``: advised, at least two.``"""
    if row.least is not None and row.least == row.most:
        words = f"exactly {count_word(row.least)}"
    elif row.least is not None and row.most is not None:
        words = f"{count_word(row.least)} to {count_word(row.most)}"
    elif row.least is not None:
        words = f"at least {count_word(row.least)}"
    elif row.most is not None:
        words = f"at most {count_word(row.most)}"
    else:
        words = ""
    if row.recommended:
        words = f"advised, {words}" if words else "advised"
    if row.provider_type:
        words += f" ({row.get_provider_type_display()})" if words else row.get_provider_type_display()
    if row.note:
        words += f"; {row.note}" if words else row.note
    return _capital(f"{row.counts}: {words}." if words else f"{row.counts}.")


def _capital(words: str) -> str:
    """Return the words with a capital; names such as ePOC keep theirs."""
    return words if words[1:2].isupper() else words[:1].upper() + words[1:]


def phrases_of(system: System, bibliography: Bibliography) -> list[dict[str, Any]]:
    """Return the exact words that forms want. One query."""
    rows = FormPhrase.objects.current().filter(system=system).select_related("source")
    return [
        {
            "id": f"phrase-{row.key.lower()}",
            "form": row.form,
            "field": row.field,
            "text": row.text,
            "use_when": row.use_when,
            "cite": bibliography.cite(row),
        }
        for row in rows
    ]
