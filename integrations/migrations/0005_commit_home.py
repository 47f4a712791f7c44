import django.db.models.deletion
from django.db import migrations, models

# Of the repositories that hold a commit: where it is on the default branch, else the first connected.  One that no
# repository holds any more has none.
FILL = """
    UPDATE integrations_commit commit SET home_id = best.repository_id
    FROM (
        SELECT DISTINCT ON (commit_id) commit_id, repository_id
        FROM integrations_commitinrepository
        ORDER BY commit_id, on_default_branch DESC, repository_id
    ) AS best
    WHERE best.commit_id = commit.id
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0004_attribution"),
    ]

    operations = [
        migrations.AddField(
            model_name="commit",
            name="home",
            field=models.ForeignKey(
                db_index=False,
                help_text="Of the repositories that hold it: where it is on the default branch, else the first connected.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="integrations.repository",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
