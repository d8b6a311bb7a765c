"""What somebody saw when she decided: carried by the form, signed, and held against what is stored by then."""

import hashlib
from typing import Any

from django.core import signing
from django.db.models import QuerySet

from accounts.models import AccessRequest
from accounts.words import day
from web.requests.words import asked

_SALT = "web.requests.seen"
Shown = dict[str, str]


def shown_of(request: AccessRequest) -> Shown:
    """Return what is asked for as labels and words, as far as a change of it needs another decision."""
    said = {
        "What is asked for": asked(request),
        "Why": request.reason,
        "From": day(request.wanted_on),
        "Until": day(request.wanted_until),
        "Why on a closed system": request.still_needed_reason,
    }
    return {label: words for label, words in said.items() if words}


def sealed(request: AccessRequest) -> str:
    """Return what a form carries of the request that it shows."""
    return signing.dumps(shown_of(request), salt=_SALT, compress=True)


def differing(seal: str, request: AccessRequest) -> list[dict[str, str]]:
    """Return ``{label, seen, now}`` for all that has changed since the form was shown; nothing for a false seal."""
    try:
        seen: Any = signing.loads(seal, salt=_SALT)
    except signing.BadSignature:
        return []
    now = shown_of(request)
    return [
        {"label": label, "seen": seen.get(label, "(nothing)"), "now": now.get(label, "(nothing)")}
        for label in dict.fromkeys([*seen, *now])
        if seen.get(label) != now.get(label)
    ]


def digest_of(requests: QuerySet[AccessRequest]) -> tuple[int, str]:
    """Return how many these are, and one word for all their keys and revisions. One query."""
    pairs = list(requests.order_by("pk").values_list("pk", "revision"))
    text = ",".join(f"{key}:{revision}" for key, revision in pairs)
    return len(pairs), hashlib.sha256(text.encode()).hexdigest()
