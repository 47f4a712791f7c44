"""OTLP's protobuf messages, opened only as far as the receiver looks into them.

The generated classes make an object of every attribute value, which costs more than everything else that happens to
a record.  Here the same messages are declared with the same field numbers, and their deeper parts as bytes: on the
wire a message in a field looks like bytes in it.  Text that is not UTF-8 spoils its own record only.

A record is known by its origin, times, name and attributes.  The rest is left out, so that who sends a record again
through another program, which writes defaults or drops what it does not know, sends the same record.

https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from struct import Struct
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from integrations.telemetry.decode_values import MOST_LEVELS, BadRecordError, Value
from integrations.telemetry.vocabularies.vocabulary import KEY_TAG, UNKNOWN

_Field = descriptor_pb2.FieldDescriptorProto
_BYTES, _FIXED64, _SFIXED64, _DOUBLE, _ENUM, _FLAG = (
    _Field.TYPE_BYTES,
    _Field.TYPE_FIXED64,
    _Field.TYPE_SFIXED64,
    _Field.TYPE_DOUBLE,
    _Field.TYPE_INT32,
    _Field.TYPE_BOOL,
)
_PACKAGE = "headway.otlp"

# Each line: field name, number, type (a message of this list by its name), repeated.
_MESSAGES: dict[str, tuple[tuple[str, int, _Field.Type.ValueType | str, bool], ...]] = {
    # The three export requests have one shape: resources, in them scopes, in them records.
    "Request": (("resources", 1, "OfResource", True),),
    "OfResource": (("resource", 1, _BYTES, False), ("scopes", 2, "OfScope", True)),
    "OfScope": (("scope", 1, _BYTES, False), ("records", 2, _BYTES, True)),
    "Scope": (("name", 1, _BYTES, False), ("version", 2, _BYTES, False)),
    "Attributes": (("attributes", 1, _BYTES, True),),  # of a resource
    "LogRecord": (
        ("time_unix_nano", 1, _FIXED64, False),
        ("body", 5, _BYTES, False),
        ("attributes", 6, _BYTES, True),
        ("trace_id", 9, _BYTES, False),
        ("span_id", 10, _BYTES, False),
        ("observed_time_unix_nano", 11, _FIXED64, False),
        ("event_name", 12, _BYTES, False),
    ),
    "Span": (
        ("trace_id", 1, _BYTES, False),
        ("span_id", 2, _BYTES, False),
        ("parent_span_id", 4, _BYTES, False),
        ("name", 5, _BYTES, False),
        ("start_time_unix_nano", 7, _FIXED64, False),
        ("end_time_unix_nano", 8, _FIXED64, False),
        ("attributes", 9, _BYTES, True),
    ),
    "KeyValue": (("key", 1, _BYTES, False), ("value", 2, "TextValue", False)),
    "TextValue": (("string_value", 1, _BYTES, False),),
    "Points": (("data_points", 1, _BYTES, True),),  # of any kind of metric
    "Sum": (
        ("data_points", 1, _BYTES, True),
        ("aggregation_temporality", 2, _ENUM, False),
        ("is_monotonic", 3, _FLAG, False),
    ),
    "Histogram": (("data_points", 1, _BYTES, True), ("aggregation_temporality", 2, _ENUM, False)),
    "Metric": (
        ("name", 1, _BYTES, False),
        ("gauge", 5, "Points", False),
        ("sum", 7, "Sum", False),
        ("histogram", 9, "Histogram", False),
        ("exponential_histogram", 10, "Points", False),
        ("summary", 11, "Points", False),
    ),
    "NumberPoint": (
        ("start_time_unix_nano", 2, _FIXED64, False),
        ("time_unix_nano", 3, _FIXED64, False),
        ("as_double", 4, _DOUBLE, False),
        ("as_int", 6, _SFIXED64, False),
        ("attributes", 7, _BYTES, True),
        ("flags", 8, _Field.TYPE_UINT32, False),
    ),
    "HistogramPoint": (
        ("start_time_unix_nano", 2, _FIXED64, False),
        ("time_unix_nano", 3, _FIXED64, False),
        ("sum", 5, _DOUBLE, False),
        ("attributes", 9, _BYTES, True),
        ("flags", 10, _Field.TYPE_UINT32, False),
    ),
}


def _message_classes() -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="headway/otlp.proto", package=_PACKAGE, syntax="proto2")
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, number, kind, repeated in fields:
            declared = message.field.add(name=field, number=number)
            declared.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
            if isinstance(kind, str):
                declared.type = _Field.TYPE_MESSAGE
                declared.type_name = f".{_PACKAGE}.{kind}"
            else:
                declared.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _MESSAGES
    }


_CLASSES = _message_classes()
Request: Any = _CLASSES["Request"]
Scope: Any = _CLASSES["Scope"]
ResourceAttributes: Any = _CLASSES["Attributes"]
LogRecord: Any = _CLASSES["LogRecord"]
Span: Any = _CLASSES["Span"]
KeyText: Any = _CLASSES["KeyValue"]
Metric: Any = _CLASSES["Metric"]
NumberPoint: Any = _CLASSES["NumberPoint"]
HistogramPoint: Any = _CLASSES["HistogramPoint"]

_double = Struct("<d").unpack_from
_times = Struct("<QQ").pack
_SHORT = 0x80  # a length below is one byte
_VALUE = 0x12  # tag of a KeyValue's second field
_STRING, _BOOL, _INT, _REAL = 0x0A, 0x10, 0x18, 0x21  # tags of AnyValue
_ALL_BITS = (1 << 64) - 1
# What stands between a key and a text of so many bytes: tag and length of the value, tag and length of the text.
_TEXT_LENGTHS = {bytes((_VALUE, length + 2, _STRING, length)): length for length in range(_SHORT - 2)}
_UNUSUAL = object()


class KnownAttributes(dict[bytes, tuple[str, Value]]):
    """Attributes as sent → name and value, each decoded once: most are the same on every record of a request.

    Those that are known and not looked at stand under the empty name, undecoded, and those that are not `known` under
    `UNKNOWN`.  Those that mean another stand under that one's name.
    """

    def __init__(
        self,
        starts: Mapping[bytes, str],
        looked_at: Container[str],
        knows: Callable[[str], bool],
        means: Mapping[str, str],
    ) -> None:
        """`starts` are a vocabulary's: tag, length and name are looked up at once."""
        super().__init__()
        self._starts = starts
        self._looked_at = looked_at
        self._knows = knows
        self._means = means

    def __missing__(self, sent: bytes) -> tuple[str, Value]:
        after_key = 2 + sent[1] if len(sent) > 1 else 0
        name = self._starts.get(sent[:after_key])
        attribute: tuple[str, Value]
        if name:
            text = sent[after_key + 4 :]
            if _TEXT_LENGTHS.get(sent[after_key : after_key + 4]) == len(text):
                try:
                    attribute = name, text.decode()
                except UnicodeDecodeError:
                    raise BadRecordError("An attribute is not valid UTF-8.") from None
            else:
                value = _usual_value(sent, after_key)
                attribute = plain_attribute(sent) if value is _UNUSUAL else (name, value)
        else:
            attribute = self._unlisted(sent) if name is None else _NOT_NEEDED
        self[sent] = attribute
        return attribute

    def _unlisted(self, sent: bytes) -> tuple[str, Value]:
        if len(sent) > 2 and sent[0] == KEY_TAG and sent[1] < _SHORT:
            return self._judge(sent)
        attribute = plain_attribute(sent)
        return attribute if attribute[0] in self._looked_at else self._judge(sent)

    def _judge(self, sent: bytes) -> tuple[str, Value]:
        try:
            name, value = plain_attribute(sent)
        except BadRecordError:  # not looked at, so that it spoils nothing
            return _NOT_NEEDED
        if name in self._means:
            return self._means[name], value
        return _NOT_NEEDED if value is None or self._knows(name) else _UNKNOWN


_NOT_NEEDED: tuple[str, Value] = ("", None)
_UNKNOWN: tuple[str, Value] = (UNKNOWN, None)


def plain_attribute(sent: bytes) -> tuple[str, Value]:
    """Name and value of a KeyValue.  Raises BadRecordError where it is none, or its text is not UTF-8."""
    if len(sent) > 2 and sent[0] == KEY_TAG and sent[1] < _SHORT:
        after_key = 2 + sent[1]
        value = _usual_value(sent, after_key)
        if value is not _UNUSUAL:
            try:
                return sent[2:after_key].decode(), value
            except UnicodeDecodeError:
                raise BadRecordError("An attribute is not valid UTF-8.") from None
    try:
        attribute = KeyValue.FromString(sent)
    except DecodeError:
        raise BadRecordError("An attribute is not valid UTF-8, or no attribute at all.") from None
    return attribute.key, plain_value(attribute.value)


def _usual_value(sent: bytes, after_key: int) -> Any:
    """The value of a KeyValue whose key ends there; _UNUSUAL where exporters write it in another way, or it is none.

    As every exporter writes it: tag and length, and a value of at most 127 bytes that fills the rest.  Raises
    BadRecordError where its text is not UTF-8.
    """
    value: Any = _UNUSUAL
    try:
        at = after_key + 2
        size = len(sent) - at
        tag = sent[at] if sent[after_key] == _VALUE and sent[after_key + 1] == size else None
        if tag == _INT:
            if size == 3 and sent[at + 1] >= _SHORT > sent[at + 2]:  # as most counts
                value = sent[at + 1] - _SHORT + (sent[at + 2] << 7)
            elif size == 4 and sent[at + 1] >= _SHORT > sent[at + 3] and sent[at + 2] >= _SHORT:
                value = sent[at + 1] - _SHORT + (sent[at + 2] - _SHORT << 7) + (sent[at + 3] << 14)
            else:
                value = _whole_number(sent[at + 1 :])
        elif tag == _STRING and sent[at + 1] == size - 2:
            value = sent[at + 2 :].decode()
        elif tag == _REAL and size == 9:
            value = _double(sent, at + 1)[0]
        elif tag == _BOOL and size == 2 and sent[at + 1] < _SHORT:
            value = sent[at + 1] != 0
    except UnicodeDecodeError:
        raise BadRecordError("An attribute is not valid UTF-8.") from None
    except IndexError:
        pass
    return value


def _whole_number(sent: bytes) -> Any:
    """A varint; _UNUSUAL where it ends before the end or does not end."""
    number = 0
    for place, byte in enumerate(sent[:10]):
        number |= (byte & 0x7F) << 7 * place
        if byte < _SHORT:
            if place + 1 < len(sent):
                break
            number &= _ALL_BITS
            return number if number < 1 << 63 else number - (1 << 64)
    return _UNUSUAL


def plain_value(value: AnyValue, levels: int = MOST_LEVELS) -> Value:
    """The value as Python has it; bytes are None, they are nobody's words."""
    kind = value.WhichOneof("value")
    if kind in {"array_value", "kvlist_value"}:
        if not levels:
            raise BadRecordError("An attribute is nested too deeply.")
        if kind == "array_value":
            return [plain_value(element, levels - 1) for element in value.array_value.values]
        return {entry.key: plain_value(entry.value, levels - 1) for entry in value.kvlist_value.values}
    if kind is None or kind == "bytes_value":
        return None
    plain: Value = getattr(value, kind)
    return plain


def text_value(sent: bytes) -> str:
    """The text of an AnyValue, e.g. a log record's body; empty where it is something else."""
    if not sent:
        return ""
    try:
        return AnyValue.FromString(sent).string_value
    except DecodeError:
        return ""


def origin_identity(resource_attributes: Iterable[bytes], scope: bytes, scope_version: bytes) -> tuple[bytes, ...]:
    return b"".join(resource_attributes), scope, scope_version


def event_identity(time: int, other_time: int, name: str, attributes: Iterable[bytes]) -> bytes:
    return _times(time, other_time) + name.encode() + b"\x00" + b"".join(attributes)


def series_identity(metric: str, attributes: Iterable[bytes]) -> bytes:
    return metric.encode() + b"\x00" + b"".join(attributes)


def wire_attribute(name: str, value: Value) -> bytes:
    """A KeyValue, as exporters write it."""
    return KeyValue(key=name, value=_any_value(value)).SerializeToString()


def _any_value(value: Value) -> AnyValue:
    encoded = AnyValue()
    match value:
        case bool():
            encoded.bool_value = value
        case int():
            encoded.int_value = value
        case float():
            encoded.double_value = value
        case str():
            encoded.string_value = value
        case Mapping():
            entries = [KeyValue(key=name, value=_any_value(element)) for name, element in value.items()]
            encoded.kvlist_value.CopyFrom(KeyValueList(values=entries))
        case Sequence():
            encoded.array_value.CopyFrom(ArrayValue(values=[_any_value(element) for element in value]))
    return encoded
