"""Words of the templates (built into every one): dates and counts of `accounts.words`, standings and grades."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from django import template
from django.contrib.messages.storage.base import Message
from django.forms import BaseForm
from django.middleware.csrf import get_token
from django.template import RequestContext
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.words import clock_time, count_noun, count_word, day, day_in, day_short, in_days, instant, listed
from web.keyset import Count

register = template.Library()
for _filter in (day, day_short, in_days, day_in, instant, clock_time, count_word, count_noun, listed):
    register.filter(_filter)

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


@register.simple_tag
def standing_mark(standing: object, words: str = "") -> SafeString:
    """Return `components/standing.html`, for tables that show it on every row: rendered once for the same words."""
    return _standing_mark(standing_slug(standing), words or "")


@lru_cache(maxsize=256)
def _standing_mark(slug: str, words: str) -> SafeString:
    return render_to_string("components/standing.html", {"standing": slug, "words": words})


@register.filter
def evidence_words(grade: object) -> str:
    """Return what an evidence grade (A to D) means. Raises KeyError for any other letter."""
    return EVIDENCE[str(getattr(grade, "value", grade))]


@register.filter
def undo_url(message: Message) -> str:
    """Return the address that undoes what a message tells of (see `web.toasts.say`), else nothing."""
    return _address(message, "undo=")


@register.filter
def more_url(message: Message) -> str:
    """Return the page of what a message tells of (see `web.toasts.say`), else nothing."""
    return _address(message, "more=")


def _address(message: Message, mark: str) -> str:
    for tag in (message.extra_tags or "").split():
        if tag.startswith(f"{mark}/"):
            return tag.removeprefix(mark)
    return ""


@register.filter
def count_words(count: Count, nouns: str) -> str:
    """Return how long a list is: ``12 accounts``, or ``more than 500 accounts`` where counting stopped."""
    return (
        f"More than {count_noun(count.number, nouns)}" if count.capped else count_noun(count.number, nouns).capitalize()
    )


@register.filter
def nth(values: Sequence[Any], index: int) -> Any:
    """Return one element, so that a table's cell finds its column."""
    return values[index]


@register.filter
def count_digits(value: int) -> str:
    """Return a count in digits, for tables and headings: ``1,200``."""
    return f"{value:,}"


@register.filter
def errors_counted(form: BaseForm) -> str:
    """Return how many remarks a form carries: ``two things need a look``."""
    count = sum(len(remarks) for remarks in form.errors.values())
    return f"{count_word(count)} {'thing needs' if count == 1 else 'things need'} a look"


@register.simple_tag(takes_context=True)
def csrf_field(context: RequestContext) -> SafeString:
    """Return the hidden CSRF input. Unlike ``csrf_token`` it also works inside ``include ... only``."""
    return format_html('<input type="hidden" name="csrfmiddlewaretoken" value="{}">', get_token(context.request))
