from django.db import migrations, models

# Which they are is derived by the worker: agents' that nobody asked for, or only a bot.
ANEW = """
    INSERT INTO integrations_pullrequestwork (pull_request_id)
    SELECT figures.pull_request_id
    FROM integrations_pullrequestfigures figures
    JOIN integrations_pullrequest pull_request ON pull_request.id = figures.pull_request_id
    LEFT JOIN orgtree_identity credited ON credited.id = figures.credited_id
    WHERE credited.id IS NULL AND pull_request.author_id IS NOT NULL
       OR credited.id = pull_request.requested_by_id
          AND (credited.standing = 'bot' OR (credited.kind = 'installation' AND credited.provider LIKE '%-bot'))
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0040_usage_to_settle"),
    ]

    operations = [
        migrations.AddField(
            model_name="pullrequestfigures",
            name="is_autonomous",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="A coding agent’s that nobody is known to have asked for: it counts for the repository’s owner.",
            ),
        ),
        migrations.AddIndex(
            model_name="commit",
            index=models.Index(
                condition=models.Q(("credited", None)), fields=["home", "counted_on"], name="commit_of_autonomous_agent"
            ),
        ),
        migrations.AddIndex(
            model_name="pullrequestfigures",
            index=models.Index(
                condition=models.Q(("is_autonomous", True)),
                fields=["repository", "merged_on"],
                name="pull_request_autonomous",
            ),
        ),
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
    ]
