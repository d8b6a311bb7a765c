"""Settings of the test suite: real database and Redis from tests/services.py, mail kept in memory."""

import atexit
import shutil
import tempfile
from pathlib import Path

from cryptography.fernet import Fernet

from config import env
from config.settings.base import *  # noqa: F403
from config.settings.base import VAR_DIR

EMBEDDED = True
SECRET_KEY = "tests-only"  # noqa: S105  # nosec B105
FIELD_KEYS = [Fernet.generate_key().decode()]
ALLOWED_HOSTS = ["*"]
SITE_URL = "http://localhost:8000"
DATABASES = {"default": env.read("DATABASE_URL", env.database, env.database(f"sqlite:///{VAR_DIR}/test.sqlite3"))}
DATABASES["default"]["CONN_MAX_AGE"] = 0
UPLOAD_ROOT = Path(tempfile.mkdtemp(prefix="pk-uploads-"))  # of this process alone: ticks sweep it
MEDIA_ROOT = Path(tempfile.mkdtemp(prefix="pk-evidence-"))
for _folder in (UPLOAD_ROOT, MEDIA_ROOT):
    atexit.register(shutil.rmtree, _folder, ignore_errors=True)
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = True
# live_server and transaction tests flush every table; the trigger tests install the triggers themselves.
AUDIT_TRIGGERS = False
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
STATIC_ROOT = None  # files are served from where they are written; an old collected copy must not win
SILENCED_SYSTEM_CHECKS = ["staticfiles.W004"]  # no command needs the front-end files; `make run` fetches them
