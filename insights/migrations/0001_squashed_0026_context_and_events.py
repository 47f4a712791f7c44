"""All of the app's tables, in place of the migrations that led to them: docs/decisions/0037."""

import django.core.validators
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
        ('insights', '0001_squashed_0021_dashboards'),
        ('insights', '0022_saved_views'),
        ('insights', '0023_forecasts'),
        ('insights', '0024_findings'),
        ('insights', '0025_causes'),
        ('insights', '0026_context_and_events'),
    ]

    dependencies = [
        ('integrations', '0001_squashed_0119_default_branches_by_name'),
        ('orgtree', '0001_squashed_0035_predicted_work_types'),
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
                    ('excuses', models.BooleanField(db_default=False, default=False, help_text='It explains what changes in its days: findings leave them out.')),
                    ('repository', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.repository')),
                ],
                options={
                    'indexes': [models.Index(fields=['start'], name='annotation_by_start')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='annotation_has_days'), models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='annotation_says_something'), models.CheckConstraint(condition=models.Q(('unit', None), ('repository', None), _connector='OR'), name='annotation_of_one_place')],
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
                    ('excuses', models.BooleanField(db_default=False, default=False, help_text='It explains what changes in its days: findings leave them out.')),
                    ('repository', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='integrations.repository')),
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
            migrations.CreateModel(
                name='SavedView',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('title', models.CharField(max_length=80)),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('changed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('address', models.CharField(max_length=2000)),
                    ('owner', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'indexes': [models.Index(fields=['owner'], name='saved_view_by_owner')],
                    'constraints': [models.CheckConstraint(condition=models.Q(('title', ''), _negated=True), name='saved_view_has_a_title')],
                },
            ),
            migrations.CreateModel(
                name='SavedViewShare',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(blank=True, choices=[('everybody', 'Everybody'), ('executives', 'Executives'), ('managers', 'Managers'), ('auditors', 'Auditors')], default='', max_length=20)),
                    ('unit', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('view', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='insights.savedview')),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(models.Q(('role', ''), ('unit__isnull', False)), models.Q(models.Q(('role', ''), _negated=True), ('unit', None)), _connector='OR'), name='view_share_of_a_role_or_a_unit'), models.UniqueConstraint(fields=('view', 'role', 'unit'), name='saved_view_is_shared_once', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='ForecastRecord',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(max_length=20)),
                    ('key', models.CharField(help_text='Of the initiative, as in its address.', max_length=520)),
                    ('made_on', models.DateField()),
                    ('even_on', models.DateField(null=True)),
                    ('likely_on', models.DateField(null=True)),
                    ('safe_on', models.DateField(null=True)),
                    ('remaining', models.PositiveIntegerField()),
                    ('added', models.IntegerField(help_text='Items added since work began, less those dropped.')),
                    ('weekly', models.FloatField(help_text='Items finished a week, in the history that was replayed.')),
                    ('finished_on', models.DateField(help_text='When nothing was left; null while something is.', null=True)),
                    ('team', models.ForeignKey(help_text='The unit that most of its people are in.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='orgtree.unit')),
                ],
                options={
                    'indexes': [models.Index(fields=['team', 'made_on'], name='forecast_by_team')],
                    'constraints': [models.UniqueConstraint(fields=('kind', 'key', 'made_on'), name='one_forecast_a_day')],
                },
            ),
            migrations.CreateModel(
                name='Finding',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('detector', models.CharField(max_length=80)),
                    ('metric', models.CharField(max_length=80)),
                    ('state', models.CharField(choices=[('new', 'New'), ('acknowledged', 'Acknowledged'), ('dismissed', 'Dismissed'), ('resolved', 'Resolved')], default='new', max_length=20)),
                    ('since', models.DateField()),
                    ('until', models.DateField(help_text='The first day that was not looked at any more.')),
                    ('before', models.FloatField()),
                    ('after', models.FloatField()),
                    ('low', models.FloatField()),
                    ('high', models.FloatField()),
                    ('chance', models.FloatField(help_text='The probability of as clear a result by chance, in this check alone.')),
                    ('sample', models.PositiveIntegerField(help_text='How many facts the weeks since then have.')),
                    ('compared_with', models.JSONField(default=list, help_text='Slugs of the comparable units.')),
                    ('found_on', models.DateField()),
                    ('ended_on', models.DateField(help_text='When it was dismissed, or no longer found.', null=True)),
                    ('verdict', models.CharField(blank=True, choices=[('useful', 'Useful'), ('wrong', 'Wrong'), ('known', 'Known')], max_length=10)),
                    ('reason', models.CharField(blank=True, max_length=400)),
                    ('decided_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('unit', models.ForeignKey(help_text='Null: the organisation.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('details', models.JSONField(default=dict, help_text='What follows from it or speaks for a cause: Details.')),
                    ('repository', models.CharField(blank=True, help_text='Its name, where repositories are compared.', max_length=300)),
                    ('compared_by', models.CharField(blank=True, db_default='', default='', help_text='The rule by which they are comparable.', max_length=400)),
                    ('decided_on', models.DateField(null=True)),
                    ('gone_on', models.DateField(help_text='The first night since which a dismissed one is no longer there.', null=True)),
                    ('undone_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('undone_on', models.DateField(help_text='When its verdict stopped to count for the threshold.', null=True)),
                ],
                options={
                    'indexes': [models.Index(fields=['state', 'found_on'], name='finding_by_state')],
                    'constraints': [models.UniqueConstraint(condition=models.Q(('state__in', ('new', 'acknowledged'))), fields=('detector', 'unit', 'repository'), name='one_open_finding_a_detector', nulls_distinct=False)],
                },
            ),
            migrations.CreateModel(
                name='ReviewWaits',
                fields=[
                    ('unit', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='orgtree.unit')),
                    ('since', models.DateField()),
                    ('until', models.DateField(help_text='The first day that was not looked at any more.')),
                    ('pull_requests', models.PositiveIntegerField()),
                    ('waiting', models.PositiveIntegerField(help_text='Those that waited long.')),
                    ('people', models.PositiveIntegerField(help_text='Authors of those that waited.')),
                    ('lines', models.JSONField(default=list)),
                ],
                options={
                    'verbose_name_plural': 'review waits',
                },
            ),
            migrations.CreateModel(
                name='ComparableRule',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('size_factor', models.FloatField(blank=True, default=2.0, help_text='Or as few. Empty: any size.', null=True, validators=[django.core.validators.MinValueValidator(1.1), django.core.validators.MaxValueValidator(20)], verbose_name='times as many people at most')),
                    ('same_stage', models.BooleanField(default=True, verbose_name='both greenfield or both legacy')),
                    ('same_long_reviews', models.BooleanField(default=True, verbose_name='long reviews expected in both or in neither')),
                    ('same_language', models.BooleanField(default=False, verbose_name='of the same main language')),
                    ('age_factor', models.FloatField(blank=True, help_text='Or as young, by the first commits of the repositories that they work in. Empty: any age.', null=True, validators=[django.core.validators.MinValueValidator(1.1), django.core.validators.MaxValueValidator(20)], verbose_name='times as old repositories at most')),
                    ('work_type_points', models.PositiveSmallIntegerField(blank=True, help_text='Merged pull requests count, weighted by the context. Empty: any mix.', null=True, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(90)], verbose_name='percentage points between shares of a work type at most')),
                ],
            ),
            migrations.CreateModel(
                name='ComparableRuleEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('id', models.BigIntegerField()),
                    ('size_factor', models.FloatField(blank=True, default=2.0, help_text='Or as few. Empty: any size.', null=True, validators=[django.core.validators.MinValueValidator(1.1), django.core.validators.MaxValueValidator(20)], verbose_name='times as many people at most')),
                    ('same_stage', models.BooleanField(default=True, verbose_name='both greenfield or both legacy')),
                    ('same_long_reviews', models.BooleanField(default=True, verbose_name='long reviews expected in both or in neither')),
                    ('same_language', models.BooleanField(default=False, verbose_name='of the same main language')),
                    ('age_factor', models.FloatField(blank=True, help_text='Or as young, by the first commits of the repositories that they work in. Empty: any age.', null=True, validators=[django.core.validators.MinValueValidator(1.1), django.core.validators.MaxValueValidator(20)], verbose_name='times as old repositories at most')),
                    ('work_type_points', models.PositiveSmallIntegerField(blank=True, help_text='Merged pull requests count, weighted by the context. Empty: any mix.', null=True, validators=[django.core.validators.MinValueValidator(5), django.core.validators.MaxValueValidator(90)], verbose_name='percentage points between shares of a work type at most')),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='insights.comparablerule')),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='Context',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('since', models.DateField()),
                    ('stage', models.CharField(blank=True, choices=[('greenfield', 'Greenfield'), ('legacy', 'Legacy')], db_default='', default='', max_length=20, verbose_name='greenfield or legacy')),
                    ('language', models.CharField(blank=True, db_default='', default='', max_length=60, verbose_name='main language')),
                    ('long_reviews', models.BooleanField(help_text='Safety-critical code is an example.', null=True, verbose_name='long reviews are expected')),
                    ('weights', models.JSONField(db_default={}, default=dict, help_text='The number by which a change of each work type counts in the mix of work; 1 where there is none.', verbose_name='weights of work types')),
                    ('conventions', models.CharField(blank=True, db_default='', default='', help_text='Path or address.', max_length=300, verbose_name='coding conventions')),
                    ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('repository', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='integrations.repository')),
                    ('unit', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('written_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('unit', 'repository', 'since'), name='one_context_of_a_day', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('unit', None), ('repository', None), _connector='OR'), name='context_of_one_place')],
                },
            ),
            migrations.CreateModel(
                name='ContextEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('id', models.BigIntegerField()),
                    ('since', models.DateField()),
                    ('stage', models.CharField(blank=True, choices=[('greenfield', 'Greenfield'), ('legacy', 'Legacy')], db_default='', default='', max_length=20, verbose_name='greenfield or legacy')),
                    ('language', models.CharField(blank=True, db_default='', default='', max_length=60, verbose_name='main language')),
                    ('long_reviews', models.BooleanField(help_text='Safety-critical code is an example.', null=True, verbose_name='long reviews are expected')),
                    ('weights', models.JSONField(db_default={}, default=dict, help_text='The number by which a change of each work type counts in the mix of work; 1 where there is none.', verbose_name='weights of work types')),
                    ('conventions', models.CharField(blank=True, db_default='', default='', help_text='Path or address.', max_length=300, verbose_name='coding conventions')),
                    ('written_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='events', to='insights.context')),
                    ('repository', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='integrations.repository')),
                    ('unit', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', related_query_name='+', to='orgtree.unit')),
                ],
                options={
                    'abstract': False,
                },
            ),
        ]),
        AtOnce([
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
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='added_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "excuses", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "repository_id", "start", "text", "unit_id", "written_at") VALUES (NEW."about", NEW."changed_at", NEW."end", NEW."excuses", NEW."id", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."repository_id", NEW."start", NEW."text", NEW."unit_id", NEW."written_at"); RETURN NULL;', hash='108e3fc219891ff5bb0c79ec29df79726c85dacc', operation='INSERT', pgid='pgtrigger_added_insert_6b8c4', table='insights_annotation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."about" IS DISTINCT FROM (NEW."about") OR OLD."changed_at" IS DISTINCT FROM (NEW."changed_at") OR OLD."end" IS DISTINCT FROM (NEW."end") OR OLD."excuses" IS DISTINCT FROM (NEW."excuses") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."repository_id" IS DISTINCT FROM (NEW."repository_id") OR OLD."start" IS DISTINCT FROM (NEW."start") OR OLD."text" IS DISTINCT FROM (NEW."text") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."written_at" IS DISTINCT FROM (NEW."written_at"))', func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "excuses", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "repository_id", "start", "text", "unit_id", "written_at") VALUES (NEW."about", NEW."changed_at", NEW."end", NEW."excuses", NEW."id", _pgh_attach_context(), NOW(), \'changed\', NEW."id", NEW."repository_id", NEW."start", NEW."text", NEW."unit_id", NEW."written_at"); RETURN NULL;', hash='918542e859a40b5666685d52c5553dc9e9c8d3f1', operation='UPDATE', pgid='pgtrigger_changed_update_422e7', table='insights_annotation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='annotation',
                trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_annotationevent" ("about", "changed_at", "end", "excuses", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "repository_id", "start", "text", "unit_id", "written_at") VALUES (OLD."about", OLD."changed_at", OLD."end", OLD."excuses", OLD."id", _pgh_attach_context(), NOW(), \'removed\', OLD."id", OLD."repository_id", OLD."start", OLD."text", OLD."unit_id", OLD."written_at"); RETURN NULL;', hash='cb5640b149c05c61bae55f74f7368e1d8092693c', operation='DELETE', pgid='pgtrigger_removed_delete_fdeb0', table='insights_annotation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='comparablerule',
                trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_comparableruleevent" ("age_factor", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "same_language", "same_long_reviews", "same_stage", "size_factor", "work_type_points") VALUES (NEW."age_factor", NEW."id", _pgh_attach_context(), NOW(), \'insert\', NEW."id", NEW."same_language", NEW."same_long_reviews", NEW."same_stage", NEW."size_factor", NEW."work_type_points"); RETURN NULL;', hash='5b9a44cbb811b151b4559be4f1e0d82d87ca7163', operation='INSERT', pgid='pgtrigger_insert_insert_27fbb', table='insights_comparablerule', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='comparablerule',
                trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD.* IS DISTINCT FROM NEW.*)', func='INSERT INTO "insights_comparableruleevent" ("age_factor", "id", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "same_language", "same_long_reviews", "same_stage", "size_factor", "work_type_points") VALUES (NEW."age_factor", NEW."id", _pgh_attach_context(), NOW(), \'update\', NEW."id", NEW."same_language", NEW."same_long_reviews", NEW."same_stage", NEW."size_factor", NEW."work_type_points"); RETURN NULL;', hash='82e7af54b12c02b3222822f25b639620725b01c3', operation='UPDATE', pgid='pgtrigger_update_update_f331c', table='insights_comparablerule', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='comparableruleevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='ba8e686a23544fc52b20653063c4ac8ace3fcf3c', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_aaaa7', table='insights_comparableruleevent', when='BEFORE')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='context',
                trigger=pgtrigger.compiler.Trigger(name='added_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_contextevent" ("conventions", "id", "language", "long_reviews", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "repository_id", "since", "stage", "unit_id", "weights", "written_at") VALUES (NEW."conventions", NEW."id", NEW."language", NEW."long_reviews", _pgh_attach_context(), NOW(), \'added\', NEW."id", NEW."repository_id", NEW."since", NEW."stage", NEW."unit_id", NEW."weights", NEW."written_at"); RETURN NULL;', hash='4f6e318028e59e3509e802853c0b3af239d8b3ba', operation='INSERT', pgid='pgtrigger_added_insert_d58ad', table='insights_context', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='context',
                trigger=pgtrigger.compiler.Trigger(name='changed_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."conventions" IS DISTINCT FROM (NEW."conventions") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."language" IS DISTINCT FROM (NEW."language") OR OLD."long_reviews" IS DISTINCT FROM (NEW."long_reviews") OR OLD."repository_id" IS DISTINCT FROM (NEW."repository_id") OR OLD."since" IS DISTINCT FROM (NEW."since") OR OLD."stage" IS DISTINCT FROM (NEW."stage") OR OLD."unit_id" IS DISTINCT FROM (NEW."unit_id") OR OLD."weights" IS DISTINCT FROM (NEW."weights") OR OLD."written_at" IS DISTINCT FROM (NEW."written_at"))', func='INSERT INTO "insights_contextevent" ("conventions", "id", "language", "long_reviews", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "repository_id", "since", "stage", "unit_id", "weights", "written_at") VALUES (NEW."conventions", NEW."id", NEW."language", NEW."long_reviews", _pgh_attach_context(), NOW(), \'changed\', NEW."id", NEW."repository_id", NEW."since", NEW."stage", NEW."unit_id", NEW."weights", NEW."written_at"); RETURN NULL;', hash='ecf40b8c4cc9d03738337d18b7a00ece5ddd9e9e', operation='UPDATE', pgid='pgtrigger_changed_update_1dd92', table='insights_context', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='context',
                trigger=pgtrigger.compiler.Trigger(name='removed_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "insights_contextevent" ("conventions", "id", "language", "long_reviews", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "repository_id", "since", "stage", "unit_id", "weights", "written_at") VALUES (OLD."conventions", OLD."id", OLD."language", OLD."long_reviews", _pgh_attach_context(), NOW(), \'removed\', OLD."id", OLD."repository_id", OLD."since", OLD."stage", OLD."unit_id", OLD."weights", OLD."written_at"); RETURN NULL;', hash='5fe3058747ad76c3a982c08185b5541a32f76bbe', operation='DELETE', pgid='pgtrigger_removed_delete_30ce0', table='insights_context', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='contextevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='67bdf50f0277edb8394c837d32f6970711fef963', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_b3b17', table='insights_contextevent', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL([FUNCTION, *_triggers()], "DROP FUNCTION insights_note_table_change() CASCADE"),
    ]
