"""Reads every environment variable of the product once, strictly.

A value that cannot be read stops the start with the variable's name: a typo in production must not
silently become a default. ``SEEN`` remembers where each value came from for ``manage.py check_config``.
"""

import os
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured


class EnvironmentRefused(ImproperlyConfigured):
    """A variable is missing or cannot be read; the message names it and says what would do."""

    def __init__(self, variable: str, message: str) -> None:
        super().__init__(message)
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable as read; ``source`` is environment, file, generated or default."""

    name: str
    value: Any
    source: str
    secret: bool


class _Required:
    """Marks a variable without a default."""


REQUIRED: Final = _Required()
SEEN: dict[str, Setting] = {}
_TRUE, _FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off"}
_DATABASES = {"sqlite", "postgres", "postgresql", "psql", "pgsql"}
_HOST = re.compile(r"\*|\.?[a-z0-9-]+(\.[a-z0-9-]+)*\.?|\[[0-9a-f:.]+\]", re.IGNORECASE)
_MAILERS = {"smtp", "smtp+tls", "smtp+ssl", "filemail"}


def read(name: str, parse: Callable[[str], Any], default: Any = REQUIRED, *, secret: bool = False) -> Any:
    """Return the parsed value of ``name``, of the file in ``name_FILE``, or the default.

    Raises EnvironmentRefused where the value cannot be parsed, the file cannot be read, both are set,
    or there is neither a value nor a default. An empty string counts as not set.
    """
    text, source = os.environ.get(name, ""), "environment"
    file = os.environ.get(f"{name}_FILE", "")
    if text and file:
        raise EnvironmentRefused(name, f"{name} and {name}_FILE are both set; keep one of them.")
    if file:
        try:
            text, source = Path(file).read_text(encoding="utf-8").strip(), "file"
        except (OSError, UnicodeDecodeError) as exc:
            raise EnvironmentRefused(name, f"{name}_FILE: cannot read {file!r}: {exc}") from exc
    if not text:
        if isinstance(default, _Required):
            raise EnvironmentRefused(name, f"{name} is not set and has no default.")
        SEEN[name] = Setting(name, default, "default", secret)
        return default
    try:
        value = parse(text)
    except (ValueError, ImproperlyConfigured) as exc:
        shown = "" if secret else f" {text!r}"
        raise EnvironmentRefused(name, f"{name}:{shown} cannot be used: {exc}") from exc
    SEEN[name] = Setting(name, value, source, secret)
    return value


def read_or_make(name: str, parse: Callable[[str], Any], path: Path, make: Callable[[], str]) -> Any:
    """Return the secret ``name`` as given, else the one kept at ``path``, made there once (embedded default only).

    Raises EnvironmentRefused where the given or the kept text cannot be parsed.
    """
    given = read(name, parse, None, secret=True)
    if given is not None:
        return given
    try:
        value = parse(kept_secret(path, make))
    except (OSError, ValueError) as exc:
        raise EnvironmentRefused(name, f"{name}: the generated file {path} cannot be used: {exc}") from exc
    SEEN[name] = Setting(name, value, "generated", secret=True)
    return value


def boolean(text: str) -> bool:
    """Parse 1/0, true/false, yes/no, on/off."""
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise ValueError("use 1 or 0")


def whole_number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser for a whole number within the bounds, both allowed."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise ValueError(f"use a whole number from {least} to {most}")
        return int(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser for one of the words, in any case; it gives the word as listed."""

    def parse(text: str) -> str:
        for choice in choices:
            if text.lower() == choice.lower():
                return choice
        raise ValueError(f"use one of {', '.join(choices)}")

    return parse


def words(text: str) -> list[str]:
    """Parse a comma-separated list; empty parts are refused."""
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise ValueError("an entry of the comma-separated list is empty")
    return parts


def hosts(text: str) -> list[str]:
    """Parse a comma-separated list of host names as Django compares them: no scheme, no port, no path."""
    found = words(text)
    for host in found:
        if not _HOST.fullmatch(host):
            raise ValueError(f"{host!r} is no host name; use such as keeper.example.org, without scheme and port")
    return found


def text_value(text: str) -> str:
    """Return the text itself."""
    return text


def folder(text: str) -> Path:
    """Parse the absolute path of a folder."""
    path = Path(text)
    if not path.is_absolute() or path.is_file():
        raise ValueError("use the absolute path of a folder")
    return path


def web_origin(text: str) -> str:
    """Parse an absolute http(s) address without path, such as https://keeper.example.org."""
    parts = urlsplit(text)
    further = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    if parts.scheme not in {"http", "https"} or not parts.hostname or further:
        raise ValueError("use scheme and host, such as https://keeper.example.org")
    _check_port(parts)
    return f"{parts.scheme}://{parts.netloc}"


def url_path(text: str) -> str:
    """Parse one path segment such as ``staff-only`` (letters, digits, hyphens)."""
    path = text.strip("/")
    if not path or not all(c.isalnum() or c in "-_" for c in path):
        raise ValueError("use letters, digits and hyphens only")
    return f"{path}/"


def database(text: str) -> dict[str, Any]:
    """Parse a database URL into Django's settings, with the options each engine needs here."""
    scheme = text.partition(":")[0]
    if scheme not in _DATABASES:
        raise ValueError("use sqlite:///path or postgres://user:password@host:port/name")
    settings: dict[str, Any] = dict(environ.Env.db_url_config(text))
    if scheme == "sqlite":
        name = settings["NAME"]
        if name and name != ":memory:":
            Path(name).parent.mkdir(parents=True, exist_ok=True)
        settings["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA busy_timeout=20000",
        }
    else:
        if not settings.get("NAME"):
            raise ValueError("the database name is missing")
        settings |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    return settings


def mailer(text: str) -> dict[str, Any]:
    """Parse an e-mail URL into Django's EMAIL_* settings."""
    parts = urlsplit(text)
    if parts.scheme not in _MAILERS:
        raise ValueError("use smtp://, smtp+tls://, smtp+ssl:// or filemail:////absolute/folder")
    if parts.scheme == "filemail":
        # `filemail:////absolute/folder` carries the leading slash twice.
        folder = "/" + unquote(parts.path).lstrip("/")
        if folder == "/":
            raise ValueError("filemail needs an absolute folder")
        return {"EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend", "EMAIL_FILE_PATH": folder}
    if not parts.hostname:
        raise ValueError("the mail host is missing")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": parts.port or {"smtp": 25, "smtp+tls": 587, "smtp+ssl": 465}[parts.scheme],
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_TLS": parts.scheme == "smtp+tls",
        "EMAIL_USE_SSL": parts.scheme == "smtp+ssl",
        "EMAIL_TIMEOUT": 30,
    }


def redis_url(text: str) -> str:
    """Parse redis://, rediss:// or unix:///path?db=N."""
    parts = urlsplit(text)
    number = parts.path.strip("/") if parts.scheme != "unix" else ""
    if parts.scheme not in {"redis", "rediss", "unix"} or not (number.isdecimal() or not number):
        raise ValueError("use redis://host:port/db, rediss://… or unix:///path?db=0")
    _check_port(parts)
    return text


def _check_port(parts: SplitResult) -> None:
    try:
        good = parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise ValueError("the port is no number from 1 to 65535")


def fernet_keys(text: str) -> list[str]:
    """Parse a comma-separated list of Fernet keys, newest first."""
    from cryptography.fernet import Fernet

    keys = words(text)
    for position, key in enumerate(keys, start=1):
        try:
            Fernet(key)
        except ValueError as exc:
            raise ValueError(f"key {position} is not a Fernet key (32 bytes, URL-safe base64)") from exc
    return keys


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """Return the secret stored at ``path``, made once with mode 0600 (embedded default only)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(make())
    except FileExistsError:
        pass
    return path.read_text().strip()


def random_text() -> str:
    """Return 64 random URL-safe characters."""
    return secrets.token_urlsafe(48)
