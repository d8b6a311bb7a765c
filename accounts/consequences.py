"""What the catalogue's consequences mean in words: one table for pages, mails and calendars. Pure."""

# What happens after the last safe day, by the catalogue's code; {of} is "your iQIES" or "the iQIES".
_AFTER = {
    "roles_revoked": "{of} roles are revoked",
    "role_removed": "{of} role is removed",
    "disabled": "{of} account is disabled",
    "deactivated": "{of} account is deactivated",
    "inactive": "{of} account becomes inactive",
    "password_expired": "{of} password expires",
    "password_change": "{of} password has to be changed",
    "deleted": "{of} account is deleted",
    "access_lost": "access to {system} is lost",
}
_PRESUMED = {
    "roles_revoked": "{of} roles are presumed revoked",
    "role_removed": "{of} role is presumed removed",
    "disabled": "{of} account is presumed disabled",
    "deactivated": "{of} account is presumed deactivated",
    "inactive": "{of} account is presumed inactive",
    "password_expired": "{of} password has presumably expired",
    "deleted": "{of} account is presumed deleted",
    "access_lost": "access to {system} is presumed lost",
}
PASSWORD_CODES = {"password_expired", "password_change"}


def after(consequence: str, *, system: str, of: str) -> str:
    """Return what happens after the last safe day: ``your iQIES roles are revoked``; ``of`` says whose."""
    return _said(_AFTER, consequence, system, of)


def presumed(consequence: str, *, system: str, of: str) -> str:
    """Return what has happened by then, as we infer it: ``your iQIES roles are presumed revoked``."""
    return _said(_PRESUMED, consequence, system, of)


def upper(text: str) -> str:
    """Return the text as a sentence begins."""
    return text[:1].upper() + text[1:]


def _said(table: dict[str, str], consequence: str, system: str, of: str) -> str:
    return table.get(consequence, "{of} access is at risk").format(of=of, system=system)
