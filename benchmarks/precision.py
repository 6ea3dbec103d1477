"""Error and interval of the estimated silhouette against the exact one.

The estimate is forced on data small enough for the exact value. Beside it
stand scikit-learn's `sample_size` at as many customers as cost the same number
of distances and, because it takes long once a data set only, at 10,000.
"""

from __future__ import annotations

from benchmarks.measure import measured

CASES = ["rfv", "shares", "blobs", "unequal"]
SIZE, QUICK_SIZE = 30_000, 5_000
CAREFUL_SIZE = 10_000
DATA_SEEDS, QUICK_DATA_SEEDS = 3, 1
DRAWS, QUICK_DRAWS = 10, 3
TOLERANCE = 0.005


def run(options, report) -> None:
    """Measure each kind of data; arguments as in `benchmarks.core.run`."""
    size = QUICK_SIZE if options.quick else SIZE
    for case in CASES:
        found = measured(
            "benchmarks.precision:compare",
            case=case,
            n=size,
            data_seeds=QUICK_DATA_SEEDS if options.quick else DATA_SEEDS,
            draws=QUICK_DRAWS if options.quick else DRAWS,
        )
        for way, figures in found.pop("ways").items():
            report.add("precision", case, way, size, found | figures | {"wall": None})


def compare(watch, *, case: str, n: int, data_seeds: int, draws: int) -> dict:
    """Compare the three estimates over data sets and draws.

    Returns
    -------
    dict
        `ways`: for each way its root mean square and largest error, the
        agreement of its k with the exact one's, as argmax and by the project's
        rule for ties; for ours also the standard error and how often it
        covered the error twice over.
    """
    import numpy as np

    from segmentacao.kmeans import fit_all_k
    from segmentacao.silhouette import silhouettes

    found = {}
    with watch:
        for data_seed in range(data_seeds):
            X = np.unique(_data(case, n, data_seed), axis=0)
            np.random.default_rng(0).shuffle(X)
            fits = fit_all_k(X, k_max=10, n_init=1, random_state=data_seed)
            exact = silhouettes(X, fits.labels, exact_max=len(X))
            exact = np.array([s.mean for s in exact])
            for draw in range(draws):
                careful = draw == 0 and n > CAREFUL_SIZE
                estimates = _estimates(X, fits.labels, draw, careful)
                for way, estimate in estimates.items():
                    found.setdefault(way, []).append((exact, *estimate))
    ways = {way: _figures(runs) for way, runs in found.items()}
    return {"ways": ways, "data_sets": data_seeds, "draws": draws}


def _data(case, n, seed):
    import numpy as np

    from benchmarks.customers import model_space, rfv, shares

    rng = np.random.default_rng([7, seed])
    if case in ("rfv", "shares"):
        draw = {"rfv": rfv, "shares": shares}[case]
        return model_space(draw(n, rng), case)
    k = 6
    # `unequal`: one cluster in two hundred customers, spreads from 1 to 4
    weight = np.ones(k) / k if case == "blobs" else np.array([50, 30, 12, 5, 2.5, 0.5])
    spread = np.ones(k) if case == "blobs" else np.linspace(1, 4, k)
    own = rng.choice(k, n, p=weight / weight.sum())
    centres = rng.normal(0, 5, (k, 8))
    return centres[own] + spread[own, None] * rng.standard_normal((n, 8))


def _estimates(X, labels, seed, careful) -> dict:
    """For each way: values, standard errors and CPU seconds."""
    import numpy as np
    from sklearn.metrics import silhouette_score

    from benchmarks.measure import cpu_seconds
    from segmentacao.silhouette import silhouettes

    started = cpu_seconds()
    mine = silhouettes(X, labels, exact_max=100, random_state=seed)
    spent = cpu_seconds() - started
    errors = np.array([s.error for s in mine])
    ways = {"ours": (np.array([s.mean for s in mine]), errors, spent)}
    same_cost = int(np.sqrt(mine[0].anchors * len(X) / len(labels)))
    sizes = {"sample_size, same distances": same_cost}
    if careful:
        sizes[f"sample_size={CAREFUL_SIZE}"] = CAREFUL_SIZE
    for way, size in sizes.items():
        started = cpu_seconds()
        values = [
            _score(silhouette_score, X, own, min(size, len(X)), seed) for own in labels
        ]
        spent = cpu_seconds() - started
        ways[way] = np.array(values), np.zeros(len(values)), spent
    return ways


def _score(silhouette_score, X, own, size, seed):
    try:
        return silhouette_score(X, own, sample_size=size, random_state=seed)
    except ValueError:  # the sample missed all clusters but one
        return float("nan")


def _figures(runs) -> dict:
    import numpy as np

    exact, values, errors = (np.array([run[i] for run in runs]) for i in range(3))
    miss = values - exact
    same = np.nanargmax(values, axis=1) == exact.argmax(axis=1)
    by_rule = [
        _rule(value, error) == _rule(truth, np.zeros_like(truth))
        for truth, value, error in zip(exact, values, errors, strict=True)
    ]
    figures = {
        "cpu": float(np.mean([run[3] for run in runs])),
        "rms_error": float(np.sqrt(np.nanmean(miss**2))),
        "largest_error": float(np.nanmax(np.abs(miss))),
        "same_best_k": float(np.mean(same)),
        "same_k_by_rule": float(np.mean(by_rule)),
        "estimates": int(miss.size),
    }
    note = f"rms error {figures['rms_error']:.5f}, same k {np.mean(by_rule):.0%}"
    if errors.any():
        figures["mean_standard_error"] = float(errors.mean())
        figures["largest_standard_error"] = float(errors.max())
        figures["coverage"] = float(np.mean(np.abs(miss) <= 2 * errors))
        note += f", within 2 standard errors {figures['coverage']:.1%}"
    return figures | {"note": note}


def _rule(values, errors) -> int:
    """Smallest k within the tolerance of the best; sizes are not looked at."""
    import numpy as np

    best = np.nanargmax(values)
    near = values >= values[best] - max(2 * errors[best], TOLERANCE)
    return int(np.flatnonzero(near)[0])
