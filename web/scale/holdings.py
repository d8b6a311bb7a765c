"""What one made-up person holds: systems, states, logins. Days are counted back from the day of the population."""

import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from web.scale.idleness import Idleness

# Which systems people hold together, and how often; about 2.5 accounts a person. An authority stands before its
# surfaces, so that any beginning of a bundle is one too.
_BUNDLES: tuple[tuple[int, tuple[str, ...]], ...] = (
    (24, ("harp", "iqies")),
    (14, ("harp", "iqies", "idm")),
    (14, ("harp", "iqies", "qies", "casper")),
    (8, ("qies", "casper", "cmsnet")),
    (6, ("harp", "iqies", "idm", "psr")),
    (8, ("harp", "hqr")),
    (4, ("harp", "eqrs")),
    (4, ("harp", "hqr", "qualitynet")),
    (6, ("idm", "psr")),
    (6, ("idm",)),
    (4, ("sams",)),
    (2, ("ia",)),
)
ADMINISTRATORS = ("harp", "iqies", "idm")
SLUGS = frozenset(slug for _, bundle in _BUNDLES for slug in bundle)
_LOST, _REMOVED, _UNKNOWN, _NEVER, _LATE_LOGIN = 0.005, 0.01, 0.03, 0.03, 0.08
_NEWEST_OPENED, _OLDEST_OPENED = 420, 1_500  # days ago; an account that was never used may be younger
_YEAR = 365


@dataclass(frozen=True, slots=True)
class Surface:
    """What the maker needs to know of a system; ``authority`` is the slug of the one that it signs in via."""

    slug: str
    authority: str | None
    counts_at_authority: bool
    inactivity: Idleness
    password: Idleness | None
    certification: Idleness | None


@dataclass(slots=True)
class Holding:
    """One account to be made. Days are counted back; ``logins``: (day, whether it only counts from a surface)."""

    surface: Surface
    opened: int
    carries: bool = False  # other accounts sign in through it
    state: str = "known"  # of the last login: known, never, unknown
    status: str = "active"
    ended: int | None = None  # grants ended, for lost and removed accounts
    counts_from: int | None = None
    password_changed: int | None = None
    own: list[int] = field(default_factory=list)
    from_surfaces: list[tuple[int, "Holding"]] = field(default_factory=list)

    @property
    def days(self) -> list[int]:
        """All days of logins, whatever they came from."""
        return [*self.own, *(day for day, _ in self.from_surfaces)]


class Share:
    """Says of one account after the other whether it is to be due, so that the share asked for comes out.

    What cannot be given to one account is owed to the next ones.
    """

    def __init__(self, share: float, rng: random.Random) -> None:
        self._share, self._rng, self._owed = share, rng, 0.0

    @property
    def behind(self) -> bool:
        """Whether more is owed than chance explains."""
        return self._owed > 1.5

    def claim(self) -> bool:
        """Count one more account and return whether it should be due; tell `give_back` if it cannot be."""
        self._owed += self._share
        if self._owed > self._rng.random():
            self._owed -= 1
            return True
        return False

    def give_back(self) -> None:
        """The account that was to be due is not."""
        self._owed += 1


class HoldingsMaker:
    """Makes what people hold, one person after the other, from a seeded source of chance, and another for years."""

    def __init__(self, surfaces: dict[str, Surface], share: float, rng: random.Random, years: random.Random) -> None:
        self._surfaces = surfaces
        self._rng, self._years = rng, years
        self._due, self._due_share = Share(share, rng), share
        self._bundles = [bundle for _, bundle in _BUNDLES]
        self._weights = [weight for weight, _ in _BUNDLES]

    def make(self, *, administrator: bool, most: int) -> list[Holding]:
        """Return one person's holdings, authorities before their surfaces; at most ``most``."""
        rng = self._rng
        bundle = ADMINISTRATORS if administrator else rng.choices(self._bundles, self._weights)[0]
        opened = self._opened(bundle)
        made = {slug: Holding(self._surfaces[slug], opened) for slug in bundle[:most]}
        for slug in reversed(bundle[:most]):  # surfaces first: their logins bind the authority's
            holding = made[slug]
            self._live(holding)
            surface = holding.surface
            authority = made.get(surface.authority or "")
            if authority is not None:
                authority.carries = True
                if surface.counts_at_authority:
                    authority.from_surfaces += [(day, holding) for day in holding.own]
        return list(made.values())

    def _opened(self, bundle: Sequence[str]) -> int:
        """Return how long ago a person's accounts were opened: as many certifications are near as other clocks."""
        surfaces = [self._surfaces[slug] for slug in bundle]
        opened = self._rng.randint(_NEWEST_OPENED, _OLDEST_OPENED)
        yearly = next((surface.certification for surface in surfaces if surface.certification), None)
        if yearly is None:
            return opened
        near = self._years.random() < self._due_share
        since_anniversary = self._years.choice(yearly.soon if near else yearly.fine)
        return max(2, opened // _YEAR) * _YEAR + since_anniversary % _YEAR

    def _live(self, holding: Holding) -> None:
        """Decide state and logins of one account."""
        rng, surface = self._rng, holding.surface
        wanted = self._due.claim()
        if surface.password is not None:
            holding.password_changed = rng.choice(surface.password.fine)
        fate = 1.0 if self._due.behind else rng.random()
        if fate < _LOST + _REMOVED and not holding.carries:
            self._end(holding, removed=fate < _REMOVED)
            given = False
        elif fate < _LOST + _REMOVED + _UNKNOWN and not holding.from_surfaces:
            holding.state, given = "unknown", False
        else:
            given = self._run(holding, wanted, fate)
        if wanted and not given:
            self._due.give_back()

    def _end(self, holding: Holding, *, removed: bool) -> None:
        holding.status = "removed" if removed else "lost"
        holding.own = [self._rng.randint(100, 200)]
        holding.counts_from = holding.own[0]
        holding.ended = self._rng.randint(1, 50)

    def _run(self, holding: Holding, wanted: bool, fate: float) -> bool:
        """Give a running clock its basis; return whether the account is due now."""
        rng, pool = self._rng, holding.surface.inactivity
        bound = min((day for day, _ in holding.from_surfaces), default=None)
        pressed = self._due.behind and bound is None  # then its surfaces' authority can be due as well
        days = _within(pool.late if pressed else pool.due, bound) if wanted else ()
        given = bool(days)
        idle = rng.choice(days or _within(pool.fine, bound))
        if not given and bound is not None and bound in pool.fine and rng.random() < 0.5:
            idle = bound
        holding.counts_from = idle
        never = _LOST + _REMOVED + _UNKNOWN <= fate < _LOST + _REMOVED + _UNKNOWN + _NEVER
        if never and bound is None:
            holding.state, holding.opened = "never", idle
            return given
        if idle != bound:
            holding.own = [idle]
        strict = pool.needs_check and bound is None and not holding.surface.counts_at_authority
        if given and strict and pool.left[idle] < 0 and rng.random() < _LATE_LOGIN:
            holding.own.append(rng.randint(0, -pool.left[idle] - 1))  # after the last safe day: check your roles
        return given

    def add_history(self, holding: Holding, most: int) -> list[int]:
        """Add at most so many older logins, never far enough apart for the clock to have run out; return them."""
        if holding.state != "known" or len(holding.own) != 1 or holding.status != "active":
            return []
        day, added = holding.own[0], []
        step = max(1, min(20, (holding.opened - day) // (most + 1)))
        for _ in range(most):
            day += self._rng.randint(1, step)
            if day > holding.opened:
                break
            added.append(day)
        holding.own += added
        return added


def _within(days: Sequence[int], bound: int | None) -> Sequence[int]:
    """Return those of the ascending days that are not before the newest login that counts from elsewhere."""
    return days if bound is None else days[: bisect_right(days, bound)]
