"""Ports for servers: free, different, and out of the way of outgoing connections."""

import socket
from pathlib import Path

import pytest

from streams.system import ports


def test_ports_are_different_and_can_be_bound() -> None:
    """Each port that is given can be bound at once."""
    found = ports.free_ports(12)
    assert len(set(found)) == 12
    for port in found:
        with socket.socket() as server:
            server.bind(("127.0.0.1", port))


def test_no_outgoing_connection_can_take_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All lie below the range from which the system serves outgoing connections."""
    known = tmp_path / "range"
    known.write_text("21000\t60999\n")
    monkeypatch.setattr(ports, "EPHEMERAL", known)
    assert all(ports.FIRST <= port < 21_000 for port in ports.free_ports(50))


def test_a_port_in_use_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a range with one taken port, the others are given."""
    first = ports.free_ports(1)[0]
    monkeypatch.setattr(ports, "FIRST", first)
    monkeypatch.setattr(ports, "_first_outgoing", lambda: first + 20)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        assert first not in {port for _ in range(40) for port in ports.free_ports(2)}


@pytest.mark.parametrize("text", ["1024 65535\n", "nothing"])
def test_a_range_that_leaves_no_room_or_says_nothing_still_gives_ports(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where outgoing connections use every port, the system's own choice is taken; an unknown range is Linux's."""
    known = tmp_path / "range"
    known.write_text(text)
    monkeypatch.setattr(ports, "EPHEMERAL", known)
    assert len(set(ports.free_ports(3))) == 3
