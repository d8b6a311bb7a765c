"""The next deed at each facility of a move, as a link to the page where it is done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse

from accounts.moving import Goal
from accounts.policy.moving import State, Step
from accounts.words import count_noun
from facilities.access import Action, Scope
from facilities.models import Facility
from systems.models import System, SystemRole
from web.reach import accounts_in_reach, people_in_reach
from web.requests.kinds import ACCESS


@dataclass(frozen=True, slots=True)
class Deed:
    """What to do next, and where; without an address nobody here may, or it is done elsewhere."""

    text: str
    url: str = ""


class Deeds:
    """The next deed at each of several facilities, within what the member may do. Two queries."""

    def __init__(self, scope: Scope, goal: Goal, stands: Sequence[State], names: Mapping[int, str], on: date) -> None:
        self._scope, self._goal, self._names = scope, goal, names
        last_on = goal.move.last_on or goal.move.starts_on
        self._over = last_on is None or on > last_on
        people = {each.person for state in stands for each in state.holders}
        accounts = {each.identity for state in stands for each in state.holders if each.identity is not None}
        accounts |= {account for state in stands for account, _ in state.tools}
        self._people = people_in_reach(scope, Action.EDIT_ACCOUNT, people, on)
        self._accounts = accounts_in_reach(scope, Action.KEEP_ACCOUNT, accounts)

    def next(self, place: Facility, state: State, step: Step | None) -> Deed:
        """Return the deed for a step at a facility; None: nothing is missing."""
        if step is None:
            return self._nothing_missing(place, state)
        if step in (Step.IDENTITY, Step.FACTOR):
            return self._on_accounts(state, step)
        if step is Step.TOOL:
            account, tool = state.tools[0]
            return Deed(f"Find another way for {tool}", self._of_account("web:account-tool", account))
        if step is Step.TELL:
            return Deed("Say who has an account there", place.get_absolute_url())
        return self._by_request(place, state, step)

    def _nothing_missing(self, place: Facility, state: State) -> Deed:
        if not state.holders or not self._over:
            return Deed("Nothing to do")
        url = reverse("web:accounts", args=[self._scope.organization.slug])
        return Deed("Have the old accounts removed", f"{url}?facility={place.pk}")

    def _on_accounts(self, state: State, step: Step) -> Deed:
        """A deed on the first of those who lack something; the next one follows on the same page."""
        lacking = state.without(step)
        whose = self._named(lacking)
        if step is Step.IDENTITY:
            first = next((person for person in lacking if person in self._people), None)
            accounts = "account" if len(lacking) == 1 else "accounts"
            url = reverse("web:person-accounts-add", args=[self._scope.organization.slug, first]) if first else ""
            return Deed(f"Add {self._goal.authority.name} {accounts} for {whose}", url)
        accounts_of = [each.identity for each in state.holders if each.person in lacking and each.identity]
        reached = next((account for account in accounts_of if account in self._accounts), accounts_of[0])
        return Deed(f"Record the second factor of {whose}", self._of_account("web:account-identity", reached))

    def _by_request(self, place: Facility, state: State, step: Step) -> Deed:
        goal = self._goal
        if step is Step.OFFICIAL and goal.official is not None:
            return Deed(f"Name a {goal.official.name}", self._request(place, goal.official))
        if step is Step.SECOND:
            return Deed("Name a second person", self._request(place, goal.role))
        lacking = state.without(Step.ROLE)
        whom = f" for {self._named(lacking)}" if lacking else ""
        first = next((person for person in lacking if person in self._people), None)
        return Deed(
            f"Ask for {goal.role.name if goal.role else 'a role'}{whom}", self._request(place, goal.role, first)
        )

    def _request(self, place: Facility, role: SystemRole | None, person: int | None = None) -> str:
        """Return where a role is asked for: a new request by those who may, else the guide that says how."""
        slug, to = self._scope.organization.slug, self._goal.to
        if role is not None and self._scope.may(Action.EDIT_ACCOUNT, [place.pk]):
            asked = request_address(self._scope, system=to, facility=place, role=role, person=person)
            if asked is not None:
                return asked
        return reverse("web:system", args=[slug, to.slug])

    def _of_account(self, page: str, account: int) -> str:
        return reverse(page, args=[self._scope.organization.slug, account]) if account in self._accounts else ""

    def _named(self, people: Sequence[int]) -> str:
        """Return ``Carol Sample``, or ``Carol Sample and two more``."""
        more = len(people) - 1
        return self._names[people[0]] + (f" and {count_noun(more, 'more,more')}" if more else "")


def request_address(
    scope: Scope, *, system: System, facility: Facility, role: SystemRole, person: int | None = None
) -> str | None:
    """Return where a request for a role begins; None where this installation has no such page."""
    try:
        page = reverse("web:request-new", args=[scope.organization.slug])
    except NoReverseMatch:
        return None
    whose = {"person": person, "kind": ACCESS} if person is not None else {}
    return f"{page}?{urlencode({**whose, 'system': system.slug, 'facility': facility.pk, 'role': role.slug})}"
