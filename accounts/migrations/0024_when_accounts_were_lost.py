from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def date_losses(apps, schema_editor):
    """What was recorded last of a lost account's roles was its loss; where nothing had ended, nothing comes back."""
    accounts, grants = (apps.get_model("accounts", name) for name in ("PortalAccount", "RoleGrant"))
    ended = grants.objects.filter(account=OuterRef("pk"), voided_at=None, valid_to__isnull=False)
    newest = ended.order_by("-recorded_at").values("recorded_at")[:1]
    accounts.objects.filter(status="lost").update(lost_at=Subquery(newest))


class Migration(migrations.Migration):

    dependencies = [
        ("accounts", "0023_seats_of_approvals"),
    ]

    operations = [
        migrations.AddField(
            model_name="portalaccount",
            name="lost_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(date_losses, migrations.RunPython.noop, elidable=True),
    ]
