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


class Migration(migrations.Migration):
    dependencies = [("staff", "0003_inputs_of_rules")]

    operations = [
        migrations.AddIndex("person", models.Index(F("organization"), Folded(F("last_name")), name="staff_last_begins")),
        migrations.AddIndex(
            "person", models.Index(F("organization"), Folded(F("first_name")), name="staff_first_begins")
        ),
        migrations.AddIndex(
            "person",
            models.Index(
                F("organization"),
                Folded(F("employee_number")),
                condition=Q(employee_number__isnull=False),
                name="staff_number_begins",
            ),
        ),
        migrations.AddIndex(
            "person",
            models.Index(
                fields=["contact_changed_on"],
                condition=Q(contact_changed_on__isnull=False),
                name="staff_contact_changed",
            ),
        ),
    ]
