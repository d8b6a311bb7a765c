"""Production refuses to start while a demo user is active."""

import pytest

from config.env import EnvironmentRefused
from config.guards import refuse_demo_sign_ins
from tests import factories

pytestmark = pytest.mark.django_db


def test_an_active_demo_user_stops_a_production_start_and_is_named(settings):
    settings.EMBEDDED = False
    factories.UserFactory(email="ana.example@demo.example", is_demo=True)
    with pytest.raises(EnvironmentRefused, match=r"ana\.example"):
        refuse_demo_sign_ins()


def test_a_deactivated_one_does_not_and_the_embedded_default_never_asks(settings):
    settings.EMBEDDED = False
    user = factories.UserFactory(is_demo=True, is_active=False)
    assert refuse_demo_sign_ins() is None
    user.is_active = True
    user.save()
    with pytest.raises(EnvironmentRefused):
        refuse_demo_sign_ins()
    settings.EMBEDDED = True
    assert refuse_demo_sign_ins() is None
