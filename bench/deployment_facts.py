"""Pipeline runs, deployments and incidents of the generated repositories, derived from commits and merges.

The statements read bench_pull_request (pull_request_facts.py), and bench_rollout, which the second one draws.
"""

from __future__ import annotations

# A run for each commit of a pull request; one in 25 fails first and succeeds when it is tried again.
RUNS = """
    INSERT INTO integrations_pipelinerun
        (connection_id, external_id, repository_id, run, attempt, name, status, native_status, trigger, sha, branch,
         started_by_id, queued_at, started_at, finished_at)
    SELECT %(connection)s, 'run-' || number || '-' || position || '-' || attempt, repository_id,
           'run-' || number || '-' || position, attempt, 'Test', status, status, 'pull_request', sha,
           'work-' || number, author_id, queued_at, started_at, finished_at
    FROM (
        SELECT pull_request.number, pull_request.repository_id, pull_request.author_id, commit.position, commit.sha,
               attempt, queued_at,
               queued_at + pg_temp.log_normal(key + attempt, 'queue', 20, 1) * interval '1 second' AS started_at,
               queued_at + (pg_temp.log_normal(key + attempt, 'queue', 20, 1)
                   + pg_temp.log_normal(key + attempt, 'run', 540, 0.6)) * interval '1 second' AS finished_at,
               CASE WHEN is_flaky THEN (ARRAY['failure', 'success'])[attempt]
                    WHEN pg_temp.uniform(key, 'outcome') < 0.11 THEN 'failure'
                    WHEN pg_temp.uniform(key, 'outcome') < 0.14 THEN 'cancelled' ELSE 'success' END AS status
        FROM bench_pull_request pull_request
        JOIN integrations_pullrequestcommit commit ON commit.pull_request_id = pull_request.id
        CROSS JOIN LATERAL (SELECT 20 * pull_request.number + commit.position) AS draw (key)
        CROSS JOIN LATERAL (SELECT pg_temp.uniform(key, 'flaky') < 0.04) AS luck (is_flaky)
        CROSS JOIN LATERAL generate_series(1, CASE WHEN is_flaky THEN 2 ELSE 1 END) AS attempt
        CROSS JOIN LATERAL (
            SELECT commit.committed_at + interval '10 seconds' + (attempt - 1) * interval '2 hours'
        ) AS queued (queued_at)
    ) AS planned
    WHERE finished_at < now()
"""

# Every eighth merge of a repository goes out, with those before it.
ROLLOUTS = """
    CREATE TEMPORARY TABLE bench_rollout AS
    SELECT *, 'rollout-' || number AS external_id,
           lag(squash) OVER (PARTITION BY repository_id ORDER BY merged_at) AS squash_before
    FROM (
        SELECT number, repository_id, 'bench-service-' || lpad(repository_number::text, 4, '0') AS service,
               author_id, squash, merged_at,
               merged_at + (8 + 20 * pg_temp.uniform(number, 'rollout')) * interval '1 minute' AS finished_at,
               lead(squash) OVER in_order AS next_squash, lead(merged_at) OVER in_order AS next_merged_at,
               row_number() OVER in_order AS position, pg_temp.uniform(number, 'rollout ends') AS fate
        FROM bench_pull_request
        WHERE merged_at IS NOT NULL
        WINDOW in_order AS (PARTITION BY repository_id ORDER BY merged_at, number)
    ) AS merged
    WHERE position %% 8 = 0 AND finished_at < now()
"""

# Per hundred rollouts, three fail by themselves, four are rolled back and five are repaired by the next merge.
DEPLOYMENTS = """
    INSERT INTO integrations_deployment
        (connection_id, external_id, repository_id, service, environment, native_environment, status, native_status,
         named_sha, sha, ref, deployed_by_id, created_at, started_at, finished_at, rollback_of, fixes, unplanned)
    SELECT %(connection)s, external_id, repository_id, service, 'production', 'production', status, status, sha, sha,
           'main', author_id, finished_at - interval '6 minutes', finished_at - interval '5 minutes', finished_at,
           rollback_of, fixes, unplanned
    FROM (
        SELECT external_id, repository_id, service, author_id, squash AS sha, finished_at,
               CASE WHEN fate < 0.03 THEN 'failure' ELSE 'success' END AS status, '' AS rollback_of,
               '{}'::text[] AS fixes, false AS unplanned
        FROM bench_rollout
        UNION ALL
        SELECT 'rollback-' || number, repository_id, service, author_id, squash_before,
               finished_at + pg_temp.log_normal(number, 'rollback', 40, 0.8) * interval '1 minute',
               'success', external_id, '{}', true
        FROM bench_rollout WHERE fate BETWEEN 0.03 AND 0.07 AND squash_before IS NOT NULL
        UNION ALL
        SELECT 'fix-' || number, repository_id, service, author_id, next_squash,
               greatest(finished_at + pg_temp.log_normal(number, 'fix', 3, 0.9) * interval '1 hour',
                        next_merged_at + interval '9 minutes'),
               'success', '', ARRAY[external_id], true
        FROM bench_rollout WHERE fate BETWEEN 0.07 AND 0.12 AND next_squash IS NOT NULL
    ) AS planned
    WHERE finished_at < now()
    ORDER BY finished_at
"""

STATUSES = """
    INSERT INTO integrations_deploymentstatus (deployment_id, external_id, at, status, native_status)
    SELECT deployment.id, told.status || '-' || deployment.external_id, told.at, told.status, told.status
    FROM integrations_deployment deployment
    CROSS JOIN LATERAL (
        VALUES ('running', deployment.started_at), (deployment.status, deployment.finished_at)
    ) AS told (status, at)
    WHERE deployment.connection_id = %(connection)s
"""

# One rollout in nine is followed by an incident; a third of them name it, the rest the service alone.
INCIDENTS = """
    INSERT INTO integrations_incident
        (connection_id, external_id, repository_id, service, title, native_severity, severity, native_status,
         started_at, acknowledged_at, resolved_at, caused_by)
    SELECT %(connection)s, 'incident-' || number, repository_id, service, 'Bench ' || number, severity, severity,
           CASE WHEN resolved_at < now() THEN 'resolved' ELSE 'triggered' END,
           started_at, started_at + interval '4 minutes', CASE WHEN resolved_at < now() THEN resolved_at END,
           CASE WHEN number %% 3 = 0 THEN external_id ELSE '' END
    FROM (
        SELECT rollout.*, started_at, started_at + pg_temp.log_normal(number, 'resolution', 2, 1.1) * interval '1 hour'
                   AS resolved_at,
               (ARRAY['critical', 'high', 'high', 'medium', 'low'])
                   [1 + floor(5 * pg_temp.uniform(number, 'severity'))] AS severity
        FROM bench_rollout rollout
        CROSS JOIN LATERAL (
            SELECT finished_at + pg_temp.log_normal(number, 'incident', 2, 1.2) * interval '1 hour' AS started_at
        ) AS begun
        WHERE pg_temp.uniform(number, 'breaks') < 0.11
    ) AS planned
    WHERE started_at + interval '4 minutes' < now()
"""
