"""A member may add addresses to her sign-in; what the database cannot hold is refused in words."""

import pytest
from allauth.account.models import EmailAddress

from users.models import LONGEST_ADDRESS

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(("extra", "stored"), [(0, True), (1, False), (60, False)])
def test_a_further_address_longer_than_a_label_is_refused_beside_the_field(client, cast, extra, stored):
    address = f"r@{'.'.join(['example' * 8] * 3)}.{'x' * 23}.org"
    assert len(address) == LONGEST_ADDRESS
    address = "r" * extra + address
    client.force_login(cast.alice)
    answer = client.post("/auth/email/", {"action_add": "", "email": address}, follow=True)
    assert answer.status_code == 200
    assert EmailAddress.objects.filter(user=cast.alice, email=address).exists() == stored
    assert ("at most 200 characters" in answer.content.decode()) != stored
