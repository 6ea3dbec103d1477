"""The clustering core against the notebook way, the careful way and the floor."""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.floor import least_seconds
from benchmarks.measure import measured

KINDS = {"rfv": 3, "shares": 20}
SIZES = [5_000, 50_000, 500_000, 1_000_000, 5_000_000]
QUICK_SIZES = [5_000, 50_000]
#: The notebook way is measured up to here and extrapolated above.
NOTEBOOK_MAX, QUICK_NOTEBOOK_MAX = 50_000, 5_000
#: Exact up to here, so that the comparison with the notebook way is like with
#: like; above, the estimate with its standard error.
EXACT_MAX = 50_000
#: The careful way: from this size, with scikit-learn's default of one start ...
CAREFUL_MIN = 1_000_000
#: ... and with ten, as ours and the notebook have. 5 million customers take
#: half an hour and are asked for by --slow.
TEN_STARTS = [("rfv", 1_000_000), ("shares", 1_000_000)]
SAMPLE_SIZE = 10_000
#: The exact silhouette of this many is measured, unless it would take longer.
EXACT_SIZE, EXACT_SECONDS = 500_000, 600
STABILITY_SIZES = [50_000, 1_000_000]


def run(options, report) -> None:
    """Measure every contestant at every size.

    Parameters
    ----------
    options : argparse.Namespace
        `quick`, `slow`, `max_customers`, `folder`.
    report : benchmarks.report.Report
    """
    rate = measured("benchmarks.floor:rates")
    report.add("core", "machine", "rates", 0, rate)
    sizes = QUICK_SIZES if options.quick else SIZES
    for kind, columns in KINDS.items():
        _first_use(options, report, kind, columns)
        for n in (n for n in sizes if n <= options.max_customers):
            _one_size(options, report, rate, kind, n)
    if not options.quick:
        _exact(options, report)


def _first_use(options, report, kind, columns):
    """Compile the kernel; what follows measures a warm installation."""
    use = {"function": "benchmarks.contestants:first_use", "columns": columns}
    first = measured(**use, cache=str(Path(options.folder, f"kernel_{kind}")))
    report.add("core", kind, "kernel, first use", 0, first)
    measured(**use)


def _one_size(options, report, rate, kind, n):
    folder = _customers(options, kind, n)
    where = {"folder": folder, "kind": kind}
    exact_max = EXACT_MAX if n <= EXACT_MAX and not options.quick else 20_000
    mine = measured("benchmarks.contestants:ours", exact_max=exact_max, **where)
    report.add("core", kind, "ours", n, mine)
    least = least_seconds(rate, n=n, d=KINDS[kind], anchors=mine["anchors"], k_max=10)
    floor = max(least["float64_seconds"], least["bytes_seconds"])
    report.add("core", kind, "floor", n, {"wall": floor} | least)
    if n in STABILITY_SIZES and not options.quick:
        draws = {"bootstrap_draws": 20, "permutations": 99}
        cost = measured(
            "benchmarks.contestants:ours", exact_max=exact_max, **where, **draws
        )
        report.add("core", kind, "ours with stability", n, cost)
    _notebook(options, report, kind, n, where)
    if n >= CAREFUL_MIN:
        _careful(options, report, kind, n, where)
    shutil.rmtree(folder)


def _customers(options, kind, n) -> str:
    folder = str(Path(options.folder, f"{kind}_{n}"))
    measured("benchmarks.customers:write", folder=folder, kind=kind, n=n)
    return folder


def _notebook(options, report, kind, n, where):
    largest = QUICK_NOTEBOOK_MAX if options.quick else NOTEBOOK_MAX
    if n > largest:
        report.add("core", kind, "notebook", n, _extrapolated(report, kind, n))
        return
    kept = str(Path(where["folder"], "notebook.npz"))
    theirs = measured(
        "benchmarks.contestants:scikit_learn",
        **where,
        n_init=10,
        sample_size=None,
        keep=kept,
    )
    report.add("core", kind, "notebook", n, theirs)
    same = measured("benchmarks.contestants:same_partitions", kept=kept, **where)
    report.add("core", kind, "ours on the notebook's labels", n, same)


def _extrapolated(report, kind, n) -> dict:
    """Scale the largest measured run: fits by n, silhouettes by n squared."""
    runs = [
        run
        for run in report.select(part="core", case=kind, way="notebook")
        if not run.get("extrapolated")
    ]
    base = max(runs, key=lambda run: run["size"])
    times = n / base["size"]
    return {
        "extrapolated": True,
        "from_size": base["size"],
        "wall": base["fit_wall"] * times + base["judge_wall"] * times**2,
        "cpu": base["fit_cpu"] * times + base["judge_cpu"] * times**2,
    }


def _careful(options, report, kind, n, where):
    starts = ["auto"]
    if (kind, n) in TEN_STARTS or options.slow:
        starts.append(10)
    for n_init in starts:
        theirs = measured(
            "benchmarks.contestants:scikit_learn",
            **where,
            n_init=n_init,
            sample_size=SAMPLE_SIZE,
        )
        report.add("core", kind, f"careful, n_init={n_init}", n, theirs)


def _exact(options, report):
    """Exact silhouettes of 500,000 customers against scikit-learn's."""
    n = min(EXACT_SIZE, options.max_customers)
    folder = _customers(options, "rfv", n)
    where = {"folder": folder, "kind": "rfv"}
    trial = measured("benchmarks.contestants:exact_silhouettes", n=n // 10, **where)
    size = n
    while trial["wall"] * (10 * size / n) ** 2 > EXACT_SECONDS:
        size //= 2
    mine = measured("benchmarks.contestants:exact_silhouettes", n=size, **where)
    if size < n:
        report.add("core", "rfv", "ours, exact silhouette", size, mine)
        times = (n / size) ** 2
        mine = {
            "extrapolated": True,
            "from_size": size,
            "wall": mine["wall"] * times,
            "cpu": mine["cpu"] * times,
            "engine": mine["engine"],
        }
    report.add("core", "rfv", "ours, exact silhouette", n, mine)
    _extrapolate_exact(report, n)
    shutil.rmtree(folder)


def _extrapolate_exact(report, n):
    runs = report.select(part="core", case="rfv", way="notebook", extrapolated=False)
    base = max(runs, key=lambda run: run["size"])
    times = (n / base["size"]) ** 2
    theirs = {
        "extrapolated": True,
        "from_size": base["size"],
        "wall": base["judge_wall"] * times,
        "cpu": base["judge_cpu"] * times,
    }
    report.add("core", "rfv", "scikit-learn, exact silhouette", n, theirs)
