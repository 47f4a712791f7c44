"""Whether sub-tasks count alone in the sprints of a board, and an index of parts by their parent."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0114_labels_of_pull_requests")]

    operations = [
        migrations.AddField(
            model_name="owned",
            name="parts_alone",
            field=models.BooleanField(
                db_default=False,
                default=False,
                help_text="In the sprints of this board, each sub-task is an item of its own. Otherwise it counts with "
                "its parent, if that is in the same sprint. Sprints are computed again within a minute.",
                verbose_name="sub-tasks count alone",
            ),
        ),
        migrations.AddIndex(
            model_name="workitem",
            index=models.Index(
                condition=models.Q(("parent_key", ""), _negated=True),
                fields=["parent_key"],
                name="work_item_by_parent",
            ),
        ),
        migrations.AddConstraint(
            model_name="owned",
            constraint=models.CheckConstraint(
                condition=models.Q(("parts_alone", False), ("kind", "board"), _connector="OR"),
                name="only_boards_have_parts",
            ),
        ),
    ]
