"""The glossary: every term of the catalogue in the order of the alphabet, each with who says so."""

from typing import Any

from systems.models import Term
from web.guides.citing import Bibliography


def glossary(asked: str, bibliography: Bibliography) -> list[dict[str, Any]]:
    """Return the terms that hold what was asked for in name, spelling or text; all without a question. One query."""
    rows = list(Term.objects.current().select_related("source", "system", "stream"))
    names = {row.slug: row.name for row in rows}
    found = sorted((row for row in rows if _matches(row, asked)), key=lambda row: row.name.casefold())
    return [
        {
            "row": row,
            "aliases": _parts(row.aliases, ";"),
            "see": [(slug, names[slug]) for slug in _parts(row.see, ",") if slug in names],
            "cite": None if row.ours else bibliography.cite(row),
        }
        for row in found
    ]


def _matches(row: Term, asked: str) -> bool:
    texts = (row.name, row.full_name, row.aliases, row.text)
    return not asked or any(asked.casefold() in text.casefold() for text in texts)


def _parts(text: str, sign: str) -> list[str]:
    return [part.strip() for part in text.split(sign) if part.strip()]
