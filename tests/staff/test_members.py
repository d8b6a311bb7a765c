"""Invitations open once, for one address, and link the member to her person."""

from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress

from facilities.access import NotAllowed
from facilities.models import Membership, Organization
from facilities.models.tenancy import Role
from facilities.services.members import (
    InvitationRefused,
    end_membership,
    invite_member,
    usable_invitation,
)
from facilities.services.organizations import OrganizationRefused, create_organization
from staff.models import Person
from staff.services.members import accept_invitation
from tests import factories
from tests.conftest import NOON
from users.models import User

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def invited(cast, email="ruth@example.org", role=Role.COORDINATOR, facility=None):
    return invite_member(scope=cast.scope("alice"), email=email, role=role, facility=facility, at=NOON)


def test_accepting_makes_user_membership_and_person(cast):
    issued = invited(cast, facility=cast.oak)
    invitation = usable_invitation(token=issued.token, at=NOON)
    membership = accept_invitation(invitation=invitation, at=NOON, name="Ruth Reed", password="long enough for us")
    assert (membership.role, membership.facility) == ("coordinator", cast.oak)
    person = Person.objects.get(organization=cast.riverside, user=membership.user)
    assert (person.first_name, person.last_name) == ("Ruth", "Reed")
    assert membership.user.check_password("long enough for us")


def test_accepting_links_the_one_person_with_that_address(cast):
    known = factories.PersonFactory(organization=cast.riverside, email="Ruth@Example.org", first_name="Ruth")
    elsewhere = factories.PersonFactory(organization=cast.hilltop, email="ruth@example.org")
    issued = invited(cast)
    membership = accept_invitation(invitation=issued.invitation, at=NOON, name="R. Reed", password="long enough for us")
    known.refresh_from_db()
    elsewhere.refresh_from_db()
    assert known.user == membership.user
    assert elsewhere.user is None


def test_a_token_works_once(cast):
    issued = invited(cast)
    accept_invitation(invitation=issued.invitation, at=NOON, name="Ruth Reed", password="long enough for us")
    with pytest.raises(InvitationRefused, match="has been used"):
        usable_invitation(token=issued.token, at=NOON)


def test_a_second_invitation_shuts_the_first(cast):
    first, second = invited(cast), invited(cast)
    with pytest.raises(InvitationRefused, match="not valid"):
        usable_invitation(token=first.token, at=NOON)
    assert usable_invitation(token=second.token, at=NOON) == second.invitation


def test_an_old_invitation_has_expired_and_a_young_one_has_not(cast):
    issued = invited(cast)
    assert usable_invitation(token=issued.token, at=NOON + timedelta(days=13))
    with pytest.raises(InvitationRefused, match="expired"):
        usable_invitation(token=issued.token, at=NOON + timedelta(days=14))


def test_somebody_else_who_signs_in_cannot_take_it(cast):
    issued = invited(cast)
    with pytest.raises(InvitationRefused, match="is for ruth"):
        accept_invitation(invitation=issued.invitation, at=NOON, user=cast.nobody)
    assert not Membership.objects.filter(user=cast.nobody).exists()


def test_an_existing_address_must_sign_in_first(cast):
    issued = invited(cast, email="nobody@example.org")
    with pytest.raises(InvitationRefused, match="Sign in first"):
        accept_invitation(invitation=issued.invitation, at=NOON, name="X Y", password="long enough for us")
    assert accept_invitation(invitation=issued.invitation, at=NOON, user=cast.nobody).user == cast.nobody


def test_only_administrators_invite_and_only_to_their_own_facilities(cast):
    with pytest.raises(NotAllowed):
        invite_member(scope=cast.scope("carol"), email="x@example.org", role="holder", facility=cast.oak, at=NOON)
    with pytest.raises(InvitationRefused, match="does not belong"):
        invited(cast, facility=cast.summit)


def test_the_last_administrator_stays_and_any_other_may_go(cast):
    membership = Membership.objects.get(user=cast.alice)
    with pytest.raises(InvitationRefused, match="last administrator"):
        end_membership(scope=cast.scope("alice"), membership=membership, at=NOON)
    other = factories.MembershipFactory(organization=cast.riverside, role=Role.ADMINISTRATOR)
    end_membership(scope=cast.scope("alice"), membership=other, at=NOON)
    other.refresh_from_db()
    assert other.ended_at == NOON


def test_create_organization_is_safe_to_repeat(operator):
    asked = {"slug": "new-one", "name": "New One", "zone": "America/Chicago", "admin_email": "a@example.org"}
    organization, first, created = create_organization(**asked, actor=operator, at=NOON)
    assert created
    same, second, created_again = create_organization(**asked, actor=operator, at=NOON)
    assert (same, created_again) == (organization, False)
    assert first.token != second.token
    accept_invitation(invitation=second.invitation, at=NOON, name="A B", password="long enough for us")
    assert create_organization(**asked, actor=operator, at=NOON)[1] is None
    assert Organization.objects.filter(slug="new-one").count() == 1


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "Not Good"}, "slug"),
        ({"name": "  "}, "name"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"admin_email": "nobody"}, "email"),
    ],
)
def test_an_organization_that_cannot_be_made_is_refused_by_field_and_leaves_nothing(operator, change, field):
    asked = {"slug": "fine", "name": "Fine", "zone": "America/Chicago", "admin_email": "a@example.org"} | change
    with pytest.raises((OrganizationRefused, InvitationRefused)) as refused:
        create_organization(**asked, actor=operator, at=NOON)
    assert refused.value.field == field
    assert not Organization.objects.exists()


@pytest.mark.parametrize(("verified", "refused"), [(True, True), (False, False)])
def test_an_address_that_another_sign_in_has_proved_is_refused_in_words(cast, verified, refused):
    EmailAddress.objects.create(user=cast.henry, email="ruth@example.org", verified=verified, primary=False)
    accept = {"invitation": invited(cast).invitation, "at": NOON, "name": "Ruth", "password": "long enough for us"}
    if refused:
        with pytest.raises(InvitationRefused, match="another sign-in"):
            accept_invitation(**accept)
        assert not User.objects.filter(email="ruth@example.org").exists()
    else:
        assert accept_invitation(**accept).user.email == "ruth@example.org"


def test_an_address_too_long_for_a_label_is_refused_in_words(cast):
    longest = f"r@{'.'.join(['example' * 8] * 3)}.{'x' * 23}.org"
    assert len(longest) == 200
    assert invited(cast, longest).invitation.email == longest
    with pytest.raises(InvitationRefused, match="not an e-mail"):
        invited(cast, f"r{longest}")
