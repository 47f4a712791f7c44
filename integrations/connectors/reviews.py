"""Reviews of pull requests, for providers that report verdicts and comments on lines separately."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from integrations.connectors.drafts import ReviewDraft, Who
from integrations.enums import ReviewState

TOGETHER = timedelta(minutes=1)  # a submitted review comes in several parts, one after another


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A verdict, a comment on a line (without a verdict), or the withdrawal of somebody's verdicts."""

    id: str
    by: Who | None
    at: datetime
    verdict: ReviewState | None = None
    withdraws: bool = False


@dataclass(slots=True)
class _Review:
    """A review as it grows: remarks of one person, each within a minute of the one before."""

    id: str
    by: Who | None
    at: datetime
    last_at: datetime
    state: ReviewState


def reviews_of(remarks: Iterable[Remark], still_approves: Callable[[Who], bool] | None) -> list[ReviewDraft]:
    """The reviews: verdicts with the comments on lines made with them, and such comments without a verdict.

    An approval that its person withdrew, or that the provider no longer counts because commits were pushed, is
    dismissed; `still_approves` is None if the provider does not report whose approval counts now.
    """
    reviews: list[_Review] = []
    latest: dict[Who | None, _Review] = {}
    for remark in remarks:
        by, at, verdict, known = remark.by, remark.at, remark.verdict, latest.get(remark.by)
        if remark.withdraws:
            _dismiss(review for review in reviews if review.by == by)
            latest.pop(by, None)
            continue
        is_new = known is None or at - known.last_at > TOGETHER
        if known is None or is_new or (verdict and known.state is not ReviewState.COMMENTED):
            latest[by] = known = _Review(remark.id, by, at, at, verdict or ReviewState.COMMENTED)
            reviews.append(known)
        elif verdict:
            known.id, known.at, known.state = remark.id, at, verdict
        known.last_at = at
    if still_approves is not None:
        _dismiss(review for review in reviews if review.by is not None and not still_approves(review.by))
    return [
        ReviewDraft(
            external_id=review.id,
            author=review.by,
            state=review.state,
            native_state=str(review.state),
            submitted_at=review.at,
        )
        for review in reviews
    ]


def _dismiss(reviews: Iterable[_Review]) -> None:
    for review in reviews:
        if review.state is ReviewState.APPROVED:
            review.state = ReviewState.DISMISSED
