"""How the product says dates, counts and grades: one voice for pages and mails (built into every template).

Days are given as `datetime.date`, instants as aware `datetime`; nothing here reads the clock.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.middleware.csrf import get_token
from django.template import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

EASTERN = "America/New_York"
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_ZONES = {
    "America/New_York": "ET",
    "America/Chicago": "CT",
    "America/Denver": "MT",
    "America/Los_Angeles": "PT",
    "America/Anchorage": "AKT",
    "Pacific/Honolulu": "HT",
    "America/Puerto_Rico": "AT",
}
# slug: (words, icon). The shape repeats what the words say, the colour repeats the shape.
STANDINGS = {
    "fine": ("Fine", "fine"),
    "soon": ("Soon", "soon"),
    "late": ("Late", "late"),
    "presumed-lapsed": ("Presumed lapsed", "presumed"),
    "check-roles": ("Check your roles", "check"),
    "unknown": ("Unknown", "unknown"),
    "closed": ("Closed", "closed"),
}
EVIDENCE = {
    "A": "seen in the system by a Security Official",
    "B": "said by the person who signed in",
    "C": "answered through the link in a mail",
    "D": "from a file, or typed for somebody else",
}


@register.filter
def day(value: date | None) -> str:
    """Return a day as ``Thu 3 Dec 2026``; nothing for None."""
    return f"{value:%a} {value.day} {value:%b} {value.year}" if value else ""


@register.filter
def day_short(value: date | None) -> str:
    """Return a day of the near future or past as ``Thu 3 Dec``; nothing for None."""
    return f"{value:%a} {value.day} {value:%b}" if value else ""


@register.filter
def in_days(value: date | None, today: date) -> str:
    """Return how far a day is from ``today``: ``in 12 days``, ``tomorrow``, ``three days ago``."""
    if not value:
        return ""
    away = _plain(value).toordinal() - _plain(today).toordinal()
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}.get(away)
    if near:
        return near
    return f"in {count_word(away)} days" if away > 0 else f"{count_word(-away)} days ago"


@register.filter
def day_in(value: date | None, today: date) -> str:
    """Return ``Thu 3 Dec 2026 (in 12 days)``; nothing for None."""
    return f"{day(value)} ({in_days(value, today)})" if value else ""


@register.filter
def instant(value: datetime | None, zone: str = EASTERN) -> str:
    """Return an instant as ``Thu 3 Dec 2026, 4:05 p.m. ET`` in an IANA zone; nothing for None."""
    if not value:
        return ""
    local = value.astimezone(ZoneInfo(zone))
    return f"{day(local)}, {clock_time(value, zone)}"


@register.filter
def clock_time(value: datetime | None, zone: str = EASTERN) -> str:
    """Return the time of an instant as ``4:05 p.m. ET``; nothing for None."""
    if not value:
        return ""
    local = value.astimezone(ZoneInfo(zone))
    hour = local.hour % 12 or 12
    half = "a.m." if local.hour < 12 else "p.m."
    return f"{hour}:{local.minute:02d} {half} {_ZONES.get(zone) or local.tzname()}"


@register.filter
def count_word(value: int) -> str:
    """Return a count for a sentence: words below ten (``no``, ``one``), else digits with separators."""
    return _SMALL[value] if 0 <= value < len(_SMALL) else f"{value:,}"


@register.filter
def count_noun(value: int, nouns: str) -> str:
    """Return count and noun from ``"login,logins"``: ``one login``, ``12 logins``."""
    one, many = nouns.split(",")
    return f"{count_word(value)} {one if value == 1 else many}"


@register.filter
def listed(values: Iterable[object]) -> str:
    """Return ``a, b and c``."""
    words = [str(value) for value in values]
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


@register.filter
def standing_slug(value: object) -> str:
    """Return a standing as a slug: ``Standing.PRESUMED_LAPSED`` or ``presumed_lapsed`` → ``presumed-lapsed``.

    Raises ValueError for a standing that has no words, so that none is shown as "fine" by mistake.
    """
    slug = str(getattr(value, "value", value)).replace("_", "-").replace(" ", "-").lower()
    if slug not in STANDINGS:
        raise ValueError(f"no words for the standing {value!r}")
    return slug


@register.filter
def standing_words(value: object) -> str:
    """Return the words of a standing."""
    return STANDINGS[standing_slug(value)][0]


@register.filter
def standing_icon(value: object) -> str:
    """Return the name of the shape that repeats a standing's words."""
    return STANDINGS[standing_slug(value)][1]


@register.filter
def evidence_words(grade: object) -> str:
    """Return what an evidence grade (A to D) means. Raises KeyError for any other letter."""
    return EVIDENCE[str(getattr(grade, "value", grade))]


@register.filter
def undo_url(message: Message) -> str:
    """Return the address that undoes what a message tells of (see `web.toasts.say`), else nothing."""
    for tag in (message.extra_tags or "").split():
        if tag.startswith("undo=/"):
            return tag.removeprefix("undo=")
    return ""


@register.filter
def nth(values: Sequence[Any], index: int) -> Any:
    """Return one element, so that a table's cell finds its column."""
    return values[index]


@register.filter
def errors_counted(form: BaseForm) -> str:
    """Return how many remarks a form carries: ``two things need a look``."""
    count = sum(len(remarks) for remarks in form.errors.values())
    return f"{count_word(count)} {'thing needs' if count == 1 else 'things need'} a look"


@register.simple_tag(takes_context=True)
def csrf_field(context: RequestContext) -> SafeString:
    """Return the hidden CSRF input. Unlike ``csrf_token`` it also works inside ``include ... only``."""
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(context.request))


def _plain(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value
