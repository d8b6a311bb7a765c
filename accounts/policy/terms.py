"""How long an account lasts that was not meant to stay (R-54). Plain values."""

from datetime import date


def ends_on(*, said_on: date | None, allowed_on: date) -> date:
    """Return the last day: what was said of the account, never later than the rule allows (ARS-TEMP-1)."""
    return allowed_on if said_on is None else min(said_on, allowed_on)
