"""Every command of docs/capture.md does what it says, in the order of the page."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from producers.capture.capturefile import open_capture
from streams.kafka.connection import Connection
from tests.captures import Row
from tests.integration.test_capture import made, send

pytestmark = [pytest.mark.integration, pytest.mark.slow]

PAGE = Path(__file__).parents[2] / "docs" / "capture.md"
COMMANDS = [line.strip() for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("    joinstorm ")]
(PYTHON,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
START = 1_749_981_600_000
"""2025-06-15T10:00:00Z"""


def orders(partition: int) -> list[Row]:
    """Return ten minutes of orders, with headers and tombstones."""
    return [
        Row(number, START + number * 10_000, b"customer %d" % (number % 7),
            None if number % 20 == 5 else b'{"placed_at":"2025-06-15T10:%02d:%02dZ","order":%d}'
            % (number // 6, number % 6 * 10, number), (("shop", b"%d" % partition),))
        for number in range(60)
    ]  # fmt: skip


def cut(folder: Path) -> None:
    """Leave the capture that the page has made as one that was cut in its second batch."""
    whole, part = folder / "orders.capture", folder / "orders.capture.part"
    entries = open_capture(whole).entries
    part.write_bytes(whole.read_bytes()[: entries[-1].at + 20])
    whole.unlink()


def test_the_page(kafka_broker: Connection, unique_run: str, tmp_path: Path) -> None:
    """Each command ends with success, and each replay into a topic of its own leaves what the page promises."""
    for name in ("orders", "payments"):
        topic = made(kafka_broker, f"{unique_run}.{name}")
        send(kafka_broker, topic, [(number, orders(number)) for number in range(2)])
    environment = {**os.environ, "JOINSTORM_BOOTSTRAP_SERVERS": kafka_broker.bootstrap_servers}
    assert len(COMMANDS) == len(set(COMMANDS)) + 1  # the first --verify is there twice
    for command in COMMANDS:
        if "--resume" in command:
            cut(tmp_path)
        words = [
            re.sub(r"(?<![\w.])(orders|payments)(?!\.(?:capture|position)|\w)", rf"{unique_run}.\1", word)
            for word in command.replace("+10m --out", "+1s --out").split()[1:]
        ]
        done = subprocess.run(
            [sys.executable, "-m", "joinstorm.cli", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    found = subprocess.run([sys.executable, "-c", PYTHON], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.count("60") >= 2
    records = {path.name: open_capture(path).records for path in tmp_path.glob("*.capture")}
    assert records == {
        "orders.capture": 120,
        "last-hour.capture": 0,
        "morning.capture": 120,
        "next-ten-minutes.capture": 0,
        "some.capture": 40,
        "hundred.capture": 100,
        "both.capture": 240,
    }
