"""Events or metrics count for each quarter of an hour: until a session is compared anew, its old choice stays."""

import django.db.models.deletion
import integrations.models.fields
from django.db import migrations, models


OLD_CHOICE = """
    UPDATE integrations_agentmeterslot slot SET counted = true
    FROM integrations_agentsession session
    WHERE session.id = slot.session_id AND session.metric_tokens > session.event_tokens
      AND slot.input_tokens + slot.cache_read_tokens + slot.cache_write_tokens + slot.output_tokens > 0;
    UPDATE integrations_agentrequest request SET counted = false
    FROM integrations_agentsession session
    WHERE session.id = request.session_id AND session.metric_tokens > session.event_tokens;
    UPDATE integrations_agentsession
    SET active_periods = CASE WHEN isempty(event_stretches) THEN metric_stretches ELSE event_stretches END;
    INSERT INTO integrations_channelwork (session_id)
    -- Sums of Copilot's turns were stored at their start: which requests they are of is not known any more.
    SELECT id FROM integrations_agentsession WHERE metric_tokens > 0 AND agent <> 'copilot' ORDER BY id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0095_tags_of_clones'),
        ('orgtree', '0027_attributes_of_repositories'),
    ]

    operations = [
        migrations.CreateModel(
            name='ChannelWork',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
            ],
        ),
        migrations.RemoveConstraint(
            model_name='agentsessionday',
            name='agent_session_day_is_unique',
        ),
        migrations.AddField(
            model_name='agentmeterslot',
            name='both_tokens',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Those of its tokens that events reported, too.'),
        ),
        migrations.AddField(
            model_name='agentmeterslot',
            name='covers_from',
            field=models.DateTimeField(help_text='The reading before, of which its points say the increase.', null=True),
        ),
        migrations.AddField(
            model_name='agentmeterslot',
            name='counted',
            field=models.BooleanField(db_default=False, default=False, help_text='Metrics reported more tokens of the quarter than events.'),
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='counted',
            field=models.BooleanField(db_default=True, default=True, help_text='False where metrics count in its quarter of an hour.'),
        ),
        migrations.AddField(
            model_name='agentsession',
            name='active_periods',
            field=integrations.models.fields.TimeRangesField(db_default=models.Value('{}')),
        ),
        migrations.AddField(
            model_name='agentsessionday',
            name='both_tokens',
            field=models.BigIntegerField(db_default=0, default=0, help_text='Of metrics: the tokens that events reported, too.'),
        ),
        migrations.AddIndex(
            model_name='agentsession',
            index=models.Index(condition=models.Q(('metric_tokens__gt', 0)), fields=['identity', 'ended_at'], name='agent_session_metered'),
        ),
        migrations.AddConstraint(
            model_name='agentsessionday',
            constraint=models.UniqueConstraint(fields=('session', 'day', 'source', 'model', 'counted'), name='agent_session_day_is_unique'),
        ),
        migrations.AddField(
            model_name='channelwork',
            name='session',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.agentsession'),
        ),
        migrations.RunSQL(OLD_CHOICE, migrations.RunSQL.noop),
    ]
