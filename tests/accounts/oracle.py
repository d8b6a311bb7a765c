"""What design sections 4, 9.8 and 9.10 say of accounts, retold naively in memory: the judge of random histories.

Nothing here asks the product: facts are lists, every question walks through all of them.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

DAY = timedelta(days=1)
# system -> (days that may pass without a login, days until it is deleted, whether a late login mends it)
LIMITS = {
    "iqies": (60, None, False),
    "harp": (90, None, False),  # nothing published: the organization's own window
    "ep-pecos-ai": (90, None, False),
    "idm": (60, None, True),
    "casper": (60, 365, False),
    "qies": (60, 365, False),
}
VIA = {"iqies": "harp", "ep-pecos-ai": "idm", "casper": "qies"}
COUNTS_ABOVE = {"iqies", "ep-pecos-ai"}


@dataclass(eq=False)
class Role:
    """Who recorded when that a role held from day to day, and when that was corrected away."""

    name: str
    place: str
    since: date
    until: date | None
    recorded: datetime
    voided: datetime | None = None

    @property
    def open(self):
        return self.voided is None and self.until is None


@dataclass(eq=False)
class Login:
    """One statement that somebody signed in."""

    day: date
    source: str
    standing: bool = True


@dataclass(eq=False)
class Account:
    person: str
    system: str
    opened_on: date
    above: "Account | None" = None
    status: str = "active"
    history_from: date | None = None
    confirmed_on: date | None = None
    roles: list[Role] = field(default_factory=list)
    logins: list[Login] = field(default_factory=list)
    below: list["Account"] = field(default_factory=list)
    touched: int = 0  # the act that changed it last, a login apart
    used: int = 0  # the act that recorded or took back a login on it
    lost_with: list[Role] = field(default_factory=list)  # what ended when it was lost
    key: int = 0  # of the product's row

    def open_roles(self):
        return [role for role in self.roles if role.open]

    def days(self):
        """Every day with a standing login: its own, and those of what signs in through it and counts here."""
        own = {login.day for login in self.logins if login.standing}
        return own.union(*(each.days() for each in self.below if each.system in COUNTS_ABOVE))

    def basis(self):
        """The day from which the clock counts; None where nobody knows."""
        limit, _, mends = LIMITS[self.system]
        basis = self.history_from
        for day in sorted(self.days()):
            late = basis is not None and day > basis + limit * DAY
            answered = self.confirmed_on is not None and day <= self.confirmed_on
            # A house window takes nothing away, so nothing has to be looked at.
            if basis is None or not late or mends or answered or self.system in {"harp", "ep-pecos-ai"}:
                basis = day if basis is None else max(basis, day)
        return basis

    def check_on(self):
        last = max(self.days(), default=None)
        return last if last is not None and last > self.basis() else None

    def due(self):
        """kind -> last safe day, of the clocks that run."""
        idle, deleted, _ = LIMITS[self.system]
        basis = self.basis()
        if basis is None or self.status == "removed":
            return {}
        found = {"inactivity": basis + idle * DAY} if self.status == "active" else {}
        return found | ({"deletion": basis + deleted * DAY} if deleted else {})

    def held(self, on, known_by=None):
        """The roles held on a day, as known before an instant."""
        for role in self.roles:
            if role.since <= on and (role.until is None or on <= role.until):
                if known_by is None and role.voided is None:
                    yield role
                if known_by and role.recorded < known_by and (role.voided is None or role.voided >= known_by):
                    yield role


class Register:
    """The accounts of one organization, changed by acts; ``act`` numbers them."""

    def __init__(self):
        self.accounts: list[Account] = []
        self.act = 0

    def open(self, person, system):
        found = [each for each in self.accounts if (each.person, each.system) == (person, system)]
        return next((each for each in found if each.status != "removed"), None)

    def _touch(self, account):
        account.touched = self.act

    def new(self, person, system, opened_on, place, at, *, history_from=None):
        """Open an account, with the one at the sign-in authority where there is none; return those made."""
        made = []
        above = None
        if system in VIA:
            above = self.open(person, VIA[system])
            if above is None:
                made = self.new(person, VIA[system], opened_on, place, at)
                above = made[0]
                self.grant(above, "individual-user", place, opened_on, at)
        account = Account(person, system, opened_on, above, history_from=history_from)
        if above is not None:
            above.below.append(account)
        self.accounts.append(account)
        self._touch(account)
        return [account, *made]

    def grant(self, account, name, place, since, at):
        known = [role for role in account.open_roles() if (role.name, role.place) == (name, place)]
        if known:
            return None
        role = Role(name, place, since, None, at)
        account.roles.append(role)
        self._touch(account)
        return role

    def end(self, account, until, at, roles=None):
        """End roles: what was said before is voided, what is known now inserted. Return (old, new) pairs."""
        pairs = []
        for role in account.open_roles() if roles is None else roles:
            role.voided = at
            ended = Role(role.name, role.place, role.since, max(role.since, until), at)
            account.roles.append(ended)
            pairs.append((role, ended))
        self._touch(account)
        return pairs

    def login(self, account, day, source):
        same = [each for each in account.logins if each.standing and (each.day, each.source) == (day, source)]
        if same:
            return None
        login = Login(day, source)
        account.logins.append(login)
        account.used = self.act
        if account.above is not None and account.system in COUNTS_ABOVE:
            account.above.used = self.act
        return login

    def void(self, account, login):
        login.standing = False
        account.used = self.act
        if account.above is not None and account.system in COUNTS_ABOVE:
            account.above.used = self.act

    def lose(self, account, on, at):
        account.lost_with = [new for _, new in self.end(account, on, at)]
        account.status = "lost"

    def regain(self, account, on, at):
        account.status, account.history_from, account.confirmed_on = "active", on, on
        self._touch(account)
        for role in account.lost_with:
            self.grant(account, role.name, role.place, on, at)

    def remove(self, account, on, at):
        self.end(account, on, at)
        account.status = "removed"

    def list(self, rows, today, at):
        """Take a list; return what each row did, for the day it is taken back. A row: see `Row`."""
        opened: dict[tuple[str, str], date] = {}  # an authority is as old as what signs in through it
        for row in rows:
            if not row.gone and self.open(row.person, row.system) is None:
                place = row.person, VIA.get(row.system, row.system)
                first = min((day for day in (row.granted_on, row.last_login) if day), default=today)
                opened[place] = min(first, opened.get(place, first))
        return [done for row in rows if (done := self._row(row, today, at, opened))]

    def _row(self, row, today, at, opened):
        account = self.open(row.person, row.system)
        if account is None:
            return None if row.gone else self._opened(row, today, at, opened)
        if account.status == "lost" and not row.gone:
            return None  # refused: she has to say herself that it is back
        done = Done(account)
        last = max(account.days(), default=None)
        if row.gone:
            ended = [role for role in account.open_roles() if (role.name, role.place) == (row.role, row.place)]
            if ended:
                done.lost = account.status == "active" and len(ended) == len(account.open_roles())
                done.ended = self.end(account, today if done.lost else today - DAY, at, ended)
                if done.lost:
                    account.status, account.lost_with = "lost", [new for _, new in done.ended]
        elif (role := self.grant(account, row.role, row.place, row.granted_on or today, at)) is not None:
            done.granted.append(role)
        if row.last_login and not (last and last >= row.last_login):
            done.login = self.login(account, row.last_login, "file")
        if row.never and not row.last_login and last is None and account.history_from is None:
            account.history_from, done.never = account.opened_on, True
            self._touch(account)
        return done if done else None

    def _opened(self, row, today, at, opened):
        first = min((day for day in (row.granted_on, row.last_login) if day), default=today)
        opened_on = first if row.system in VIA else opened[row.person, row.system]
        since = opened_on if row.never and not row.last_login else None
        account, *made = self.new(row.person, row.system, opened_on, row.place, at, history_from=since)
        done = Done(account, created=True, made=made)
        done.granted.append(self.grant(account, row.role, row.place, row.granted_on or first, at))
        if row.last_login:
            done.login = self.login(account, row.last_login, "file")
        return done

    def undo(self, act, told, today, at):
        """Take a list back: what somebody has touched since stays, also what such an account signs in through."""
        kept = {
            id(each.account)
            for each in told
            if each.account.touched > act
            or (each.login and not each.login.standing)
            or (each.created and each.account.used > act)
        }
        made = [account for each in told for account in ([each.account] if each.created else []) + each.made]
        kept |= {id(account) for account in made if account.touched > act or account.used > act}
        for each in told:
            if id(each.account) in kept:  # a row stays whole
                kept |= {id(account) for account in each.made}
        going = {id(account) for account in made} - kept
        for account in made:
            if any(below.status != "removed" and id(below) not in going for below in account.below):
                kept.add(id(account))
        stays = []
        for each in told:
            if id(each.account) in kept:
                stays.append(each.account)
            else:
                self._take_back(each, at)
                stays += [account for account in each.made if id(account) in kept]
        for account in made:
            if id(account) not in kept:
                account.status = "removed"
                for role in account.roles:
                    role.voided = role.voided or at
                self._touch(account)
        return stays

    def _take_back(self, done, at):
        account = done.account
        if done.login:
            self.void(account, done.login)
        for role in done.granted + [new for _, new in done.ended]:
            role.voided = at
        for old, _ in done.ended:
            account.roles.append(Role(old.name, old.place, old.since, old.until, at))
        if done.lost:
            account.status = "active"
        if done.never:
            account.history_from = None
        self._touch(account)


@dataclass(frozen=True)
class Row:
    """One row of a list."""

    person: str
    system: str
    place: str
    role: str
    gone: bool = False
    granted_on: date | None = None
    last_login: date | None = None
    never: bool = False


@dataclass
class Done:
    """What a row of a list did."""

    account: Account
    created: bool = False
    made: list[Account] = field(default_factory=list)
    granted: list[Role] = field(default_factory=list)
    ended: list[tuple[Role, Role]] = field(default_factory=list)
    login: Login | None = None
    lost: bool = False
    never: bool = False

    def __bool__(self):
        return bool(self.created or self.granted or self.ended or self.login or self.never)
