"""Who was sent a mail about a date or a finding, and who will be, on which day."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db.models import BigIntegerField, BooleanField, Exists, ExpressionWrapper, F, OuterRef, Q, Value
from django.db.models.functions import Coalesce

from accounts.finding_words import WORDS
from accounts.models import Deadline, Finding, PortalAccount
from accounts.words import count_noun, listed
from accounts.words import day_in as in_words
from facilities.access import Scope
from facilities.models import Membership
from facilities.models.tenancy import Role
from reminders.coming import Hearer, Telling, coming_for_deadlines, coming_for_finding, started
from reminders.found import CYCLES
from reminders.models import Reminder
from reminders.zones import local_time
from staff.models import Person

Called = Callable[[Hearer], str]  # by name, or by role whom the member may not read
Told = dict[int, list[dict[str, Any]]]  # key of the subject -> who, at
Coming = dict[str, Any]  # as `components/why_coming.html` prints it: days [{on, who}], or none (a sentence)
_NAMED: Final = 6  # of one day; with more administrators than that the others are counted
_PLACES: Final = 2  # facilities by name of one administrator
_ONE: Final = "an administrator"
_ALL: Final = "the organization"
_NOT_STARTED: Final = "Nobody: reminders have not been started."


def told_of_deadlines(scope: Scope, deadlines: Sequence[Deadline]) -> Told:
    """Return who was sent what each deadline's present cycle says, oldest first, as those are called who will be told.

    One query, and two more at most for a member who does not read of everybody.
    """
    sent = Reminder.objects.filter(deadline__in=deadlines, cycle=F("deadline__cycle"))
    whose = Coalesce("deadline__account__person", "deadline__grant__account__person", "deadline__person")
    approves = Q(deadline__kind=Deadline.Kind.CERTIFICATION)
    return _told(scope, "deadline", sent.annotate(whose=whose, approves=ExpressionWrapper(approves, BooleanField())))


def told_of_findings(scope: Scope, findings: Sequence[Finding]) -> Told:
    """Return who was sent what about each finding, oldest first, and how. Queries as `told_of_deadlines`."""
    whose = Coalesce("finding__person", "finding__account__person")
    sent = Reminder.objects.filter(finding__in=findings)
    return _told(scope, "finding", sent.annotate(whose=whose, approves=Value(False)))


Mail = tuple[datetime, str, str]  # when, to whom, about what


def mails_about(scope: Scope, account: PortalAccount, most: int) -> list[Mail]:
    """Return when whom a mail told of a date of an account or of what is wrong with it, newest first. Queries as above.

    Two ranges of keys, put together: one condition beside the other would walk through all reminders.
    """
    dates, wrong = Reminder.objects.filter(deadline__account=account), _of_findings(scope, account)
    return _mails(scope, Reminder.objects.filter(pk__in=dates.values("pk").union(wrong.values("pk"))), account, most)


def mails_about_findings(scope: Scope, account: PortalAccount, most: int) -> list[Mail]:
    """Return when whom a mail told of what is or was wrong with an account, newest first. Queries as above."""
    return _mails(scope, _of_findings(scope, account), account, most)


def _of_findings(scope: Scope, account: PortalAccount) -> Any:
    """Return what was told of findings about an account that the member reads: one may be of another facility."""
    return Reminder.objects.filter(finding__in=Finding.objects.visible_to(scope).filter(account=account))


def _mails(scope: Scope, about: Any, account: PortalAccount, most: int) -> list[Mail]:
    sent = _sent(about.annotate(whose=Value(account.person_id, output_field=BigIntegerField()), approves=Value(False)))
    sent = sent.select_related("deadline", "finding").order_by("-digest__sent_at", "pk")
    rows = [(each, _hearer(each)) for each in sent[:most]]
    called = _called(scope, (hearer for _, hearer in rows))
    return list(dict.fromkeys((each.digest.sent_at, called(hearer), _about(each)) for each, hearer in rows))


def _about(sent: Reminder) -> str:
    if sent.finding is not None:
        return f"“{WORDS[sent.finding.kind].heading}”"
    return sent.deadline.get_kind_display().lower() if sent.deadline else ""


def _sent(reminders: Any) -> Any:
    office = Membership.objects.open().filter(
        user=OuterRef("recipient__user"), organization=OuterRef("organization"), role=Role.ADMINISTRATOR
    )
    went = reminders.filter(digest__sent_at__isnull=False).annotate(administers=Exists(office))
    return went.select_related("recipient", "digest")


def _told(scope: Scope, subject: str, reminders: Any) -> Told:
    rows = [(each, _hearer(each)) for each in _sent(reminders).order_by("digest__sent_at", "pk")]
    called = _called(scope, (hearer for _, hearer in rows))
    times: dict[int, Counter[tuple[datetime, str]]] = defaultdict(Counter)
    for each, hearer in rows:  # by the minute, as it is shown: of one mail round each office is named once
        minute = each.digest.sent_at.replace(second=0, microsecond=0)
        times[getattr(each, f"{subject}_id")][minute, called(hearer)] += 1
    told: Told = defaultdict(list)
    for key, found in times.items():
        told[key] = [{"who": _several(name, count), "at": at} for (at, name), count in found.items()]
    return told


def _hearer(sent: Any) -> Hearer:
    person, owner = sent.recipient, sent.recipient_id == sent.whose
    return Hearer(person.pk, str(person), owner, sent.administers, bool(sent.approves) and not sent.administers)


def will_be_told_of_deadlines(scope: Scope, deadlines: Sequence[Deadline], at: datetime) -> dict[int, Coming]:
    """Return by key who will be told of each open deadline of the member's organization, in words.

    Read them with policy, account and organization. The queries of `coming_for_deadlines`, and two at most for a
    member who does not read of everybody.
    """
    running = [each for each in deadlines if started(each.organization, at)]
    found = coming_for_deadlines(running, at) if running else {}
    called = _called(scope, (hearer for days in found.values() for each in days for hearer in each.people))
    return {each.pk: _deadline(each, found.get(each.pk, []), called, at) for each in deadlines}


def _deadline(deadline: Deadline, days: Sequence[Telling], called: Called, at: datetime) -> Coming:
    if deadline.muted:
        return {"none": "Nobody: the system has closed there, so its dates are quiet."}
    if not started(deadline.organization, at):
        return {"none": _NOT_STARTED}
    today = local_time(at, deadline.zone).date()
    return _words(days, called, today, "Nobody: no further day is left on which somebody hears of it.")


def will_be_told_of_finding(scope: Scope, finding: Finding, at: datetime) -> Coming:
    """Return who will be told of an open finding, in words; read it with organization, account and deadline.

    A date that has passed has mails of its own; a finding of low severity only stands here.
    """
    if finding.deadline is not None:
        return will_be_told_of_deadlines(scope, [finding.deadline], at)[finding.deadline.pk]
    if not started(finding.organization, at):
        return {"none": _NOT_STARTED}
    if finding.severity not in CYCLES:
        return {"none": "Nobody: of what is less than medium no mails go out."}
    days = coming_for_finding(finding, at)
    called = _called(scope, (hearer for each in days for hearer in each.people))
    today = local_time(at, finding.organization.zone).date()
    return _words(days, called, today, "Nobody: everybody who hears of it was told.")


def _words(days: Sequence[Telling], called: Called, today: date, nobody: str) -> Coming:
    """Return the days in words; ``today`` is the day of the zone that theirs are of."""
    if not days:
        return {"none": nobody}
    return {"days": [{"on": in_words(each.on, today), "who": _names(each.people, called)} for each in days]}


def _names(people: Sequence[Hearer], called: Called) -> str:
    # Whom it is about stands first, then who is told because she looks after others.
    times = Counter(called(each) for each in sorted(people, key=lambda each: not each.owner))
    names = [_several(name, count) for name, count in times.items()]
    rest = sum(list(times.values())[_NAMED:])
    return listed([*names[:_NAMED], count_noun(rest, "other,others")] if rest > 0 else names)


def _several(name: str, count: int) -> str:
    if count > 1 and name.startswith(_ONE):
        return count_noun(count, "administrator,administrators") + name.removeprefix(_ONE)
    return name


def _called(scope: Scope, hearers: Iterable[Hearer]) -> Called:
    """Return how to say who hears: by name whom the member reads and whom it is about, all others by role.

    Two queries at most, none for a member who reads of everybody.
    """
    if scope.reads is None:
        return _name
    others = {each.person: each for each in hearers if not each.owner}
    seen = set(Person.objects.visible_to(scope).filter(pk__in=others).values_list("pk", flat=True)) if others else ()
    offices = _offices(scope, [key for key, each in others.items() if key not in seen and each.administers])

    def called(hearer: Hearer) -> str:
        if hearer.owner or hearer.person in seen:
            return _name(hearer)
        if hearer.approves:
            return "whoever approves there"
        return f"{_ONE} of {offices.get(hearer.person, _ALL)}" if hearer.administers else "who stands in"

    return called


def _offices(scope: Scope, people: Sequence[int]) -> dict[int, str]:
    """Return what each of these people administers: facilities by name, or the organization. One query at most."""
    if not people:
        return {}
    open_roles = Membership.objects.open().filter(organization=scope.organization, role=Role.ADMINISTRATOR)
    rows = Person.objects.filter(pk__in=people, user__memberships__in=open_roles)
    found: dict[int, list[str | None]] = defaultdict(list)
    columns = ("pk", "user__memberships__facility__name")
    for person, name in rows.order_by("user__memberships__facility__name").values_list(*columns).distinct():
        found[person].append(name)
    return {person: _places([name for name in names if name], all(names)) for person, names in found.items()}


def _places(names: Sequence[str], bounded: bool) -> str:
    if not bounded:
        return _ALL
    rest = len(names) - _PLACES
    return listed([*names[:_PLACES], count_noun(rest, "other facility,other facilities")] if rest > 0 else names)


def _name(hearer: Hearer) -> str:
    if hearer.owner:
        return hearer.name
    if hearer.approves:
        return f"{hearer.name} (approves there)"
    return f"{hearer.name} ({'administrator' if hearer.administers else 'stands in'})"
