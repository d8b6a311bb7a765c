"""One machine, no services: SQLite, files for mail, secrets generated once below var/. The default."""

from cryptography.fernet import Fernet

from config import env
from config.settings.base import *  # noqa: F403
from config.settings.base import VAR_DIR

EMBEDDED = True
ALLOWED_HOSTS = env.read("ALLOWED_HOSTS", env.hosts, ["localhost", "127.0.0.1", "[::1]"])
PORT = env.read("PORT", env.whole_number(1, 65535), 8000)
SITE_URL = env.read("SITE_URL", env.web_origin, f"http://localhost:{PORT}")
DATABASES = {
    "default": env.read(
        "DATABASE_URL", env.database, env.database(f"sqlite:///{VAR_DIR}/portalkeeper.sqlite3"), secret=True
    )
}
SECRET_KEY = env.read_or_make("SECRET_KEY", env.text_value, VAR_DIR / "secret_key", env.random_text)
FIELD_KEYS = env.read_or_make(
    "FIELD_KEYS", env.fernet_keys, VAR_DIR / "field_keys", lambda: Fernet.generate_key().decode()
)
globals().update(env.read("EMAIL_URL", env.mailer, env.mailer(f"filemail:///{VAR_DIR}/mail"), secret=True))
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True  # http://localhost only
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # files are served from where they are written; an old collected copy must not win
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]  # no command needs the front-end files; `make run` fetches them
