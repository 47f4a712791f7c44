"""All of the app's tables, in place of the migrations that led to them: docs/decisions/0037."""

import django.contrib.postgres.fields.ranges
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import orgtree.models.exclusion
import orgtree.models.organisation
import pgtrigger.compiler
import pgtrigger.migrations
import uuid
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import AtOnce

# Called by the triggers of OneAtATime (orgtree/models/exclusion.py), which stand with the tables: so it comes first.
# A transaction that waited for the lock sees in the next statement what the one before it stored.
REFUSE_OVERLAP = """
    CREATE FUNCTION orgtree_refuse_overlap() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        same text;
        found bigint;
    BEGIN
        PERFORM pg_advisory_xact_lock(TG_RELID::bigint);
        SELECT string_agg(format('other.%1$I = changed.%1$I', of), ' AND ') INTO same
        FROM unnest(TG_ARGV[1:]) AS of;
        EXECUTE format(
            'SELECT min(changed.id) FROM changed JOIN %I.%I other'
            ' ON %s AND other.during && changed.during AND other.id <> changed.id',
            TG_TABLE_SCHEMA, TG_TABLE_NAME, same
        ) INTO found;
        IF found IS NOT NULL THEN
            RAISE EXCEPTION 'conflicting days violate "%" (row %)', TG_ARGV[0], found
                USING ERRCODE = 'exclusion_violation', CONSTRAINT = TG_ARGV[0], TABLE = TG_TABLE_NAME;
        END IF;
        RETURN NULL;
    END $$
"""

# The logs of integrations use its function as well.
LOG_IS_APPENDED_TO = """
    CREATE FUNCTION orgtree_refuse_to_change_the_log() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The log of identities is only appended to.';
    END $$;
    CREATE TRIGGER only_append BEFORE UPDATE OR DELETE ON orgtree_identitychange
    FOR EACH ROW EXECUTE FUNCTION orgtree_refuse_to_change_the_log();
"""
LOG_IS_A_TABLE = """
    DROP TRIGGER only_append ON orgtree_identitychange;
    DROP FUNCTION orgtree_refuse_to_change_the_log();
"""

# Names come and change in many places, set-based ones among them: the database sees them all.
WORK_IS_NOTED = """
    CREATE FUNCTION orgtree_note_match_work() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO orgtree_matchwork DEFAULT VALUES;
        RETURN NULL;
    END $$;
    CREATE TRIGGER note_match_work AFTER INSERT OR UPDATE OF seen_name ON orgtree_identity
    FOR EACH STATEMENT EXECUTE FUNCTION orgtree_note_match_work();
    CREATE TRIGGER note_match_work AFTER INSERT OR DELETE OR UPDATE OF full_name, email ON orgtree_person
    FOR EACH STATEMENT EXECUTE FUNCTION orgtree_note_match_work();
    CREATE TRIGGER note_match_work AFTER INSERT ON orgtree_employment
    FOR EACH STATEMENT EXECUTE FUNCTION orgtree_note_match_work();
"""
WORK_IS_NOT_NOTED = """
    DROP TRIGGER note_match_work ON orgtree_identity;
    DROP TRIGGER note_match_work ON orgtree_person;
    DROP TRIGGER note_match_work ON orgtree_employment;
    DROP FUNCTION orgtree_note_match_work();
"""


class Migration(migrations.Migration):

    initial = True

    replaces = [
        ('orgtree', '0001_initial'),
        ('orgtree', '0002_api_tokens'),
        ('orgtree', '0003_bulk_commits'),
        ('orgtree', '0004_org_trees'),
        ('orgtree', '0005_identity_matching'),
        ('orgtree', '0006_placement_change_at'),
        ('orgtree', '0007_unit_own_name'),
        ('orgtree', '0008_employments'),
        ('orgtree', '0009_people_imports'),
        ('orgtree', '0010_tokens_and_invitations'),
        ('orgtree', '0011_overlaps_refused_by_statement'),
        ('orgtree', '0012_placements_unchecked'),
        ('orgtree', '0013_placement_indexes'),
        ('orgtree', '0014_unit_placement'),
        ('orgtree', '0015_fill_unit_placement'),
        ('orgtree', '0016_link_window_and_benchmarks'),
        ('orgtree', '0017_tokens_that_annotate'),
        ('orgtree', '0018_peers'),
        ('orgtree', '0019_tokens_of_the_program'),
        ('orgtree', '0020_fiscal_year'),
        ('orgtree', '0001_squashed_0020_fiscal_year'),
        ('orgtree', '0021_people_version'),
        ('orgtree', '0022_no_placement_changes'),
        ('orgtree', '0023_catalogue_version'),
        ('orgtree', '0024_rollouts_settings'),
        ('orgtree', '0025_who_installation_signers'),
        ('orgtree', '0026_help_texts'),
        ('orgtree', '0027_attributes_of_repositories'),
        ('orgtree', '0028_texts_of_forms'),
        ('orgtree', '0001_squashed_0028_texts_of_forms'),
        ('orgtree', '0029_leaderboard_and_policy_history'),
        ('orgtree', '0030_public_holidays'),
        ('orgtree', '0031_leave'),
        ('orgtree', '0032_unit_people'),
        ('orgtree', '0033_rules_decided'),
        ('orgtree', '0034_finance_role'),
        ('orgtree', '0035_predicted_work_types'),
    ]

    dependencies = [
        ('pghistory', '0007_auto_20250421_0444'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL(REFUSE_OVERLAP, "DROP FUNCTION orgtree_refuse_overlap()"),
        AtOnce([
            migrations.CreateModel(
                name='Attribute',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('slug', models.SlugField(help_text='As in `--where team=Payments` and in the file.', max_length=80, unique=True)),
                    ('name', models.CharField(max_length=80)),
                ],
                options={
                    'ordering': ('slug',),
                },
            ),
            migrations.CreateModel(
                name='MatchWork',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('noted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ],
            ),
            migrations.CreateModel(
                name='OrgTree',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=200)),
                    ('slug', models.SlugField(max_length=80, unique=True)),
                    ('archived_at', models.DateTimeField(blank=True, help_text='Archived trees keep their history.', null=True)),
                    ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('kind', models.CharField(choices=[('managers', 'By manager'), ('attributes', 'By attributes'), ('hand_built', 'Hand-built')], default='hand_built', max_length=20)),
                ],
            ),
            migrations.CreateModel(
                name='ApiToken',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=100)),
                    ('digest', models.BinaryField(max_length=32, unique=True)),
                    ('hint', models.CharField(editable=False, help_text='The last characters, to recognise the token.', max_length=12)),
                    ('created_at', models.DateTimeField(auto_now_add=True)),
                    ('revoked_at', models.DateTimeField(blank=True, null=True)),
                    ('last_used_at', models.DateTimeField(editable=False, null=True)),
                    ('user', models.ForeignKey(blank=True, help_text='The user it acts for. Without a user it reads aggregates only.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='api_tokens', to=settings.AUTH_USER_MODEL)),
                    ('expires_at', models.DateTimeField(blank=True, help_text='Empty: never.', null=True)),
                    ('scope', models.CharField(choices=[('read', 'Read figures'), ('people', 'Write people and units'), ('annotations', 'Write notes on charts'), ('program', 'Read and write objectives, benchmarks and tickets')], default='read', max_length=20)),
                ],
                options={
                    'verbose_name': 'API token',
                },
            ),
            migrations.CreateModel(
                name='Identity',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('kind', models.CharField(choices=[('email', 'E-mail address'), ('login', 'Login'), ('agent_account', 'Agent account'), ('installation', 'Agent installation')], max_length=20)),
                    ('provider', models.CharField(blank=True, help_text='Empty for e-mail addresses, and for a login that is valid at every provider.', max_length=40)),
                    ('value', models.CharField(help_text='E-mail addresses in lower case.', max_length=320)),
                    ('found_at', models.DateTimeField(auto_now_add=True)),
                    ('person', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='identities', to='orgtree.person')),
                    ('seen_name', models.CharField(blank=True, db_default='', editable=False, help_text='The name signed with it.', max_length=200)),
                    ('standing', models.CharField(choices=[('found', 'Found'), ('waiting', 'Waiting'), ('decided', 'Decided'), ('bot', 'Bot')], db_default='found', default='found', editable=False, max_length=8)),
                    ('waits_with', models.ForeignKey(editable=False, help_text='The stronger identity seen with it, while that one is undecided.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='companions', to='orgtree.identity')),
                    ('is_shared', models.BooleanField(db_default=False, default=False, editable=False, help_text='For an installation that several people use: alone it identifies nobody.')),
                ],
                options={
                    'verbose_name_plural': 'identities',
                    'indexes': [models.Index(django.db.models.functions.text.Lower('value'), condition=models.Q(('kind', 'login')), name='identity_by_login'), models.Index(condition=models.Q(('standing', 'found'), _negated=True), fields=['standing'], name='identity_by_standing')],
                    'constraints': [models.UniqueConstraint(fields=('kind', 'provider', 'value'), name='identity_is_unique'), models.CheckConstraint(condition=models.Q(('person', None), ('standing__in', ['found', 'decided']), _connector='OR'), name='waiting_identities_and_bots_are_nobody')],
                },
            ),
            migrations.CreateModel(
                name='Organisation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(default='Your organisation', max_length=200)),
                    ('individual_policy', models.CharField(choices=[('self_only', 'Self only'), ('pseudonyms', 'Pseudonyms'), ('named', 'Named')], default='pseudonyms', help_text="For sessions, tokens, spend and attribution. Self only: nobody sees others' rows. Pseudonyms: others appear under a name that changes every quarter, without repository, commit, link or time of day. Named: everybody who may see a team sees names, and figures of any number of people. People always see their own data.", max_length=20, verbose_name='visibility of individual data')),
                    ('minimum_group_size', models.PositiveSmallIntegerField(default=5, help_text='Figures of fewer people are hidden from others, unless individual data are shown with names. Trial mode ends for good once this many people have any activity.', validators=[django.core.validators.MinValueValidator(2)])),
                    ('protected_since', models.DateTimeField(editable=False, null=True)),
                    ('calendar_zone', models.CharField(blank=True, editable=False, max_length=80)),
                    ('bulk_commit_files', models.PositiveIntegerField(default=300, help_text='A commit that changes more files is excluded as bulk.')),
                    ('bulk_commit_lines', models.PositiveIntegerField(default=5000, help_text='A commit that adds more lines is excluded as bulk.')),
                    ('members_see', models.CharField(choices=[('own_units', 'Their own units'), ('everything', 'Every unit and the whole organisation')], default='own_units', help_text='Aggregates only; individual rows follow the policy. Without any Org Tree members see everything.', max_length=20)),
                    ('benchmark_set', models.CharField(default='dora-2023', help_text='The published benchmarks shown next to your figures. They are a guide, not a target for a team.', max_length=40)),
                    ('link_window_hours', models.PositiveSmallIntegerField(default=24, help_text='An incident without a named cause is attributed to the previous deployment of its service, if that finished within this time.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='incident link window (hours)')),
                    ('peers', models.CharField(default='industry:all', help_text="The answers to DORA's Quick Check shown next to your score, by industry or company size.", max_length=60)),
                    ('fiscal_year_start_month', models.PositiveSmallIntegerField(blank=True, help_text='1 to 12; empty: HEADWAY_FISCAL_YEAR_START_MONTH. Defines quarters on pages, in the API and in objectives; a quarter with objectives keeps its days. Quarterly figures are recomputed.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(12)], verbose_name='fiscal year starts in month')),
                    ('people_version', models.PositiveBigIntegerField(db_default=0, default=0, editable=False)),
                    ('catalogue_version', models.PositiveBigIntegerField(db_default=0, default=0, editable=False)),
                    ('lead_time_history_days', models.PositiveSmallIntegerField(db_default=30, default=30, help_text='Changes merged longer before the first known deployment are excluded from lead time: an earlier, unknown deployment brought them to production.', verbose_name='lead time history (days)')),
                    ('rollout_gap_minutes', models.PositiveSmallIntegerField(db_default=30, default=30, help_text='Production deployments of one commit and service within this time count as one rollout.', verbose_name='rollout gap (minutes)')),
                    ('repository_attributes', models.CharField(blank=True, db_default='', default='', help_text="Names of attributes in your agents' telemetry, separated by commas, whose value is a repository's address or name, in addition to those that Headway knows (vcs.repository.url.full, repo.owner with repo.name …). They apply to new sessions.", max_length=400, verbose_name='attributes that name a repository')),
                    ('leaderboard', models.BooleanField(db_default=False, default=False, help_text='Lists developers with figures of their agents, as the policy allows. Off: nobody has it, on no page and in no export.')),
                    ('holidays_in', models.CharField(blank=True, db_default='', default='', help_text='A country or region by its ISO code, such as DE or DE-BY. Forecasts count its working days. Empty: Mondays to Fridays.', max_length=10, validators=[orgtree.models.organisation.check_region], verbose_name='public holidays of')),
                    ('rules_decided_at', models.DateTimeField(blank=True, editable=False, help_text='When an admin last chose the rules, or to keep them.', null=True)),
                    ('predicts_work_types', models.BooleanField(db_default=False, default=False, help_text='Work items without a label get the work type that a model of their titles predicts, marked as predicted; it learns from your labels every night. Needs requirements-analysis.txt.', verbose_name='predict work types')),
                ],
                options={
                    'verbose_name': 'organisation',
                    'verbose_name_plural': 'organisation',
                    'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='organisation_is_one_row')],
                },
            ),
            migrations.CreateModel(
                name='PeopleImport',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('file_name', models.CharField(max_length=200)),
                    ('content', models.BinaryField(help_text='The compressed file; empty once applied.')),
                    ('effective', models.DateField(blank=True, null=True)),
                    ('complete', models.BooleanField(default=False)),
                    ('fingerprint', models.CharField(help_text='Fingerprint of the changes shown in the preview.', max_length=64)),
                    ('counts', models.JSONField(default=dict)),
                    ('uploaded_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                    ('applied_at', models.DateTimeField(null=True)),
                    ('uploaded_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'ordering': ('-uploaded_at',),
                },
            ),
            migrations.CreateModel(
                name='Person',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('public_id', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                    ('full_name', models.CharField(max_length=200)),
                    ('email', models.EmailField(blank=True, max_length=320, null=True)),
                    ('found_at', models.DateTimeField(auto_now_add=True)),
                    ('user', models.OneToOneField(blank=True, help_text='Only if the account has another e-mail address.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='account')),
                    ('found_in_data', models.BooleanField(db_default=False, default=False, editable=False)),
                ],
                options={
                    'verbose_name_plural': 'people',
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='person_email_is_unique')],
                },
            ),
            migrations.CreateModel(
                name='MatchProposal',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('confidence', models.PositiveSmallIntegerField(help_text='Percent; computed as docs/identities.md explains.')),
                    ('method', models.CharField(help_text='The kind of the strongest evidence.', max_length=20)),
                    ('evidence', models.JSONField(default=list, help_text='Sentences, the strongest first.')),
                    ('state', models.CharField(choices=[('waiting', 'Waiting'), ('confirmed', 'Confirmed'), ('rejected', 'Rejected'), ('passed_over', 'Passed over')], default='waiting', max_length=12)),
                    ('proposed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('identity', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='orgtree.identity')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='proposals', to='orgtree.person')),
                ],
                options={
                    'indexes': [models.Index(fields=['state'], name='proposal_by_state')],
                    'constraints': [models.UniqueConstraint(fields=('identity', 'person'), name='proposal_is_unique')],
                },
            ),
            migrations.CreateModel(
                name='Employment',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='employments', to='orgtree.person')),
                ],
                options={
                    'constraints': [orgtree.models.exclusion.OneAtATime(name='employment_once_at_a_time', of=('person_id',)), models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='employment_has_days')],
                },
            ),
            migrations.CreateModel(
                name='PersonAttribute',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('value', models.CharField(max_length=200)),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('attribute', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='values', to='orgtree.attribute')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attributes', to='orgtree.person')),
                ],
                options={
                    'indexes': [models.Index(fields=['attribute', 'value'], name='orgtree_per_attribu_879752_idx')],
                    'constraints': [orgtree.models.exclusion.OneAtATime(name='attribute_once_at_a_time', of=('person_id', 'attribute_id')), models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='attribute_has_days')],
                },
            ),
            migrations.CreateModel(
                name='Reporting',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('manager', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reports', to='orgtree.person')),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='reporting', to='orgtree.person')),
                ],
                options={
                    'constraints': [orgtree.models.exclusion.OneAtATime(name='reporting_once_at_a_time', of=('person_id',)), models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='reporting_has_days'), models.CheckConstraint(condition=models.Q(('person', models.F('manager')), _negated=True), name='nobody_reports_to_themselves')],
                },
            ),
            migrations.CreateModel(
                name='TreeLevel',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('position', models.PositiveSmallIntegerField()),
                    ('attribute', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='orgtree.attribute')),
                    ('tree', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='levels', to='orgtree.orgtree')),
                ],
                options={
                    'ordering': ('tree', 'position'),
                    'constraints': [models.UniqueConstraint(fields=('tree', 'position'), name='tree_level_once'), models.UniqueConstraint(fields=('tree', 'attribute'), name='tree_level_attribute_once')],
                },
            ),
            migrations.CreateModel(
                name='Unit',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('name', models.CharField(max_length=200)),
                    ('slug', models.SlugField(max_length=80, unique=True)),
                    ('tree', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='units', to='orgtree.orgtree')),
                    ('key', models.CharField(blank=True, editable=False, max_length=1000)),
                    ('leader', models.ForeignKey(blank=True, help_text='The current manager.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='units_led', to='orgtree.person')),
                    ('own_name', models.BooleanField(default=False, help_text='It keeps its name when its manager or attribute is renamed.', verbose_name='named by hand')),
                ],
                options={
                    'indexes': [models.Index(fields=['tree', 'key'], name='orgtree_uni_tree_id_b9f185_idx')],
                },
            ),
            migrations.CreateModel(
                name='Placement',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('person', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to='orgtree.person')),
                    ('tree', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, to='orgtree.orgtree')),
                    ('ancestor', models.ForeignKey(db_constraint=False, db_index=False, help_text='That unit, or one above it.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('unit', models.ForeignKey(db_constraint=False, db_index=False, help_text='The unit the person is a member of.', on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                ],
                options={
                    'indexes': [models.Index(fields=['ancestor', 'person'], include=('during',), name='placement_by_ancestor'), models.Index(fields=['person'], name='orgtree_pla_person__531c16_idx'), models.Index(condition=models.Q(('unit', models.F('ancestor'))), fields=['tree', 'unit'], include=('person', 'during'), name='placement_of_members')],
                },
            ),
            migrations.CreateModel(
                name='Membership',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='orgtree.person')),
                    ('tree', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='orgtree.orgtree')),
                    ('unit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='memberships', to='orgtree.unit')),
                ],
                options={
                    'constraints': [orgtree.models.exclusion.OneAtATime(name='member_of_one_unit_at_a_time', of=('tree_id', 'person_id')), models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='membership_has_days')],
                },
            ),
            migrations.CreateModel(
                name='Grant',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('role', models.CharField(choices=[('executive', 'Executive'), ('manager', 'Manager'), ('auditor', 'Auditor'), ('finance', 'Finance')], max_length=20)),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('reason', models.CharField(blank=True, max_length=200)),
                    ('granted_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('granted_by', models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('unit', models.ForeignKey(blank=True, help_text='For managers only.', null=True, on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='orgtree.unit')),
                    ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='grant_has_days'), models.CheckConstraint(condition=models.Q(models.Q(('role', 'manager'), ('unit__isnull', False)), models.Q(models.Q(('role', 'manager'), _negated=True), ('unit', None)), _connector='OR'), name='managers_have_a_unit')],
                },
            ),
            migrations.CreateModel(
                name='UnitPlace',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='child_places', to='orgtree.unit')),
                    ('unit', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='places', to='orgtree.unit')),
                ],
                options={
                    'constraints': [orgtree.models.exclusion.OneAtATime(name='unit_in_one_place_at_a_time', of=('unit_id',)), models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='unit_place_has_days'), models.CheckConstraint(condition=models.Q(('parent', None), models.Q(('unit', models.F('parent')), _negated=True), _connector='OR'), name='no_unit_below_itself')],
                },
            ),
            migrations.CreateModel(
                name='UnitPlacement',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('ancestor', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                    ('tree', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.orgtree')),
                    ('unit', models.ForeignKey(db_constraint=False, db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.unit')),
                ],
                options={
                    'indexes': [models.Index(fields=['unit'], name='unit_placement_by_unit'), models.Index(fields=['ancestor'], name='unit_placement_by_ancestor')],
                },
            ),
            migrations.CreateModel(
                name='IdentityChange',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('action', models.CharField(choices=[('confirmed', 'Confirmed'), ('rejected', 'Rejected'), ('assigned', 'Assigned'), ('declared', 'Declared'), ('merged', 'Merged'), ('split', 'Split off'), ('marked_bot', 'Marked as a bot'), ('unmarked_bot', 'No bot after all'), ('undone', 'Taken back')], editable=False, max_length=12)),
                    ('steps', models.JSONField(editable=False)),
                    ('by', models.ForeignKey(db_constraint=False, editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('undoes', models.OneToOneField(editable=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='undone_by', to='orgtree.identitychange')),
                ],
                options={
                    'indexes': [models.Index(fields=['-at'], name='identity_change_by_time')],
                },
            ),
            migrations.CreateModel(
                name='InstallationSigner',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('installation', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.identity')),
                    ('signer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='orgtree.identity')),
                ],
                options={
                    'constraints': [models.UniqueConstraint(fields=('installation', 'signer'), name='installation_signer_is_unique')],
                },
            ),
            migrations.CreateModel(
                name='Invitation',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('email', models.EmailField(help_text="The account's e-mail address, in lower case.", max_length=254)),
                    ('digest', models.BinaryField(max_length=32, unique=True)),
                    ('invited_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), editable=False)),
                    ('expires_at', models.DateTimeField()),
                    ('accepted_at', models.DateTimeField(editable=False, null=True)),
                    ('withdrawn_at', models.DateTimeField(editable=False, null=True)),
                    ('accepted_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                    ('invited_by', models.ForeignKey(editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ],
                options={
                    'constraints': [models.UniqueConstraint(django.db.models.functions.text.Lower('email'), condition=models.Q(('accepted_at', None), ('withdrawn_at', None)), name='one_open_invitation_an_address')],
                },
            ),
            migrations.CreateModel(
                name='PolicyEvent',
                fields=[
                    ('pgh_id', models.AutoField(primary_key=True, serialize=False)),
                    ('pgh_created_at', models.DateTimeField(auto_now_add=True)),
                    ('pgh_label', models.TextField(help_text='The event label.')),
                    ('individual_policy', models.CharField(choices=[('self_only', 'Self only'), ('pseudonyms', 'Pseudonyms'), ('named', 'Named')], default='pseudonyms', help_text="For sessions, tokens, spend and attribution. Self only: nobody sees others' rows. Pseudonyms: others appear under a name that changes every quarter, without repository, commit, link or time of day. Named: everybody who may see a team sees names, and figures of any number of people. People always see their own data.", max_length=20, verbose_name='visibility of individual data')),
                    ('minimum_group_size', models.PositiveSmallIntegerField(default=5, help_text='Figures of fewer people are hidden from others, unless individual data are shown with names. Trial mode ends for good once this many people have any activity.', validators=[django.core.validators.MinValueValidator(2)])),
                    ('members_see', models.CharField(choices=[('own_units', 'Their own units'), ('everything', 'Every unit and the whole organisation')], default='own_units', help_text='Aggregates only; individual rows follow the policy. Without any Org Tree members see everything.', max_length=20)),
                    ('leaderboard', models.BooleanField(db_default=False, default=False, help_text='Lists developers with figures of their agents, as the policy allows. Off: nobody has it, on no page and in no export.')),
                    ('pgh_context', models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name='+', to='pghistory.context')),
                    ('pgh_obj', models.ForeignKey(db_constraint=False, on_delete=django.db.models.deletion.DO_NOTHING, related_name='individual_policy_minimum_group_size_members_see_leaderboard_events', to='orgtree.organisation')),
                ],
                options={
                    'abstract': False,
                },
            ),
            migrations.CreateModel(
                name='Leave',
                fields=[
                    ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                    ('during', django.contrib.postgres.fields.ranges.DateRangeField()),
                    ('person', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='leaves', to='orgtree.person')),
                ],
                options={
                    'verbose_name_plural': 'leave',
                    'constraints': [orgtree.models.exclusion.OneAtATime(name='leave_once_at_a_time', of=('person_id',)), models.CheckConstraint(condition=models.Q(('during__isempty', False)), name='leave_has_days')],
                },
            ),
            migrations.CreateModel(
                name='UnitPeople',
                fields=[
                    ('unit', models.OneToOneField(db_constraint=False, on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='people_digest', serialize=False, to='orgtree.unit')),
                    ('digest', models.CharField(db_index=True, max_length=64)),
                ],
            ),
        ]),
        AtOnce([
            pgtrigger.migrations.AddTrigger(
                model_name='organisation',
                trigger=pgtrigger.compiler.Trigger(name='insert_insert', sql=pgtrigger.compiler.UpsertTriggerSql(func='INSERT INTO "orgtree_policyevent" ("individual_policy", "leaderboard", "members_see", "minimum_group_size", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."individual_policy", NEW."leaderboard", NEW."members_see", NEW."minimum_group_size", _pgh_attach_context(), NOW(), \'insert\', NEW."id"); RETURN NULL;', hash='2029337157d4f7fd061f0e35d3e2ca23bfe9ff28', operation='INSERT', pgid='pgtrigger_insert_insert_c0894', table='orgtree_organisation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='organisation',
                trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(condition='WHEN (OLD."individual_policy" IS DISTINCT FROM (NEW."individual_policy") OR OLD."leaderboard" IS DISTINCT FROM (NEW."leaderboard") OR OLD."members_see" IS DISTINCT FROM (NEW."members_see") OR OLD."minimum_group_size" IS DISTINCT FROM (NEW."minimum_group_size"))', func='INSERT INTO "orgtree_policyevent" ("individual_policy", "leaderboard", "members_see", "minimum_group_size", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id") VALUES (NEW."individual_policy", NEW."leaderboard", NEW."members_see", NEW."minimum_group_size", _pgh_attach_context(), NOW(), \'update\', NEW."id"); RETURN NULL;', hash='4fcb753afcd2f48cc2127a6020a1cf2c0c32ae75', operation='UPDATE', pgid='pgtrigger_update_update_3291d', table='orgtree_organisation', when='AFTER')),
            ),
            pgtrigger.migrations.AddTrigger(
                model_name='policyevent',
                trigger=pgtrigger.compiler.Trigger(name='append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='e50c7f8bf7ec113d521bcf85cf70c29f4afbbc0a', operation='UPDATE OR DELETE', pgid='pgtrigger_append_only_1eff2', table='orgtree_policyevent', when='BEFORE')),
            ),
        ]),
        migrations.RunSQL(LOG_IS_APPENDED_TO, LOG_IS_A_TABLE),
        migrations.RunSQL(WORK_IS_NOTED, WORK_IS_NOT_NOTED),
    ]
