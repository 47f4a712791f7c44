import django.db.models.deletion
from django.db import migrations, models

# As integrations/intake/runs_of_pull_requests.py does from now on.
BELONGING = """
    UPDATE integrations_pipelinerunfigures figures SET pull_request_id = found.id
    FROM (
        SELECT DISTINCT ON (run.id) run.id AS run_id, pull_request.id
        FROM integrations_pullrequest pull_request
        JOIN (
            SELECT pull_request_id, sha FROM integrations_pullrequestcommit
            UNION
            SELECT id, merge_sha FROM integrations_pullrequest WHERE merge_sha <> ''
        ) AS named ON named.pull_request_id = pull_request.id
        JOIN integrations_pipelinerun run
          ON run.sha = named.sha AND run.repository_id = pull_request.repository_id AND run.sha <> ''
        WHERE pull_request.deleted_at IS NULL
        ORDER BY run.id, pull_request.merged_at NULLS LAST, pull_request.created_at, pull_request.external_id
    ) AS found
    WHERE figures.run_id = found.run_id
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0041_work_of_autonomous_agents")]

    operations = [
        migrations.AddField(
            "PipelineRunFigures",
            "pull_request",
            models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="That lists the commit on which it ran, or was merged as it.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="integrations.pullrequest",
            ),
        ),
        migrations.RunSQL(BELONGING, migrations.RunSQL.noop),
        migrations.AddIndex(
            "PipelineRunFigures",
            models.Index(
                fields=["pull_request"],
                condition=models.Q(("pull_request", None), _negated=True),
                name="run_figures_by_pull_request",
            ),
        ),
    ]
