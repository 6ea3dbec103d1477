"""Sizes and sums of squares of partitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentacao.blocks import blocks, over_ranges, weighted_origin
from segmentacao.cells import Cells
from segmentacao.kmeans import Scorer, pad_centres


@dataclass(frozen=True)
class PartitionMeasures:
    """Sizes and sums of squares of one partition.

    Attributes
    ----------
    sizes : ndarray of int64 of shape (k,)
        Customers per cluster.
    means : ndarray of shape (k, n_columns)
        Cluster means.
    mean_squares : ndarray of shape (k,)
        Mean squared distance of the members to the cluster mean.
    wss : float
        Sum of squared distances to the cluster means.
    calinski_harabasz : float
        Variance ratio, at least 0; larger is better.
    davies_bouldin : float
        Mean similarity to the most similar cluster, at least 0; smaller is
        better.
    """

    sizes: np.ndarray
    means: np.ndarray
    mean_squares: np.ndarray
    wss: float
    calinski_harabasz: float
    davies_bouldin: float


def partition_measures(
    X: np.ndarray,
    labels: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    cells: Cells | None = None,
) -> list[PartitionMeasures]:
    """Sizes, within sum of squares, Calinski-Harabasz and Davies-Bouldin.

    Caliński, T. and Harabasz, J. (1974); Davies, D. and Bouldin, D. (1979);
    same conventions as scikit-learn's functions of these names.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    labels : ndarray of uint8 of shape (n_partitions, n_rows)
        Labels 0..k-1, none of them empty.
    weights : ndarray of shape (n_rows,), optional
        Customers behind each row; 1 each by default.
    cells : Cells, optional
        The cells of `labels`, if at hand.

    Returns
    -------
    list of PartitionMeasures, one for each partition
    """
    cells = Cells(labels) if cells is None else cells
    weights = np.ones(len(X)) if weights is None else weights.astype(float)
    origin = weighted_origin(X, weights)
    sizes = cells.cluster_sums(weights)
    columns = (X[:, j] - origin[j] for j in range(X.shape[1]))
    sums = [cells.cluster_sums(column * weights) for column in columns]
    means = np.column_stack(sums) / sizes[:, None]
    of_partition = cells.of_partition
    scatter = _scatter(
        X, origin, labels, weights, [means[place] for place in of_partition]
    )
    return [
        _measures(means[place] + origin, sizes[place], *totals)
        for place, totals in zip(of_partition, scatter, strict=True)
    ]


def _scatter(X, origin, labels, weights, means):
    """Add up squared and plain distances to the own mean, by cluster."""
    order = np.argsort([len(m) for m in means], kind="stable")
    C, ks = pad_centres([means[p] for p in order])

    def measure(rows):
        scorer = Scorer(C, ks)
        totals = [np.zeros((2, len(m))) for m in means]
        for block in blocks(rows):
            x, w = X[block] - origin, weights[block]
            own = labels[order, block]
            squares = scorer.of_labels(scorer.scores(x), own)
            squares += np.einsum("ij,ij->i", x, x)
            # rounding of the product must not leave less than nothing
            np.maximum(squares, 0, out=squares)
            for p, mine, values in zip(order, own, squares, strict=True):
                k = len(means[p])
                totals[p][0] += np.bincount(mine, values * w, minlength=k)
                totals[p][1] += np.bincount(mine, np.sqrt(values) * w, minlength=k)
        return totals

    parts = over_ranges(measure, len(X), True)
    return [sum(totals) for totals in zip(*parts, strict=True)]


def _measures(means, sizes, squares, distances) -> PartitionMeasures:
    k, n = len(sizes), sizes.sum()
    centre = sizes @ means / n
    between = sizes @ np.sum((means - centre) ** 2, axis=1)
    within = squares.sum()
    ratio = between * (n - k) / (within * (k - 1)) if within > 0 else 1.0
    return PartitionMeasures(
        sizes=np.rint(sizes).astype(np.int64),
        means=means,
        mean_squares=squares / sizes,
        wss=float(within),
        calinski_harabasz=float(ratio),
        davies_bouldin=_davies_bouldin(means, distances / sizes),
    )


def _davies_bouldin(means, spreads) -> float:
    gaps = np.sqrt(np.sum((means[:, None] - means[None]) ** 2, axis=2))
    if np.allclose(spreads, 0) or np.allclose(gaps, 0):
        return 0.0
    np.fill_diagonal(gaps, np.inf)
    with np.errstate(divide="ignore"):
        return float(np.mean(np.max((spreads[:, None] + spreads) / gaps, axis=1)))
