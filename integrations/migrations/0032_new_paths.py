from django.db import migrations, models

# What is new to reviewers is derived by the worker, of whatever a clone tells of.
ANEW = """
    INSERT INTO integrations_pullrequestwork (pull_request_id)
    SELECT pull_request_id FROM integrations_pullrequestfigures
    WHERE directory_count IS NOT NULL AND review_count > 0
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0031_cherry_picks"),
    ]

    operations = [
        migrations.AddField(
            model_name="pullrequestfigures",
            name="reviewed_path_count",
            field=models.IntegerField(null=True, help_text="Paths that it changes; null: no clone, or no review."),
        ),
        migrations.AddField(
            model_name="pullrequestfigures",
            name="new_path_count",
            field=models.IntegerField(
                null=True, help_text="Of these, those that none of its reviewers had changed before."
            ),
        ),
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
    ]
