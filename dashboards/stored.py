"""The generated boards in the package, readable without the SDK that builds them."""

import json
from pathlib import Path
from typing import Any, Final

from streams.errors import EnvironmentMissingError

HERE: Final = Path(__file__).parent
GENERATED: Final = "generated"
RULES: Final = "rules/joinstorm.yaml"
RULE_TESTS: Final = "rules/joinstorm_test.yaml"


def boards(folder: Path = HERE) -> dict[str, dict[str, Any]]:
    """Return every generated board by its uid.

    Raises:
        EnvironmentMissingError: There are none; the text says how to generate them.
    """
    paths = sorted((folder / GENERATED).glob("*.json"))
    if not paths:
        raise EnvironmentMissingError(
            f"no boards in {folder / GENERATED}; generate them with: joinstorm dashboards build"
        )
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}
