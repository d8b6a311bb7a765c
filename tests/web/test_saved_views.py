"""Views of lists: kept, chosen, renamed and deleted; one's own are one's own, shared ones an administrator's."""

import pytest
from django.db import IntegrityError, transaction

from audit.models import AuditEvent
from facilities.access import NotAllowed
from tests.conftest import NOON
from tests.web.holdings import address, held
from web import saved_views
from web.models import SavedView
from web.saved_views import ViewRefused, delete_view, rename_view, save_view

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


def save(cast, who="carol", name="Mine", query="standing=late", which="accounts", shared=False):
    return save_view(scope=cast.scope(who), which=which, name=name, query=query, shared=shared, at=NOON)


def above(client, name="accounts", **filters):
    views = client.get(address(name), filters).context["views"]
    return [view.name for view in views.links], views


def test_what_is_shown_is_kept_under_a_name_and_found_again(client, cast):
    held(cast, "carol", ago=80)
    client.force_login(cast.carol)
    _, views = above(client, standing="late", q="car", sort="name", after="forged", system="nope")
    assert views.save_url == address("view-save", "accounts") + "?q=car&standing=late&sort=name"
    page = client.get(views.save_url)
    assert [entry["label"] for entry in page.context["nav"] if entry["active"]] == ["Accounts"]
    assert "Name or user ID: car; Standing: Late or presumed lapsed" in page.content.decode()
    assert client.post(views.save_url, {"name": "Late Carols"}, follow=True).redirect_chain == [
        (address("accounts") + "?q=car&standing=late&sort=name", 302)
    ]
    names, views = above(client, q="car", standing="late", sort="name")
    assert (names, views.links[0].current, views.save_url) == (["Late Carols"], True, "")
    assert not above(client)[1].links[0].current


def test_views_are_seen_by_their_owner_or_when_shared_by_everybody_of_the_tenant(client, cast):
    save(cast, "carol", "Carol’s")
    save(cast, "alice", "Everybody’s", shared=True)
    save(cast, "mallory", "Hilltop’s", shared=True)
    save(cast, "carol", "Of people", which="people")
    seen = {}
    for who in ("carol", "olga", "alice"):
        client.force_login(getattr(cast, who))
        seen[who] = above(client)[0]
    assert seen == {"carol": ["Everybody’s", "Carol’s"], "olga": ["Everybody’s"], "alice": ["Everybody’s"]}
    client.force_login(cast.carol)
    assert above(client, "people")[0] == ["Of people"]


def test_only_an_administrator_shares_renames_and_deletes_what_is_shared(cast):
    with pytest.raises(NotAllowed):
        save(cast, "carol", shared=True)
    shared = save(cast, "alice", shared=True)
    with pytest.raises(NotAllowed):
        rename_view(scope=cast.scope("carol"), view=shared, name="Other", at=NOON)
    with pytest.raises(NotAllowed):
        delete_view(scope=cast.scope("carol"), view=shared, at=NOON)
    rename_view(scope=cast.scope("alice"), view=shared, name="Other", at=NOON)
    delete_view(scope=cast.scope("alice"), view=shared, at=NOON)
    acts = AuditEvent.objects.filter(action__startswith="view.").order_by("seq")
    assert list(acts.values_list("action", flat=True)) == ["view.shared", "view.renamed", "view.deleted"]


def test_another_members_view_does_not_exist(client, cast):
    mine = save(cast, "carol")
    client.force_login(cast.alice)
    assert client.get(address("view", mine.pk)).status_code == 404
    assert client.post(address("view-delete", mine.pk)).status_code == 404
    client.force_login(cast.carol)
    assert client.get(address("view", mine.pk)).status_code == 200
    client.post(address("view", mine.pk), {"name": "Renamed"})
    assert SavedView.objects.get().name == "Renamed"
    client.post(address("view-delete", mine.pk))
    assert not SavedView.objects.exists()
    assert not AuditEvent.objects.filter(action__startswith="view.").exists()


def test_a_name_is_taken_once_and_the_same_one_is_free_for_others(cast):
    save(cast, "carol", "Mine")
    with pytest.raises(ViewRefused) as refused:
        save(cast, "carol", "mine")
    assert refused.value.field == "name"
    assert save(cast, "olga", "Mine").pk
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedView.objects.create(
            organization=cast.riverside, user=cast.carol, list="accounts", name="Mine", created_at=NOON
        )
    shared = save(cast, "alice", "Shared", shared=True)
    with pytest.raises(IntegrityError), transaction.atomic():
        SavedView.objects.create(organization=cast.riverside, list="accounts", name=shared.name, created_at=NOON)


def test_a_list_of_views_stays_one_to_choose_from(cast, monkeypatch):
    monkeypatch.setattr(saved_views, "MOST", 1)
    save(cast, "carol", "One")
    with pytest.raises(ViewRefused):
        save(cast, "carol", "Two")
    assert save(cast, "olga", "Two").pk


@pytest.mark.parametrize("where", ["name", "query"])
def test_what_looks_like_a_secret_is_not_kept(client, cast, where):
    client.force_login(cast.carol)
    secret = "password: Sunshine7!x"
    url = address("view-save", "accounts") + "?standing=late"
    answer = client.post(
        url + ("&q=password%3A+Sunshine7!x" if where == "query" else ""),
        {"name": secret if where == "name" else "Fine"},
    )
    assert answer.status_code == 200
    assert not SavedView.objects.exists()
    client.post(url, {"name": "Fine"})
    assert SavedView.objects.get().name == "Fine"


def test_a_list_that_does_not_exist_has_no_views(client, cast):
    client.force_login(cast.carol)
    assert client.get(address("view-save", "reports")).status_code == 404
    assert client.get(address("view-save", "people")).status_code == 200
