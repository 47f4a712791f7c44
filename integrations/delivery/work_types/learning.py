"""A small model of titles, TF-IDF with logistic regression, and its accuracy on labels that it has not seen.

scikit-learn is an optional requirement (requirements-analysis.txt), imported where it is used.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NamedTuple

FOLDS = 5
SURE = 0.6  # less probable predictions are none
BAR = 0.8  # of the held-out predictions of a work type have to be right
LEAST_PREDICTED = 20  # held-out predictions of a work type: fewer prove nothing
LEAST_LABELS = 40
MOST_WORDS = 20_000

Predict = Callable[[Sequence[str]], "list[Prediction]"]


class Prediction(NamedTuple):
    work_type: str
    probability: float

    @property
    def is_sure(self) -> bool:
        return self.probability >= SURE


@dataclass(frozen=True)
class ClassAccuracy:
    """A work type's number of labels, how many held-out items were confidently predicted as it, and how many of these
    are.
    """

    work_type: str
    labels: int
    predicted: int
    right: int

    @property
    def is_used(self) -> bool:
        return self.predicted >= LEAST_PREDICTED and self.right >= BAR * self.predicted


@dataclass(frozen=True)
class Accuracy:
    """The share of all held-out labels that were predicted correctly, confidently or not, and the accuracy of each work
    type.
    """

    right: float
    classes: Sequence[ClassAccuracy]


def is_installed() -> bool:
    return find_spec("sklearn") is not None


def trained(titles: Sequence[str], work_types: Sequence[str]) -> Predict:
    """A function that predicts the most probable work type of each title."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, max_features=MOST_WORDS),
        LogisticRegression(C=10.0, max_iter=500),
    )
    model.fit(list(titles), list(work_types))

    def predict(unseen: Sequence[str]) -> list[Prediction]:
        if not unseen:
            return []
        probabilities = model.predict_proba(list(unseen))
        best = probabilities.argmax(axis=1)
        return [
            Prediction(str(model.classes_[at]), float(row[at])) for at, row in zip(best, probabilities, strict=True)
        ]

    return predict


def accuracy(titles: Sequence[str], work_types: Sequence[str]) -> Accuracy:
    """Cross-validated accuracy: each label is held out once, with all others of the same title, and predicted by a
    model of the rest.
    """
    folds = [zlib.crc32(" ".join(title.lower().split()).encode()) % FOLDS for title in titles]
    predictions: dict[int, Prediction] = {}
    for fold in range(FOLDS):
        held_out = [number for number, of in enumerate(folds) if of == fold]
        others = [number for number, of in enumerate(folds) if of != fold]
        if not held_out or len({work_types[number] for number in others}) < 2:
            continue
        predict = trained([titles[number] for number in others], [work_types[number] for number in others])
        predictions |= dict(zip(held_out, predict([titles[number] for number in held_out]), strict=True))
    right = sum(work_types[number] == found.work_type for number, found in predictions.items())
    return Accuracy(
        right / len(titles) if titles else 0.0,
        [_of_class(one, work_types, predictions) for one in sorted(set(work_types))],
    )


def _of_class(work_type: str, work_types: Sequence[str], predictions: dict[int, Prediction]) -> ClassAccuracy:
    sure = [number for number, found in predictions.items() if found.is_sure and found.work_type == work_type]
    return ClassAccuracy(
        work_type,
        labels=sum(one == work_type for one in work_types),
        predicted=len(sure),
        right=sum(work_types[number] == work_type for number in sure),
    )
