"""What a few people did in a window is found by person and day; indexes that another one begins with are dropped."""

import django.db.models.deletion
from django.db import migrations, models

from core.migration_operations import AtOnce


class Migration(migrations.Migration):

    dependencies = [
        ('integrations', '0001_squashed_0050_lines_committed'),
        ('orgtree', '0001_squashed_0020_fiscal_year'),
    ]

    operations = [
        AtOnce([
            migrations.AlterField(
                model_name='agentsession',
                name='identity',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgtree.identity'),
            ),
            migrations.AlterField(
                model_name='commit',
                name='author',
                field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgtree.identity'),
            ),
            migrations.AlterField(
                model_name='commit',
                name='credited',
                field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgtree.identity'),
            ),
            migrations.AlterField(
                model_name='workitemfigures',
                name='credited',
                field=models.ForeignKey(db_index=False, help_text='The assignee when done, else the last.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgtree.identity'),
            ),
            migrations.AddIndex(
                model_name='agentsession',
                index=models.Index(condition=models.Q(('has_work', True)), fields=['identity', 'started_on'], name='agent_session_by_start'),
            ),
            migrations.AddIndex(
                model_name='commit',
                index=models.Index(fields=['credited', 'counted_on'], name='commit_by_credited_day'),
            ),
            migrations.AddIndex(
                model_name='countedreview',
                index=models.Index(fields=['reviewer', 'submitted_on'], name='counted_review_by_reviewer'),
            ),
            migrations.AddIndex(
                model_name='pullrequestfigures',
                index=models.Index(fields=['credited', 'merged_on', 'opened_on'], name='pull_request_figures_by_whom'),
            ),
            migrations.AddIndex(
                model_name='workitemfigures',
                index=models.Index(fields=['credited', 'done_on'], name='item_figures_by_whom'),
            ),
        ]),
    ]
