from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0030_request_failed_index"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="deadline",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("muted", True)), fields=["account"], name="accounts_due_muted"
            ),
        ),
    ]
