"""What a token may send, until when, and for whom; tokens of before may send everything, for ever."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0052_statistics_of_attributed_models'),
        ('orgtree', '0001_squashed_0020_fiscal_year'),
    ]

    operations = [
        migrations.AddField(
            model_name='ingesttoken',
            name='expires_at',
            field=models.DateTimeField(blank=True, help_text='Empty: never.', null=True),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='identity',
            field=models.ForeignKey(blank=True, editable=False, help_text="All telemetry that comes with it counts for this identity's person; empty: for whom it claims.", null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgtree.identity'),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='last_claim',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=400, verbose_name='last of these addresses'),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='other_claims',
            field=models.BigIntegerField(db_default=0, default=0, editable=False, verbose_name='records that claim another address'),
        ),
        migrations.AddField(
            model_name='ingesttoken',
            name='scope',
            field=models.CharField(blank=True, choices=[('telemetry', 'Telemetry of agents'), ('push', 'Pushed records')], db_default='', default='', help_text='Empty: everything, as tokens did before they had a scope.', max_length=10),
        ),
    ]
