"""Indexes that answer how many people are in which unit without reading the table."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgtree", "0012_placements_unchecked"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="placement",
            name="orgtree_pla_ancesto_8ff5ba_idx",
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(fields=["ancestor", "person"], include=("during",), name="placement_by_ancestor"),
        ),
        migrations.AddIndex(
            model_name="placement",
            index=models.Index(
                condition=models.Q(("unit", models.F("ancestor"))),
                fields=["tree", "unit"],
                include=("person", "during"),
                name="placement_of_members",
            ),
        ),
    ]
