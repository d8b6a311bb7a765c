"""Refusals of this app."""

from facilities.errors import FacilitiesError


class AccountsError(FacilitiesError):
    """Base of refusals about accounts, grants and logins."""


class LoginRejected(AccountsError):
    """A login that cannot be recorded."""


class AccountRefused(AccountsError):
    """An account or grant that cannot be stored as typed."""
