"""Renew the figures of docs/performance.md: `python -m benchmarks.page`.

The tables between the two marks come from the JSON of one run; the words around
them are written by hand.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.core import KINDS
from benchmarks.measure import ROOT

PAGE = ROOT / "docs" / "performance.md"
RESULTS = ROOT / "benchmarks" / "results" / "latest.json"
START, END = "<!-- figures: python -m benchmarks.page -->", "<!-- end of figures -->"
CAREFUL, TEN_STARTS = "careful, n_init=auto", "careful, n_init=10"


class Figures:
    """The results of one run, found by part, case, way and size."""

    def __init__(self, content: dict):
        self.content = content
        self.runs = {
            (run["part"], run["case"], run["way"], run["size"]): run
            for run in content["results"]
        }

    def get(self, part, case, way, size) -> dict | None:
        """Return one result, None when the run did not measure it."""
        return self.runs.get((part, case, way, size))

    def select(self, part: str, way: str) -> list[dict]:
        """Return the results of one way in the order of the run."""
        return [
            run
            for run in self.runs.values()
            if (run["part"], run["way"]) == (part, way)
        ]


def figures(content: dict) -> str:
    """Write the tables of one run as Markdown.

    Parameters
    ----------
    content : dict
        What `benchmarks.report.Report` has written.

    Returns
    -------
    str
        Markdown without the marks.
    """
    found = Figures(content)
    parts = (_machine, _goals, _core, _precision, _build, _others, _nodes)
    return "\n\n".join(part(found) for part in parts)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _machine(found):
    machine, versions = found.content["machine"], found.content["versions"]
    return (
        f"One run of {found.content['seconds'] / 60:.0f} minutes on {machine['cores']} "
        f"cores of an {machine['processor']} with {machine['memory_gb']:.0f} GB, "
        f"Python {versions['python']}, DuckDB {versions['duckdb']}, scikit-learn "
        f"{versions['scikit-learn']}, numba {versions['numba']}"
        + (", busy with something else too." if machine["busy"] else ".")
    )


def _goals(found):
    rows = [
        [
            goal["name"],
            goal["goal"],
            goal["measured"],
            "reached" if goal["holds"] else "**missed**",
        ]
        for goal in found.content["goals"]
    ]
    return "## The goals\n\n" + _table(["goal", "asked", "measured", ""], rows)


def _core(found):
    rows = []
    for mine in found.select("core", "ours"):
        case, size = mine["case"], mine["size"]
        others = [
            found.get("core", case, way, size)
            for way in (CAREFUL, TEN_STARTS, "notebook")
        ]
        floor = found.get("core", case, "floor", size)
        rows.append(
            [f"{size:,}, {KINDS[case]}", _cost(mine)]
            + [_cost(run) for run in others]
            + [f"{floor['wall']:.2f} s" if floor else ""]
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
        + "\n\nThe compiled kernel took, at its first use and not again, "
        + " and ".join(
            f"{run['wall']:.1f} s for {KINDS[run['case']]} columns"
            for run in found.select("core", "kernel, first use")
        )
        + "."
    )


def _cost(run) -> str:
    if run is None:
        return ""
    if run["extrapolated"]:
        hours = run["wall"] / 3600
        return f"{hours:,.1f} h, extrapolated"
    return f"{run['wall']:.2f} s, {run['peak_mb']:,.0f} MB"


def _precision(found):
    runs = [run for key, run in found.runs.items() if key[0] == "precision"]
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
    size = runs[0]["size"] if runs else 0
    header = ["estimate", "rms error", "within two standard errors", "same k", "CPU-s"]
    return (
        f"Estimated silhouettes of {size:,} customers against the exact ones, over "
        f"{runs[0]['data_sets'] if runs else 0} data sets and\n"
        f"{runs[0]['draws'] if runs else 0} draws:\n\n" + _table(header, rows)
    )


def _build(found):
    rows = []
    for run in found.select("build", "dbt build"):
        where = (run["case"], run["size"])
        by_hand = found.get("build", where[0], "by hand", where[1])
        same = found.get("build", where[0], "dbt = by hand?", where[1])
        rows.append(
            [
                f"{run['size']:,}, {run['case'].split()[0]}",
                _spent(run),
                _spent(by_hand),
                f"{run['cpu'] / by_hand['cpu']:.2f}",
                f"{same['features_differ']}",
                _spent(found.get("build", where[0], "pandas", where[1])),
                _spent(found.get("build", where[0], "dbt build, all models", where[1])),
            ]
        )
    header = [
        "lines, customers",
        "`dbt build`, main job",
        "by hand",
        "CPU ratio",
        "customers that differ",
        "pandas",
        "`dbt build`, all models",
    ]
    return (
        "## The whole build\n\nFrom Parquet to the marts of the main job, against one "
        "hand-written script of DuckDB and\nthe core.\n\n" + _table(header, rows)
    )


def _spent(run) -> str:
    if run is None:
        return ""
    return f"{run['cpu']:.0f} CPU-s, {run['peak_mb'] / 1000:.2f} GB"


def _others(found):
    lines = []
    sample = found.select("build", "dbt build, second")
    for run in sample:
        lines.append(
            f"- The embedded sample with everything on (tracking, Insiders, history, "
            f"publishing), warm: {run['wall']:.1f} s, {run['cpu']:.1f} CPU-s, "
            f"{run['nodes']['all']} nodes."
        )
    for run in found.select("scoring", "compiled SQL"):
        lines.append(
            f"- Scoring {run['customers']:,} customers in SQL, both steps: "
            f"{run['wall']:.1f} s, {run['customers_per_second']:,.0f} a second."
        )
    for run in found.select("publishing", "ours"):
        theirs = found.get("publishing", run["case"], "sqlalchemy plugin", run["size"])
        lines.append(
            f"- {run['size']:,} customers to PostgreSQL: {run['wall']:.2f} s, "
            f"dbt-duckdb's `sqlalchemy` plugin {theirs['wall']:.1f} s."
        )
    return "\n".join(lines)


def _nodes(found):
    built = found.select("build", "dbt build")
    large = max(built, key=lambda run: run["size"])
    rows = [
        [f"`{name.split()[-1]}`", f"{seconds:.1f}"]
        for name, seconds in list(large["seconds_by_node"].items())[:8]
    ]
    return (
        f"## Where the time goes\n\nSlowest nodes of the build of {large['size']:,} "
        "lines:\n\n" + _table(["node", "seconds"], rows)
    )


def renew(page: str, content: dict) -> str:
    """Return the page with the figures of a run between its two marks."""
    before, rest = page.split(START)
    _, after = rest.split(END)
    return f"{before}{START}\n{figures(content)}\n{END}{after}"


def main() -> None:
    """Renew the page from a file of results, the last run's by default."""
    results = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS
    PAGE.write_text(renew(PAGE.read_text(), json.loads(results.read_text())))
    print(PAGE)


if __name__ == "__main__":
    main()
