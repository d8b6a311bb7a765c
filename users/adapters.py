"""What allauth asks us: sign-up is by invitation only, second-factor seeds are encrypted at rest."""

import time
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.http import HttpRequest

from users.models import LONGEST_ADDRESS

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

    def clean_email(self, email: str) -> str:
        """Refuse an address longer than a member's label may be, before the database breaks off."""
        MaxLengthValidator(LONGEST_ADDRESS)(email)
        return str(super().clean_email(email))

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of a reset mail on SITE_URL, never on the Host header."""
        return on_our_site(super().get_reset_password_from_key_url(key))

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link of a confirmation mail on SITE_URL, never on the Host header."""
        return on_our_site(super().get_email_confirmation_url(request, emailconfirmation))

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail whose every further link (sign-up, reset) stands on SITE_URL too."""
        links = {name: on_our_site(value) for name, value in context.items() if _is_link(name, value)}
        super().send_mail(template_prefix, email, context | links)


def on_our_site(url: str) -> str:
    """Return the address with scheme and host of SITE_URL."""
    parts, site = urlsplit(url), urlsplit(settings.SITE_URL)
    return urlunsplit(parts._replace(scheme=site.scheme, netloc=site.netloc))


def _is_link(name: str, value: object) -> bool:
    return name.endswith("_url") and isinstance(value, str) and value.startswith(("http://", "https://"))


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
