from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0024_when_accounts_were_lost"),
    ]

    operations = [
        migrations.AddField(
            model_name="rolegrant",
            name="temporary",
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name="rolegrant",
            constraint=models.CheckConstraint(
                condition=Q(("temporary", False), ("valid_to__isnull", False), _connector="OR"),
                name="accounts_temporary_grant_ends",
            ),
        ),
        migrations.AddIndex(
            model_name="rolegrant",
            index=models.Index(condition=Q(("temporary", True)), fields=["account"], name="accounts_grants_until"),
        ),
    ]
