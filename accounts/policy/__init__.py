"""From which login an account's inactivity clock runs. Pure: plain values in, plain values out."""

from collections.abc import Iterable, Sequence
from datetime import date

from systems.policy import PolicyVersion, due, login_restarts_clock


def counted_login(
    logins: Iterable[date],
    *,
    history_from_on: date | None,
    confirmed_on: date | None,
    chain: Sequence[PolicyVersion],
) -> date | None:
    """Return the day the clock counts from after these logins, None without any.

    ``history_from_on``: day from which the history is complete, the basis before the first login; without it the
    first known login counts as it is. A login after the last safe day restarts nothing where access was taken away
    (no false green), unless it lies at or before ``confirmed_on``, the day up to which somebody answered "still there".
    """
    basis = history_from_on
    for day in sorted(set(logins)):
        if basis is not None and day > basis and (confirmed_on is None or day > confirmed_on):
            bites = due(basis, chain) if chain else None
            if bites and not login_restarts_clock(
                login_on=day, due_on=bites.due_on, consequence=bites.version.consequence
            ):
                continue
        basis = day if basis is None else max(basis, day)
    return basis


LOSS_OF = {
    "inactive": "inactive",
    "deactivated": "inactive",
    "disabled": "disabled",
    "roles_revoked": "roles_revoked",
    "role_removed": "roles_revoked",
    "password_expired": "password_expired",
    "deleted": "deleted",
    "locked": "locked",
}


def loss_after(consequence: str) -> str:
    """Return the kind of loss stored when somebody confirms that a policy's consequence has happened."""
    return LOSS_OF.get(consequence, "inactive")


def lapse_severity(kind: str, consequence: str) -> str:
    """Return how bad a passed deadline is (R-01, R-04 to R-09, R-12 to R-14, R-54, R-56 of the fact file).

    No consequence = our own window, or a day that somebody typed.
    """
    if kind == "obligation":
        return "critical" if consequence else "high"
    if kind == "acknowledgement":  # modelled on the rules of HHS; never critical
        return "high"
    if consequence in {"roles_revoked", "role_removed", "deleted"}:
        return "critical"
    if consequence in {"disabled", "inactive"} and kind == "inactivity":
        return "high"
    return "medium" if consequence else "low"
