"""Reading a settings file: YAML whose plain words stay as they are written.

YAML 1.1 reads ``21:30`` as 1290, ``0123`` as 83, ``on`` as true and a date as a date. Here every value is the text in
the file until the schema (``producers.importing.importspec``) wants a number or a truth value.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
import yaml

from producers import safeyaml
from producers.importing.importspec import ImportSpec
from streams.errors import EventFileError

_NOTHING: Final = {"", "~", "null", "Null", "NULL"}
_TRUTHS: Final = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
_TRUTH_FIELDS: Final = {"quiet"}


def load(path: Path) -> ImportSpec:
    """Read a settings file.

    Raises:
        EventFileError: It cannot be read, has a key twice, or a value that is not known or not allowed; the text names
            the line or the field.
    """
    try:
        node = safeyaml.compose(path, safeyaml.read_text(path))
    except safeyaml.YamlError as error:
        raise EventFileError(str(error)) from None
    try:
        return msgspec.convert(_value(path, node) or {}, ImportSpec, strict=False)
    except msgspec.ValidationError as error:
        raise EventFileError(f"{path}: {error}") from None


def _value(path: Path, node: yaml.Node | None, field: str = "") -> Any:
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Any] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise EventFileError(f"{path}, line {line}: expected a plain name before the colon")
            if key.value in found:
                raise EventFileError(f"{path}, line {line}: {key.value!r} stands twice")
            found[key.value] = _value(path, value, key.value)
        return found
    if isinstance(node, yaml.SequenceNode):
        return [_value(path, one, field) for one in node.value]
    if not isinstance(node, yaml.ScalarNode):
        return None
    if node.style is None and node.value in _NOTHING:
        return None
    return _TRUTHS.get(node.value.lower(), node.value) if field in _TRUTH_FIELDS else node.value
