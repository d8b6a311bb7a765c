from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0028_requests_carried_out"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(
                    ("closed_at", None),
                    ("kind", "removal"),
                    ("requester_person", models.F("beneficiary_person")),
                ),
                fields=["organization", "-id"],
                name="accounts_own_removals",
            ),
        ),
    ]
