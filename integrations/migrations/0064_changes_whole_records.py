"""Times that cannot be are counted where they are left out, and pull requests say how many commits they have."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0062_rollouts_deployments")]

    operations = [
        migrations.AddField(
            model_name="syncrun",
            name="impossible_times",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="Of parts of records, which were left out: the records count."
            ),
        ),
        migrations.AddField(
            model_name="pullrequest",
            name="commit_count",
            field=models.IntegerField(
                help_text="By the provider, whatever it lists; null where it does not say.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="deployedpullrequest",
            name="method",
            field=models.CharField(
                choices=[
                    ("chain", "Position on the default branch"),
                    ("graph", "Commit graph, beside the default branch"),
                    ("pick", "Commit graph, of a copy (cherry-pick, or the branch's own head)"),
                    ("time", "First deployment that started after the merge"),
                ],
                max_length=10,
            ),
        ),
        # Parents, counts of commits and times of picking are not stored yet: GitHub's pull requests are read once more.
        migrations.RunSQL(
            """
            UPDATE integrations_stream stream SET full_asked = true
            FROM integrations_resource resource
            JOIN integrations_connection connection ON connection.id = resource.connection_id
            WHERE resource.id = stream.resource_id AND connection.provider = 'github'
              AND connection.removed_at IS NULL AND resource.picked AND stream.kind = 'pull_request'
            """,
            migrations.RunSQL.noop,
        ),
        # Review bots by name and dismissed reviews count otherwise: the worker computes all figures again.
        migrations.RunSQL(
            """
            INSERT INTO integrations_pullrequestwork (pull_request_id)
            SELECT id FROM integrations_pullrequest WHERE deleted_at IS NULL
            """,
            migrations.RunSQL.noop,
        ),
    ]
