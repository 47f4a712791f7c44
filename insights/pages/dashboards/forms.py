"""The forms of dashboards: a card, a dashboard's description and readers, and a file to import."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from core.write_errors import FieldError
from core.write_forms import WriteForm
from insights.catalogue.declarations import Metric
from insights.catalogue.registry import metrics
from insights.dashboards.document import (
    KINDS,
    LONGEST_TEXT,
    LONGEST_TITLE,
    ORGANISATION,
    Json,
    Placed,
    metrics_of,
    splits_of,
)
from insights.models import SharedWith
from insights.models.dashboards import LONGEST_PURPOSE
from insights.models.sharing import LONGEST_TITLE as LONGEST_NAME
from insights.models.sharing import Share
from insights.pages.catalogue import grouped
from insights.query import windows
from insights.ui.filters import DIMENSION_LABELS, WEEK_RANGES
from insights.ui.metric_panel import is_panel
from insights.ui.scope_bar import EVERYBODY
from orgtree.models import Unit, UnitPlace
from orgtree.models.visibility import Visibility

Choices = list[tuple[str, Any]]
READERS_UNIT = "The reader’s unit"
AS_ON_THE_PAGE = "As on the page"


def metric_choices() -> Choices:
    """Every metric, by category."""
    return [
        (title, sorted(((metric.key, metric.marked_name) for metric in group), key=lambda choice: choice[1].casefold()))
        for title, group in grouped(metrics()).items()
    ]


def unit_choices(visibility: Visibility) -> Choices:
    """The units that the viewer sees, by Org Tree; those that share a name are shown with the unit above them."""
    groups: dict[str, list[UnitPlace]] = defaultdict(list)
    places = UnitPlace.objects.filter(
        unit__in=Unit.objects.within(visibility), during__contains=windows.local_today(), unit__tree__archived_at=None
    )
    for place in places.select_related("unit__tree", "parent").order_by("unit__tree__name", "unit__name", "unit_id"):
        groups[place.unit.tree.name].append(place)
    return [(tree, _labels(listed, visibility)) for tree, listed in groups.items()]


def _labels(places: Sequence[UnitPlace], visibility: Visibility) -> list[tuple[str, str]]:
    names = Counter(place.unit.name for place in places)

    def label(place: UnitPlace) -> str:
        is_alone = names[place.unit.name] == 1
        above = place.parent if place.parent and visibility.can_see(place.parent.pk) else None
        return place.unit.name if is_alone or above is None else f"{place.unit.name} ({above.name})"

    return [(place.unit.slug, label(place)) for place in places]


class MetricSelect(forms.Select):
    """Each metric with the kinds of cards and the splits that it offers, for the script that limits the choices to
    these.
    """

    def create_option(self, name: str, value: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option = super().create_option(name, value, *args, **kwargs)
        metric = self._by_key.get(str(value))
        if metric:
            option["attrs"]["data-kinds"] = " ".join(word for word, kind in KINDS.items() if kind.offers(metric))
            option["attrs"]["data-splits"] = " ".join(split.value for split in splits_of(metric))
            option["attrs"]["data-unit"] = metric.unit.value
        return option

    @property
    def _by_key(self) -> Mapping[str, Metric]:
        if not hasattr(self, "_known"):
            self._known = {metric.key: metric for metric in metrics()}
        return self._known


class MetricsSelect(MetricSelect, forms.SelectMultiple):
    pass


class CardForm(WriteForm):
    kind = forms.ChoiceField(
        label="Card", choices=[(word, kind.label) for word, kind in KINDS.items()], widget=forms.RadioSelect
    )
    metric = forms.ChoiceField(label="Metric", required=False, widget=MetricSelect)
    more = forms.MultipleChoiceField(
        label="More metrics",
        required=False,
        widget=MetricsSelect(attrs={"size": 6}),
        help_text="Further lines of a trend, columns of a table, rows of a comparison.",
    )
    by = forms.ChoiceField(
        label="Split by",
        required=False,
        choices=[("", "Not split"), *((split.value, label) for split, label in DIMENSION_LABELS.items())],
    )
    text = forms.CharField(
        label="Text", required=False, max_length=LONGEST_TEXT, widget=forms.Textarea(attrs={"rows": 4})
    )
    title = forms.CharField(
        label="Title", required=False, max_length=LONGEST_TITLE, help_text="Empty: the metric’s name."
    )
    unit = forms.ChoiceField(label="Whose figures", required=False)
    window = forms.ChoiceField(
        label="Window",
        required=False,
        choices=[
            ("", AS_ON_THE_PAGE),
            *((word, f"Last {weeks} weeks") for word, weeks in WEEK_RANGES.items()),
            ("quarter", "This quarter"),
        ],
    )

    def __init__(self, *args: Any, visibility: Visibility, stored: Placed | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = metric_choices()
        units: Choices = [("", READERS_UNIT), (ORGANISATION, EVERYBODY), *unit_choices(visibility)]
        if stored:
            known = {key for _, group in offered for key, _ in group}
            gone = [(key, f"{key}, no longer a metric") for key in stored.metrics if key not in known]
            offered = [*offered, *([("No longer there", gone)] if gone else [])]
            if stored.unit and stored.unit not in _keys(units):
                units.append((stored.unit, "A unit that you cannot see"))
            del self.fields["kind"]
        cast(forms.ChoiceField, self.fields["metric"]).choices = [("", "Choose a metric"), *offered]
        cast(forms.MultipleChoiceField, self.fields["more"]).choices = offered
        cast(forms.ChoiceField, self.fields["unit"]).choices = units

    def card(self, kind: str) -> Json:
        """The fields of a card of that kind that are filled in."""
        data = self.cleaned_data
        keys = list(dict.fromkeys([data["metric"], *data["more"]] if data["metric"] else data["more"]))
        values = {
            **{name: data[name] for name in ("by", "text", "metric", "title", "unit", "window")},
            "beside": keys[1:],
            "metrics": keys,
        }
        names = ("title", "unit", *(["window"] if KINDS[kind].has_window else []), *KINDS[kind].fields)
        return {"kind": kind, **{name: values[name] for name in names if values[name]}}

    def show(self, problem: FieldError) -> None:
        field = {"beside": "more", "metrics": "metric"}.get(problem.field, problem.field)
        super().show(FieldError(field, problem.message))


def saved_in_panel(request: HttpRequest, address: str) -> HttpResponse:
    """Reloads the page below the panel; without a panel, redirects to the address."""
    if is_panel(request):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect(address)


def filled_in(item: Placed) -> dict[str, Any]:
    """Initial values of the form for a stored card."""
    keys = metrics_of(item.stored)
    return {**item.stored, "metric": keys[0] if keys else "", "more": keys[1:]}


class NewForm(WriteForm):
    title = forms.CharField(label="Title", max_length=LONGEST_NAME)


class SharingForm(WriteForm):
    """The title of a dashboard or a saved view, and its readers."""

    title = forms.CharField(label="Title", max_length=LONGEST_NAME)
    roles = forms.MultipleChoiceField(
        label="Shared with roles", required=False, choices=SharedWith.choices, widget=forms.CheckboxSelectMultiple
    )
    units = forms.MultipleChoiceField(
        label="Shared with units",
        required=False,
        widget=forms.SelectMultiple(attrs={"size": 8}),
        help_text="With everybody in them or below them, and with those who lead them.",
    )

    def __init__(
        self, data: Any = None, *, shares: Iterable[Share], visibility: Visibility, initial: Mapping[str, Any]
    ) -> None:
        shares = list(shares)
        readers = {
            "roles": [share.role for share in shares if share.role],
            "units": [share.unit.slug for share in shares if share.unit],
        }
        # The ids differ from those of the form of a card, which is on the same page.
        super().__init__(data, initial={**readers, **initial}, auto_id="share_%s")
        offered = unit_choices(visibility)
        others = [(share.unit.slug, share.unit.name) for share in shares if share.unit]
        unseen = [choice for choice in others if choice[0] not in _keys(offered)]
        cast(forms.MultipleChoiceField, self.fields["units"]).choices = [
            *offered,
            *([("Others", unseen)] if unseen else []),
        ]


class DescriptionForm(SharingForm):
    """A dashboard's description and its readers."""

    purpose = forms.CharField(
        label="What it answers, and for whom",
        required=False,
        max_length=LONGEST_PURPOSE,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
    field_order = ("title", "purpose")


class NewViewForm(SharingForm):
    """The name of a new view, whose figures it shows, and its readers."""

    whose = forms.ChoiceField(label="Whose figures", required=False)
    field_order = ("title", "whose")

    def __init__(self, *args: Any, unit: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if unit:
            cast(forms.ChoiceField, self.fields["whose"]).choices = [("", unit), ("reader", READERS_UNIT)]
        else:
            del self.fields["whose"]


class ImportForm(WriteForm):
    file = forms.FileField(label="File", help_text="A dashboard that was exported as JSON.")

    @property
    def content(self) -> bytes:
        """The content of the file, up to the largest accepted size."""
        uploaded: UploadedFile[bytes] = self.cleaned_data["file"]
        content: bytes = uploaded.read(MOST_READ)
        return content


MOST_READ = 200_000  # more than the accepted size


def _keys(choices: Iterable[tuple[str, Any]]) -> Sequence[str]:
    return [
        key
        for value, label in choices
        for key in ([inner for inner, _ in label] if isinstance(label, list) else [value])
    ]
