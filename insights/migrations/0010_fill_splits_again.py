from django.db import migrations

# What stands in for a segment's values where there are too many was the empty text, which is also the name of a model
# that was not named: cells of splits are filled again, with another sign.  Facts answer until then.
UNFILLED = "UPDATE insights_cellgroup SET rolled_to = NULL WHERE segment_name <> ''"


class Migration(migrations.Migration):
    dependencies = [("insights", "0009_kept_measures")]

    operations = [migrations.RunSQL(UNFILLED, migrations.RunSQL.noop)]
