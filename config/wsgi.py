"""WSGI entry point."""

import os

from django.core.wsgi import get_wsgi_application

from config.guards import refuse_demo_sign_ins

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.embedded")
application = get_wsgi_application()
refuse_demo_sign_ins()
