from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_access_reviews")]

    operations = [
        migrations.AddField(
            model_name="portalaccount", name="lasts_until", field=models.DateField(null=True, blank=True)
        ),
        migrations.AddConstraint(
            model_name="portalaccount",
            constraint=models.CheckConstraint(
                condition=Q(lasts_until=None) | Q(term="temporary"), name="accounts_only_temporary_ends"
            ),
        ),
    ]
