"""Settings common to every way of running; `embedded`, `test` and `production` add what differs."""

from pathlib import Path
from typing import Any

from config import env

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"

DEBUG = False
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False
ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SITE_ID = 1

INSTALLED_APPS = [
    "audit",
    "users",
    "systems",
    "facilities",
    "imports",
    "staff",
    "accounts",
    "reminders",
    "web",
    "api",
    "config.apps.ConfigConfig",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "django_htmx",
    "whitenoise.runserver_nostatic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "config.middleware.RequestId",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "users.middleware.IdleTimeout",
    "users.middleware.SignInFirst",
    "django_htmx.middleware.HtmxMiddleware",
    "config.middleware.OnlyDone",  # innermost: headers of safety are set on what it answers, too
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "web.context.frame",
            ],
            "builtins": ["web.templatetags.words", "web.templatetags.hints"],
        },
    },
]

STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static", ("vendor", VAR_DIR / "vendor")]
STATIC_ROOT: Path | None = VAR_DIR / "static"
# Evidence: never below a web root; served as attachment by a view, in every backup.
MEDIA_ROOT = env.read("EVIDENCE_DIR", env.folder, VAR_DIR / "evidence")
UPLOAD_ROOT = VAR_DIR / "uploads"  # between preview and consent; never served
# An upload touches no disk before it was searched for secrets: it stays in memory, or it is not taken.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 10 * 2**20
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 2**20  # a pasted table; its form takes two million characters

# --- Who signs in -------------------------------------------------------------------------------
AUTH_USER_MODEL = "users.User"
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
ACCOUNT_ADAPTER = "users.adapters.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
MFA_ADAPTER = "users.adapters.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_USER_VERIFICATION = "required"
MFA_TOTP_ISSUER = "Portalkeeper"
USERSESSIONS_TRACK_ACTIVITY = True
SESSION_COOKIE_AGE = 43_200  # absolute; the idle limit is IDLE_TIMEOUT
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True

# --- Looks --------------------------------------------------------------------------------------
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Browser-side walls -------------------------------------------------------------------------
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],  # allauth draws the TOTP QR code as a data: image
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    }
}
PERMISSIONS_POLICY: dict[str, Any] = {
    "camera": [],
    "geolocation": [],
    "microphone": [],
    "payment": [],
    "usb": [],
    "publickey-credentials-get": "self",
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# --- Background work ----------------------------------------------------------------------------
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"

# --- From the environment (docs/configuration.md) -----------------------------------------------
IDLE_TIMEOUT = env.read("IDLE_TIMEOUT", env.whole_number(60, 1800), 900)  # seconds; ROB-SESS-1, ROB-SESS-2
TRUSTED_PROXY_COUNT = env.read("TRUSTED_PROXY_COUNT", env.whole_number(0, 9), 0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
ADMIN_PATH = env.read("ADMIN_PATH", env.url_path, "")
if ADMIN_PATH:
    INSTALLED_APPS.append("django.contrib.admin")
METRICS_TOKEN = env.read("METRICS_TOKEN", env.text_value, "", secret=True)
AUDIT_TRIGGERS = env.read("AUDIT_TRIGGERS", env.boolean, True)
AUDIT_SIGNING_KEY = env.read("AUDIT_SIGNING_KEY", env.text_value, "", secret=True)
DEFAULT_FROM_EMAIL = env.read("DEFAULT_FROM_EMAIL", env.text_value, "Portalkeeper <portalkeeper@localhost>")
CHROMIUM = env.read("CHROMIUM", env.text_value, "")
LOG_LEVEL = env.read("LOG_LEVEL", env.one_of("DEBUG", "INFO", "WARNING", "ERROR"), "INFO")
REDIS_URL = env.read("REDIS_URL", env.redis_url, "", secret=True)


def redis_settings(url: str) -> dict[str, Any]:
    """Return cache, broker and visibility settings for a Redis address; without one, the database caches.

    The visibility timeout is far above the longest task, else a slow task would run twice; the two
    ``unacked_restore`` options let a task of a killed worker come back right after it.
    """
    if not url:
        return {
            "CACHES": {
                "default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "web_cacheentry"}
            },
            "CELERY_BROKER_URL": "",
        }
    broker = url
    if url.startswith("unix://"):
        path, _, query = url.removeprefix("unix://").partition("?")
        broker = f"redis+socket://{path}?virtual_host={query.removeprefix('db=') or 0}"
    return {
        "CACHES": {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": url}},
        "CELERY_BROKER_URL": broker,
        "CELERY_BROKER_TRANSPORT_OPTIONS": {
            "visibility_timeout": 900,
            "unacked_restore_interval": 5,
            "unacked_restore_throttle": 1,
        },
    }


globals().update(redis_settings(REDIS_URL))

from config.logs import logging_settings  # noqa: E402  (needs LOG_LEVEL)

LOGGING = logging_settings(LOG_LEVEL)
LOGGING_CONFIG = "config.logs.configure"
