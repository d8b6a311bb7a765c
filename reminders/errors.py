"""Refusals of this app."""


class TickRefused(Exception):  # noqa: N818  (a verdict on the instant asked for, not a fault)
    """A run for an instant that cannot be run for. ``code`` for programs, ``message`` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class FeedRefused(Exception):  # noqa: N818  (a verdict on who asks, not a fault)
    """The member cannot have a calendar of dates. ``code`` for programs, ``message`` for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
