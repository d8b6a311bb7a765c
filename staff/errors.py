"""Refusals of this app."""

from facilities.errors import FacilitiesError


class StaffError(FacilitiesError):
    """Base of refusals about people and employments."""
