from django.db import migrations, models

# Until now commits were settled in the transaction that changed the thresholds.
AS_THEY_ARE = """
    INSERT INTO integrations_followedthresholds (id, lines, files)
    SELECT 1, bulk_commit_lines, bulk_commit_files FROM orgtree_organisation
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0035_session_shares"), ("orgtree", "0018_peers")]

    operations = [
        migrations.CreateModel(
            name="FollowedThresholds",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("lines", models.PositiveIntegerField()),
                ("files", models.PositiveIntegerField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("pk", 1)), name="followed_thresholds_are_one_row")
                ],
            },
        ),
        migrations.RunSQL(AS_THEY_ARE, migrations.RunSQL.noop),
    ]
