"""Parts of records that are not understood are counted by field, and those of one moment keep their order."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.db import migrations, models

POSITION = models.IntegerField(db_default=0, default=0, help_text="Among those of one moment, in their order.")
# Records arrived in the provider's order.
PLACE = """
    UPDATE {table} stored SET position = placed.position
    FROM (SELECT id, row_number() OVER (PARTITION BY {owner}, at ORDER BY id) - 1 AS position FROM {table}) AS placed
    WHERE placed.id = stored.id AND placed.position > 0
"""


def place_moves(apps: Any, schema_editor: Any) -> None:
    """Each from where the one before led, as new ones are placed: integrations/intake/order_of_parts.py."""
    transitions = apps.get_model("integrations", "WorkItemTransition").objects
    tied = transitions.values("work_item", "at").annotate(number=models.Count("pk")).filter(number__gt=1)
    for item in set(tied.values_list("work_item", flat=True)):
        status = None
        moves = transitions.filter(work_item=item).order_by("at", "pk")
        for _, moment in groupby(moves, key=lambda move: move.at):
            left = list(moment)
            if status is None:
                reached = {move.to_status for move in left}
                status = next((move.from_status for move in left if move.from_status not in reached), None)
            for position in range(len(left)):
                following = next((move for move in left if move.from_status == status), left[0])
                left.remove(following)
                status = following.to_status
                if following.position != position:
                    transitions.filter(pk=following.pk).update(position=position)


class Migration(migrations.Migration):
    dependencies = [("integrations", "0090_earlier_prices")]

    operations = [
        migrations.RenameField("syncrun", "impossible_times", "left_out"),
        migrations.AlterField(
            model_name="syncrun",
            name="left_out",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="Parts of records that could not be understood; the records count."
            ),
        ),
        migrations.AddField(
            model_name="syncrun",
            name="fields_left_out",
            field=models.JSONField(db_default={}, default=dict, help_text="How many of them, by field."),
        ),
        migrations.AddField(model_name="workitemtransition", name="position", field=POSITION.clone()),
        migrations.AddField(model_name="workitemassignment", name="position", field=POSITION.clone()),
        migrations.AddField(model_name="pullrequestevent", name="position", field=POSITION.clone()),
        migrations.RunPython(place_moves, migrations.RunPython.noop),
        migrations.RunSQL(
            [
                PLACE.format(table="integrations_workitemassignment", owner="work_item_id"),
                PLACE.format(table="integrations_pullrequestevent", owner="pull_request_id"),
            ],
            migrations.RunSQL.noop,
        ),
        # Drafts that wait for a place name the parts that were left out, and are read with that name.
        migrations.RunSQL(
            """
            UPDATE integrations_unplacedrecord waiting
            SET drafts = (
                SELECT jsonb_agg(draft - 'impossible_times' || CASE WHEN draft ? 'impossible_times'
                                 THEN jsonb_build_object('left_out', draft -> 'impossible_times') ELSE '{}' END)
                FROM jsonb_array_elements(waiting.drafts) AS draft
            )
            WHERE jsonb_array_length(waiting.drafts) > 0
            """,
            migrations.RunSQL.noop,
        ),
        # What one odd part threw out is read once more, as are Data Center's sprints and changes of renamed fields.
        migrations.RunSQL(
            """
            UPDATE integrations_stream stream SET full_asked = true
            FROM integrations_resource resource
            JOIN integrations_connection connection ON connection.id = resource.connection_id
            WHERE resource.id = stream.resource_id AND connection.removed_at IS NULL AND resource.picked
              AND (connection.provider = 'jira' AND stream.kind = 'work_item'
                       AND coalesce(connection.settings ->> 'email', '') = ''
                   OR EXISTS (
                       SELECT FROM integrations_quarantinedpayload payload
                       WHERE payload.resource_id = resource.id AND payload.kind = stream.kind
                         AND payload.replayed_at IS NULL
                   ))
            """,
            migrations.RunSQL.noop,
        ),
    ]
