"""Behind a TLS proxy with PostgreSQL and Redis; every secret must be given, nothing is generated."""

from config import env
from config.settings.base import *  # noqa: F403
from config.settings.base import REDIS_URL, TRUSTED_PROXY_COUNT, redis_settings

EMBEDDED = False
SECRET_KEY = env.read("SECRET_KEY", env.text_value, secret=True)
FIELD_KEYS = env.read("FIELD_KEYS", env.fernet_keys, secret=True)
ALLOWED_HOSTS = env.read("ALLOWED_HOSTS", env.hosts)
SITE_URL = env.read("SITE_URL", env.web_origin)
DATABASES = {"default": env.read("DATABASE_URL", env.database, secret=True)}
# The owner of the tables, used by `migrate` and `restore` only (config/owner_role.py).
MIGRATION_DATABASE = env.read("MIGRATION_DATABASE_URL", env.database, None, secret=True)
globals().update(env.read("EMAIL_URL", env.mailer, secret=True))

if TRUSTED_PROXY_COUNT:  # without a proxy of ours anybody could claim to have come by TLS
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.read("SECURE_SSL_REDIRECT", env.boolean, True)
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SILENCED_SYSTEM_CHECKS = ["security.W021"]  # a preload list binds the whole domain: its owner decides
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = False
CELERY_BEAT_SCHEDULER = "redbeat.RedBeatScheduler"
CELERY_REDBEAT_REDIS_URL = redis_settings(REDIS_URL)["CELERY_BROKER_URL"]
CELERY_REDBEAT_REDIS_OPTIONS: dict[str, str] = {}
CELERY_REDBEAT_LOCK_TIMEOUT = 15
CELERY_BEAT_MAX_LOOP_INTERVAL = 3
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
