import pytest

from audit.models import AuditEvent, AuditItem, ChainHead


@pytest.fixture(autouse=True)
def _empty_chains(request):
    """These tests count rows: what the suite's own setup recorded is out of the way inside each of them."""
    if "db" in request.fixturenames or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("db")
        for model in (AuditItem, AuditEvent, ChainHead):
            model.objects.all().delete()
