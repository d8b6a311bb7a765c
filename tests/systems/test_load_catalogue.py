"""Loading: idempotent, traceable, and with a new revision for exactly what changed."""

import io
import json
import shutil
from datetime import UTC, datetime

import pytest
from django.apps import apps
from django.core.management import call_command

from audit.commands import CommandFailed
from audit.models import AuditEvent, AuditItem
from audit.services import Ref
from systems.catalogue_files import FOLDER
from systems.catalogue_rows import NATURAL_KEYS
from systems.models import Contact, Policy, RoleAbility, Source, System, SystemRole, Term
from systems.selectors import chain_revisions, policy_chains
from systems.services import check_catalogue, load_catalogue

pytestmark = [pytest.mark.django_db, pytest.mark.db_engines]


LOADER = Ref("command:load_catalogue", "Catalogue load by command")
LOADED_AT = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.fixture
def empty(catalogue):
    """Tables as after the first migration."""
    System.objects.update(sign_in_via=None, counts_at_authority=False, successor=None)
    for model in reversed(NATURAL_KEYS):
        model.objects.all().delete()


@pytest.fixture
def draft(tmp_path):
    """A copy of the catalogue to change; returns (folder, change)."""
    folder = tmp_path / "draft"
    shutil.copytree(FOLDER, folder)

    def change(file, old, new):
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")

    return folder, change


def load(folder=FOLDER):
    return load_catalogue(actor=LOADER, at=LOADED_AT, folder=folder)


def everything():
    tables = apps.get_app_config("systems").get_models(include_auto_created=True)
    return {model.__name__: sorted(map(repr, model.objects.values_list())) for model in tables}


def run(*options):
    out = io.StringIO()
    call_command("load_catalogue", *options, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def test_the_first_load_gives_every_policy_revision_one(empty):
    first = load()
    assert first.revision == 1
    assert set(Policy.objects.values_list("revision", flat=True)) == {1}
    assert first.counts["systems"] == System.objects.count() == 39
    assert first.counts["policies"] == Policy.objects.count() == len(first.policies)
    assert first.counts["roles"] == SystemRole.objects.count()


def test_loading_twice_touches_nothing(catalogue):
    before, acts = everything(), AuditEvent.objects.count()
    again = load()
    assert (again.tables, again.policies, again.revision) == ({}, [], 1)
    assert everything() == before
    assert AuditEvent.objects.count() == acts


def test_a_load_that_changed_something_is_one_act_in_the_chain(empty):
    load()
    event = AuditEvent.objects.get(action="catalogue.loaded", at=LOADED_AT)
    assert (event.chain, event.actor_key, event.at) == ("installation", "command:load_catalogue", LOADED_AT)
    payload = json.loads(AuditItem.objects.get(event_id=event.pk).payload)
    assert "QIES-INACT-3" in json.dumps(payload)


def test_a_changed_limit_alone_gets_the_next_revision(catalogue, draft):
    folder, change = draft
    change("iqies.yaml", "limit_days: 60", "limit_days: 45")
    before = everything()
    changed = load(folder)
    assert [each.as_dict() for each in changed.policies] == [
        {"system": "iqies", "kind": "inactivity", "policy": "IQ-INACT-1", "what": "changed"}
    ]
    assert changed.revision == 2
    assert list(Policy.objects.filter(revision=2).values_list("key", "limit_days")) == [("IQ-INACT-1", 45)]
    iqies = System.objects.get(slug="iqies").pk
    assert {key: number for key, number in chain_revisions().items() if number == 2} == {(iqies, "inactivity"): 2}
    after = everything()
    assert [name for name in after if after[name] != before[name]] == ["Policy"]


def test_a_change_beside_the_policies_makes_no_new_revision(catalogue, draft):
    folder, change = draft
    change("contacts.yaml", "name: Experian", "name: Experian identity checks")
    changed = load(folder)
    assert changed.tables == {"contact": {"created": 0, "changed": 1, "withdrawn": 0}}
    assert changed.revision == 1
    assert Contact.objects.get(key="HD-4").name == "Experian identity checks"


def test_a_version_gone_from_the_files_leaves_the_chain_but_not_the_table(catalogue, draft):
    folder, change = draft
    text = (folder / "idm.yaml").read_text(encoding="utf-8")
    start = text.index("      - kind: inactivity\n        basis: login\n        limit_days: 180")
    change("idm.yaml", text[start : text.index("      - kind: inactivity", start + 1)], "")
    load(folder)
    gone = Policy.objects.get(key="EP-INACT-2")
    assert (gone.withdrawn, gone.revision) == (True, 2)
    chain = policy_chains()[gone.system_id, "inactivity"]
    assert [version.key for version in chain] == ["EP-INACT-1"]
    load()
    gone.refresh_from_db()
    assert (gone.withdrawn, gone.revision) == (False, 3)


def test_a_refused_catalogue_writes_nothing(catalogue, draft):
    folder, change = draft
    change("contacts.yaml", "name: Experian", "name: Somebody else")
    change("iqies.yaml", "cite: {fact: IQ-INACT-1, source: O2, ", "cite: {fact: IQ-INACT-1, ")
    before = everything()
    with pytest.raises(CommandFailed) as caught:
        run("--folder", str(folder))
    [error] = caught.value.document["errors"]
    assert (error["file"], error["place"]) == ("iqies.yaml", "systems.0.policies.0.cite.source")
    assert "required" in error["reason"]
    assert error["line"] > 1
    assert everything() == before


POINT = "      - {kind: phone"


@pytest.mark.parametrize(
    ("file", "old", "new", "table", "reason"),
    [
        ("contacts.yaml", POINT, "      - {kind: web, value: a.b}\n" * 2 + POINT, "contact point", "stands more than"),
        ("qies.yaml", "    name: QIES\n", f"    name: {'Q' * 500}\n", "system", "name has more than 120 characters"),
        ("qies.yaml", "    name: QIES\n", '    name: "Q\\0"\n', "system", "no text may hold"),
    ],
)
def test_what_the_tables_cannot_hold_is_refused_in_words(catalogue, draft, file, old, new, table, reason):
    folder, change = draft
    change(file, old, new)
    before = everything()
    for check in ([], ["--check"]):
        with pytest.raises(CommandFailed) as caught:
            run(*check, "--folder", str(folder))
        [error] = caught.value.document["errors"]
        assert error["file"] == table
        assert reason in error["reason"]
    assert everything() == before


def test_check_tells_the_change_and_writes_nothing(catalogue, draft):
    folder, change = draft
    change("iqies.yaml", "limit_days: 60", "limit_days: 45")
    before, acts = everything(), AuditEvent.objects.count()
    assert [each.policy for each in check_catalogue(folder=folder).policies] == ["IQ-INACT-1"]
    document = run("--check", "--folder", str(folder))
    assert document["changed"] == [{"system": "iqies", "kind": "inactivity", "policy": "IQ-INACT-1", "what": "changed"}]
    assert (everything(), AuditEvent.objects.count()) == (before, acts)


def test_the_command_counts_what_the_catalogue_holds(catalogue):
    document = run()
    assert document["errors"] == []
    assert document["phrases"] == 4
    assert document["contacts"] == Contact.objects.count()
    assert run()["tables"] == {}


def test_every_row_knows_its_source(catalogue):
    for model in apps.get_app_config("systems").get_models():
        if model is not Source:
            assert model.objects.exists(), model
            rows = model.objects.filter(ours=False) if model is Term else model.objects.all()
            assert not rows.filter(fact_id="").exists(), model
    assert Source.objects.filter(document_date="").count() == 0


def test_sign_in_authorities_and_counting_are_as_decided(catalogue):
    via = dict(System.objects.exclude(sign_in_via=None).values_list("slug", "sign_in_via__slug"))
    applications = {slug: "idm" for slug in via if slug.startswith("ep-")}
    assert len(applications) == 23
    named = {"casper": "qies", "iqies": "harp", "hqr": "harp", "eqrs": "harp", "mft": "harp", "psr": "idm"}
    assert via == named | applications
    counting = set(System.objects.filter(counts_at_authority=True).values_list("slug", flat=True))
    assert counting == {"iqies", "hqr", "eqrs", "psr"} | set(applications)


def test_every_system_of_the_design_is_there_and_no_other(catalogue):
    named = [
        "qies",
        "casper",
        "cmsnet",
        "harp",
        "iqies",
        "qualitynet",
        "hqr",
        "eqrs",
        "idm",
        "psr",
        "ia",
        "sams",
        "mycgs",
        "dde",
        "rds",
        "mft",
    ]
    listed = (
        "aps bigapps connexion desy webex cnc cpms cognos dmepos-bidding hats hdt mdm midas microstrategy ocm onepi"
        " pecos-ai pecos-dm pris pv qarm shim vms"
    )
    expected = {*named, *(f"ep-{name}" for name in listed.split())}
    assert set(System.objects.current().values_list("slug", flat=True)) == expected


@pytest.mark.parametrize(
    ("role", "stream", "ability", "allowed"),
    [
        ("assessment-submitter", "mds", "upload", True),
        ("assessment-submitter", "mds", "submit", None),
        ("provider-administrator", "mds", "upload", False),
        ("provider-administrator", "oasis", "modify", True),
        ("provider-administrator", "pbj", "edit", False),
        ("provider-administrator", "pbj", "view", True),
        ("provider-assessment-coordinator", "mds", "modify", None),
        ("provider-assessment-viewer", "hope", "submit", False),
        ("provider-assessment-viewer", "hope", "view", True),
        ("provider-security-official", "pbj", "upload", True),
        ("provider-security-official", None, "approve", True),
        ("provider-administrator", None, "approve", False),
        ("pbj-submitter-vendor", "pbj", "approve", False),
        ("pbj-viewer", "pbj", "upload", False),
        ("provider-epoc-administrator", "epoc", "plan-of-correction", True),
        ("provider-epoc-administrator", "pbj", "view", None),
    ],
)
def test_iqies_roles_differ_by_stream_as_the_matrix_says(catalogue, role, stream, ability, allowed):
    rows = RoleAbility.objects.filter(role__slug=role, role__system__slug="iqies", ability=ability, stream__slug=stream)
    assert [row.allowed for row in rows] == ([] if allowed is None else [allowed])


def test_one_query_reads_all_chains(catalogue, django_assert_num_queries):
    with django_assert_num_queries(1):
        chains = policy_chains()
    qies = System.objects.get(slug="qies").pk
    assert [version.key for version in chains[qies, "inactivity"]] == ["QIES-INACT-1", "QIES-INACT-3"]
    assert (None, "acknowledgement") in chains
    harp = System.objects.get(slug="harp").pk
    assert not [key for key in chains if key[0] == harp]
