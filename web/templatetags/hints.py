"""Hints: a word that a newcomer may not know, with what it means one press away."""

from typing import Any, Final

from django import template
from django.template import RequestContext
from django.urls import reverse

from systems.terms import hint_of

register = template.Library()

# Kind of finding -> the word of its heading that wants explaining.
OF_FINDINGS: Final = {
    "lapse": "Presumed",
    "leaver-access": "Leaver access",
    "no-official": "Security Official",
    "one-official": "Security Official",
    "officials-lapse": "Security Official",
    "no-backup": "Cover",
    "no-epoc-administrator": "ePOC",
    "psr-two-people": "PS&R",
}


@register.inclusion_tag("components/term.html", takes_context=True)
def term(context: RequestContext, name: str, shown: str = "", *, once: bool = False) -> dict[str, Any]:
    """Draw a word, or ``shown`` in its stead, with its hint: ``{% term "CASPER" %}``.

    Only the first one of a page carries the hint; a later one, and a word that no entry explains, is plain text, or
    nothing at all with ``once``, where the word stands there for its hint alone.
    """
    request = getattr(context, "request", None)
    found = hint_of(name)
    told: set[str] = request.__dict__.setdefault("terms_told", set()) if request is not None else set()
    drawn: dict[str, Any] = {"shown": "" if once else shown or name}
    if found is None or found.slug in told:
        return drawn
    told.add(found.slug)
    scope = getattr(request, "scope", None)
    page = reverse("web:glossary", args=[scope.organization.slug]) if scope is not None else ""
    return {"shown": shown or name, "hint": found, "page": page}


@register.filter
def finding_term(kind: str) -> str:
    """Return the word to explain beside the heading of a kind of finding; nothing where its heading says it all."""
    return OF_FINDINGS.get(kind, "")
