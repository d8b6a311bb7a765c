"""Which accounts a deed on many is about: the ticked ones, or all that match the filters, never as a list of keys."""

from dataclasses import dataclass

from django.http import Http404, QueryDict

from accounts.models import PortalAccount
from accounts.models.inventory import PortalAccountQuerySet
from accounts.words import count_noun
from facilities.access import Scope
from web.forms.lists import ListFilter
from web.lists import accounts_as_asked

TICKED_AT_MOST = 200  # more than a page shows; whoever wants more takes all that match


@dataclass(frozen=True, slots=True)
class Selection:
    """The accounts of a deed, in words, and what carries them and the list's filters on to the next page."""

    accounts: PortalAccountQuerySet
    words: str
    kept: list[tuple[str, str]]
    filters: ListFilter
    refusal: str = ""  # why there is nothing to act on


def selection_of(scope: Scope, asked: QueryDict) -> Selection:
    """Return what is selected. Raises Http404 for a ticked account that the member cannot see."""
    listing = accounts_as_asked(scope, asked)
    if asked.get("all"):
        sentence = listing.form.sentence()
        words = f"All accounts that match: {sentence}." if sentence else "All accounts that are not removed."
        refusal = "part of the filter makes no sense" if listing.form.errors else ""
        return Selection(listing.rows, words, [("all", "1"), *listing.form.kept], listing.form, refusal)
    keys = {int(key) for key in asked.getlist("account") if key.isascii() and key.isdecimal() and len(key) < 19}
    if len(keys) > TICKED_AT_MOST:
        raise Http404("More than a page shows.")
    ticked = PortalAccount.objects.visible_to(scope).filter(pk__in=keys)
    if ticked.count() != len(keys):
        raise Http404("No such account among yours.")
    words = f"{count_noun(len(keys), 'account,accounts').capitalize()} that you ticked."
    kept = [*(("account", str(key)) for key in sorted(keys)), *listing.form.kept]
    return Selection(ticked, words, kept, listing.form, "" if keys else "no account is ticked")
