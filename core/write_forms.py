"""Forms of records that several people change.

A service checks and stores what is sent; the form shows its errors at their fields.  An edit of an outdated version is
not saved: the page shows both versions, and the form is of the newest one from then on.
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
    version_field: ClassVar = "version"  # of the form and of the record
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    conflict: ConflictError | None = None  # somebody else saved first
    differences: Sequence[Difference] = ()  # from what they saved

    def _post_clean(self) -> None:
        """A model form's own copy of its record stays as it was read."""

    @property
    def of_version(self) -> int:
        return self.cleaned_data[self.version_field] or 0

    def given(self) -> dict[str, Any]:
        """What a valid form says, as services take it."""
        return {name: value for name, value in self.cleaned_data.items() if name != self.version_field}

    def show(self, problem: FieldError) -> None:
        show_error(self, problem)

    def save_by(
        self, write: Callable[[], Saved], differences: Callable[[Any], Iterable[Difference]] | None = None
    ) -> Saved | None:
        """What `write` stores; None where nothing was sent, or it is refused, which the form says then.

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
        """Of the page that shows it."""
        if self.conflict is not None:
            return 409
        return 400 if self.is_bound and self.errors else 200


class NumberedForm(WriteForm):
    """A form of numbered versions: it is sent with the number of the version that it edits."""

    version_field = "number"
    version = None  # type: ignore[assignment]  # Django takes the field out
    number = forms.IntegerField(widget=forms.HiddenInput, required=False)
