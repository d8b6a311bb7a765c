from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0027_files_and_words_of_time"),
    ]

    operations = [
        migrations.RemoveIndex("accessrequest", "accounts_requests_left"),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(("closed_at", None), ("state__in", ["approved", "in_progress"])),
                fields=["organization", "requester_person", "-id"],
                name="accounts_requests_left",
            ),
        ),
    ]
