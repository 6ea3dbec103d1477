"""The goals, and which of them the figures of a run reach."""

from __future__ import annotations

#: Growth of cost over growth of size that still counts as linear.
LINEAR = 1.2
LARGE = [1_000_000, 5_000_000]
NAMES = {
    "careful": "core against the careful way, 1 M and 5 M customers",
    "notebook": "core against the notebook way, 50 k customers, exact",
    "exact": "exact silhouette, 500 k customers, three features, all k",
    "build": "dbt build, 100 M lines, 1 M customers",
    "growth": "cost growth, linear within 20 %, 1 M to 100 M lines",
    "sample": "dbt build of the embedded sample, tracking on",
    "publishing": "publishing 1 M customers to PostgreSQL",
}


def judge(report) -> tuple[list[dict], list[dict], list[str]]:
    """Compute the ratios and judge the goals that the sizes allow.

    Parameters
    ----------
    report : benchmarks.report.Report

    Returns
    -------
    ratios : list of dict
        `name` and `value`.
    goals : list of dict
        `name`, `goal`, `measured` and `holds`.
    unjudged : list of str
        Names of the goals that no size of this run can judge.
    """
    found, ratios = [], []
    for key, of_goal in (
        ("careful", _careful),
        ("notebook", _notebook),
        ("exact", _exact),
        ("build", _build),
        ("growth", _growth),
        ("sample", _sample),
        ("publishing", _publishing),
    ):
        for name, goal, value, holds in of_goal(report, ratios):
            found.append((key, f"{NAMES[key]}: {name}", goal, value, holds))
    judged = {key for key, *_ in found}
    goals = [
        dict(zip(("name", "goal", "measured", "holds"), rest, strict=True))
        for _, *rest in found
    ]
    return ratios, goals, [name for key, name in NAMES.items() if key not in judged]


def _ratio(ratios, name, over, under) -> float:
    value = over / under
    ratios.append({"name": name, "value": value})
    return value


def _careful(report, ratios):
    for theirs in report.results:
        if not theirs["way"].startswith("careful"):
            continue
        where = {"part": "core", "case": theirs["case"], "size": theirs["size"]}
        mine = report.one(way="ours", **where)
        name = f"{theirs['case']}, {theirs['size']:,}, {theirs['way']}"
        time = _ratio(ratios, f"{name}: wall over ours", theirs["wall"], mine["wall"])
        whole = _ratio(
            ratios,
            f"{name}: our memory, whole process",
            mine["peak_mb"],
            theirs["peak_mb"],
        )
        # The customers and the libraries are the same for both.
        memory = _ratio(
            ratios, f"{name}: our memory beyond the data", *map(_added, (mine, theirs))
        )
        _ratio(
            ratios,
            f"{name}: our inertia over theirs, worst k",
            max(a / b for a, b in zip(mine["inertia"], theirs["inertia"], strict=True)),
            1,
        )
        error = max(mine["error"])
        yield (
            name,
            ">= 5 times faster, <= 1/3 of the memory, standard error <= 0.001",
            f"{time:.1f} times, {memory:.2f} of the memory beyond the data "
            f"({whole:.2f} of the whole process), error {error:.5f}",
            time >= 5 and memory <= 1 / 3 and error <= 0.001,
        )


def _added(run) -> float:
    """Peak memory beyond libraries and data in place before the start, in MB."""
    return run["peak_mb"] - run["before_mb"]


def _notebook(report, ratios):
    for theirs in report.select(part="core", way="notebook", extrapolated=False):
        where = {"part": "core", "case": theirs["case"], "size": theirs["size"]}
        mine = report.one(way="ours", **where)
        same = report.one(way="ours on the notebook's labels", **where)
        name = f"{theirs['case']}, {theirs['size']:,}"
        time = _ratio(
            ratios,
            f"{name}: notebook's wall over ours",
            theirs["wall"],
            mine["wall"],
        )
        differ, k = same["largest_difference"], (mine["best_k"], theirs["best_k"])
        if theirs["size"] == 50_000:
            yield (
                name,
                ">= 40 times faster, same k, values within 1e-6",
                f"{time:.1f} times, k {k[0]} and {k[1]}, within {differ:.1e}",
                time >= 40 and k[0] == k[1] and differ <= 1e-6,
            )


def _exact(report, ratios):
    mine = report.one(part="core", way="ours, exact silhouette", size=500_000)
    theirs = report.one(part="core", way="scikit-learn, exact silhouette", size=500_000)
    if mine and theirs:
        time = _ratio(ratios, "exact silhouette, 500,000", theirs["wall"], mine["wall"])
        how = "extrapolated" if mine["extrapolated"] else "measured"
        yield (
            "wall",
            ">= 500 times scikit-learn (extrapolated)",
            f"{time:.0f} times, ours {mine['wall']:.0f} s {how}, {mine['engine']}",
            time >= 500,
        )


def _build(report, ratios):
    for built in report.select(part="build", way="dbt build"):
        where = {"part": "build", "case": built["case"], "size": built["size"]}
        name = f"{built['size']:,} lines, {built['case']}"
        pandas = report.one(way="pandas", **where)
        if pandas:
            _ratio(ratios, f"{name}: pandas' CPU", pandas["cpu"], built["cpu"])
        by_hand = report.one(way="by hand", **where)
        cpu = _ratio(
            ratios, f"{name}: dbt's CPU over by hand", built["cpu"], by_hand["cpu"]
        )
        if built["size"] == 100_000_000 and built["case"].startswith("1,000,000 "):
            peak = built["peak_mb"] / 1000
            yield (
                "CPU and memory",
                "<= 1.3 times the CPU of the script by hand, <= 4 GB",
                f"{cpu:.2f} times, {peak:.2f} GB",
                cpu <= 1.3 and peak <= 4,
            )


def _growth(report, ratios):
    """Growth of cost per growth of size, from each size to the next."""
    built = [
        run
        for run in report.select(part="build", way="dbt build")
        if run["size"] / _customers(run) == 100
    ]
    sizes = [run["size"] for run in built]
    grown = _steps(ratios, "dbt build", built)
    if 100_000_000 in sizes and len(sizes) > 1:
        yield _linear("lines", grown)
    for kind in ("rfv", "shares"):
        runs = [
            run
            for run in report.select(part="core", case=kind, way="ours")
            if run["size"] >= 500_000
        ]
        grown = _steps(ratios, f"core, {kind}", runs)
        if LARGE[-1] in [run["size"] for run in runs] and len(runs) > 1:
            yield _linear(f"customers, {kind}", grown)


def _customers(run) -> int:
    return int(run["case"].split()[0].replace(",", ""))


def _steps(ratios, name, runs) -> list[tuple[float, float]]:
    grown = []
    for small, large in zip(runs, runs[1:], strict=False):
        size = large["size"] / small["size"]
        step = f"{name}, {small['size']:,} to {large['size']:,}"
        grown.append(
            tuple(
                _ratio(
                    ratios,
                    f"{step}: growth of {what} over growth of size",
                    large[what] / small[what],
                    size,
                )
                for what in ("cpu", "peak_mb")
            )
        )
    return grown


def _linear(name, grown):
    time, memory = (max(values) for values in zip(*grown, strict=True))
    return (
        name,
        f"CPU and memory grow at most {LINEAR} times as fast as the size",
        f"CPU {time:.2f}, memory {memory:.2f}, worst step",
        time <= LINEAR and memory <= LINEAR,
    )


def _sample(report, ratios):
    built = report.one(part="build", way="dbt build, second")
    if built:
        seconds = built["wall"]
        yield "wall", "<= 20 s", f"{seconds:.1f} s", seconds <= 20


def _publishing(report, ratios):
    for mine in report.select(part="publishing", way="ours"):
        where = {"part": "publishing", "size": mine["size"]}
        theirs = report.one(way="sqlalchemy plugin", **where)
        time = _ratio(
            ratios,
            f"publishing {mine['size']:,}: sqlalchemy plugin's wall over ours",
            theirs["wall"],
            mine["wall"],
        )
        if mine["size"] == 1_000_000:
            yield "wall", ">= 10 times faster", f"{time:.1f} times", time >= 10
