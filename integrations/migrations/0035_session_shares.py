from django.db import migrations, models

# The work types of what is there follow from pull requests: each session with a share is looked at once more.
LOOK_AGAIN = """
    INSERT INTO integrations_attributionwork (session_id) SELECT DISTINCT session_id FROM integrations_sessionshare
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0034_prices")]

    operations = [
        migrations.RenameModel("SessionRepository", "SessionShare"),
        migrations.RemoveConstraint("SessionShare", "session_repository_is_unique"),
        migrations.AddField(
            "SessionShare",
            "work_type",
            models.CharField(
                blank=True,
                db_default="",
                help_text="Of the pull request that brought the commits; empty: none.",
                max_length=20,
            ),
        ),
        migrations.AlterField(
            "SessionShare",
            "lines_of_session",
            models.BigIntegerField(help_text="Over all repositories and work types."),
        ),
        migrations.AddConstraint(
            "SessionShare",
            models.UniqueConstraint(fields=["session", "repository", "work_type"], name="session_share_is_unique"),
        ),
        migrations.RunSQL(LOOK_AGAIN, migrations.RunSQL.noop),
    ]
