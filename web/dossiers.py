"""Everything a page says about an account, gathered for many accounts at once by a fixed number of queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db.models import F, Max, Q

from accounts.models import Deadline, LoginEvent, PortalAccount, RoleGrant
from accounts.sentences import Facts, limit_words, local_ends, possessive
from accounts.words import day, day_in
from facilities.access import Action, Scope
from reminders.ladder import ladder_of
from staff.models import Employment
from systems.models import Policy
from systems.policy import EASTERN, cures
from web.clocks import Clock, draw_clock
from web.standings import clock_of, limit_in_days
from web.told import told_of_deadlines

_COUNTED = {
    Deadline.Kind.INACTIVITY: "without a login",
    Deadline.Kind.DELETION: "without a login",
    Deadline.Kind.PASSWORD: "since the last password change",
}


@dataclass(slots=True)
class Dossier:
    """One account as one member sees it on one day."""

    account: PortalAccount
    own: bool
    on: date
    grants: list[RoleGrant] = field(default_factory=list)  # not corrected away, ended ones included
    logins: dict[date, LoginEvent] = field(default_factory=dict)  # the evidence that the clocks stand on
    told: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # deadline key -> who, at
    left_on: date | None = None

    @property
    def open_grants(self) -> list[RoleGrant]:
        """Grants in force on the day; of a role that ended and came back on it only the one that goes on."""
        open_ones = [
            g for g in self.grants if g.valid_from <= self.on and (g.valid_to is None or g.valid_to >= self.on)
        ]
        last = {(g.role_id, g.facility_id): g for g in sorted(open_ones, key=lambda g: (g.valid_to or date.max, g.pk))}
        return [g for g in open_ones if last[g.role_id, g.facility_id] is g]

    @property
    def places(self) -> list[int]:
        """Keys of the facilities where the account has or had a grant, as the services count them."""
        return sorted({grant.facility_id for grant in self.grants})

    def may(self, scope: Scope, action: Action) -> bool:
        """Return whether the service would let this member act on the account."""
        return scope.may(action, self.places, own=self.own)

    def facts(self, deadline: Deadline | None = None) -> Facts:
        """Return the values for a sentence about one of the account's deadlines, or about its unknown login."""
        account, policy = self.account, deadline.policy if deadline else None
        password = deadline is not None and deadline.kind == Deadline.Kind.PASSWORD
        return Facts(
            system=account.system.name,
            person=str(account.person),
            own=self.own,
            on=self.on,
            due_on=deadline.due_on if deadline else None,
            aim_on=(deadline.target_on or deadline.due_on) if deadline else None,
            last_on=account.password_changed_on if password else account.last_login_on,
            never=account.login_state == PortalAccount.LoginState.NEVER,
            opened_on=account.opened_on,
            check_on=deadline.check_on if deadline else None,
            consequence=policy.consequence if policy else "",
            cure=policy.cure_text if policy else "",
            left_on=self.left_on,
        )

    def local_ends(self, deadline: Deadline) -> str:
        """Return when the last safe day ends on the clocks of the facilities, where they differ from the system's."""
        zones = {grant.facility.zone for grant in self.open_grants}
        return local_ends(deadline.due_on, zones, system_zone=deadline.zone)


def gather(
    scope: Scope, accounts: Iterable[PortalAccount], deadlines: Sequence[Deadline], on: date
) -> dict[int, Dossier]:
    """Return a dossier per account key; read the accounts with person and system.

    Four queries, whatever the number.
    """
    found = {account.pk: Dossier(account, _own(scope, account), on) for account in accounts}
    for grant in RoleGrant.objects.known().filter(account__in=found).select_related("facility", "role").order_by("pk"):
        found[grant.account_id].grants.append(grant)
    newest = Q(happened_on=F("account__last_login_on")) | Q(happened_on=F("account__counts_from_on"))
    evidence = LoginEvent.objects.standing().filter(newest, account__in=found).select_related("via__account__system")
    for event in evidence.order_by("-grade"):  # the best grade of a day is the one that stays
        found[event.account_id].logins[event.happened_on] = event
    told = told_of_deadlines(scope, deadlines)
    for deadline in deadlines:
        if deadline.account_id in found:
            found[deadline.account_id].told[deadline.pk] = told[deadline.pk]
    left = left_among({account.account.person_id for account in found.values()}, on)
    for dossier in found.values():
        dossier.left_on = left.get(dossier.account.person_id)
    return found


def _own(scope: Scope, account: PortalAccount) -> bool:
    return scope.user_id is not None and account.person.user_id == scope.user_id


def left_among(people: Iterable[int], on: date) -> dict[int, date]:
    """Return the last day of those who worked here once and do not any more."""
    known = Employment.objects.known().filter(person__in=list(people))
    ended = known.values("person_id").annotate(last=Max("valid_to"), going_on=Max("pk", filter=Q(valid_to=None)))
    return {
        row["person_id"]: row["last"]
        for row in ended.order_by()
        if row["going_on"] is None and row["last"] is not None and row["last"] < on
    }


def clock_drawing(dossier: Dossier, deadline: Deadline) -> Clock:
    """Return the drawn clock of one deadline, with the days on which its reminders go out."""
    policy, account = deadline.policy, dossier.account
    aim = deadline.target_on or deadline.due_on
    steps: tuple[int, ...] = ()
    if policy is not None:
        ladder = ladder_of(deadline.kind, limit_in_days(policy.limit_days, policy.limit_years))
        steps = ladder.before if ladder else ()
    since = "the last login"
    if deadline.kind == Deadline.Kind.PASSWORD:
        since = "the last password change"
    elif deadline.kind == Deadline.Kind.TEMPORARY or account.login_state == PortalAccount.LoginState.NEVER:
        since = "the account was opened"
    elif account.last_login_on != deadline.basis_on:
        since = "the last login that counted"
    return draw_clock(
        standing=clock_of(deadline).standing(dossier.on),
        on=dossier.on,
        basis_on=deadline.basis_on,
        due_on=deadline.due_on,
        ticks=[date.fromordinal(aim.toordinal() - step) for step in steps],
        since=since,
    )


def explain(dossier: Dossier, deadline: Deadline) -> dict[str, Any]:
    """Return the full answer to "why?" for `components/why.html`; the policy has to be read with its source."""
    account, policy = dossier.account, deadline.policy
    answer: dict[str, Any] = {
        "facts": _known_facts(dossier, deadline),
        "told": dossier.told.get(deadline.pk, []),
        "house": policy is None,
    }
    if policy is None:
        days = (deadline.due_on - deadline.basis_on).days
        answer["rule"] = (
            f"{account.system.name}: a login every {days} days. CMS publishes no limit for it; this date is your own."
        )
        answer["clears"] = f"A login to {account.system.name}."
        return answer
    temporary = deadline.kind == Deadline.Kind.TEMPORARY
    limit = "" if temporary else f"{limit_of(policy, account.system.name)} "
    answer["rule"] = f"{limit}{policy.consequence_text}"
    answer["source"] = source_of(policy)
    answer["clears"] = _clears(dossier, deadline, policy)
    return answer


def limit_of(policy: Policy, system: str) -> str:
    """Return a policy's limit as a sentence."""
    return limit_words(
        system=system,
        days=policy.limit_days,
        years=policy.limit_years,
        boundary=policy.boundary,
        what=_COUNTED.get(Deadline.Kind(policy.kind), ""),
    )


def source_of(policy: Policy) -> dict[str, Any]:
    """Return the citation of a policy as `components/why.html` prints it."""
    source = policy.source
    title = source.title if source.document_on else f"{source.title}, {source.document_date}"
    return {
        "title": title,
        "url": source.url,
        "dated": source.document_on,
        "confidence": policy.get_confidence_display(),
        "fact": policy.fact_id,
    }


def _known_facts(dossier: Dossier, deadline: Deadline) -> list[dict[str, Any]]:
    account = dossier.account
    who = "You" if dossier.own else str(account.person)
    system = account.system.name
    facts: list[dict[str, Any]] = []
    if deadline.kind == Deadline.Kind.PASSWORD:
        whose = "Your" if dossier.own else possessive(str(account.person))
        facts.append(
            {"text": f"{whose} {system} password was last changed on {day_in(deadline.basis_on, dossier.on)}."}
        )
    elif deadline.kind == Deadline.Kind.TEMPORARY:
        kind = "temporary" if account.term == PortalAccount.Term.TEMPORARY else "for an emergency"
        facts.append({"text": f"The account was opened on {day_in(account.opened_on, dossier.on)}; it is {kind}."})
    elif account.login_state == PortalAccount.LoginState.NEVER:
        facts.append(
            {"text": f"{who} never signed in to {system}; it was opened on {day_in(account.opened_on, dossier.on)}."}
        )
    else:
        for happened_on in sorted({deadline.basis_on, deadline.check_on or deadline.basis_on}):
            facts.append(_login_fact(dossier, who, happened_on))
    facts.append({"text": f"{_clock_of(deadline)} The last safe day is {day_in(deadline.due_on, dossier.on)}."})
    ends = dossier.local_ends(deadline)
    if ends:
        facts.append({"text": ends})
    return facts


def _login_fact(dossier: Dossier, who: str, happened_on: date) -> dict[str, Any]:
    event = dossier.logins.get(happened_on)
    text = f"{who} signed in to {dossier.account.system.name} on {day_in(happened_on, dossier.on)}"
    if event is None:
        # The clock can also start on the day an account was given back, or roles were found to be there.
        return {"text": f"Access was confirmed on {day(happened_on)}."}
    if event.via is not None:
        text += f", counted from a login to {event.via.account.system.name} (our reading: no source says so)"
    return {"text": f"{text}.", "grade": event.grade}


def _clock_of(deadline: Deadline) -> str:
    return (
        "Days are counted in US Eastern time." if deadline.zone == EASTERN else f"Days are counted in {deadline.zone}."
    )


def _clears(dossier: Dossier, deadline: Deadline, policy: Policy) -> str:
    system = dossier.account.system.name
    if deadline.kind == Deadline.Kind.PASSWORD:
        deed = f"Changing the password on {system} and telling the day here."
    elif deadline.kind == Deadline.Kind.TEMPORARY:
        return "Its removal, recorded here, or the statement that it is a lasting account."
    elif deadline.check_on is not None:
        deed = "An answer whether the roles are still there."
    elif cures(policy.consequence):
        deed = f"A login to {system}."
    elif deadline.due_on < dossier.on:
        deed = f"A login to {system}, together with the answer that access is still there."
    else:
        deed = f"A login to {system} on or before {day(deadline.due_on)}."
    return f"{deed} Way back: {policy.cure_text}" if policy.cure_text else deed
