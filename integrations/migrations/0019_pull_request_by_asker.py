from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0018_projects_follow"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="pullrequest",
            index=models.Index(
                condition=models.Q(("requested_by", None), _negated=True),
                fields=["requested_by"],
                name="pull_request_by_asker",
            ),
        ),
    ]
