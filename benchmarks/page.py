"""Renew the figures of docs/performance.md: `python -m benchmarks.page`.

The tables between the two marks come from the JSON of one run; the words around
them are written by hand.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.__main__ import PARTS
from benchmarks.core import KINDS
from benchmarks.measure import ROOT
from benchmarks.report import Report

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results" / "latest.json"
START, END = "<!-- figures: python -m benchmarks.page -->", "<!-- end of figures -->"
OTHERS = ("careful, n_init=auto", "careful, n_init=10", "notebook")


def figures(report: Report) -> str:
    """Write the tables of a full run as Markdown, without the marks."""
    parts = (_machine, _goals, _core, _precision, _build, _others, _nodes)
    return "\n\n".join(part(report) for part in parts)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(report):
    machine, versions = report.content["machine"], report.content["versions"]
    minutes = report.content["seconds"] / 60
    return (
        f"One run of {minutes:.0f} minutes on {machine['cores']} cores of an "
        f"{machine['processor']} with {machine['memory_gb']:.0f} GB, Python "
        f"{versions['python']}, DuckDB {versions['duckdb']}, scikit-learn "
        f"{versions['scikit-learn']}, numba {versions['numba']}"
        + (", busy with something else too." if machine["busy"] else ".")
    )


def _goals(report):
    rows = [
        [
            goal["name"],
            goal["goal"],
            goal["measured"],
            "reached" if goal["holds"] else "**missed**",
        ]
        for goal in report.content["goals"]
    ]
    return "## The goals\n\n" + _table(["goal", "asked", "measured", ""], rows)


def _core(report):
    rows = []
    for mine in report.select(part="core", way="ours"):
        case, size = mine["case"], mine["size"]
        where = {"part": "core", "case": case, "size": size}
        others = [report.one(way=way, **where) for way in OTHERS]
        floor = report.one(way="floor", **where)
        rows.append(
            [f"{size:,}, {KINDS[case]}", _cost(mine)]
            + [_cost(run) for run in others]
            + [f"{floor['wall']:.2f} s"]
        )
    header = [
        "customers, features",
        "ours",
        "careful (`sample_size=10000`), one start",
        "careful, ten starts",
        "notebook (all rows, ten starts)",
        "floor",
    ]
    return (
        "## The core\n\nk = 2 to 10 with final labels; seconds and peak memory of the "
        "whole process. The floor is the\nlarger of the flops of the distances over "
        "the rate of a matrix product and of the bytes over\nthe bandwidth.\n\n"
        + _table(header, rows)
    )


def _cost(run) -> str:
    if run is None:
        return ""
    if run["extrapolated"]:
        hours = run["wall"] / 3600
        return f"{hours:,.1f} h, extrapolated"
    return f"{run['wall']:.2f} s, {run['peak_mb']:,.0f} MB"


def _precision(report):
    runs = report.select(part="precision")
    rows = [
        [
            f"{run['case']}: {run['way']}",
            f"{run['rms_error']:.5f}",
            f"{run['coverage']:.1%}" if "coverage" in run else "",
            f"{run['same_k_by_rule']:.0%}",
            f"{run['cpu']:.2f}",
        ]
        for run in runs
    ]
    header = ["estimate", "rms error", "within two standard errors", "same k", "CPU-s"]
    return (
        f"Estimated silhouettes of {runs[0]['size']:,} customers against the exact "
        f"ones, over {runs[0]['data_sets']} data sets and\n{runs[0]['draws']} "
        "draws:\n\n" + _table(header, rows)
    )


def _build(report):
    rows = []
    for run in report.select(part="build", way="dbt build"):
        where = {"part": "build", "case": run["case"], "size": run["size"]}
        by_hand = report.one(way="by hand", **where)
        rows.append(
            [
                f"{run['size']:,}, {run['case'].split()[0]}",
                _spent(run),
                _spent(by_hand),
                f"{run['cpu'] / by_hand['cpu']:.2f}",
                f"{report.one(way='dbt = by hand?', **where)['features_differ']}",
                _spent(report.one(way="pandas", **where)),
            ]
        )
    header = [
        "lines, customers",
        "`dbt build`",
        "by hand",
        "CPU ratio",
        "customers that differ",
        "pandas",
    ]
    return (
        "## The whole build\n\nFrom Parquet to the marts of the main job, against one "
        "hand-written script of DuckDB and\nthe core.\n\n" + _table(header, rows)
    )


def _spent(run) -> str:
    if run is None:
        return ""
    return f"{run['cpu']:.0f} CPU-s, {run['peak_mb'] / 1000:.2f} GB"


def _others(report):
    lines = []
    for run in report.select(part="build", way="dbt build, second"):
        lines.append(
            f"- The embedded sample with everything on (tracking, Insiders, history, "
            f"publishing), warm: {run['wall']:.1f} s, {run['cpu']:.1f} CPU-s, "
            f"{run['nodes']['all']} nodes."
        )
    for run in report.select(part="scoring", way="compiled SQL"):
        lines.append(
            f"- Scoring {run['customers']:,} customers in SQL, both steps: "
            f"{run['wall']:.1f} s, {run['customers_per_second']:,.0f} a second."
        )
    for run in report.select(part="publishing", way="ours"):
        theirs = report.one(
            part="publishing", way="sqlalchemy plugin", size=run["size"]
        )
        lines.append(
            f"- {run['size']:,} customers to PostgreSQL: {run['wall']:.2f} s, "
            f"dbt-duckdb's `sqlalchemy` plugin {theirs['wall']:.1f} s."
        )
    return "\n".join(lines)


def _nodes(report):
    built = report.select(part="build", way="dbt build")
    large = max(built, key=lambda run: run["size"])
    rows = [
        [f"`{name.split()[-1]}`", f"{seconds:.1f}"]
        for name, seconds in list(large["seconds_by_node"].items())[:8]
    ]
    return (
        f"## Where the time goes\n\nSlowest nodes of the build of {large['size']:,} "
        "lines:\n\n" + _table(["node", "seconds"], rows)
    )


def renew(page: str, report: Report) -> str:
    """Return the page with the figures of a run between its two marks."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{figures(report)}\n{END}{after}"


def main() -> None:
    """Renew the page from a file of results, the last run's by default."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    if not path.exists():
        sys.exit(f"{path}: not there; make bench writes it")
    report = Report.read(path)
    missing = [part for part in PARTS if not report.select(part=part)]
    if report.content["quick"] or missing:
        sys.exit(f"{path}: not of a full run, without {missing or 'its large sizes'}")
    PAGE.write_text(renew(PAGE.read_text(), report))
    print(PAGE)


if __name__ == "__main__":
    main()
