"""Prints a fresh .env for docker-compose.yml: ``python3 -m scripts.production_env keeper.example.org > .env``.

Needs nothing but the standard library. The output is secret: keep it readable by its owner only, and keep a copy
apart from the backups, which are worthless without FIELD_KEYS.
"""

import argparse
import base64
import re
import secrets
import sys

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*\Z")


def environment_for(host: str) -> dict[str, str]:
    """Return every variable that docker-compose.yml requires; passwords are safe inside addresses."""
    return {
        "SITE_URL": f"https://{host}",
        "ALLOWED_HOSTS": host,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "FIELD_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
        "AUDIT_SIGNING_KEY": secrets.token_urlsafe(48),
        "METRICS_TOKEN": secrets.token_urlsafe(32),
        "POSTGRES_PASSWORD": secrets.token_hex(24),
        "POSTGRES_OWNER_PASSWORD": secrets.token_hex(24),
        "POSTGRES_APP_PASSWORD": secrets.token_hex(24),
    }


def main() -> None:
    """Print the lines, or say why the host name will not do."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("host", help="name under which people reach the product, such as keeper.example.org")
    host = parser.parse_args().host.lower()
    if not _HOST.match(host):
        parser.error(f"{host!r} is not a host name; leave out https:// and any path")
    for name, value in environment_for(host).items():
        print(f"{name}={value}")
    print("# EMAIL_URL=smtp+tls://user:password@mail.example.org:587")
    if sys.stdout.isatty():
        print("Save this with: (umask 077; python3 -m scripts.production_env HOST > .env)", file=sys.stderr)


if __name__ == "__main__":
    main()
