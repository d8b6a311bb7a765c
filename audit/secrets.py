"""Recognises what must never be stored (R-42): passwords, answers, SSNs, seeds and codes of external systems.

A word about a secret ("password changed") is fine; a value behind the word is not. The reason names the kind and
never repeats the text.
"""

import re
from typing import Final

_LABEL: Final = r"(?:is|was|=|:|->|–|-)\s*"
_VALUE: Final = r"(?=\S*[\d!@#$%^&*])\S{4,}"
_MIXED: Final = r"(?=\S*[a-z])(?=\S*[\d!@#$%^&*])"  # behind "pw", which may be the name of a unit: "PW 12345"
_UNIT: Final = re.compile(r"\bpw\b[ -]*(?:\d+|[a-z0-9]{1,5})(?!\S)", re.IGNORECASE)
_PATTERNS: Final[tuple[tuple[str, re.Pattern[str]], ...]] = (
    (
        "a Social Security number",
        re.compile(r"(?<![\d-])(?!000|666|9\d\d)\d{3}[- ](?!00)\d{2}[- ](?!0000)\d{4}(?![\d-])"),
    ),
    ("a Social Security number", re.compile(r"\b(?:ssn|social security)\b\D{0,20}\d{4,9}\b", re.IGNORECASE)),
    ("a password", re.compile(rf"\b(?:pass(?:word|wd|phrase|code)?|pwd|pw|kennwort)\b\s*{_LABEL}\S+", re.IGNORECASE)),
    ("a password", re.compile(rf"\b(?:(?:password|passwd|pwd)\s+{_VALUE}|pw\s+{_MIXED}\S{{4,}})", re.IGNORECASE)),
    ("a PIN", re.compile(r"\bpin\b\s*(?:code)?\s*(?:is|=|:|#)?\s*\d{4,8}\b", re.IGNORECASE)),
    (
        "a security answer",
        re.compile(rf"\b(?:security|secret|challenge)\s+(?:answer|question)s?\b.{{0,80}}?{_LABEL}\S+", re.IGNORECASE),
    ),
    ("a security answer", re.compile(r"\bmother'?s\s+maiden\s+name\b.{0,12}\S+", re.IGNORECASE)),
    (
        "a one-time seed",
        re.compile(r"otpauth://|\b(?:totp|mfa|2fa|authenticator)\b\s*(?:secret|seed|key)", re.IGNORECASE),
    ),
    (
        "a one-time code",
        re.compile(r"\b(?:one[- ]time|verification|mfa|2fa|otp|security)\s+code\b\D{0,8}\d{4,8}\b", re.IGNORECASE),
    ),
    (
        "a date of birth",
        re.compile(r"\b(?:dob|date of birth|born(?: on)?)\b\W{0,4}\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}", re.IGNORECASE),
    ),
)


def found_secret(text: str, *, names_units: bool = False) -> str | None:
    """Return what kind of secret the text seems to hold, in words such as "a password", or None.

    ``names_units``: the text names a job or a place, where "PW 200B" is a unit, and "pw" no password before six signs.
    """
    if names_units:
        text = _UNIT.sub(" ", text)
    for kind, pattern in _PATTERNS:
        if pattern.search(text):
            return kind
    return None
