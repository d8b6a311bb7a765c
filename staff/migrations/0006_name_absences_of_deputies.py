from django.db import migrations
from django.db.models import OuterRef, Subquery


def name_absences(apps, schema_editor):
    """Name the absence with whose days a deputy was written: until now only person and first day tied the two.

    The last day has to be the same as well, as it is wherever an absence named a deputy: one who was named for good
    on the first day of somebody's leave is none of it.
    """
    alias = schema_editor.connection.alias
    absences = apps.get_model("staff", "Absence").objects.using(alias)
    deputies = apps.get_model("staff", "Deputy").objects.using(alias).filter(voided_at=None, absence=None)
    same = absences.filter(voided_at=None, person=OuterRef("person"), valid_from=OuterRef("valid_from"))
    for these, those in (
        (deputies.filter(valid_to=None), same.filter(valid_to=None)),
        (deputies.exclude(valid_to=None), same.filter(valid_to=OuterRef("valid_to"))),
    ):
        these.update(absence=Subquery(those.values("pk")[:1]))


class Migration(migrations.Migration):
    dependencies = [("staff", "0005_deputies_of_absences")]

    operations = [migrations.RunPython(name_absences, migrations.RunPython.noop)]
