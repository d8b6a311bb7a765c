"""What Today shows: the open deadlines a member should hear about, cut into sections of bounded length."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from accounts.models import AccessRequest, Deadline, HouseWindow, LoginEvent, OrganizationFigures, PortalAccount
from accounts.models.inventory import PortalAccountQuerySet
from accounts.policy.requesting import Kind
from accounts.selectors import needed_somewhere
from accounts.sentences import Tally
from accounts.standing_sets import WEEK_DAYS, passed
from facilities.access import Scope
from systems.policy import EASTERN, Standing, day_in
from web.dossiers import Dossier, gather
from web.duties import Row, concerning, duty_rows
from web.standings import clock_of

SHOWN = 7  # rows of other people's accounts in one section; the list of accounts has the rest
SOON_DAYS = 30  # the longest first step of a ladder, and of an organization's own window
_LATE = {Standing.LATE, Standing.PRESUMED_LAPSED}
_WATCHED = (Deadline.Kind.INACTIVITY, Deadline.Kind.DELETION, Deadline.Kind.PASSWORD, Deadline.Kind.TEMPORARY)


@dataclass(slots=True)
class Section:
    """Rows of one kind of urgency; ``more`` when the database held more of them than are shown."""

    deadlines: list[Deadline] = field(default_factory=list)
    more: bool = False


@dataclass(slots=True)
class Agenda:
    """One member's day."""

    on: date
    late: Section
    check: Section
    week: Section
    later: Section
    unknown: list[PortalAccount]
    unknown_more: bool
    done: list[LoginEvent]
    lost: list[PortalAccount]  # the member's own that no longer work; `asked_for`: the request that brings it back
    dossiers: dict[int, Dossier]
    next_on: date | None = None  # the soonest date of all, when nothing is due
    duties: dict[str, list[Row]] = field(default_factory=dict)  # section -> rows of what hangs on no account

    def tally(self, kept: OrganizationFigures | None = None) -> Tally:
        """Return the counts for the one sentence that matters. ``kept``: figures of this day of all that is read."""
        named = {"late": self.late, "check": self.check, "week": self.week, "later": self.later}
        more = [name for name, section in named.items() if section.more or len(self.duties.get(name, ())) > SHOWN]
        urgent = [*self.late.deadlines, *self.week.deadlines] or self.later.deadlines
        return Tally(
            **{
                name: len(section.deadlines) + len(self.duties.get(name, ())[:SHOWN]) for name, section in named.items()
            },
            unknown=len(self.unknown),
            more=[*more, "unknown"] if self.unknown_more else more,
            accounts=self._counted(kept) if kept else {},
            others={name: len(rows) for name, rows in self.duties.items()},
            logins_only=not any(self.duties.values()) and all(row.kind == Deadline.Kind.INACTIVITY for row in urgent),
        )

    def _counted(self, kept: OrganizationFigures) -> dict[str, int]:
        """Return the kept numbers of sections that have more rows than are shown, where they say no less than those."""
        numbers = {"late": kept.late, "check": kept.check_roles, "week": kept.week}
        sections = {"late": self.late, "check": self.check, "week": self.week}
        return {
            name: numbers[name]
            for name, section in sections.items()
            if section.more and numbers[name] > len(section.deadlines) and len(self.duties.get(name, ())) <= SHOWN
        }

    @property
    def bare(self) -> bool:
        """Whether nothing at all is known that has a date or should have one, as in an empty organization."""
        return not (self.dossiers or self.next_on or any(self.duties.values()))

    @property
    def quiet(self) -> bool:
        """Whether there is nothing to do at all."""
        urgent = (self.late.deadlines, self.check.deadlines, self.week.deadlines)
        return not (self.unknown or self.lost or any(urgent) or self.duties.get("late") or self.duties.get("week"))


def agenda(*, scope: Scope, at: datetime) -> Agenda:
    """Return what waits for the member, soonest first, each section bounded; her own rows are never cut off."""
    on = day_in(at, EASTERN)
    accounts = PortalAccount.objects.visible_to(scope)
    rows = _watched(scope, accounts)
    # The index of open deadlines serves this range scan; a stricter house window would need another order.
    stricter = HouseWindow.objects.filter(organization=scope.organization, enabled=True).exists()
    rows = rows.annotate(aim=Coalesce("target_on", "due_on") if stricter else F("due_on"))
    running = Q(due_on__gte=on) | Q(policy=None)
    week_on, soon_on = on + timedelta(days=WEEK_DAYS), on + timedelta(days=SOON_DAYS)
    parts = {
        # The newest lapse first: it is the one that most likely can still be caught.
        "late": passed(rows, on).order_by("-due_on", "-pk"),
        "check": rows.filter(due_on__lt=on, check_on__isnull=False).order_by("-due_on", "-pk"),
        "week": rows.filter(running, aim__lte=week_on, check_on=None).order_by("aim", "pk"),
        "later": rows.filter(running, aim__gt=week_on, aim__lte=soon_on, check_on=None).order_by("aim", "pk"),
    }
    sections = {name: _section(scope, part, on) for name, part in parts.items()}
    _drop_outshone(sections)
    unknown = _unknown(accounts, on)
    shown = [row for section in sections.values() for row in section.deadlines]
    lost = _lost(scope, on, apart={row.account_id for row in shown if row.account_id is not None})
    waiting = {row.account_id for row in shown} | {account.pk for account in (*unknown, *lost)}
    # What still waits for something after the login stays where it is: one account, one row.
    done = [event for event in done_today(scope=scope, at=at) if event.account_id not in waiting]
    concerned = {row.account.pk: row.account for row in shown if row.account}
    concerned |= {account.pk: account for account in (*unknown[:SHOWN], *lost)} | {
        event.account_id: event.account for event in done
    }
    return Agenda(
        on=on,
        **sections,
        unknown=unknown[:SHOWN],
        unknown_more=len(unknown) > SHOWN,
        done=done,
        lost=lost,
        dossiers=gather(scope, concerned.values(), shown, on),
        duties=_duties(scope, on),
        next_on=rows.filter(due_on__gte=on).order_by("due_on", "pk").values_list("due_on", flat=True).first(),
    )


def _duties(scope: Scope, on: date) -> dict[str, list[Row]]:
    """Return what hangs on no account by section, at most one more than is shown of each."""
    near, week_on = concerning(scope, on), on + timedelta(days=WEEK_DAYS)
    parts = {
        "late": near.filter(due_on__lt=on).order_by("-due_on", "-pk"),
        "week": near.filter(due_on__range=(on, week_on)),
        "later": near.filter(due_on__gt=week_on),
    }
    return {name: duty_rows(part[: SHOWN + 1], scope=scope, on=on) for name, part in parts.items()}


def _watched(scope: Scope, accounts: QuerySet[PortalAccount]) -> QuerySet[Deadline]:
    rows = Deadline.objects.open().filter(
        organization=scope.organization, kind__in=_WATCHED, muted=False, account__isnull=False
    )
    if scope.reads is not None:
        rows = rows.filter(account__in=accounts.order_by().values("pk"))
    return rows.select_related("account__person", "account__system", "policy__source")


def _section(scope: Scope, rows: QuerySet[Deadline], on: date) -> Section:
    found = list(rows[: SHOWN + 1])
    more = len(found) > SHOWN
    found = found[:SHOWN]
    if more and scope.user_id is not None:
        known = {row.pk for row in found}
        found += [row for row in rows.filter(account__person__user=scope.user_id)[:SHOWN] if row.pk not in known]
    # A short clock's ladder starts later than the range of days that was read.
    return Section([row for row in found if row.check_on or clock_of(row).standing(on) != Standing.FINE], more)


def _drop_outshone(sections: dict[str, Section]) -> None:
    """Keep one row per account about its logins: a question that is open, else the deletion, else the lapse."""
    asked = {row.account_id for row in sections["check"].deadlines}
    rows = [row for section in sections.values() for row in section.deadlines]
    deleted = {row.account_id for row in rows if row.kind == Deadline.Kind.DELETION} - asked
    for section in sections.values():
        section.deadlines = [row for row in section.deadlines if not _outshone(row, asked, deleted)]


def _outshone(row: Deadline, asked: set[int | None], deleted: set[int | None]) -> bool:
    if row.kind == Deadline.Kind.DELETION:
        return row.account_id in asked
    return row.kind == Deadline.Kind.INACTIVITY and row.account_id in deleted


def _unknown(accounts: PortalAccountQuerySet, on: date) -> list[PortalAccount]:
    """Return active accounts that have no date because nobody knows the last login; where it closed, nobody asks.

    `lapses_on` leads the index.
    """
    unknown = accounts.running().filter(login_state=PortalAccount.LoginState.UNKNOWN, lapses_on=None)
    unknown = needed_somewhere(unknown, on)
    return list(unknown.select_related("person", "system").order_by("pk")[: SHOWN + 1])


def _lost(scope: Scope, on: date, apart: set[int]) -> list[PortalAccount]:
    """Return the member's own accounts that no longer work and are still needed, the newest loss first."""
    if scope.user_id is None:
        return []
    back = AccessRequest.objects.pending().filter(account=OuterRef("pk"), kind=Kind.REACTIVATION)
    own = PortalAccount.objects.filter(organization=scope.organization, person__user=scope.user_id)
    own = needed_somewhere(own.filter(status=PortalAccount.Status.LOST).exclude(pk__in=apart), on)
    asked = own.annotate(asked_for=Subquery(back.order_by("-pk").values("pk")[:1]))
    return list(asked.select_related("person", "system").order_by("-lost_at", "-pk")[:SHOWN])


def asked_for(lost: PortalAccount) -> int | None:
    """Return the request that is to bring back one of `Agenda.lost`, if there is one."""
    return getattr(lost, "asked_for", None)


def done_today(*, scope: Scope, at: datetime) -> list[LoginEvent]:
    """Return the logins this member recorded since midnight Eastern, newest first; they can be taken back.

    What was typed while an account was added is part of adding it, not a login of today.
    """
    midnight = datetime.combine(day_in(at, EASTERN), time.min, ZoneInfo(EASTERN))
    mine = LoginEvent.objects.standing().filter(
        organization=scope.organization,
        recorded_at__gte=midnight,
        recorded_at__gt=F("account__created_at"),
        recorded_by=scope.actor.label,
        via=None,
    )
    newest = mine.filter(account__in=PortalAccount.objects.visible_to(scope).order_by().values("pk"))
    return list(newest.select_related("account__person", "account__system").order_by("-pk")[:SHOWN])
