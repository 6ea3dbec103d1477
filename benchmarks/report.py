"""The figures of one run: kept, printed as a table, written as JSON."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.measure import machine, versions


class Report:
    """Results in the order in which they were measured.

    Every result has `part`, `case`, `way`, `size` (customers or lines), `wall`
    and `cpu` seconds, `peak_mb`, `extrapolated`, and what its part adds.
    """

    def __init__(self, path: Path):
        self.path = path
        self.results: list[dict] = []
        self.content = {"machine": machine(), "versions": versions()}

    @classmethod
    def read(cls, path: Path) -> Report:
        """Return the report that an earlier run has written."""
        report = cls(path)
        report.content = json.loads(path.read_text())
        report.results = report.content.pop("results")
        return report

    def add(self, part: str, case: str, way: str, size: int, cost: dict) -> None:
        """Keep a result, print its line, write the file."""
        missing = {"wall": None, "cpu": None, "peak_mb": None, "extrapolated": False}
        names = {"part": part, "case": case, "way": way, "size": size}
        self.results.append(names | missing | cost)
        print(line(self.results[-1]), flush=True)
        self.write()

    def select(self, **wanted) -> list[dict]:
        """Return the results whose fields have these values."""
        return [
            result
            for result in self.results
            if all(result.get(name) == value for name, value in wanted.items())
        ]

    def one(self, **wanted) -> dict | None:
        """Return the only result with these values, None without one."""
        found = self.select(**wanted)
        return found[-1] if found else None

    def write(self, **more) -> None:
        """Write what is known so far."""
        self.content |= more
        sizes = {}
        for result in self.results:
            sizes.setdefault(result["part"], set()).add(result["size"])
        content = {
            **{name: self.content[name] for name in ("machine", "versions")},
            "sizes": {part: sorted(values) for part, values in sizes.items()},
            "results": self.results,
            "ratios": self.content.get("ratios", []),
            "goals": self.content.get("goals", []),
            **{
                name: value
                for name, value in self.content.items()
                if name not in ("machine", "versions", "ratios", "goals")
            },
        }
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(content, indent=1) + "\n")


HEADER = (
    f"{'part':9} {'case':22} {'way':31} {'size':>11} "
    f"{'wall s':>10} {'CPU s':>10} {'peak MB':>8}"
)


def line(result: dict) -> str:
    """Print one result as a line of the table."""
    note = ""
    if result["extrapolated"]:
        note = f"  extrapolated from {result['from_size']:,}"
    elif result.get("note"):
        note = f"  {result['note']}"
    return (
        f"{result['part']:9} {result['case']:22} {result['way']:31} "
        f"{result['size']:>11,} {_number(result['wall'], 2):>10} "
        f"{_number(result['cpu'], 2):>10} {_number(result['peak_mb'], 0):>8}{note}"
    )


def _number(value, digits):
    return "" if value is None else f"{value:,.{digits}f}"


def print_goals(ratios: list[dict], goals: list[dict], unjudged: list[str]) -> None:
    """Print the ratios and the verdicts."""
    print("\nratios")
    for ratio in ratios:
        print(f"  {ratio['name']:76} {ratio['value']:>10.3g}")
    print("\ngoals")
    for goal in goals:
        verdict = "holds " if goal["holds"] else "MISSED"
        print(
            f"  {verdict} {goal['name']}: {goal['goal']}; measured {goal['measured']}"
        )
    for name in unjudged:
        print(f"  not judged at these sizes: {name}")
