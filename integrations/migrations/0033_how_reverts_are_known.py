from django.db import migrations, models

# By which sign each is known is derived by the worker, with what else follows from them.
ANEW = """
    INSERT INTO integrations_pullrequestwork (pull_request_id)
    SELECT pull_request_id FROM integrations_pullrequestfigures WHERE is_revert AND reverts_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0032_new_paths"),
    ]

    operations = [
        migrations.AddField(
            model_name="pullrequestfigures",
            name="revert_method",
            field=models.CharField(
                blank=True,
                choices=[
                    ("branch_number", "The number in the name of its branch"),
                    ("branch_commit", "The commit in the name of its branch"),
                    ("title_number", "The number in the title that it quotes"),
                    ("named_commit", "The commit that its title or one of its commits names"),
                    ("quoted_title", "The title that it quotes"),
                ],
                db_default="",
                default="",
                max_length=13,
            ),
        ),
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
    ]
