from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0018_access_requests")]

    operations = [
        migrations.AddField(
            model_name="portalaccount",
            name="used_by_tool",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
    ]
