"""The one place that decides who may do what. Reading starts at a queryset's `visible_to(scope)`,
acting at `authorize(scope, ...)`; both take the same `Scope`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from audit.services import Ref
from facilities.errors import FacilitiesError
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from users.models import User

READERS = {Role.COORDINATOR, Role.APPROVER, Role.ADMINISTRATOR, Role.AUDITOR}
_WORKERS = {Role.COORDINATOR, Role.APPROVER, Role.ADMINISTRATOR}
_DECIDERS = {Role.APPROVER, Role.ADMINISTRATOR}


class NotAllowed(FacilitiesError):
    """The member's roles do not cover this act; ``message`` says who could do it."""

    code = "not_allowed"


class Action(StrEnum):
    """Everything a member can do that changes something."""

    REGISTER_FACILITY = "register a facility"
    EDIT_FACILITY = "edit a facility"
    KEEP_IN_USE = "say that a closed system is still in use"
    EDIT_PERSON = "add or edit a person"
    END_EMPLOYMENT = "record that somebody left"
    RECORD_ABSENCE = "record an absence"
    NAME_DEPUTY = "name who stands in for somebody"
    IMPORT_PEOPLE = "import people or undo an import"
    IMPORT_ACCOUNTS = "import accounts or undo an import"
    EDIT_ACCOUNT = "add or remove an account"
    KEEP_ACCOUNT = "correct what is known about an account"
    REVIEW_ACCESS = "say that roles were looked at"
    RECORD_REVIEW = "record a review of a facility's access"
    RECORD_LOGIN = "record a login"
    REPORT_LOSS = "report that an account was lost or is back"
    CONFIRM_ROLES = "answer whether roles are still there"
    MANAGE_MEMBERS = "invite or remove members"
    START_REMINDERS = "start reminders"
    LEAD_FIRST_HOUR = "lead a facility through its first hour"
    SHARE_VIEW = "share a view of a list"
    SWITCH_RULES = "switch rules of the organization on or off"
    REQUEST_ACCESS = "ask for access"
    DECIDE_REQUEST = "decide a request"
    CARRY_OUT_REQUEST = "carry a request out"
    TAKE_OVER_REQUEST = "take over what somebody asked for who has left"
    SET_DECIDERS = "say who decides where nobody else may"


# Who may act, within the facilities of the role; `_OWN` are acts a holder may do on an account of their own.
_ALLOWED: dict[Action, set[Role]] = {
    Action.REGISTER_FACILITY: _WORKERS,
    Action.EDIT_FACILITY: _WORKERS,
    Action.KEEP_IN_USE: {Role.ADMINISTRATOR},
    Action.EDIT_PERSON: _WORKERS,
    Action.END_EMPLOYMENT: _WORKERS,
    Action.RECORD_ABSENCE: _WORKERS,
    Action.NAME_DEPUTY: _WORKERS,
    Action.IMPORT_PEOPLE: {Role.ADMINISTRATOR},
    Action.IMPORT_ACCOUNTS: {Role.ADMINISTRATOR},
    Action.EDIT_ACCOUNT: _WORKERS,
    Action.KEEP_ACCOUNT: _WORKERS,
    Action.REVIEW_ACCESS: _WORKERS,
    Action.RECORD_REVIEW: {Role.ADMINISTRATOR},
    Action.RECORD_LOGIN: _WORKERS,
    Action.REPORT_LOSS: _WORKERS,
    Action.CONFIRM_ROLES: _WORKERS,
    Action.MANAGE_MEMBERS: {Role.ADMINISTRATOR},
    Action.START_REMINDERS: {Role.ADMINISTRATOR},
    Action.LEAD_FIRST_HOUR: {Role.ADMINISTRATOR},
    Action.SHARE_VIEW: {Role.ADMINISTRATOR},
    Action.SWITCH_RULES: {Role.ADMINISTRATOR},
    Action.REQUEST_ACCESS: _WORKERS,
    Action.DECIDE_REQUEST: _DECIDERS,
    Action.CARRY_OUT_REQUEST: _WORKERS,
    Action.TAKE_OVER_REQUEST: {Role.ADMINISTRATOR},
    Action.SET_DECIDERS: {Role.ADMINISTRATOR},
}
_OWN = {
    Action.RECORD_ABSENCE,
    Action.NAME_DEPUTY,
    Action.KEEP_ACCOUNT,
    Action.RECORD_LOGIN,
    Action.REPORT_LOSS,
    Action.CONFIRM_ROLES,
    Action.REQUEST_ACCESS,
    Action.CARRY_OUT_REQUEST,
}
# Acts that reach beyond single facilities need a role without facility.
_AT_LARGE = {
    Action.REGISTER_FACILITY,
    Action.IMPORT_PEOPLE,
    Action.IMPORT_ACCOUNTS,
    Action.START_REMINDERS,
    Action.SWITCH_RULES,
    Action.MANAGE_MEMBERS,
    Action.SHARE_VIEW,
    Action.SET_DECIDERS,
}


@dataclass(frozen=True, slots=True)
class Scope:
    """Who acts, in which organization, with which roles at which facilities (None = at all of them)."""

    organization: Organization
    user_id: int | None
    actor: Ref
    roles: frozenset[tuple[str, int | None]] = field(default_factory=frozenset)
    everything: bool = False

    @classmethod
    def of(cls, user: User, organization: Organization) -> "Scope | None":
        """Return the member's scope, or None for somebody who is no member. One query."""
        open_roles = Membership.objects.open().filter(user=user, organization=organization)
        roles = frozenset(open_roles.values_list("role", "facility_id"))
        if not roles:
            return None
        return cls(organization, user.pk, Ref(user.key, user.email), roles)

    @classmethod
    def of_command(cls, organization: Organization, command: str) -> "Scope":
        """Return the scope of an operator's command: everything within one organization."""
        return cls(organization, None, Ref(f"command:{command}", f"manage.py {command}"), everything=True)

    @property
    def reads(self) -> frozenset[int] | None:
        """Facilities whose people and accounts may be read; None = all of the organization."""
        return self._places(READERS)

    def _places(self, roles: set[Role]) -> frozenset[int] | None:
        if self.everything or any(role in roles and place is None for role, place in self.roles):
            return None
        return frozenset(place for role, place in self.roles if role in roles and place is not None)

    def acts_at(self, action: Action) -> frozenset[int] | None:
        """Facilities where the member may act so; None = at all of the organization."""
        places = self._places(_ALLOWED[action])
        return frozenset() if places is not None and action in _AT_LARGE else places

    def may(self, action: Action, facility_ids: Iterable[int] = (), *, own: bool = False) -> bool:
        """Return whether `authorize` would pass: for menus and buttons."""
        if own and action in _OWN:
            return True
        places = self.acts_at(action)
        return places is None or not places.isdisjoint(facility_ids)


def authorize(scope: Scope, action: Action, facility_ids: Iterable[int] = (), *, own: bool = False) -> None:
    """Raise NotAllowed unless the scope may act at one of the facilities (or on something of its own).

    ``own``: the object belongs to the acting user's own person; a holder may record logins on it.
    """
    if not scope.may(action, facility_ids, own=own):
        *others, last = sorted(role.label.lower() for role in _ALLOWED[action])
        able = f"{', '.join(others)} or {last}" if others else last
        where = "for the whole organization" if action in _AT_LARGE else "of this facility"
        raise NotAllowed(f"You cannot {action.value} here. Ask an {able} {where}.".replace("an coord", "a coord"))
