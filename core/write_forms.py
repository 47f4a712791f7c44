"""Forms of records that several people edit.

A service validates and stores the values; the form shows its errors at the fields.  An edit of an outdated version is
not saved: the page shows both versions, and the form then edits the newest one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

from django import forms

from core.edit_conflicts import Difference, renumber
from core.forms import show_error
from core.write_errors import ConflictError, FieldError

Saved = TypeVar("Saved")


class WriteForm(forms.Form):
    version_field: ClassVar = "version"  # the name in the form and in the record
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    conflict: ConflictError | None = None  # somebody else saved first
    differences: Sequence[Difference] = ()  # from the version that they saved

    def _post_clean(self) -> None:
        """Leaves the record of a model form unchanged."""

    @property
    def of_version(self) -> int:
        return self.cleaned_data[self.version_field] or 0

    def given(self) -> dict[str, Any]:
        """The values of a valid form, as services take them."""
        return {name: value for name, value in self.cleaned_data.items() if name != self.version_field}

    def show(self, problem: FieldError) -> None:
        show_error(self, problem)

    def save_by(
        self, write: Callable[[], Saved], differences: Callable[[Any], Iterable[Difference]] | None = None
    ) -> Saved | None:
        """The result of `write`; None if the form was not sent, or was refused and now shows why.

        `differences` compares the form with a record that somebody else saved first.
        """
        if not self.is_bound or not self.is_valid():
            return None
        try:
            return write()
        except FieldError as problem:
            self.show(problem)
        except ConflictError as conflict:
            self.conflict = conflict
            if differences is None or conflict.stored is None:
                self.add_error(None, str(conflict))
            else:
                self.differences = list(differences(conflict.stored))
                renumber(self, self.version_field, getattr(conflict.stored, self.version_field))
        return None

    @property
    def status(self) -> int:
        """The HTTP status of the page that shows the form."""
        if self.conflict is not None:
            return 409
        return 400 if self.is_bound and self.errors else 200


class NumberedForm(WriteForm):
    """A form that sends the number of the version that it edits."""

    version_field = "number"
    version = None  # type: ignore[assignment]  # removes the inherited field
    number = forms.IntegerField(widget=forms.HiddenInput, required=False)
