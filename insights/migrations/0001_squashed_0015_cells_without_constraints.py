"""All of the app's tables, in place of the fifteen migrations that led to them: docs/decisions/0037."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
import insights.models.badges
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import AtOnce

LOG_IS_ONLY_APPENDED_TO = """
    CREATE FUNCTION insights_refuse_to_change_the_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The log of annotations is only appended to.';
    END $$;
    CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON insights_annotationchange
    FOR EACH ROW EXECUTE FUNCTION insights_refuse_to_change_the_log();
"""
LOG_IS_A_TABLE = """
    DROP TRIGGER only_append ON insights_annotationchange;
    DROP FUNCTION insights_refuse_to_change_the_log();
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('insights', '0001_initial'),
        ('insights', '0002_code_facts'),
        ('insights', '0003_evidence_and_settling'),
        ('insights', '0004_fact_families'),
        ('insights', '0005_left_out'),
        ('insights', '0006_annotations'),
        ('insights', '0007_badges'),
        ('insights', '0008_clones'),
        ('insights', '0009_kept_measures'),
        ('insights', '0010_seats_family'),
        ('insights', '0011_kept_comparisons'),
        ('insights', '0012_fiscal_month_of_cells'),
        ('insights', '0013_people_figures'),
        ('insights', '0014_kinds_of_people_figures'),
        ('insights', '0015_cells_without_constraints'),
    ]

    dependencies = [
        ('orgtree', '0001_squashed_0020_fiscal_year'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='Annotation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('start', models.DateField()),
                    ('end', models.DateField(help_text='The first day that no longer belongs to it.')),
                    ('text', models.CharField(max_length=200)),
                    ('about', models.CharField(blank=True, default='', help_text="A metric's key, or what a family's keys share before the dot. Empty: all charts.", max_length=80)),
                    ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('changed_at', models.DateTimeField(editable=False, null=True)),
                    ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['start'], name='annotation_by_start')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='annotation_has_days'), models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='annotation_says_something')],
                },
            ),
            migrations.CreateModel(
                name='AnnotationChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('annotation_id', models.BigIntegerField(db_index=True)),
                    ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('action', models.CharField(choices=[('added', 'Added'), ('changed', 'Changed'), ('removed', 'Removed')], editable=False, max_length=8)),
                    ('unit_id', models.BigIntegerField(editable=False, null=True)),
                    ('start', models.DateField(editable=False)),
                    ('end', models.DateField(editable=False)),
                    ('text', models.CharField(editable=False, max_length=200)),
                    ('about', models.CharField(blank=True, editable=False, max_length=80)),
                    ('by', models.ForeignKey(db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
            ),
            migrations.CreateModel(
                name='Badge',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('key', models.CharField(default=insights.models.badges.new_badge_key, editable=False, max_length=40, unique=True)),
                    ('metric', models.CharField(max_length=80)),
                    ('weeks', models.PositiveSmallIntegerField(help_text='The last weeks that it tells of, today included.')),
                    ('statistic', models.CharField(blank=True, help_text="Of durations; empty: the metric's own.", max_length=8)),
                    ('label', models.CharField(blank=True, help_text="In place of the metric's name.", max_length=60)),
                    ('made_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('revoked_at', models.DateTimeField(blank=True, help_text='Since when its address answers 404.', null=True)),
                    ('made_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                ],
                options={
                    'ordering': ('-made_at', '-pk'),
                },
            ),
            migrations.CreateModel(
                name='KeptComparison',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('question', models.CharField(help_text='SHA-256 of all that the answer depends on.', max_length=64, unique=True)),
                    ('answer', models.JSONField()),
                    ('computed_at', models.DateTimeField(db_index=True)),
                ],
            ),
            migrations.CreateModel(
                name='KeptPeopleFigures',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('start', models.DateField()),
                    ('end', models.DateField(help_text='The first day that no longer belongs to it.')),
                    ('measured', models.CharField(help_text='SHA-256 of what the figures are computed from.', max_length=64)),
                    ('content', models.BinaryField()),
                    ('read_at', models.DateTimeField(help_text='The moment whose facts they hold.')),
                    ('changes', models.BigIntegerField(help_text='Of the snapshots, when they were read: more since then are news.')),
                    ('seconds', models.FloatField(help_text='How long it took to read them.')),
                    ('kind', models.CharField(help_text='What is kept: it names who reads it.', max_length=30)),
                    ('shown_until', models.DateTimeField(help_text='After that they are too old; moves on while nothing changes.')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('kind', 'start', 'end'), name='people_figures_of_kind_are_unique')],
                },
            ),
            migrations.CreateModel(
                name='CellGroup',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('relation', models.CharField(max_length=80)),
                    ('segment_name', models.CharField(blank=True, max_length=20)),
                    ('starts', models.JSONField()),
                    ('rolled_to', models.DateField(help_text='The local day for which its cells stand; null: not filled yet.', null=True)),
                    ('filled_at', models.DateTimeField(help_text='When all of its cells were last computed.', null=True)),
                    ('fiscal_month', models.PositiveSmallIntegerField(help_text='In which the fiscal year starts: quarters differ by it.')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('relation', 'segment_name', 'starts', 'fiscal_month'), name='cell_group_is_unique')],
                },
            ),
            migrations.CreateModel(
                name='MetricCell',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('group', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='insights.cellgroup')),
                    ('unit', models.ForeignKey(db_constraint=False, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('period', models.CharField(choices=[('day', 'Day'), ('week', 'Week'), ('month', 'Month'), ('quarter', 'Quarter'), ('window', 'Window')], max_length=8)),
                    ('start', models.DateField()),
                    ('end', models.DateField(help_text='The first day that no longer belongs to it.')),
                    ('segment_value', models.CharField(blank=True, max_length=200)),
                    ('facts', models.BigIntegerField()),
                    ('matched_facts', models.BigIntegerField(help_text='Those of which the person is known.')),
                    ('people', models.IntegerField()),
                    ('figures', django.contrib.postgres.fields.ArrayField(base_field=models.FloatField(null=True), help_text="In the order of the group's measures.", size=None)),
                    ('computed_at', models.DateTimeField()),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('unit', 'start', 'end', 'group', 'segment_value', 'period'), name='metric_cell_is_unique', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='DirtyRange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('family', models.CharField(choices=[('ai', 'Agent sessions, tokens, tools'), ('enrolment', 'Who ever sent telemetry'), ('seats', 'Seats of agents: who has one, and what they cost'), ('code', 'Commits, their lines, and what of them came from agents'), ('clone', 'Clones: what becomes of lines, and branches'), ('pull_request', 'Pull requests, their reviews and links'), ('work_item', 'Work items, their history, sprints'), ('pipeline', 'Pipeline runs and their jobs'), ('deployment', 'Deployments'), ('incident', 'Incidents')], max_length=20)),
                    ('unit_id', models.BigIntegerField(null=True)),
                    ('day_from', models.DateField()),
                    ('day_to', models.DateField(help_text='The first day that no longer belongs to it.')),
                    ('lagging', models.BooleanField()),
                    ('noted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ],
            ),
            migrations.CreateModel(
                name='SnapshotState',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('changes', models.BigIntegerField(default=0)),
                    ('changed_at', models.DateTimeField(null=True)),
                    ('lagging_at', models.DateTimeField(help_text='When lagging cells were last computed.', null=True)),
                    ('lagging_seconds', models.FloatField(default=0, help_text='How long that took.')),
                    ('settled_to', models.DateTimeField(help_text='Sessions that ended until then are no longer pending.', null=True)),
                    ('filling_since', models.DateTimeField(help_text='When the fill began that is under way; null: none is.', null=True)),
                    ('pieces', models.IntegerField(db_default=0, default=0, help_text='In how many pieces that fill computes the cells.')),
                    ('pieces_filled', models.IntegerField(db_default=0, default=0)),
                    ('filled_at', models.DateTimeField(help_text='When the last fill ended.', null=True)),
                    ('filled_seconds', models.FloatField(db_default=0, default=0, help_text='How long that took.')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='snapshot_state_is_one_row')],
                },
            ),
        ]),
        migrations.RunSQL(LOG_IS_ONLY_APPENDED_TO, LOG_IS_A_TABLE),
    ]
