"""What allauth asks us: sign-up is by invitation only, second-factor seeds are encrypted at rest."""

import time
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.http import HttpRequest

FACTORS = [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by accepting an invitation, never by allauth's sign-up page."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse always: `facilities` makes the user when an invitation is accepted."""
        return False

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Let a fresh sign-in enrol its first factor without typing the password twice."""
        if app == "allauth.mfa" and self.request is not None and self.request.user.is_authenticated:
            user = self.request.user
            records = get_authentication_records(self.request, user)
            fresh = bool(records) and time.time() - records[-1].get("at", 0) < settings.ACCOUNT_REAUTHENTICATION_TIMEOUT
            if fresh and not is_mfa_enabled(user, FACTORS):
                return False
        return bool(super().is_reauthentication_required(app=app, **kwargs))


class MFAAdapter(DefaultMFAAdapter):
    """Stores seeds under FIELD_KEYS: the first key encrypts, all of them decrypt."""

    def encrypt(self, text: str) -> str:
        """Return the Fernet token of a seed."""
        return _keys().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return the seed. Raises cryptography's InvalidToken when no key fits."""
        return _keys().decrypt(encrypted_text.encode()).decode()


def _keys() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.FIELD_KEYS])
