"""What arrived, read back the way a mail program reads it."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default


def read(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=default)


def outbox(mailoutbox):
    """Return the mails of Django's test outbox as they would have left."""
    return [read(mail.message().as_bytes()) for mail in mailoutbox]


def mails_to(mailoutbox, name):
    """Return the mails that went to somebody of the cast, oldest first."""
    return [mail for mail in outbox(mailoutbox) if mail["To"] == f"{name}@example.org"]


def text(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def html(mail: EmailMessage) -> str:
    return mail.get_body(("html",)).get_content()
