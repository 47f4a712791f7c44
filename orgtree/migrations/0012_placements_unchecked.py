"""Placements are made from checked rows and need no checks, and no second indexes, of their own."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orgtree", "0011_overlaps_refused_by_statement"),
    ]

    operations = [
        migrations.AlterField(
            model_name="placement",
            name="ancestor",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="That unit, or one above it.",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="orgtree.unit",
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="person",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to="orgtree.person"
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="tree",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to="orgtree.orgtree"
            ),
        ),
        migrations.AlterField(
            model_name="placement",
            name="unit",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                help_text="The unit the person is a member of.",
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="orgtree.unit",
            ),
        ),
    ]
