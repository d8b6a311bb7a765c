"""Refusals of this app: one type with a code for machines and a message for people."""


class FacilitiesError(Exception):
    """Base of refusals; ``field`` names the form field or option that caused it, if one did."""

    code = "refused"

    def __init__(self, message: str, *, field: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.code = code or self.code
