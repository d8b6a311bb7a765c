from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0029_removals_of_ones_own"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(("state", "failed")), fields=["requester_person"], name="accounts_requests_failed"
            ),
        ),
    ]
