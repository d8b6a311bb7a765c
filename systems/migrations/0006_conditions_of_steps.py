# The conditions of a step: the only official is the person it is for, and a role that may be gone.

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('systems', '0005_ways_quotas_and_vendors'),
    ]

    operations = [
        migrations.AlterField(
            model_name='step',
            name='only_if',
            field=models.CharField(blank=True, choices=[('no-official', 'nobody there is a Security Official yet'), ('first-official', 'the first Security Official is asked for'), ('sole-official', 'the only Security Official is the person it is for'), ('official-there', 'a Security Official is there who can decide'), ('role-gone', 'the role itself was taken away, not only the way in'), ('role-unsure', 'no certification in time is known here, so that the role may be gone'), ('role-there', 'the way in was lost')], max_length=16),
        ),
    ]
