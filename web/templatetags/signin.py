"""Gives the forms of the sign-in library our labels: sentence case, no placeholder that repeats the label."""

from django import template
from django.forms import BaseForm

register = template.Library()

_LABELS = {
    "Email": "Work e-mail",
    "Code": "Six-digit code, or a recovery code",
    "Authenticator code": "Six-digit code from the app",
    "Passwordless": "Use this key instead of my password (a passkey)",
}
_HELP = {
    "Passwordless": "The key then asks for a fingerprint, a face or a PIN each time.",
}


@register.filter
def calm(form: BaseForm) -> BaseForm:
    """Return the same form with our labels, e.g. ``New Password (again)`` as ``New password (again)``."""
    for bound in form:
        given = str(bound.field.label or bound.label)
        bound.label = _LABELS.get(given, given.capitalize())
        bound.help_text = _HELP.get(given, bound.help_text)
        bound.field.widget.attrs.pop("placeholder", None)
    return form


@register.filter
def browser(user_agent: str) -> str:
    """Return a browser's name and system from its long signature, as far as it tells: ``Firefox on Windows``."""
    names = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    systems = (
        ("Windows", "Windows"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Mac OS", "macOS"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    )
    name = next((words for mark, words in names if mark in user_agent), "A browser")
    system = next((words for mark, words in systems if mark in user_agent), "")
    return f"{name} on {system}" if system else name
