"""The machine a measurement was made on."""

import os
import platform
from pathlib import Path


def machine() -> dict[str, str]:
    """Return the processor, the cores this process may use, memory and system; whatever is unknown is left out."""
    found = {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": str(_cores()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.release()}",
    }
    return {name: value for name, value in found.items() if value}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _memory() -> str:
    kilobytes = _first("/proc/meminfo", "MemTotal").removesuffix("kB").strip()
    return f"{int(kilobytes) / (1 << 20):.0f} GiB" if kilobytes.isdigit() else ""


def _first(path: str, name: str) -> str:
    """Return the value of the first line ``name: value`` of a file; empty where there is none."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    values = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(values, "")
