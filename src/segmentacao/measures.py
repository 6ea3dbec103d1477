"""Sizes and sums of squares of partitions, and what their means say of a row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentacao.cells import Grid, cut_into_cells, sort_by_cell
from segmentacao.kmeans import Scorer, pad_centres
from segmentacao.points import Points


@dataclass(frozen=True)
class PartitionMeasures:
    """Sizes and sums of squares of one partition.

    Attributes
    ----------
    sizes : ndarray of int64 of shape (k,)
        Customers per cluster.
    means : ndarray of shape (k, n_columns)
        Cluster means.
    wss : float
        Sum of squared distances to the cluster means.
    calinski_harabasz : float
        Variance ratio, at least 0; larger is better.
    davies_bouldin : float
        Mean similarity to the most similar cluster, at least 0; smaller is
        better.
    rms_silhouettes : ndarray of shape (k,)
        Mean over each cluster's customers of the silhouette in which the mean
        distance to a cluster is replaced by the root of the mean squared
        distance.
    """

    sizes: np.ndarray
    means: np.ndarray
    wss: float
    calinski_harabasz: float
    davies_bouldin: float
    rms_silhouettes: np.ndarray


def partition_measures(
    X: np.ndarray, labels: np.ndarray, *, weights: np.ndarray | None = None
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

    Returns
    -------
    list of PartitionMeasures, one for each partition
    """
    points = Points.of(X, weights)
    return grid_measures(sort_by_cell(points, *cut_into_cells(labels))[0])


def grid_measures(grid: Grid) -> list[PartitionMeasures]:
    """Measure the partitions of a grid; see `partition_measures`."""
    scores = MeanScores(grid)
    n_partitions = len(grid.cells.of_partition)

    def start():
        scorer = scores.scorer()

        def measure(block):
            values = scores.of_rows(
                scorer, grid.points.values[:, block], grid.labels(block)
            )
            return np.vstack(values) * grid.points.weights[block]

        return measure

    sums = grid.cluster_sums(start, 2 * n_partitions)
    return [
        _measures(
            scores, grid.points, place, sums[p, place], sums[n_partitions + p, place]
        )
        for p, place in enumerate(grid.cells.of_partition)
    ]


class MeanScores:
    """Distances of rows to the cluster means of all partitions.

    Parameters
    ----------
    grid : Grid

    Attributes
    ----------
    sizes, squares : ndarray of shape (n_clusters_of_all_partitions,)
        Customers of each cluster, and their mean squared distance to its mean.
    means : ndarray of shape (n_clusters_of_all_partitions, n_columns)
        As the points store coordinates.
    """

    def __init__(self, grid: Grid):
        places = grid.cells.of_partition
        self.sizes = grid.sizes
        self.means, squares = grid.moments
        norms = np.einsum("ij,ij->i", self.means, self.means)
        self.squares = np.maximum(squares - norms, 0)
        # The scorer wants partitions in ascending order of k.
        ks = [place.stop - place.start for place in places]
        self._order = np.argsort(ks, kind="stable")
        dtype = grid.points.values.dtype
        self._C, self._ks = pad_centres(
            [self.means[places[p]].astype(dtype) for p in self._order]
        )
        starts = np.array([places[p].start for p in self._order])
        scorer = self.scorer()
        of_line = starts[scorer.partition] + scorer.slot
        self._within = self.squares[of_line, None].astype(dtype)
        # A row's distance to itself is 0: without it the mean is larger.
        factors = np.sqrt(self.sizes / np.maximum(self.sizes - 1, 1)).astype(dtype)
        self._factors = [factors[places[p]] for p in self._order]

    def scorer(self) -> Scorer:
        """Return a scorer for one thread."""
        return Scorer(self._C, self._ks)

    def of_rows(self, scorer, x, labels) -> tuple[np.ndarray, np.ndarray]:
        """Distances to the own mean, and root-mean-square silhouettes.

        The mean squared distance from a row to a cluster is the squared
        distance to its mean plus the mean square within.

        Parameters
        ----------
        scorer : Scorer
        x : ndarray of shape (n_columns, n_rows)
        labels : ndarray of shape (n_partitions, n_rows)

        Returns
        -------
        distances, silhouettes : ndarray of shape (n_partitions, n_rows)
        """
        scores = scorer.scores(x)
        scores += np.einsum("ij,ij->j", x, x)
        # rounding of the product must not leave less than nothing
        np.maximum(scores, 0, out=scores)
        labels = labels[self._order]
        distances = np.empty(labels.shape, dtype=x.dtype)
        distances[self._order] = np.sqrt(scorer.of_labels(scores, labels))
        scores += self._within
        np.sqrt(scores, out=scores)
        to_own = scorer.of_labels(scores, labels).copy()
        to_other = np.full(labels.shape, np.inf, dtype=x.dtype)
        for j, (lines, rest) in enumerate(scorer.places):
            np.copyto(scores[lines], np.inf, where=labels[rest] == j)
            np.minimum(to_other[rest], scores[lines], out=to_other[rest])
        for line, factor, own in zip(to_own, self._factors, labels, strict=True):
            line *= factor[own]
        larger = np.maximum(np.maximum(to_own, to_other), np.finfo(x.dtype).tiny)
        silhouettes = np.empty_like(to_own)
        silhouettes[self._order] = (to_other - to_own) / larger
        return distances, silhouettes


def _measures(scores, points, place, distances, silhouettes) -> PartitionMeasures:
    sizes, means = scores.sizes[place], scores.means[place]
    k, n = len(sizes), sizes.sum()
    centre = sizes @ means / n
    between = sizes @ np.sum((means - centre) ** 2, axis=1)
    within = sizes @ scores.squares[place]
    ratio = between * (n - k) / (within * (k - 1)) if within > 0 else 1.0
    return PartitionMeasures(
        sizes=np.rint(sizes).astype(np.int64),
        means=points.outward(means),
        wss=float(within * points.unit**2),
        calinski_harabasz=float(ratio),
        davies_bouldin=_davies_bouldin(means, distances / sizes),
        rms_silhouettes=silhouettes / sizes,
    )


def _davies_bouldin(means, spreads) -> float:
    gaps = np.sqrt(np.sum((means[:, None] - means[None]) ** 2, axis=2))
    if np.allclose(spreads, 0) or np.allclose(gaps, 0):
        return 0.0
    np.fill_diagonal(gaps, np.inf)
    with np.errstate(divide="ignore"):
        return float(np.mean(np.max((spreads[:, None] + spreads) / gaps, axis=1)))
