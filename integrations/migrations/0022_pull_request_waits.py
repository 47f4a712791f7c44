import django.contrib.postgres.indexes
from django.db import migrations, models

# Those that are stored already wait to be settled again.
FILL = """
    INSERT INTO integrations_pullrequestwork (pull_request_id)
    SELECT pull_request_id FROM integrations_pullrequestfigures WHERE merged_at IS NOT NULL ORDER BY merged_at DESC
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0021_line_history"),
    ]

    operations = [
        migrations.AddField(
            model_name="pullrequestfigures",
            name="ci_wait_seconds",
            field=models.FloatField(help_text="In which pipelines ran for it while it was open.", null=True),
        ),
        migrations.AddIndex(
            model_name="pullrequestfigures",
            index=django.contrib.postgres.indexes.GistIndex(
                condition=models.Q(("stale_days", None), _negated=True),
                fields=["stale_days"],
                name="pull_request_figures_by_stale",
            ),
        ),
        migrations.AddIndex(
            model_name="pipelinerun",
            index=models.Index(
                condition=models.Q(("sha", ""), _negated=True),
                fields=["sha"],
                name="pipeline_run_by_sha",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
