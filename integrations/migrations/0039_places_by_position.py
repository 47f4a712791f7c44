from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0038_session_processes")]

    operations = [
        migrations.AddIndex(
            "CommitPlace", models.Index(fields=["repository", "position"], name="commit_place_by_position")
        )
    ]
