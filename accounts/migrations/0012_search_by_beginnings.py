from django.db import migrations, models
from django.db.models import F, Q
from django.utils.deconstruct import deconstructible
from django.utils.functional import cached_property


# A copy of `staff.beginnings.Folded`; path and identity let Django see that it is the same.
@deconstructible(path="staff.beginnings.Folded")
class Folded(models.Func):
    function = "UPPER"

    @cached_property
    def identity(self):
        return ("staff.beginnings.Folded", *super().identity[1:])

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template='(%(function)s(%(expressions)s) COLLATE "C")', **context)


def know(apps, schema_editor):
    """Without figures of the new indexes, an engine that has those of the old ones would choose badly."""
    for app, model in (("staff", "Person"), ("accounts", "PortalAccount")):
        rows = apps.get_model(app, model)
        if rows.objects.using(schema_editor.connection.alias).exists():
            schema_editor.execute(f"ANALYZE {schema_editor.quote_name(rows._meta.db_table)}")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_record_copies"), ("staff", "0004_search_by_beginnings")]

    operations = [
        migrations.AddIndex(
            "portalaccount",
            models.Index(fields=["organization", "person"], condition=Q(removed_on=None), name="accounts_open_of_person"),
        ),
        migrations.AddIndex(
            "portalaccount",
            models.Index(
                F("organization"),
                Folded(F("user_id")),
                condition=Q(user_id__isnull=False),
                name="accounts_id_begins",
            ),
        ),
        migrations.RunPython(know, migrations.RunPython.noop, elidable=True),
    ]
