"""Secrets are recognised, ordinary remarks are not (R-42)."""

import pytest

from audit.secrets import found_secret


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SSN 123-45-6789", "a Social Security number"),
        ("her number is 123 45 6789", "a Social Security number"),
        ("ssn: 6789", "a Social Security number"),
        ("password: Winter2026!", "a password"),
        ("pw=hunter2", "a password"),
        ("ada1 / pw Sommer1!", "a password"),
        ("Password is Sommer", "a password"),
        ("password Winter2026!", "a password"),
        ("password 12345", "a password"),
        ("pw: 12345", "a password"),
        ("PW 200B", "a password"),
        ("PIN 4711", "a PIN"),
        ("security answer: Fluffy", "a security answer"),
        ("mother's maiden name Smith", "a security answer"),
        ("otpauth://totp/x?secret=ABC", "a one-time seed"),
        ("verification code 482913", "a one-time code"),
        ("DOB 01/02/1970", "a date of birth"),
    ],
)
def test_a_secret_is_named_by_kind(text, kind):
    assert found_secret(text) == kind


@pytest.mark.parametrize(
    "text",
    [
        "password changed on 3 Nov",
        "PW changed in 2026",
        "PW 12345",
        "forgot password, called the help desk",
        "Password expired after 60 days",
        "call 1-800-339-9313",
        "CCN 015009, ZIP 35653-1234",
        "pinned the notice to the board",
        "asked the security question team",
        "passed the course",
        "",
    ],
)
def test_an_ordinary_remark_passes(text):
    assert found_secret(text) is None


def test_where_jobs_and_places_stand_pw_may_be_a_unit_and_a_password_is_still_one():
    for unit in ("PW 200B", "PW-200B", "Unit PW 12"):
        assert found_secret(unit, names_units=True) is None, unit
    for secret in ("pw Sommer1!", "pw=hunter2", "PW 200B pw: Winter2026", "password 12345", "pw 200B!"):
        assert found_secret(secret, names_units=True) == "a password", secret
