"""Sizes and sums of squares of partitions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentacao.blocks import block_size, blocks, over_ranges, weighted_origin


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
    X: np.ndarray, labels: np.ndarray, *, weights: np.ndarray | None = None
) -> list[PartitionMeasures]:
    """Sizes, within sum of squares, Calinski-Harabasz and Davies-Bouldin.

    Caliński, T. and Harabasz, J. (1974); Davies, D. and Bouldin, D. (1979);
    same conventions as scikit-learn's functions of these names.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    labels : ndarray of int of shape (n_partitions, n_rows)
        Labels 0..k-1, none of them empty.
    weights : ndarray of shape (n_rows,), optional
        Customers behind each row; 1 each by default.

    Returns
    -------
    list of PartitionMeasures, one for each partition
    """
    weights = np.ones(len(X)) if weights is None else weights.astype(float)
    origin = weighted_origin(X, weights)
    means, sizes = cluster_means(X, labels, weights, origin)

    def scatter(rows):
        totals = [np.zeros((2, len(m))) for m in means]
        for block in blocks(rows, block_size(X.shape[1])):
            x, w = X[block] - origin, weights[block]
            for total, mean, own in zip(totals, means, labels[:, block], strict=True):
                difference = x - mean[own]
                squares = np.einsum("ij,ij->i", difference, difference)
                for row, values in zip(total, (squares, np.sqrt(squares)), strict=True):
                    row += np.bincount(own, values * w, minlength=len(mean))
        return totals

    parts = over_ranges(scatter, len(X), True)
    return [
        _measures(mean + origin, size, *sum(totals))
        for mean, size, *totals in zip(means, sizes, *parts, strict=True)
    ]


def cluster_means(X, labels, weights, origin):
    """Means, about `origin`, and sizes of the clusters of every partition."""
    sizes = [np.bincount(own, weights) for own in labels]
    sums = [np.zeros((len(size), X.shape[1])) for size in sizes]
    for j in range(X.shape[1]):
        values = (X[:, j] - origin[j]) * weights
        for own, total in zip(labels, sums, strict=True):
            total[:, j] = np.bincount(own, values)
    means = [total / size[:, None] for total, size in zip(sums, sizes, strict=True)]
    return means, sizes


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
