from django.db import migrations, models


# What may have been dropped is derived anew by the sweep for items without figures; it counted on the day it was done.
ANEW = r"""
    WITH gone AS (
        DELETE FROM integrations_workitemfigures figures
        USING integrations_workitem item
        WHERE item.id = figures.work_item_id AND item.status_category = 'done'
          AND concat_ws(' ', item.native_status, item.resolution) ~*
              'cancel|reject|declin|abandon|withdr|discard|drop|remov|won.?t|duplic|invalid|obsolet|incomplet|not|design'
        RETURNING figures.credited_id, figures.done_on
    )
    INSERT INTO integrations_factchange (family, person_id, day_from, day_to)
    SELECT DISTINCT 'work_item', identity.person_id, gone.done_on, gone.done_on + 1
    FROM gone LEFT JOIN orgtree_identity identity ON identity.id = gone.credited_id
    WHERE gone.done_on IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [
        ("integrations", "0028_first_of_records"),
    ]

    operations = [
        migrations.RunSQL(ANEW, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="meaning",
            name="subject",
            field=models.CharField(
                choices=[
                    ("environment", "Environment"),
                    ("deploying", "Pipeline that deploys"),
                    ("label", "Label"),
                    ("item_type", "Type of work item"),
                    ("status", "Status of work items"),
                    ("severity", "Severity"),
                    ("activity", "Work in a status"),
                    ("found_by", "Found by"),
                    ("ending", "How items end"),
                ],
                max_length=16,
            ),
        ),
    ]
