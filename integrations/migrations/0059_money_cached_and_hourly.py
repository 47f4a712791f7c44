"""Names and hourly cache writes of requests, and programs that count cached tokens apart."""

from django.db import migrations, models

AGENT_EVENT = """
ALTER TABLE integrations_agent_event
    ADD COLUMN sender text NOT NULL DEFAULT '',  -- who counted, where programs differ on what input includes
    ADD COLUMN subtracted_tokens bigint;         -- cached tokens taken out of the sender's input
"""
AGENT_EVENT_BEFORE = """
ALTER TABLE integrations_agent_event DROP COLUMN sender, DROP COLUMN subtracted_tokens;
"""


class Migration(migrations.Migration):

    dependencies = [
        ("integrations", "0057_session_place"),
    ]

    operations = [
        migrations.RunSQL(AGENT_EVENT, AGENT_EVENT_BEFORE),
        migrations.CreateModel(
            name='ApartSender',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sender', models.CharField(max_length=200, unique=True)),
                ('shown_at', models.DateTimeField(help_text='The time of the record that has more cached tokens than input.')),
            ],
            options={
                'verbose_name': 'program that counts cached tokens apart',
                'verbose_name_plural': 'programs that count cached tokens apart',
            },
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='inferred_1h_tokens',
            field=models.BigIntegerField(help_text='Of cache_write_tokens those kept an hour by reported_cost, where the agent does not say.', null=True),
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='sender',
            field=models.CharField(blank=True, db_default='', help_text="Who counted; empty where the agent's convention is known.", max_length=200),
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='subtracted_tokens',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Cached tokens that were subtracted from what the sender calls input.'),
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='surcharge_1h',
            field=models.DecimalField(decimal_places=10, help_text='What it would cost more if all its cache writes were kept an hour; null: it is known how long.', max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='agentsessionday',
            name='surcharge_1h',
            field=models.DecimalField(decimal_places=10, help_text='Of requests whose cache writes may be kept an hour.', max_digits=20, null=True),
        ),
        migrations.AddField(
            model_name='keptpricelist',
            name='name',
            field=models.CharField(blank=True, db_default='', default='', help_text='The normal form of its name, by which figures are shown; empty: not known yet.', max_length=120),
        ),
        migrations.AlterField(
            model_name='agentsessionday',
            name='cache_write_1h_tokens',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Of cache_write_tokens, said by the agent or inferred from its cost.'),
        ),
        migrations.AddIndex(
            model_name='agentrequest',
            index=models.Index(condition=models.Q(('subtracted_tokens__gt', 0)), fields=['sender'], name='agent_request_by_sender'),
        ),
    ]
