"""Figures of pipeline runs for metrics."""

from __future__ import annotations

from django.db import models

from integrations.models.connections import Repository
from integrations.models.delivery import PipelineRun
from integrations.models.pull_requests import PullRequest


class PipelineRunFigures(models.Model):
    """One row per attempt that is not deleted.

    Attempts of one (repository, name, sha, branch) are one run, with the values of its last attempt; they share
    `of_run`.  Without a sha, the provider's grouping of attempts is used.

    Updated by integrations/delivery/pipeline_runs/figures.py in the transaction that changes the inputs.
    """

    run = models.OneToOneField(PipelineRun, models.CASCADE, primary_key=True, related_name="figures")
    repository = models.ForeignKey(Repository, models.CASCADE, related_name="+", db_index=False)
    of_run = models.UUIDField()
    is_last = models.BooleanField()
    finished_on = models.DateField(null=True, help_text="The local day on which it finished; null before that.")
    is_counted = models.BooleanField(help_text="It finished and was neither cancelled nor skipped.")
    is_successful = models.BooleanField()
    is_flaky = models.BooleanField(help_text="It succeeded after a failed attempt.")
    attempts = models.IntegerField(help_text="Number of attempts of the run.")
    duration_seconds = models.FloatField(null=True, help_text="Time from start to finish.")
    queue_seconds = models.FloatField(null=True, help_text="Time from being queued to the start.")
    # Without a constraint, like references to pull requests from their figures.
    pull_request = models.ForeignKey(
        PullRequest,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The pull request that contains the commit that it ran on, or was merged as that commit.",
    )

    class Meta:
        verbose_name_plural = "pipeline run figures"
        indexes = [
            models.Index(fields=["of_run"], name="run_figures_by_run"),
            models.Index(fields=["finished_on"], condition=models.Q(is_last=True), name="run_figures_by_finish"),
            models.Index(
                fields=["pull_request"], condition=~models.Q(pull_request=None), name="run_figures_by_pull_request"
            ),
        ]
