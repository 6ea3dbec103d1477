"""Run the benchmarks: `python -m benchmarks --help`."""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.measure import ROOT

PARTS = ["core", "precision", "build", "scoring", "publishing"]


def main() -> None:
    """Measure the parts asked for, judge the goals, write and draw."""
    from benchmarks.goals import judge
    from benchmarks.report import HEADER, Report, print_goals

    options = _options()
    started = time.perf_counter()
    report = Report(options.out)
    machine = report.content["machine"]
    print(", ".join(f"{name} {value}" for name, value in machine.items()))
    print(", ".join(f"{k} {v}" for k, v in report.content["versions"].items()))
    if machine["busy"]:
        print("BUSY: something else is running, so these figures are provisional")
    print(f"\n{HEADER}")
    options.folder = tempfile.mkdtemp(prefix="segmentacao_bench_", dir=options.temp_dir)
    try:
        for part in options.only:
            importlib.import_module(f"benchmarks.{part}").run(options, report)
    finally:
        shutil.rmtree(options.folder)
        ratios, goals, unjudged = judge(report)
        seconds = round(time.perf_counter() - started)
        report.write(ratios=ratios, goals=goals, quick=options.quick, seconds=seconds)
    print_goals(ratios, goals, unjudged)
    _draw(report, options.out.parent)
    print(f"\n{seconds} s; figures in {os.path.relpath(options.out, ROOT)}")


def _draw(report, folder):
    from benchmarks.plots import draw

    try:
        draw(report.results, folder)
    except ImportError:
        print("no pictures: matplotlib is not installed (extra mlflow)")


def _options():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under two minutes")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, by comma")
    parser.add_argument("--out", type=Path, default="benchmarks/results/latest.json")
    parser.add_argument(
        "--slow",
        action="store_true",
        help="also the careful way with ten starts on 5 million customers: half an "
        "hour",
    )
    parser.add_argument("--max-customers", type=int, default=10**9)
    parser.add_argument("--max-lines", type=int, default=10**9)
    parser.add_argument(
        "--no-sample", dest="sample", action="store_false", help="no sample build"
    )
    parser.add_argument("--memory-limit", default=None, help="of DuckDB")
    parser.add_argument("--data-dir", type=Path, help="keep the sale lines here")
    parser.add_argument("--temp-dir", type=Path, help="where to work; 60 GB if full")
    options = parser.parse_args()
    options.only = options.only.split(",")
    unknown = set(options.only) - set(PARTS)
    if unknown:
        parser.error(f"--only: {', '.join(sorted(unknown))}, allowed: {PARTS}")
    from benchmarks.build import MEMORY_LIMIT

    options.memory_limit = options.memory_limit or MEMORY_LIMIT
    options.out = options.out.absolute()
    options.data_dir = options.data_dir and options.data_dir.absolute()
    # scoring takes the smallest build over from the build part
    options.keep = "scoring" in options.only
    return options


if __name__ == "__main__":
    main()
