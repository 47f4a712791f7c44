from django.db import migrations, models

COUNT = """
    UPDATE orgtree_unitpeople SET people = (
        SELECT count(DISTINCT person_id) FROM orgtree_placement WHERE ancestor_id = unit_id
    )
"""


class Migration(migrations.Migration):
    dependencies = [("orgtree", "0001_squashed_0035_predicted_work_types")]

    operations = [
        migrations.AddField(
            model_name="unitpeople",
            name="people",
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
    ]
