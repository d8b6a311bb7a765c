"""Whether a session was opened with a second factor (design section 7: before approving, removing, exporting)."""

import time

from allauth.account import app_settings
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.utils import is_mfa_enabled
from django.http import HttpRequest

from users.adapters import FACTORS


def used_second_factor(request: HttpRequest, *, fresh: bool = False) -> bool:
    """Return whether a code, a recovery code or a key was given in this session; ``fresh``: just now."""
    user = request.user if request.user.is_authenticated else None
    since = time.time() - app_settings.REAUTHENTICATION_TIMEOUT if fresh else 0.0
    return any(
        record.get("method") == "mfa" and record.get("at", 0.0) >= since
        for record in get_authentication_records(request, user)
    )


def has_second_factor(request: HttpRequest) -> bool:
    """Return whether the member has set one up. One query."""
    return bool(request.user.is_authenticated and is_mfa_enabled(request.user, FACTORS))
