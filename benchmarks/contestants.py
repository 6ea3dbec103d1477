"""The contestants of the core, each run in a process of its own.

All fit K-Means for k = 2..10 with ten starts, label every customer and judge
every k by its silhouette, from the same customers in memory.
"""

from __future__ import annotations

import os
import re
import time

import numpy as np

from benchmarks.customers import STEPS, as_columns, as_rows, model_space
from benchmarks.measure import cpu_seconds

K_MAX = 10
KS = range(2, K_MAX + 1)
SEED = 42
#: Rows of the trial that decides how many threads scikit-learn gets.
TRIAL_ROWS = 100_000


def ours(
    watch,
    *,
    folder: str,
    kind: str,
    exact_max: int = 20_000,
    bootstrap_draws: int = 0,
    permutations: int = 0,
) -> dict:
    """Run the project's own core, as a Python model of dbt calls it.

    It also counts equal customers, profiles every cluster with its medians and
    computes three further measures, which the others do not.
    """
    import pyarrow as pa

    from segmentacao.candidates import propose_candidates

    step = STEPS[kind]
    columns = as_columns(folder)
    table = pa.table(dict(zip(step.names, columns, strict=True)))
    lines = []
    with watch:
        found = propose_candidates(
            table,
            step=kind,
            transforms=step.transforms,
            standardize=step.standardize,
            k_max=K_MAX,
            random_state=SEED,
            exact_max=exact_max,
            bootstrap_draws=bootstrap_draws,
            permutations=permutations,
            stability_max=3000,
            shares=step.shares,
            log=lines.append,
        )
    first = found.to_pandas().drop_duplicates("k")
    told = "\n".join(lines)
    return {
        "silhouette": first["silhueta"].tolist(),
        "error": first["silhueta_erro"].tolist(),
        "inertia": first["wss"].tolist(),
        "best_k": int(first["k"].iloc[int(first["silhueta"].argmax())]),
        "distinct": int(re.search(r"(\d+) distinct", told)[1]),
        "anchors": int(re.search(r"from (\d+) anchors", told)[1]),
        "log": lines,
    }


def first_use(watch, *, columns: int, cache: str | None = None) -> dict:
    """Load the kernel and, where it is not in the cache, compile it.

    numba compiles it once for each number of columns and type of weights, and
    keeps it in the folder `cache`, beside the package by default.
    """
    if cache:
        os.environ["NUMBA_CACHE_DIR"] = cache
    from segmentacao import compiled

    one = np.ones((columns, 1), dtype=np.float32)
    with watch:
        if not compiled.is_worth(np.inf):
            return {"note": "no kernel: the extra rapido is not installed"}
        kernel = compiled.distance_sums(columns)
        for weights in (np.ones(1, np.float32), np.ones(1, np.uint16)):
            kernel(
                np.zeros((columns, compiled.LANES)),
                one,
                np.zeros((1, columns)),
                weights,
                np.array([0, 1]),
                np.empty((1, compiled.LANES)),
            )
    return {"note": "once for each number of columns"}


def scikit_learn(
    watch,
    *,
    folder: str,
    kind: str,
    n_init: int | str,
    sample_size: int | None,
    keep: str | None = None,
) -> dict:
    """Fit and judge every k with scikit-learn.

    Without `sample_size` this is the notebook way: every customer against
    every other, once for each k. With it, the careful way. It runs with one or
    two OpenMP threads, whichever is faster: on a busy machine two of them wait
    for each other and take thirty times as long.
    """
    from sklearn.cluster import KMeans
    from sklearn.metrics import silhouette_samples, silhouette_score
    from threadpoolctl import threadpool_limits

    X = as_rows(folder)
    threads = _faster_threads(model_space(X[:TRIAL_ROWS].copy(), kind))
    inertia, silhouette, labels, samples = [], [], [], []
    cost = {"fit": _Cost(), "judge": _Cost()}
    with watch:
        X = model_space(X, kind)
        for k in KS:
            with cost["fit"], threadpool_limits(threads, user_api="openmp"):
                model = KMeans(k, n_init=n_init, random_state=SEED).fit(X)
            with cost["judge"]:
                if sample_size is None:  # what silhouette_score does, kept
                    samples.append(silhouette_samples(X, model.labels_))
                    silhouette.append(float(samples[-1].mean()))
                else:
                    silhouette.append(
                        silhouette_score(
                            X, model.labels_, sample_size=sample_size, random_state=SEED
                        )
                    )
            labels.append(model.labels_)
            inertia.append(float(model.inertia_))
    if keep:
        np.savez(keep, labels=np.array(labels, np.uint8), samples=np.array(samples))
    return {
        "silhouette": silhouette,
        "inertia": inertia,
        "best_k": int(np.argmax(silhouette)) + KS[0],
        "openmp_threads": threads,
        **{f"{part}_wall": spent.wall for part, spent in cost.items()},
        **{f"{part}_cpu": spent.cpu for part, spent in cost.items()},
    }


def _faster_threads(X) -> int:
    """Find with how many OpenMP threads, 1 or 2, scikit-learn fits faster."""
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    seconds = {}
    for threads in (1, 2, 1, 2):  # the first of each warms up
        with threadpool_limits(threads, user_api="openmp"):
            started = time.perf_counter()
            KMeans(K_MAX, n_init=3, random_state=SEED).fit(X)
            seconds[threads] = time.perf_counter() - started
    return min(seconds, key=seconds.get)


class _Cost:
    """Seconds summed over several `with` blocks."""

    def __init__(self):
        self.wall = self.cpu = 0.0

    def __enter__(self):
        self._wall, self._cpu = time.perf_counter(), cpu_seconds()

    def __exit__(self, *error):
        self.wall += time.perf_counter() - self._wall
        self.cpu += cpu_seconds() - self._cpu


def same_partitions(watch, *, folder: str, kind: str, kept: str) -> dict:
    """Judge scikit-learn's own partitions exactly and compare every customer."""
    from segmentacao.silhouette import silhouettes

    theirs = np.load(kept)
    X = model_space(as_rows(folder), kind)
    with watch:
        mine = silhouettes(X, theirs["labels"], exact_max=len(X))
    samples = np.array([s.samples for s in mine])
    means = np.array([s.mean for s in mine])
    return {
        "largest_difference": float(np.abs(samples - theirs["samples"]).max()),
        "mean_difference": float(np.abs(means - theirs["samples"].mean(axis=1)).max()),
    }


def exact_silhouettes(watch, *, folder: str, kind: str, n: int) -> dict:
    """Exact silhouettes of all k, of the first `n` customers."""
    from segmentacao import compiled
    from segmentacao.kmeans import fit_all_k
    from segmentacao.silhouette import silhouettes

    X = model_space(as_rows(folder), kind)[:n].copy()
    labels = fit_all_k(X, k_max=K_MAX, n_init=1, random_state=SEED).labels
    with watch:
        found = silhouettes(X, labels, exact_max=n)
    is_compiled = compiled.is_worth(float(n) ** 2)
    return {
        "silhouette": [s.mean for s in found],
        "anchors": found[0].anchors,
        "engine": "with the extra rapido" if is_compiled else "default install",
    }
