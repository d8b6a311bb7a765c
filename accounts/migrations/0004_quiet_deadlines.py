from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0003_list_indexes'),
    ]

    operations = [
        migrations.AddField(
            model_name='deadline',
            name='muted',
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]
