"""Where it burns: the figures of everything a member reads, the worst facilities first. Kept figures where many."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from accounts.models import FacilityFigures, OrganizationFigures
from accounts.services.figures import Counts, Figures, count, figures_of
from accounts.words import count_noun, count_word, listed
from audit.models import ChainHead
from facilities.access import Scope
from facilities.models import Facility

WORST: Final = 20  # facilities shown; the grid of all facilities has the rest
COUNTED_LIVE: Final = 20  # facilities up to which counting takes no longer than a page does


@dataclass(frozen=True, slots=True)
class Segment:
    """One part of a bar; x and width are percentages as SVG text."""

    kind: str
    x: str
    width: str


@dataclass(frozen=True, slots=True)
class Burning:
    """One facility, its figures, and its bar, as wide as its share of the worst one's."""

    facility: Facility
    figures: Figures
    bar: list[Segment]


@dataclass(frozen=True, slots=True)
class Overview:
    """The whole, the worst facilities, and as of when; ``behind``: somebody acted since, counting follows shortly."""

    whole: Figures
    facilities: int
    troubled: int
    rows: list[Burning]
    counted_at: datetime
    behind: bool

    @property
    def quiet(self) -> bool:
        """Whether nothing is late, serious, unknown or due this week."""
        return bool(self.facilities) and not (self.whole.burning or self.whole.week or self.whole.unknown)

    @property
    def sentence(self) -> str:
        """Return the one sentence that matters."""
        return told(self.whole, self.facilities, self.troubled)


def overview(scope: Scope, *, on: date, at: datetime) -> Overview:
    """Return what burns in what the member reads. Three or four queries from kept figures, else as `count` needs."""
    if scope.reads is None:
        kept = OrganizationFigures.objects.filter(organization=scope.organization).first()
        if kept is not None and kept.facilities > COUNTED_LIVE:
            return _kept(scope, kept, on)
    counts = count(scope=scope, on=on)
    places = Facility.objects.visible_to(scope).open()
    named = {place.pk: place for place in places.filter(pk__in=_worst(counts))}
    rows = [(named[key], counts.places[key]) for key in _worst(counts) if key in named]
    return Overview(counts.whole, places.count(), counts.troubled, _drawn(rows), at, behind=False)


def _kept(scope: Scope, kept: OrganizationFigures, on: date) -> Overview:
    head = ChainHead.objects.filter(chain=scope.organization.key).values_list("seq", flat=True).first() or 0
    worst = FacilityFigures.objects.filter(organization=scope.organization).select_related("facility")
    rows = [(row.facility, figures_of(row)) for row in worst.order_by("-burning", "-week", "facility_id")[:WORST]]
    behind = head != kept.act_seq or kept.counted_on != on
    return Overview(figures_of(kept), kept.facilities, kept.troubled, _drawn(rows), kept.counted_at, behind)


def _worst(counts: Counts) -> list[int]:
    ordered = sorted(counts.places.items(), key=lambda each: (-each[1].burning, -each[1].week, each[0]))
    return [place for place, _ in ordered[:WORST]]


def _drawn(rows: list[tuple[Facility, Figures]]) -> list[Burning]:
    """Return the rows with bars; the longest fills its cell."""
    shown = [(place, figures) for place, figures in rows if figures.burning + figures.week + figures.unknown]
    most = max((figures.burning + figures.week for _, figures in shown), default=0)
    return [Burning(place, figures, _segments(figures, most)) for place, figures in shown]


def _segments(figures: Figures, most: int) -> list[Segment]:
    x, found = 0.0, []
    for kind in ("late", "serious", "check_roles", "week"):
        width = 100 * getattr(figures, kind) / most if most else 0
        if width:
            found.append(Segment(kind.replace("_", "-"), f"{x:.2f}%", f"{max(width - 0.6, 0.4):.2f}%"))
        x += width
    return found


def told(whole: Figures, facilities: int, troubled: int) -> str:
    """Return the figures as one sentence, what is wrong first."""
    wrong = [
        count_noun(whole.late, "account is late,accounts are late") if whole.late else "",
        f"the roles of {count_noun(whole.check_roles, 'account,accounts')} have to be looked at"
        if whole.check_roles
        else "",
        count_noun(whole.serious, "serious finding is open,serious findings are open") if whole.serious else "",
    ]
    said = listed(text for text in wrong if text)
    if said:
        where = f", at {count_word(troubled)} of {count_noun(facilities, 'facility,facilities')}" if troubled else ""
        return f"{said[0].upper()}{said[1:]}{where}."
    if not facilities:
        return "There is no facility here yet."
    coming = count_noun(whole.week, "account has,accounts have").capitalize()
    rest = f" {coming} a date this week." if whole.week else ""
    return f"Nothing is late or serious at {count_noun(facilities, 'facility,facilities')}.{rest}"


def brief(kept: OrganizationFigures) -> str:
    """Return the kept figures as a sentence where there is more than one facility and something is wrong, else ""."""
    wrong = kept.facilities > 1 and (kept.troubled or kept.late or kept.check_roles or kept.serious)
    return told(figures_of(kept), kept.facilities, kept.troubled) if wrong else ""
