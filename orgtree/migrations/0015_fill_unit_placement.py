"""Which unit stands below which, from the places that are stored; services keep it from here on."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0014_unit_placement")]

    operations = [
        migrations.RunSQL(
            """
            INSERT INTO orgtree_unitplacement (tree_id, unit_id, ancestor_id, during)
            WITH RECURSIVE place AS MATERIALIZED (
                SELECT unit.tree_id, place.unit_id, place.parent_id, place.during
                FROM orgtree_unitplace place JOIN orgtree_unit unit ON unit.id = place.unit_id
            ), standing AS (
                SELECT tree_id, unit_id, unit_id AS ancestor_id, parent_id, during FROM place
                UNION
                SELECT below.tree_id, below.unit_id, above.unit_id, above.parent_id, below.during * above.during
                FROM standing below
                JOIN place above ON above.unit_id = below.parent_id AND above.during && below.during
            )
            SELECT tree_id, unit_id, ancestor_id, unnest(range_agg(during))
            FROM standing GROUP BY tree_id, unit_id, ancestor_id
            """,
            "TRUNCATE orgtree_unitplacement",
        )
    ]
