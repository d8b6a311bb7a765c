"""The order of apps holds for foreign keys, and every tenant row says whose it is."""

from django.apps import apps
from django.db.models import ForeignKey, Index, ManyToManyField, OneToOneField

ORDER = ["audit", "users", "systems", "facilities", "imports", "staff", "accounts", "reminders", "web", "api", "config"]
# Rows that belong to no tenant, and why.
WITHOUT_ORGANIZATION = {
    "facilities.Organization": "the tenant itself",
    "facilities.Provider": "CMS's public directory",
    "facilities.DirectoryEdition": "which files CMS's directory came from",
    "reminders.SweepRun": "one run serves all tenants",
    "reminders.MailHold": "holds the mail of the whole installation",
    "web.CacheEntry": "cache",
}
WHOLE_APPS_WITHOUT = {"audit", "users", "systems"}


def ours():
    return [model for model in apps.get_models() if model._meta.app_label in ORDER]


def keys_of(model):
    kinds = ForeignKey | OneToOneField | ManyToManyField
    return [field for field in model._meta.get_fields() if isinstance(field, kinds)]


def test_no_foreign_key_points_up_the_order():
    rank = {app: position for position, app in enumerate(ORDER)}
    upward = [
        f"{model._meta.label}.{field.name} -> {field.related_model._meta.label}"
        for model in ours()
        for field in keys_of(model)
        if field.related_model._meta.app_label in rank
        and rank[field.related_model._meta.app_label] > rank[model._meta.app_label]
    ]
    assert upward == []


def test_audit_has_no_foreign_key_out_of_itself():
    leaving = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_app_config("audit").get_models()
        for field in keys_of(model)
        if field.related_model._meta.app_label != "audit"
    ]
    assert leaving == []


def test_every_tenant_model_has_a_required_organization():
    missing = []
    for model in ours():
        label = model._meta.label
        if label in WITHOUT_ORGANIZATION or model._meta.app_label in WHOLE_APPS_WITHOUT:
            continue
        names = {field.name: field for field in model._meta.get_fields()}
        if "organization" not in names or names["organization"].null:
            missing.append(label)
    assert missing == [], "add `organization`, or a line with a reason to WITHOUT_ORGANIZATION"


def test_the_list_of_exceptions_names_only_models_that_exist_and_lack_it():
    labels = {model._meta.label: model for model in ours()}
    stale = [
        label
        for label in WITHOUT_ORGANIZATION
        if label not in labels or "organization" in {field.name for field in labels[label]._meta.get_fields()}
    ]
    assert stale == []


def test_index_and_constraint_names_start_with_their_app():
    wrong = []
    for model in ours():
        for named in [*model._meta.indexes, *model._meta.constraints]:
            if not named.name.startswith(model._meta.app_label) or (isinstance(named, Index) and len(named.name) > 30):
                wrong.append(f"{model._meta.label}: {named.name}")
    assert wrong == []
