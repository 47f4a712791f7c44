"""Boards belong to their connection: two sites of an issue tracker may have boards of one id."""

import django.db.models.deletion
from django.db import migrations, models

# The first connection whose sprints name the board gets the row, every other one a copy with the same owners.
GIVE_BOARDS = """
    CREATE TEMPORARY TABLE board_of_connection ON COMMIT DROP AS
    SELECT owned.id AS owned_id, sprint.connection_id, owned.name,
           row_number() OVER (PARTITION BY owned.id ORDER BY sprint.connection_id) AS position
    FROM integrations_owned owned
    JOIN (SELECT DISTINCT connection_id, board FROM integrations_sprint) AS sprint ON sprint.board = owned.name
    WHERE owned.kind = 'board';

    UPDATE integrations_owned owned SET connection_id = board.connection_id
    FROM board_of_connection board WHERE board.owned_id = owned.id AND board.position = 1;

    DELETE FROM integrations_ownership
    WHERE owned_id IN (SELECT id FROM integrations_owned WHERE kind = 'board' AND connection_id IS NULL);
    DELETE FROM integrations_followedagreement
    WHERE owned_id IN (SELECT id FROM integrations_owned WHERE kind = 'board' AND connection_id IS NULL);
    DELETE FROM integrations_owned WHERE kind = 'board' AND connection_id IS NULL;

    INSERT INTO integrations_owned (kind, connection_id, name)
    SELECT 'board', connection_id, name FROM board_of_connection WHERE position > 1;
    INSERT INTO integrations_ownership (owned_id, tree_id, unit_id, during)
    SELECT copy.id, ownership.tree_id, ownership.unit_id, ownership.during
    FROM board_of_connection board
    JOIN integrations_owned copy ON copy.connection_id = board.connection_id AND copy.name = board.name
    JOIN integrations_ownership ownership ON ownership.owned_id = board.owned_id
    WHERE board.position > 1;
    SET CONSTRAINTS ALL IMMEDIATE;  -- constraints are added to these tables next
"""


class Migration(migrations.Migration):
    dependencies = [("integrations", "0108_stream_cause")]

    operations = [
        migrations.RemoveConstraint(model_name="owned", name="owned_name_once"),
        migrations.RemoveConstraint(model_name="owned", name="owned_is_one_thing"),
        migrations.AddField(
            model_name="owned",
            name="connection",
            field=models.ForeignKey(
                blank=True,
                help_text="Connection of a board.",
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="integrations.connection",
            ),
        ),
        migrations.AlterField(
            model_name="owned",
            name="name",
            field=models.CharField(
                blank=True, default="", help_text="Name of a service, or id of a board.", max_length=200
            ),
        ),
        migrations.RunSQL(GIVE_BOARDS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="owned",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind__in", ["service", "board"])),
                fields=("connection", "name"),
                name="owned_name_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="owned",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("connection", None),
                        ("kind", "repository"),
                        ("name", ""),
                        ("project", None),
                        ("repository__isnull", False),
                    ),
                    models.Q(
                        ("connection", None),
                        ("kind", "project"),
                        ("name", ""),
                        ("project__isnull", False),
                        ("repository", None),
                    ),
                    models.Q(
                        ("connection", None),
                        ("kind", "service"),
                        ("project", None),
                        ("repository", None),
                        models.Q(("name", ""), _negated=True),
                    ),
                    models.Q(
                        ("connection__isnull", False),
                        ("kind", "board"),
                        ("project", None),
                        ("repository", None),
                        models.Q(("name", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="owned_is_one_thing",
            ),
        ),
    ]
