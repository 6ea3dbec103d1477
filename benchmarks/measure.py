"""Run a function in a process of its own and say what it cost.

A process measures its peak memory over its whole life, so every figure needs a
fresh one. The process that starts it must stay small: Linux counts the memory
of the parent at the moment of the start into the peak of the child. Hence this
module, and all that runs in the parent, imports the standard library only.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = [
    "dbt-core",
    "dbt-duckdb",
    "duckdb",
    "numba",
    "numpy",
    "pandas",
    "pyarrow",
    "scikit-learn",
    "threadpoolctl",
]
#: Load of a machine that does nothing else; above it figures are provisional.
QUIET_LOAD = 0.5
#: Bytes in the unit of `ru_maxrss`.
RSS_UNIT = 1 if sys.platform == "darwin" else 1024


class Watch:
    """Measure what happens inside a `with` block.

    Attributes
    ----------
    wall, cpu : float
        Seconds on the clock, and of the processor (user and system) in this
        process and in those it waited for.
    before_mb, peak_mb : float
        Peak resident memory in MB (10**6 bytes) of the process, or of the
        largest process it waited for, up to the start and up to the end.
    """

    def __enter__(self):  # noqa: D105
        self.before_mb = _peak_mb()
        self._cpu, self._wall = cpu_seconds(), time.perf_counter()
        return self

    def __exit__(self, *error):  # noqa: D105
        self.wall = time.perf_counter() - self._wall
        self.cpu = cpu_seconds() - self._cpu
        self.peak_mb = _peak_mb()


def cpu_seconds() -> float:
    """Return user and system seconds of this process and its children."""
    usage = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(u.ru_utime + u.ru_stime for u in usage)


def _peak_mb():
    usage = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return max(u.ru_maxrss for u in usage) * RSS_UNIT / 1e6


def measured(function: str, **arguments) -> dict:
    """Call a function in a fresh process.

    Parameters
    ----------
    function : str
        ``module:name`` of a function that takes a `Watch` first, runs what is
        to be measured inside it, and returns a dict that JSON can hold.
    **arguments
        Its other arguments.

    Returns
    -------
    dict
        `wall` and `cpu` seconds, `peak_mb`, `before_mb`, and what the function
        returned.

    Raises
    ------
    RuntimeError
        The process failed; the message ends with its last words.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        task = json.dumps({"function": function, "arguments": arguments})
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.measure", str(answer)],
            input=task,
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            words = (done.stdout + done.stderr)[-3000:]
            raise RuntimeError(f"{function} failed:\n{words}")
        return json.loads(answer.read_text())


def _serve(answer: str) -> None:
    task = json.load(sys.stdin)
    module, name = task["function"].split(":")
    function = getattr(importlib.import_module(module), name)
    watch = Watch()
    values = function(watch, **task["arguments"]) or {}
    cost = {
        "wall": round(watch.wall, 4),
        "cpu": round(watch.cpu, 4),
        "peak_mb": round(watch.peak_mb, 1),
        "before_mb": round(watch.before_mb, 1),
    }
    Path(answer).write_text(json.dumps(cost | values))


def machine() -> dict:
    """Describe the processor, the memory and the system."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(
            os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1
        ),
        "system": f"{platform.system()} {platform.machine()}",
        "load_at_start": round(os.getloadavg()[0], 2),
        "busy": os.getloadavg()[0] > QUIET_LOAD,
    }


def _processor():
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def versions() -> dict:
    """Versions of Python and of the packages that do the work."""
    found = {"python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in PACKAGES}


if __name__ == "__main__":
    _serve(sys.argv[1])
