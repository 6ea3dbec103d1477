"""Stability of a partition, and structure beyond chance.

Both questions take many refits, so both use a light procedure on a sample of
customers: k-means++ seeds shared by all k (the first k of one sequence are
seeds for k clusters), Lloyd's iterations for all k in one matrix product in
single precision, and the better of two starts. One thread does it all: the
arrays are so small that two threads would wait for the interpreter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from segmentacao.blocks import blocks, single_blas_thread
from segmentacao.kmeans import (
    Scorer,
    assign_all_k,
    light_lloyd,
    pad_centres,
)
from segmentacao.points import Points
from segmentacao.silhouette import silhouette_values

#: Refits of the observed data, of which the median silhouette is tested.
OBSERVED_FITS = 11
#: Starts, passes and tolerance of a refit, and candidates for each seed.
REFIT_STARTS = 2
REFIT_ITERATIONS = 50
REFIT_TOLERANCE = 1e-3
SEED_TRIALS = 4
#: Anchors of one block of distances.
BLOCK_ANCHORS = 128
#: Draws after which a row of shares that sums to 0 is left as it is.
SHARE_DRAWS = 100


def adjusted_rand(first: np.ndarray, second: np.ndarray) -> float:
    """Return the adjusted Rand index of two partitions.

    Hubert, L. and Arabie, P. (1985), Comparing partitions.

    Parameters
    ----------
    first, second : ndarray of int of shape (n_rows,)
        Labels, at least 0.

    Returns
    -------
    float
        1 for equal partitions, about 0 for independent ones; at least -0.5.
    """
    width = int(second.max()) + 1
    table = np.bincount(first.astype(np.intp) * width + second)
    table = np.append(table, np.zeros(-len(table) % width)).reshape(-1, width)
    together = _pairs(table)
    in_first, in_second = _pairs(table.sum(axis=1)), _pairs(table.sum(axis=0))
    if len(first) < 2:
        return 1.0
    expected = in_first * in_second / _pairs(np.array(len(first)))
    largest = (in_first + in_second) / 2
    if largest == expected:  # both in one piece, or both all singletons
        return 1.0
    return float((together - expected) / (largest - expected))


def _pairs(counts) -> float:
    return np.sum(counts * (counts - 1)) / 2


def nested_seeds(
    X: np.ndarray, *, weights: np.ndarray, k_max: int, rng: np.random.Generator
) -> np.ndarray:
    """Greedy k-means++ seeds, the first k of which are seeds for k clusters.

    Arthur, D. and Vassilvitskii, S. (2007), k-means++: the advantages of
    careful seeding; of several candidates the one that leaves least inertia.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Rows about their mean.
    weights : ndarray of shape (n_rows,)
    k_max : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of intp of shape (k_max,)
        Positions of rows.
    """
    squares = np.einsum("ij,ij->i", X, X)

    def draw(chances, size):
        edges = np.cumsum(chances)
        drawn = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
        return np.minimum(drawn, len(X) - 1)

    def distances(rows):
        products = X[rows] @ X.T
        products *= -2
        products += squares + squares[rows][:, None]
        return np.maximum(products, 0, out=products)

    seeds = [draw(weights, 1)[0]]
    closest = distances(seeds)[0]
    while len(seeds) < k_max:
        candidates = draw(closest * weights, SEED_TRIALS)
        remaining = np.minimum(closest, distances(candidates))
        best = np.argmin(remaining @ weights)
        seeds.append(candidates[best])
        closest = remaining[best]
    return np.array(seeds)


def refit_all_k(
    X: np.ndarray | Points,
    *,
    k_max: int,
    weights: np.ndarray | None = None,
    rng: np.random.Generator,
    n_starts: int = REFIT_STARTS,
) -> list[np.ndarray]:
    """Fit K-Means for k = 2..k_max by the light procedure.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), or Points
    k_max : int
        At least 2 and at most n_rows.
    weights : ndarray of shape (n_rows,), optional
        Customers behind each row; 1 each by default.
    rng : numpy.random.Generator
    n_starts : int, optional
        Starts per k, at least 1.

    Returns
    -------
    list of ndarray of shape (k, n_columns)
        Centres for each k.
    """
    points = Points.of(X, weights).light()
    x = np.ascontiguousarray(points.values.T)
    options = {"weights": points.weights.astype(np.float32), "k_max": k_max, "rng": rng}
    seeds = [nested_seeds(x, **options) for _ in range(n_starts)]
    centres, inertia = light_lloyd(
        points,
        [points.outward(x[own[:k]]) for k in range(2, k_max + 1) for own in seeds],
        max_iter=REFIT_ITERATIONS,
        tol=REFIT_TOLERANCE,
        parallel=False,
    )
    best = np.argmin(inertia.reshape(-1, n_starts), axis=1)
    best += np.arange(len(best)) * n_starts
    return [centres[p] for p in best]


def bootstrap_ari(
    X: np.ndarray,
    labels_by_k: np.ndarray | Sequence[np.ndarray],
    *,
    draws: int,
    random_state: int,
) -> np.ndarray:
    """Mean agreement of the partitions with those of resampled customers.

    Each draw resamples the rows with replacement, refits every k by the light
    procedure, labels the original rows and compares with the original labels
    (Hennig, C. 2007, Cluster-wise assessment of cluster stability, with the
    adjusted Rand index as measure).

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    labels_by_k : array of int of shape (k_max - 1, n_rows)
        Labels of the partitions for k = 2..k_max.
    draws : int
        Resamples, at least 1.
    random_state : int
        Seed, at least 0.

    Returns
    -------
    ndarray of shape (k_max - 1,)
        Mean adjusted Rand index over the draws, about 0 to 1.

    Raises
    ------
    ValueError
        `draws` below 1.
    """
    if draws < 1:
        raise ValueError(f"draws: {draws}, allowed is at least 1")
    k_max = len(labels_by_k) + 1

    def agreement(draw):
        rng = np.random.default_rng([random_state, 2, draw])
        counts = np.bincount(rng.integers(len(X), size=len(X)), minlength=len(X))
        rows = np.flatnonzero(counts)
        centres = refit_all_k(X[rows], k_max=k_max, weights=counts[rows], rng=rng)
        labels = assign_all_k(X, centres, parallel=False)
        return [adjusted_rand(a, b) for a, b in zip(labels_by_k, labels, strict=True)]

    with single_blas_thread:
        return np.mean([agreement(draw) for draw in range(draws)], axis=0)


def permutation_p_values(
    X: np.ndarray,
    *,
    k_max: int,
    permutations: int,
    random_state: int,
    shares: bool = False,
    to_model: Callable[[np.ndarray], np.ndarray] | None = None,
) -> np.ndarray:
    """Probability of so high a silhouette when columns are independent.

    Each null data set permutes every column on its own, which keeps the
    distribution of each variable and breaks their joint structure. Observed
    and null data are fitted by the same light procedure and judged by the
    same silhouette; one null data set serves every k. The light procedure
    finds now a better, now a worse partition, so the observed silhouette is
    the median of several fits: a verdict must not hang on one draw of seeds.
    Null data are fitted once each, which makes the test conservative. The
    p-value counts the observed data among the null (Phipson, B. and Smyth, G.
    2010): ``(1 + #{null >= observed}) / (permutations + 1)``.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Raw values, one row per customer.
    k_max : int
        Largest number of clusters, at least 2.
    permutations : int
        Null data sets, at least 1; p is at least 1 / (permutations + 1).
    random_state : int
        Seed, at least 0.
    shares : bool, optional
        Rows are shares: scale each permuted row to the sum of the original
        one, see `permute_columns`.
    to_model : callable, optional
        Maps raw rows to the space of the model; none by default.

    Returns
    -------
    ndarray of shape (k_max - 1,)
        p-values in (0, 1] for k = 2..k_max; NaN with a single column, which
        has no joint structure to test.

    Raises
    ------
    ValueError
        `permutations` below 1.
    """
    if permutations < 1:
        raise ValueError(f"permutations: {permutations}, allowed is at least 1")
    if X.shape[1] < 2:
        return np.full(k_max - 1, np.nan)

    def statistic(draw):
        rng = np.random.default_rng([random_state, 3, draw])
        is_observed = draw < OBSERVED_FITS
        rows = X if is_observed else permute_columns(X, shares=shares, rng=rng)
        rows = rows if to_model is None else to_model(rows)
        return _light_silhouettes(rows, k_max, rng)

    draws = range(OBSERVED_FITS + permutations)
    with single_blas_thread:
        values = np.array([statistic(draw) for draw in draws])
    observed = np.median(values[:OBSERVED_FITS], axis=0)
    # Rounding must not decide between equal statistics.
    reached = values[OBSERVED_FITS:] >= observed - 1e-12
    return (1 + np.count_nonzero(reached, axis=0)) / (permutations + 1)


def permute_columns(
    X: np.ndarray, *, shares: bool, rng: np.random.Generator
) -> np.ndarray:
    """Permute every column on its own.

    Permuted shares are scaled to the sum their row had. A permuted row in
    which every share is 0 has no composition to scale: it is drawn anew, each
    share from its own column, until one of them is positive. The null then is
    "independent shares, given that something was bought".

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    shares : bool
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (n_rows, n_columns)
    """
    permuted = rng.permuted(X, axis=0)
    if not shares:
        return permuted
    target = X.sum(axis=1)
    for _ in range(SHARE_DRAWS):
        empty = np.flatnonzero((permuted.sum(axis=1) <= 0) & (target > 0))
        if not len(empty):
            break
        drawn = rng.integers(len(X), size=(len(empty), X.shape[1]))
        permuted[empty] = np.take_along_axis(X, drawn, axis=0)
    sums = permuted.sum(axis=1)
    return permuted * (target / np.where(sums > 0, sums, 1))[:, None]


def _light_silhouettes(X, k_max, rng) -> np.ndarray:
    """Mean silhouette for each k of a light refit, in single precision.

    Few rows and one product with the indicators of all clusters: at this size
    faster than the joint cells of `segmentacao.silhouette`.
    """
    points = Points.of(X).light()
    C, ks = pad_centres(
        [points.inward(c) for c in refit_all_k(points, k_max=k_max, rng=rng)]
    )
    labels = _nearest(points, C, ks)
    x = points.values.T
    starts = np.concatenate(([0], np.cumsum(ks)))
    members = np.zeros((len(x), starts[-1]), dtype=np.float32)
    for own, start in zip(labels, starts, strict=False):
        members[np.arange(len(x)), start + own] = 1
    sums = _distance_sums(x, members)
    sizes = members.sum(axis=0)
    return np.array(
        [
            _mean_silhouette(sums[:, a:b], sizes[a:b], own)
            for own, a, b in zip(labels, starts, starts[1:], strict=False)
        ]
    )


def _nearest(points, C, ks):
    scorer = Scorer(C, ks)
    parts = [
        scorer.nearest(scorer.scores(points.values[:, block]))[0].copy()
        for block in blocks(range(len(points)))
    ]
    return np.concatenate(parts, axis=1)


def _distance_sums(x, members) -> np.ndarray:
    """Return sums of distances from each row to each cluster's members."""
    squares = np.einsum("ij,ij->i", x, x)
    right = np.column_stack((-2 * x, squares, np.ones_like(squares))).T
    left = np.column_stack((x, np.ones_like(squares), squares))
    sums = np.empty((len(x), members.shape[1]), dtype=x.dtype)
    for start in range(0, len(x), BLOCK_ANCHORS):
        stop = min(start + BLOCK_ANCHORS, len(x))
        distances = left[start:stop] @ right
        np.maximum(distances, 0, out=distances)
        np.sqrt(distances, out=distances)
        # Rounding leaves a distance of a row to itself; it is none.
        distances[np.arange(stop - start), np.arange(start, stop)] = 0
        sums[start:stop] = distances @ members
    return sums


def _mean_silhouette(sums, sizes, own) -> float:
    """Mean silhouette; 0 where fewer than two clusters have members."""
    used = sizes > 0
    if np.count_nonzero(used) < 2:
        return 0.0
    own = (np.cumsum(used) - 1)[own]
    values = silhouette_values(sums[:, used], sizes[used], own)
    return float(np.mean(values, dtype=float))
