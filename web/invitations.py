"""The mail that carries an invitation. It leaves after the transaction; when it cannot, the link is still on screen."""

import logging
import smtplib

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from facilities.services.members import IssuedInvitation
from reminders.models import MailHold

log = logging.getLogger(__name__)


def join_link(token: str) -> str:
    """Return the address of an invitation; the host is SITE_URL's, never that of the request."""
    return settings.SITE_URL.rstrip("/") + reverse("web:join", args=[token])


def send_invitation(issued: IssuedInvitation) -> bool:
    """Mail the link to the invited address. Call it outside any transaction; returns False when it did not leave."""
    if MailHold.objects.filter(released_at=None).exists():
        return False
    invitation = issued.invitation
    text = render_to_string("mail/invitation.txt", {"invitation": invitation, "link": join_link(issued.token)})
    message = EmailMessage(
        subject=f"Join {invitation.organization} on Portalkeeper",
        body=text,
        to=[invitation.email],
        headers={"Auto-Submitted": "auto-generated"},
    )
    try:
        return bool(message.send())
    except (smtplib.SMTPException, OSError) as exc:
        log.warning("an invitation could not be mailed: %s", type(exc).__name__)
        return False
