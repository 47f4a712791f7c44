"""Requests that several programs report, one span above another: the span of a request is kept."""

from django.db import migrations, models


RAW = "ALTER TABLE integrations_agent_event ADD COLUMN span text, ADD COLUMN parent_span text"
BEFORE = "ALTER TABLE integrations_agent_event DROP COLUMN span, DROP COLUMN parent_span"


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0096_channels_by_quarter'),
    ]

    operations = [
        migrations.RunSQL(RAW, BEFORE),
        migrations.AddField(
            model_name='agentrequest',
            name='is_wrapper',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='parent_span',
            field=models.CharField(max_length=16, null=True),
        ),
        migrations.AddField(
            model_name='agentrequest',
            name='span',
            field=models.CharField(help_text='The id of its span; null if it is none.', max_length=16, null=True),
        ),
        migrations.AddIndex(
            model_name='agentrequest',
            index=models.Index(condition=models.Q(('parent_span__isnull', False)), fields=['session', 'parent_span'], name='agent_request_by_parent'),
        ),
        migrations.AddIndex(
            model_name='agentrequest',
            index=models.Index(condition=models.Q(('span__isnull', False)), fields=['session', 'span'], name='agent_request_by_span'),
        ),
    ]
