"""All of the app's tables, in place of the twenty-one migrations that led to them: docs/decisions/0037."""

import django.db.models.deletion
import django.db.models.functions.datetime
import insights.models.badges
import pgtrigger.compiler
import pgtrigger.migrations
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import AtOnce

# Changes of the small tables that statements join are noted: to compare every row took longer than most answers.
TABLES = (
    "orgtree_placement",
    "orgtree_unitplacement",
    "orgtree_personattribute",
    "orgtree_employment",
    "orgtree_person",
    "orgtree_identity",
    "integrations_owned",
    "integrations_ownership",
    "integrations_enrolment",
    "integrations_seatassignment",
    "integrations_seatplan",
)
# One trigger for each event: only so does a statement know its rows, and one without rows has changed nothing.
EVENTS = {"INSERT": "NEW TABLE", "UPDATE": "NEW TABLE", "DELETE": "OLD TABLE"}

FUNCTION = """
    CREATE FUNCTION insights_note_table_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'TRUNCATE' THEN
            IF NOT EXISTS (SELECT FROM changed) THEN
                RETURN NULL;
            END IF;
        END IF;
        INSERT INTO insights_tablechange ("table") VALUES (TG_TABLE_NAME);
        RETURN NULL;
    END $$
"""


def _triggers():
    for table in TABLES:
        for event, rows in EVENTS.items():
            yield (
                f"CREATE TRIGGER note_{event.lower()} AFTER {event} ON {table} REFERENCING {rows} AS changed"
                " FOR EACH STATEMENT EXECUTE FUNCTION insights_note_table_change()"
            )
        yield (
            f"CREATE TRIGGER note_truncate AFTER TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION insights_note_table_change()"
        )


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
        ('insights', '0001_squashed_0015_cells_without_constraints'),
        ('insights', '0016_kept_columns'),
        ('insights', '0017_column_partitions'),
        ('insights', '0018_figures_by_the_engine'),
        ('insights', '0019_table_changes'),
        ('insights', '0020_annotation_history'),
        ('insights', '0021_dashboards'),
    ]

    dependencies = [
        ('integrations', '0001_squashed_0102_texts_of_forms'),
        ('orgtree', '0001_squashed_0028_texts_of_forms'),
        ('pghistory', '0007_auto_20250421_0444'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AtOnce([
            migrations.CreateModel(
                name='TableChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('table', models.CharField(max_length=63)),
                ],
            ),
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
                name='AnnotationEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('id', models.BigIntegerField()),
                    ('start', models.DateField()),
                    ('end', models.DateField(help_text='The first day that no longer belongs to it.')),
                    ('text', models.CharField(max_length=200)),
                    ('about', models.CharField(blank=True, default='', help_text="A metric's key, or what a family's keys share before the dot. Empty: all charts.", max_length=80)),
                    ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('changed_at', models.DateTimeField(editable=False, null=True)),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='insights.annotation')),
                    ('unit', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='orgtree.unit')),
                ],
                options={
                    'abstract': False,
                },
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
                name='ColumnPartition',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('relation', models.CharField(max_length=80)),
                    ('first_day', models.DateField()),
                    ('end_day', models.DateField(help_text='The day after the last.')),
                    ('shape', models.CharField(help_text="Hash of the relation's SQL and of the columns in the file.", max_length=64)),
                    ('file_name', models.CharField(help_text='In the folder of columns; empty where there are no rows.', max_length=160)),
                    ('rows', models.IntegerField(default=0)),
                    ('bytes', models.BigIntegerField(default=0)),
                    ('checksum', models.CharField(help_text='SHA-256 of the file.', max_length=64)),
                    ('built_at', models.DateTimeField(null=True)),
                    ('stale_since', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), null=True)),
                ],
                options={
                    'indexes': [models.Index(condition=models.Q(('stale_since__isnull', False)), fields=['end_day'], name='stale_partitions')],
                    'constraints': [models.UniqueConstraint(fields=('relation', 'first_day'), name='partition_of_relation_is_unique'), models.CheckConstraint(condition=models.Q(('first_day__lt', models.F('end_day'))), name='partition_has_days'), models.CheckConstraint(condition=models.Q(('built_at__isnull', False), ('stale_since__isnull', False), _connector='OR'), name='partition_not_built_is_stale')],
                },
            ),
            migrations.CreateModel(
                name='Dashboard',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=80)),
                    ('purpose', models.CharField(blank=True, default='', help_text='What it answers, and for whom.', max_length=240)),
                    ('draft', models.JSONField(default=list, editable=False)),
                    ('published', models.JSONField(default=list, editable=False)),
                    ('version', models.PositiveIntegerField(default=0, editable=False)),
                    ('published_at', models.DateTimeField(editable=False, null=True)),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('past', models.JSONField(default=list, editable=False)),
                    ('future', models.JSONField(default=list, editable=False)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['owner'], name='dashboard_by_owner')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='dashboard_has_a_title')],
                },
            ),
            migrations.CreateModel(
                name='DashboardEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('id', models.BigIntegerField()),
                    ('title', models.CharField(max_length=80)),
                    ('purpose', models.CharField(blank=True, default='', help_text='What it answers, and for whom.', max_length=240)),
                    ('draft', models.JSONField(default=list, editable=False)),
                    ('published', models.JSONField(default=list, editable=False)),
                    ('version', models.PositiveIntegerField(default=0, editable=False)),
                    ('published_at', models.DateTimeField(editable=False, null=True)),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='insights.dashboard')),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='DashboardShare',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(blank=True, choices=[('everybody', 'Everybody'), ('executives', 'Executives'), ('managers', 'Managers'), ('auditors', 'Auditors')], default='', max_length=20)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='insights.dashboard')),
                    ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('role', ''), ('unit__isnull', False)), models.Q(models.Q(('role', ''), _negated=True), ('unit', None)), _connector='OR'), name='share_of_a_role_or_a_unit'), models.UniqueConstraint(fields=('dashboard', 'role', 'unit'), name='dashboard_is_shared_once', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='DashboardShareEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('id', models.BigIntegerField()),
                    ('role', models.CharField(blank=True, choices=[('everybody', 'Everybody'), ('executives', 'Executives'), ('managers', 'Managers'), ('auditors', 'Auditors')], default='', max_length=20)),
                    ('dashboard', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='insights.dashboard')),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('unit', models.ForeignKey(blank=True, db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='orgtree.unit')),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='FigureRecord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('metric', models.CharField(max_length=80)),
                    ('version', models.PositiveSmallIntegerField(help_text="Of the metric's definition.")),
                    ('start', models.DateField()),
                    ('end', models.DateField(help_text='The first day that no longer belongs to it.')),
                    ('value', models.FloatField(null=True)),
                    ('sample_size', models.PositiveBigIntegerField(help_text='How many facts entered.')),
                    ('people', models.PositiveIntegerField(help_text='How many people these are of.')),
                    ('recorded_at', models.DateTimeField()),
                    ('unit', models.ForeignKey(help_text='Null: the organisation.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                ],
                options={
                    'indexes': [models.Index(fields=['end', 'start'], name='figure_record_by_end')],
                    'constraints': [models.UniqueConstraint(fields=('metric', 'version', 'unit', 'start', 'end'), name='one_record_a_period', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='HomeDashboard',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('account', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('dashboard', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='insights.dashboard')),
                ],
            ),
        ]),
        AtOnce([
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='added_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start", "text", "unit_id", "written_at") VALUES (NEW."about", NEW."changed_at", NEW."end", NEW."id", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."start", NEW."text", NEW."unit_id", NEW."written_at"); RETURN NULL;', hash='44191c78721eeb944411453caa6c4d9f517b30a8', operation='INSERT', pgid='pgtrigger_added_insert_6b8c4', table='insights_annotation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."about" IS DISTINCT FROM (NEW."about") OR OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."end" IS DISTINCT FROM (NEW."end") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."start" IS DISTINCT FROM (NEW."start") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."written_at" IS DISTINCT FROM (NEW."written_at"))', func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start", "text", "unit_id", "written_at") VALUES (NEW."about", NEW."changed_at", NEW."end", NEW."id", _pgh_attach_context(), NOW(), \'changed\', NEW."id", NEW."start", NEW."text", NEW."unit_id", NEW."written_at"); RETURN NULL;', hash='34b01c6de311be7e241c6035b9596e90e8a58391', operation='UPDATE', pgid='pgtrigger_changed_update_422e7', table='insights_annotation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "start", "text", "unit_id", "written_at") VALUES (OLD."about", OLD."changed_at", OLD."end", OLD."id", _pgh_attach_context(), NOW(), \'removed\', OLD."id", OLD."start", OLD."text", OLD."unit_id", OLD."written_at"); RETURN NULL;', hash='8a195526aa8e1b4de09d525b5a78f1197e3016cf', operation='DELETE', pgid='pgtrigger_removed_delete_fdeb0', table='insights_annotation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotationevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='72fdeca9f9b93c03b05af6f1d7a7069f13fd9ef2', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_6ac69', table='insights_annotationevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboard',
                trigger=pgtrigger.compiler.Trigger(name='added_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_dashboardevent" ("changed_at", "created_at", "draft", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published", "published_at", "purpose", "title", "version") VALUES (NEW."changed_at", NEW."created_at", NEW."draft", NEW."id", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."published", NEW."published_at", NEW."purpose", NEW."title", NEW."version"); RETURN NULL;', hash='2acbd9456a0e9c9b85b57528ef7a4387dfb0bc25', operation='INSERT', pgid='pgtrigger_added_insert_d1352', table='insights_dashboard', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboard',
                trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."created_at" IS DISTINCT FROM (NEW."created_at") OR OLD."draft" IS DISTINCT FROM (NEW."draft") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."published" IS DISTINCT FROM (NEW."published") OR OLD."published_at" IS DISTINCT FROM (NEW."published_at") OR OLD."purpose" IS DISTINCT FROM (NEW."purpose") OR OLD."title" IS DISTINCT FROM (NEW."title") OR OLD."version" IS DISTINCT FROM (NEW."version"))', func='INSERT INTO "insights_dashboardevent" ("changed_at", "created_at", "draft", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published", "published_at", "purpose", "title", "version") VALUES (NEW."changed_at", NEW."created_at", NEW."draft", NEW."id", _pgh_attach_context(), NOW(), \'changed\', NEW."id", NEW."published", NEW."published_at", NEW."purpose", NEW."title", NEW."version"); RETURN NULL;', hash='ea8e9b8ebcfe5adcde34dedf458972dbd555e616', operation='UPDATE', pgid='pgtrigger_changed_update_49749', table='insights_dashboard', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboard',
                trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_dashboardevent" ("changed_at", "created_at", "draft", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "published", "published_at", "purpose", "title", "version") VALUES (OLD."changed_at", OLD."created_at", OLD."draft", OLD."id", _pgh_attach_context(), NOW(), \'removed\', OLD."id", OLD."published", OLD."published_at", OLD."purpose", OLD."title", OLD."version"); RETURN NULL;', hash='abd6e4442e9c81a4d7539988d75580ecc4b6045b', operation='DELETE', pgid='pgtrigger_removed_delete_f2c39', table='insights_dashboard', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboardevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='c902db19e2025c544698fd68516b852c5835cc90', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_6dda7', table='insights_dashboardevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboardshare',
                trigger=pgtrigger.compiler.Trigger(name='added_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_dashboardshareevent" ("dashboard_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "role", "unit_id") VALUES (NEW."dashboard_id", NEW."id", _pgh_attach_context(), NOW(), \'added\', NEW."role", NEW."unit_id"); RETURN NULL;', hash='7ed0b3537a903d9bb436289cbf85f9a1d3ee139f', operation='INSERT', pgid='pgtrigger_added_insert_b2552', table='insights_dashboardshare', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboardshare',
                trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_dashboardshareevent" ("dashboard_id", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "role", "unit_id") VALUES (OLD."dashboard_id", OLD."id", _pgh_attach_context(), NOW(), \'removed\', OLD."role", OLD."unit_id"); RETURN NULL;', hash='2ed66fbe616f8d17226a738ad9d84e24a428ffe5', operation='DELETE', pgid='pgtrigger_removed_delete_89829', table='insights_dashboardshare', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='dashboardshareevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='feac2e8258889947bce1b102ed67a4b00898dfa5', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_9c09b', table='insights_dashboardshareevent', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL([FUNCTION, *_triggers()], "DROP FUNCTION insights_note_table_change() CASCADE"),
    ]
