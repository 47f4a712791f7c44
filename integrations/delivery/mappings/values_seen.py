"""The values in a connection's records, with counts and examples: the basis of an admin's mappings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import LiteralString

from core import sql
from integrations.delivery.mappings.effective import Subject, ValueMappings, value_mappings_of, word_of_job
from integrations.models import Connection

MOST_VALUES = 500
MOST_EXAMPLES = 3

# (value, the record's title, link and time), once for each record.
_STATED: Mapping[Subject, LiteralString] = {
    Subject.ENVIRONMENT: """
        SELECT native_environment, concat_ws(' ', repository.name, left(sha, 10)), url,
               coalesce(finished_at, created_at)
        FROM integrations_deployment deployment
        JOIN integrations_repository repository ON repository.id = deployment.repository_id
        WHERE connection_id = %(connection)s AND deleted_at IS NULL AND pipeline_run_id IS NULL
          AND activation_of_id IS NULL
    """,
    Subject.DEPLOYING: """
        SELECT run.name, concat_ws(' ', repository.name, branch, left(sha, 10)), url, coalesce(finished_at, queued_at)
        FROM integrations_pipelinerun run
        JOIN integrations_repository repository ON repository.id = run.repository_id
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
        UNION ALL
        SELECT left(run.name || ' / ' || job, 300), concat_ws(' ', repository.name, branch, left(sha, 10)), url,
               coalesce(finished_at, queued_at)
        FROM integrations_pipelinerun run
        CROSS JOIN unnest(deploying_jobs) AS job
        JOIN integrations_repository repository ON repository.id = run.repository_id
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
    """,
    Subject.LABEL: """
        SELECT label, title, url, created_at
        FROM integrations_pullrequest CROSS JOIN unnest(labels) AS label
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
        UNION ALL
        SELECT label, concat_ws(' ', key, title), url, created_at
        FROM integrations_workitem CROSS JOIN unnest(labels) AS label
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
    """,
    Subject.ITEM_TYPE: """
        SELECT native_type, concat_ws(' ', key, title), url, created_at
        FROM integrations_workitem
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
    """,
    Subject.STATUS: """
        SELECT DISTINCT said.status, concat_ws(' ', item.key, item.title), item.url, item.created_at
        FROM integrations_workitem item
        CROSS JOIN LATERAL (
            SELECT item.native_status
            UNION
            SELECT unnest(ARRAY[transition.from_status, transition.to_status])
            FROM integrations_workitemtransition transition WHERE transition.work_item_id = item.id
        ) AS said (status)
        WHERE item.connection_id = %(connection)s AND item.deleted_at IS NULL
    """,
    Subject.ACTIVITY: """
        SELECT DISTINCT said.status, concat_ws(' ', item.key, item.title), item.url, item.created_at
        FROM integrations_workitem item
        CROSS JOIN LATERAL (
            SELECT item.native_status WHERE item.status_category = 'in_progress'
            UNION
            SELECT transition.to_status
            FROM integrations_workitemtransition transition
            WHERE transition.work_item_id = item.id AND transition.category = 'in_progress'
        ) AS said (status)
        WHERE item.connection_id = %(connection)s AND item.deleted_at IS NULL
    """,
    Subject.FOUND_BY: """
        SELECT DISTINCT said.word, concat_ws(' ', item.key, item.title), item.url, item.created_at
        FROM integrations_workitem item
        JOIN integrations_project project ON project.id = item.project_id
        LEFT JOIN orgtree_identity reporter ON reporter.id = item.reporter_id
        CROSS JOIN unnest(item.labels || ARRAY[item.native_type, project.name, reporter.value]::text[]) AS said (word)
        WHERE item.connection_id = %(connection)s AND item.deleted_at IS NULL AND item.work_type = 'bug'
    """,
    Subject.ENDING: """
        SELECT DISTINCT said.word, concat_ws(' ', item.key, item.title), item.url, item.created_at
        FROM integrations_workitem item
        CROSS JOIN LATERAL (
            SELECT unnest(ARRAY[item.native_status, item.resolution]) WHERE item.status_category = 'done'
            UNION
            SELECT transition.to_status
            FROM integrations_workitemtransition transition
            WHERE transition.work_item_id = item.id AND transition.category = 'done'
        ) AS said (word)
        WHERE item.connection_id = %(connection)s AND item.deleted_at IS NULL
    """,
    Subject.SEVERITY: """
        SELECT native_severity, concat_ws(' ', key, title), url, started_at
        FROM integrations_incident
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
    """,
}


# (value, the provider's own category); a site may have two statuses of one name in different categories.
_PROVIDED: Mapping[Subject, LiteralString] = {
    Subject.STATUS: """
        SELECT native_status, told_category FROM integrations_workitem
        WHERE connection_id = %(connection)s AND deleted_at IS NULL
        UNION
        SELECT transition.to_status, transition.told_category
        FROM integrations_workitemtransition transition
        JOIN integrations_workitem item ON item.id = transition.work_item_id
        WHERE item.connection_id = %(connection)s AND item.deleted_at IS NULL
    """,
    Subject.SEVERITY: """
        SELECT DISTINCT native_severity, told_severity FROM integrations_incident
        WHERE connection_id = %(connection)s AND deleted_at IS NULL AND told_severity <> 'unknown'
    """,
}


@dataclass(frozen=True, slots=True)
class Example:
    """A record that uses a value; `url` is its page at the provider, or empty."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SeenValue:
    """A value, the number of records with it, and its mapping (empty: not mapped).

    `by_default` is the mapping without an admin's decision, which `is_decided` marks; there are several if the provider
    distinguishes two values of one name by their ids.  `proposed` waits for an admin to confirm it: the value has
    unknown words, and does not count until then.
    """

    word: str
    records: int
    means: str
    by_default: str
    is_decided: bool
    proposed: str
    examples: tuple[Example, ...]


def values_seen(connection: Connection, subject: Subject) -> list[SeenValue]:
    """The values of a subject, most used first, including those that only an admin has mapped."""
    meanings = value_mappings_of(connection)
    seen: dict[str, tuple[int, list[Example]]] = {}
    rows = sql.rows(
        f"""
        SELECT word, title, url, records
        FROM (
            SELECT word, title, url, at, count(*) OVER of_word AS records,
                   row_number() OVER (of_word ORDER BY at DESC NULLS LAST, title) AS position
            FROM ({_STATED[subject]}) AS said (word, title, url, at)
            WHERE word <> ''
            WINDOW of_word AS (PARTITION BY word)
        ) AS ranked
        WHERE position <= %(examples)s
        ORDER BY records DESC, word, position
        LIMIT %(words)s * %(examples)s
        """,  # noqa: S608  # constants of this module
        {"connection": connection.pk, "examples": MOST_EXAMPLES, "words": MOST_VALUES},
    )
    for word, title, url, records in rows:
        seen.setdefault(word, (records, []))[1].append(Example(title.strip(), url))
    for decided_subject, word in meanings.decided:
        if decided_subject == subject:
            seen.setdefault(word, (0, []))
    without = ValueMappings({})
    provided = _provided(connection, subject)
    jobs = _jobs(connection) if subject == Subject.DEPLOYING else {}
    values = []
    for word, (records, examples) in seen.items():
        name, job = jobs.get(word, (word, ""))
        of_job = without.of_job(name, job) if job else None
        by_name = without.of(subject, word) if of_job is None else None if of_job.proposed else of_job.environment
        by_default = provided.get(word) or by_name or ""
        is_decided = meanings.is_decided(subject, word)
        values.append(
            SeenValue(
                word,
                records,
                means=(meanings.of(subject, word) or "") if is_decided else by_default,
                by_default=by_default,
                is_decided=is_decided,
                proposed="" if is_decided else meanings.proposed(subject, name, job) or "",
                examples=tuple(examples),
            )
        )
    return values


def _jobs(connection: Connection) -> Mapping[str, tuple[str, str]]:
    """Value → pipeline and job, for jobs that deploy, or may, in pipelines whose names do not say that they deploy."""
    rows = sql.rows(
        """
        SELECT DISTINCT name, unnest(deploying_jobs) FROM integrations_pipelinerun
        WHERE connection_id = %(connection)s AND deploying_jobs <> '{}' AND deleted_at IS NULL
        """,
        {"connection": connection.pk},
    )
    return {word_of_job(pipeline, job): (pipeline, job) for pipeline, job in rows}


def _provided(connection: Connection, subject: Subject) -> Mapping[str, str]:
    """The provider's own category of each value; `done or in_progress` if it has both."""
    statement = _PROVIDED.get(subject)
    if statement is None:
        return {}
    rows = sql.rows(
        f"""
        SELECT word, string_agg(DISTINCT category, ' or ' ORDER BY category)
        FROM ({statement}) AS said (word, category) WHERE category IS NOT NULL GROUP BY word
        """,  # noqa: S608  # constants of this module
        {"connection": connection.pk},
    )
    return dict(rows)
