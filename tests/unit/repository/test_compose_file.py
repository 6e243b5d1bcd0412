"""docker-compose.yml and .env: one table of settings, pinned images, limits, health, no needless rights."""

import importlib.util
import re
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from joinstorm.embedded.kafkahome import KAFKA_VERSION

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(TEXT)["services"]
FOREIGN = {"${KAFKA_IMAGE}", "${PROMETHEUS_IMAGE}", "${ALERTMANAGER_IMAGE}", "${GRAFANA_IMAGE}"}
OURS = [name for name, service in SERVICES.items() if service["image"] not in FOREIGN]
ONE_SHOT = {"record", "verify", "history"}
WRITERS = {"record": "tape:/tape", "receiver": "pages:/pages"}
"""Who writes into a volume of its own."""


@pytest.fixture
def check_ports() -> ModuleType:
    """Return the script that looks for taken ports."""
    spec = importlib.util.spec_from_file_location("check_ports", ROOT / "docker" / "check_ports.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def env() -> dict[str, str]:
    """Return the settings of .env."""
    lines = (ROOT / ".env").read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_setting_is_in_the_table_and_used() -> None:
    """What docker-compose.yml asks for stands in .env, and nothing else does."""
    assert set(re.findall(r"\$\{(\w+)\}", TEXT)) == set(env())


def test_images_are_pinned_and_kafka_is_the_embedded_one() -> None:
    """No image floats, and the broker in the container is the one that `joinstorm run` starts."""
    images = {name: value for name, value in env().items() if name.endswith("_IMAGE")}
    for name, image in images.items():
        assert re.search(r":[a-z]*\d|:local$", image), f"{name}={image}"
    assert images["KAFKA_IMAGE"] == f"apache/kafka:{KAFKA_VERSION}"
    assert all(re.fullmatch(r"\$\{\w+_IMAGE\}", service["image"]) for service in SERVICES.values())


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_every_service_has_a_limit_and_a_check_of_its_health(name: str) -> None:
    """Memory is limited; what stays up says whether it is well; what starts after it waits for that."""
    service = SERVICES[name]
    assert "mem_limit" in service
    assert ("healthcheck" in service) == (name not in ONE_SHOT)
    for needed, how in service.get("depends_on", {}).items():
        expected = "service_completed_successfully" if needed in ONE_SHOT else "service_healthy"
        assert how == {"condition": expected}, f"{name} after {needed}"


@pytest.mark.parametrize("name", sorted(OURS))
def test_our_containers_have_no_needless_rights(name: str) -> None:
    """They cannot write but to /tmp, a volume that is theirs and Flink's checkpoints, and gain no privileges."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    writable = [volume for volume in service.get("volumes", []) if not volume.endswith(":ro")]
    flink = service["image"] == "${FLINK_IMAGE}"
    assert writable == ([WRITERS[name]] if name in WRITERS else ["flink:/flink"] if flink else [])


def test_every_profile_brings_up_something_of_its_own() -> None:
    """Each further engine has a profile by its name, and one profile has them all."""
    profiles = {name: set(service["profiles"]) for name, service in SERVICES.items() if "profiles" in service}
    for name, mine in profiles.items():
        if name.startswith("worker-"):
            engine = name.removeprefix("worker-")
            assert mine == {engine, "engines"}
            command = SERVICES[name]["command"]
            named = "--engine" if "external" not in command else "--name"
            assert command[command.index(named) + 1] == engine


def test_our_image_runs_as_somebody() -> None:
    """The image's user is not root."""
    users = re.findall(r"^USER (\w+)$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert users == ["joinstorm"]


def test_ports_are_for_this_machine_alone() -> None:
    """Every published port is bound to BIND, which is the loopback."""
    assert env()["BIND"] == "127.0.0.1"
    for service in SERVICES.values():
        for port in service.get("ports", []):
            assert port.startswith("${BIND}:${"), port


def test_mounted_files_are_there() -> None:
    """What the containers mount from this repository exists."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source


def test_a_taken_port_is_named_with_its_setting(
    check_ports: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The check says which port is taken and which setting changes it; free ports pass."""
    for name in env():
        if name.endswith("_PORT"):
            monkeypatch.setenv(name, "0")
    assert check_ports.main() == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        monkeypatch.setenv("GRAFANA_PORT", str(port))
        assert check_ports.main() == 1
    said = capsys.readouterr().err
    assert f"port {port} is taken" in said
    assert f"GRAFANA_PORT={port + 1} docker compose up" in said
