from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0020_needs_of_privileged_roles"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(fields=["organization", "-id"], name="accounts_requests_newest"),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(("closed_at", None)),
                fields=["requester_person", "-id"],
                name="accounts_requests_left",
            ),
        ),
    ]
