"""What deployments say of themselves, and titles of runs; GitHub's deployments are read again for it."""

from django.db import migrations, models


READ_AGAIN = """
    UPDATE integrations_stream stream SET full_asked = true
    FROM integrations_resource resource JOIN integrations_connection connection ON connection.id = resource.connection_id
    WHERE resource.id = stream.resource_id AND connection.provider = 'github' AND stream.kind = 'deployment'
"""


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0087_rollouts_by_start'),
    ]

    operations = [
        migrations.AddField(
            model_name='deployment',
            name='is_production',
            field=models.BooleanField(help_text='Whether users meet the environment, by its source.', null=True),
        ),
        migrations.AddField(
            model_name='deployment',
            name='is_transient',
            field=models.BooleanField(help_text='Whether the environment goes with it, by its source.', null=True),
        ),
        migrations.AddField(
            model_name='deployment',
            name='rule',
            field=models.CharField(blank=True, choices=[('job', 'its deploying job ran'), ('default_branch', 'no job deploys by its name, and it ran on the default branch'), ('release_branch', 'no job deploys by its name, and it ran on a release branch'), ('tag', 'no job deploys by its name, and it ran on a tag'), ('unknown_branch', 'no job deploys by its name, and its branch is unknown')], db_default='', default='', max_length=20),
        ),
        migrations.AddField(
            model_name='deployment',
            name='task',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='deploymentstatus',
            name='environment',
            field=models.CharField(blank=True, db_default='', default='', max_length=200),
        ),
        migrations.AddField(
            model_name='pipelinerun',
            name='title',
            field=models.CharField(blank=True, db_default='', default='', max_length=300),
        ),
        migrations.AlterField(
            model_name='deployment',
            name='exclusion_reason',
            field=models.CharField(blank=True, choices=[('part', 'Part of another rollout'), ('prepares', 'Only plans, migrates or locks'), ('transient', 'Its environment is for this deployment alone')], db_default='', default='', max_length=10),
        ),
        migrations.RunSQL(READ_AGAIN, migrations.RunSQL.noop),
    ]
