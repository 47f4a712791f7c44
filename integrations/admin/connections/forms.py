"""The providers to choose from, and the guided form of a connection, made from its connector's fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any, cast

from django import forms

from integrations.connectors.base import Connector, Field, Settings
from integrations.connectors.git.commands import GitError
from integrations.connectors.git.repository import GitRepository
from integrations.connectors.registered import connectors
from integrations.models import Connection
from integrations.models.connections import GIT
from integrations.models.fields import UnreadableSecrets
from integrations.sync.connect import InvalidConnectionError, refuse_mistakes
from integrations.sync.git.connect import NameTakenError, connect_git

FORGET = "forget_"
LONGEST_ANSWER = 2000
LONGEST_MULTILINE = 20_000  # a private key has some 3,000 characters
MOST_MINUTES = 24 * 60


class NameForm(forms.ModelForm[Connection]):
    """The settings of a connection whose provider has no fields."""

    class Meta:
        model = Connection
        fields = ("name",)


class GitConnectionForm(forms.ModelForm[Connection]):
    """The form of a repository on disk, which needs only a path."""

    path = forms.CharField(
        max_length=500,
        help_text="Path of a git repository on this machine, bare or with a work tree, that Headway may read.",
    )
    name = forms.CharField(max_length=200, required=False, help_text="Default: the folder's name.")
    field_order = ("path", "name")

    class Meta:
        model = Connection
        fields = ("name",)

    def clean_path(self) -> str:
        path: str = self.cleaned_data["path"]
        if "://" in path or path.startswith("git@"):
            raise forms.ValidationError(
                "This is an address, not a path on this machine. Connect the code host instead: it brings pull "
                "requests as well, and can mirror the repositories."
            )
        try:
            GitRepository.open(path)
        except GitError as problem:
            raise forms.ValidationError(str(problem)) from None
        return path

    def clean(self) -> dict[str, Any]:
        # Validated here, because the default name depends on existing connections, and a taken name is a form error.
        if "path" in self.cleaned_data and not self.errors:
            try:
                self.connected = connect_git(self.cleaned_data["path"], name=self.cleaned_data["name"]).connection
            except (GitError, NameTakenError) as problem:
                raise forms.ValidationError(str(problem)) from None
        return self.cleaned_data


class ProviderForm(forms.ModelForm[Connection]):
    """Base of the forms that `form_of` makes: a name, the connector's fields, and how often it is synced.

    A stored secret is never rendered; an empty answer keeps it.
    """

    connector: type[Connector]

    sync_every_minutes = forms.IntegerField(
        min_value=1,
        max_value=MOST_MINUTES,
        initial=15,
        label="Sync every",
        help_text="Minutes. Webhooks report changes within seconds; a sync finds any that they missed.",
    )

    class Meta:
        model = Connection
        fields = ("name", "sync_every_minutes")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._stored = stored_secrets(self.instance)
        for field in shown_fields(self.connector):
            form_field = self.fields[field.name]
            if not field.secret:
                form_field.initial = self.instance.settings.get(field.name, field.default)
            elif self._stored.get(field.name):
                form_field.required = False
                form_field.help_text = f"{field.help} It is stored; leave this empty to keep it.".strip()
                if not field.required:
                    self.fields[FORGET + field.name] = forms.BooleanField(
                        required=False, label=f"Forget the stored {field.label.lower()}"
                    )
        self.order_fields(self._in_order())

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                refuse_mistakes(self.connector, self.connection(), self.answers())
            except InvalidConnectionError as mistakes:
                for name, problem in mistakes.problems.items():
                    self.add_error(name if name in self.fields else None, problem)
        return given

    def validate_unique(self) -> None:
        """Allow the name of a connection that was removed with its facts kept: connecting continues with them."""
        removed = Connection.objects.filter(provider=self.connector.slug, removed_at__isnull=False)
        if self.instance._state.adding and removed.filter(name=self.cleaned_data.get("name")).exists():
            return
        super().validate_unique()

    def answers(self) -> Settings:
        """The form's answers; an empty secret is left out."""
        values = {field.name: str(self.cleaned_data.get(field.name) or "") for field in shown_fields(self.connector)}
        secret = {field.name for field in self.connector.fields if field.secret}
        return Settings(
            values=self.connector.understood({name: answer for name, answer in values.items() if name not in secret}),
            secrets={name: answer for name, answer in values.items() if name in secret and answer},
        )

    def understood(self) -> str:
        """A sentence that says how the address of a page was interpreted; empty for the API's own address."""
        answers = self.answers().values
        written = str(self.cleaned_data.get("base_url") or "").strip().rstrip("/")
        if not written or answers["base_url"].rstrip("/") == written:
            return ""
        owners = f", organisation {answers['owners']}" if answers.get("owners") else ""
        return f"{written} is read as {answers['base_url']}{owners}."

    def connection(self) -> Connection:
        """The connection to be stored, without the secrets to be forgotten."""
        connection = copy(self.instance)
        connection.provider = self.connector.slug
        connection.name = self.cleaned_data.get("name", "")
        remaining = {name: secret for name, secret in self._stored.items() if not self.cleaned_data.get(FORGET + name)}
        if len(remaining) < len(self._stored):
            connection.secrets = remaining
        return connection

    def to_check(self) -> Connector:
        """The connector with the form's answers; an empty secret is replaced by the stored one."""
        answers, stored = self.answers(), stored_secrets(self.connection())
        secrets = {field.name: stored.get(field.name, "") for field in self.connector.fields if field.secret}
        mapped = {
            field.name: str(self.instance.settings.get(field.name, ""))
            for field in self.connector.fields
            if field.mapped
        }
        values = {**mapped, **answers.values}
        return self.connector(Settings(values=values, secrets={**secrets, **answers.secrets}))

    def _in_order(self) -> list[str]:
        names = [name for field in shown_fields(self.connector) for name in (field.name, FORGET + field.name)]
        return ["name", *names, "sync_every_minutes"]


def shown_fields(connector: type[Connector]) -> list[Field]:
    """The connector's fields, except those that are mapped on the page Fields."""
    return [field for field in connector.fields if not field.mapped]


def form_of(connector: type[Connector]) -> type[ProviderForm]:
    """The form of a provider: its fields between the name and the schedule."""
    form_fields = {field.name: _form_field(field) for field in shown_fields(connector)}
    made = type(f"{connector.__name__}Form", (ProviderForm,), {**form_fields, "connector": connector})
    return cast("type[ProviderForm]", made)


def _form_field(field: Field) -> forms.Field:
    options: dict[str, Any] = {"label": field.label, "help_text": field.help, "required": field.required}
    if field.choices:
        return forms.ChoiceField(choices=list(field.choices), initial=field.default, **options)
    most = LONGEST_MULTILINE if field.multiline else LONGEST_ANSWER
    return forms.CharField(max_length=most, widget=_widget(field), initial=field.default, **options)


def _widget(field: Field) -> forms.Widget:
    plain = {"autocomplete": "off", "spellcheck": "false"}
    if field.multiline:
        return _SecretArea(attrs={**plain, "rows": 6}) if field.secret else forms.Textarea(attrs={**plain, "rows": 6})
    if field.secret:
        return forms.PasswordInput(attrs={"autocomplete": "new-password"}, render_value=False)
    return forms.TextInput(attrs=plain)


class _SecretArea(forms.Textarea):
    """A text area that never shows what was entered."""

    def format_value(self, value: Any) -> str:
        return ""


def stored_secrets(connection: Connection) -> Mapping[str, str]:
    """The stored secrets; each is None if the key that decrypts them is lost, and all must then be entered again."""
    if isinstance(connection.secrets, UnreadableSecrets):
        return {}
    return connection.secrets


@dataclass(frozen=True)
class Choice:
    """A provider, with a description of its data."""

    slug: str
    name: str
    brings: str


def choices() -> Sequence[Choice]:
    """The providers by name; local git, which needs no account, comes last."""
    known = sorted(connectors().values(), key=lambda connector: connector.name.lower())
    on_disk = Choice(GIT, "Local git", "Commits, lines and files of a repository on this machine; no token needed")
    return [*(Choice(connector.slug, connector.name, _brings(connector)) for connector in known), on_disk]


def _brings(connector: type[Connector]) -> str:
    kinds = dict.fromkeys(kind for kinds in connector.kinds.values() for kind in kinds)
    words = [kind.words for kind in kinds]
    listed = f"{', '.join(words[:-1])} and {words[-1]}" if len(words) > 1 else "".join(words)
    return listed.capitalize()
