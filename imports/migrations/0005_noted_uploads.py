from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('imports', '0004_header_of_mappings'),
    ]

    operations = [
        migrations.AddField(
            model_name='pendingimport',
            name='noted_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
    ]
