"""Silhouettes of several partitions from one pass over the distances.

Rousseeuw, P. (1987), Silhouettes: a graphical aid to the interpretation and
validation of cluster analysis. Distances are Euclidean.

The rows are sorted by cell (`segmentacao.cells`). The sums of distances from an
anchor to every cell are taken in one pass over the rows, and the sums to the
clusters of every partition follow from a small product: no distance is computed
twice, however many partitions there are. Two engines take the sums: matrix
products in double precision, and the kernel of `segmentacao.compiled`, where it
is installed and pays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from segmentacao import compiled
from segmentacao.blocks import blocks, over_ranges, parallel_map, single_blas_thread
from segmentacao.cells import Grid, cut_into_cells, renumber, sort_by_cell
from segmentacao.kmeans import draw_customers
from segmentacao.measures import MeanScores, PartitionMeasures, grid_measures
from segmentacao.points import Points
from segmentacao.transform import distinct_rows

#: Anchors and rows of one block of distances: 2 MB, within the cache.
BLOCK_ANCHORS = compiled.LANES
BLOCK_COLUMNS = 4096
#: Cells of one call of the kernel, whose sums are kept cell by cell.
PART_CELLS = 2048
#: Squared distances below this share of the squared norm are recomputed: the
#: product that gave them has lost half its digits or more.
NEAR = 1e-8

#: The estimate: standard error aimed at, anchors of the pilot, the most
#: anchors, the most distances, and the fewest anchors of a cluster.
TARGET_ERROR = 0.001
PILOT_ANCHORS = 256
MOST_ANCHORS = 4096
MOST_DISTANCES = 4_000_000_000
CLUSTER_ANCHORS = 16


@dataclass(frozen=True)
class Silhouette:
    """Silhouette of one partition.

    Attributes
    ----------
    mean : float
        Mean over all customers, in [-1, 1].
    error : float
        Standard error of `mean`; 0 when it is exact.
    per_cluster : ndarray of shape (k,)
        Mean over each cluster's customers, in ascending order of label.
    samples : ndarray of shape (n_rows,) or None
        Value of every row; None when the mean is an estimate.
    anchors : int
        Rows whose silhouette was computed.
    """

    mean: float
    error: float
    per_cluster: np.ndarray
    samples: np.ndarray | None
    anchors: int


def silhouettes(
    X: np.ndarray,
    labels_by_k: np.ndarray | Sequence[np.ndarray],
    *,
    weights: np.ndarray | None = None,
    exact_max: int = 20_000,
    random_state: int = 0,
    parallel: bool = True,
) -> list[Silhouette]:
    """Compute or estimate the silhouette of each partition of the same rows.

    Up to `exact_max` distinct rows, every row is an anchor and the result is
    exact. Above, anchors drawn at random are compared with *all* rows. The
    root-mean-square silhouette, in which the mean distance to a cluster is
    replaced by the root of the mean squared distance, costs one product for
    all rows and serves as control variate: within each cluster the estimate is
    a regression on it, and the clusters are weighted by their sizes (Cochran
    1977, Sampling techniques, chapters 5 and 7). The number of anchors follows
    from a pilot, so that the standard error of every partition is at most
    0.001 unless 4096 anchors or 4e9 distances do not suffice.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
        Finite values, in the space the partitions were made in.
    labels_by_k : array of int of shape (n_partitions, n_rows)
        Labels of each partition; 2 to n - 1 of them are in use.
    weights : ndarray of int of shape (n_rows,), optional
        Customers behind each row; 1 each by default. A row with a weight and
        that many equal rows give the same values. With weights, rows are
        taken to be distinct; equal rows are then only slower.
    exact_max : int, optional
        Most distinct rows for which the result is exact, at least 2.
    random_state : int, optional
        Seed of the anchors, at least 0.
    parallel : bool, optional
        Use two threads.

    Returns
    -------
    list of Silhouette, one for each partition

    Raises
    ------
    ValueError
        Shapes that do not match, or a number of clusters outside [2, n - 1].
    """
    X = np.asarray(X, dtype=float)
    merge = weights is None
    if merge:
        weights = np.ones(len(X), dtype=np.int64)
    labels = _compact_labels(labels_by_k, len(X), int(weights.sum()))
    rows = back = np.arange(len(X))
    if merge:
        rows, weights, back = _merge_equal_rows(X, labels)
    points = Points.of(X[rows], weights)
    grid, order = sort_by_cell(
        points, *cut_into_cells(labels[:, rows]), parallel=parallel
    )
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    found = grid_silhouettes(grid, exact_max=exact_max, random_state=random_state)
    return [
        replace(f, samples=None if f.samples is None else f.samples[place[back]])
        for f in found
    ]


def grid_silhouettes(
    grid: Grid,
    *,
    exact_max: int,
    random_state: int,
    measures: Sequence[PartitionMeasures] | None = None,
) -> list[Silhouette]:
    """Compute or estimate the silhouettes of the partitions of a grid.

    Parameters
    ----------
    grid : Grid
        Of distinct rows; equal ones are only slower.
    exact_max, random_state : int
        As in `silhouettes`.
    measures : sequence of PartitionMeasures, optional
        Those of the grid, if at hand.

    Returns
    -------
    list of Silhouette, one for each partition
        `samples` are in the order of the grid.
    """
    is_exact = len(grid) <= exact_max
    n_anchors = len(grid) if is_exact else 2 * PILOT_ANCHORS
    is_compiled = compiled.is_worth(len(grid) * n_anchors)
    with single_blas_thread:
        engine = (_Kernel if is_compiled else _Products)(grid)
        if is_exact:
            return _exact(grid, engine)
        measures = grid_measures(grid) if measures is None else measures
        return _estimate(grid, engine, measures, random_state)


def _compact_labels(labels_by_k, n_rows, n_customers) -> np.ndarray:
    """Labels 0..k-1 of every partition, checked."""
    compact = []
    for p, labels in enumerate(labels_by_k):
        labels = np.asarray(labels)
        if labels.shape != (n_rows,):
            raise ValueError(
                f"labels_by_k: partition {p} has shape {labels.shape}, allowed is "
                f"({n_rows},)"
            )
        if labels.dtype == np.uint8:
            labels, k = renumber(labels)
        else:
            used, labels = np.unique(labels, return_inverse=True)
            k = len(used)
        if not 2 <= k <= n_customers - 1:
            raise ValueError(
                f"labels_by_k: partition {p} has {k} clusters, allowed is "
                f"[2, {n_customers - 1}]"
            )
        compact.append(labels.astype(np.min_scalar_type(k)))
    return np.array(compact)


def _merge_equal_rows(X, labels):
    """Merge equal rows of the same cell, whose distance a product gets wrong.

    Returns the rows kept, their weights, and for every row of `X` the position
    of its kept copy.
    """
    columns = [np.ascontiguousarray(column) for column in X.T]
    cell = cut_into_cells(labels)[1].astype(float)
    return distinct_rows([*columns, cell], inverse=True)


class _Products:
    """Sums of distances by matrix products in double precision."""

    def __init__(self, grid: Grid):
        self.grid = grid
        points = grid.points
        # in single precision there are many: block by block
        self.factors = None if points.is_light else _factors(points.values)
        self.unequal = points.weights if points.weights.max() > 1 else None

    def _factors(self, block):
        if self.factors is not None:
            return self.factors[:, block]
        return _factors(self.grid.points.values[:, block].astype(float))

    def sums(self, anchors):
        """Return sums of distances to all customers, (n_anchors, n_clusters)."""
        x = self.grid.points.values[:, anchors].astype(float)
        squares = np.einsum("ij,ij->j", x, x)
        left = np.column_stack((-2 * x.T, np.ones(len(squares)), squares))
        near = (NEAR * squares)[:, None]
        sums = np.zeros((len(squares), len(self.grid.cells)))
        buffer = np.empty((len(squares), BLOCK_COLUMNS))
        is_near = np.empty((len(squares), BLOCK_COLUMNS), dtype=bool)
        for block in blocks(range(len(self.grid)), BLOCK_COLUMNS):
            width = block.stop - block.start
            squared, factors = buffer[:, :width], self._factors(block)
            np.matmul(left, factors, out=squared)
            np.less_equal(squared, near, out=is_near[:, :width])
            _correct_near(squared, is_near[:, :width], x, factors)
            distances = np.sqrt(squared, out=squared)
            if self.unequal is not None:
                distances *= self.unequal[block]
            cells, starts = self.grid.segments(block)
            sums[:, cells] += np.add.reduceat(distances, starts, axis=1)
        return sums @ self.grid.cells.members


def _factors(x):
    """Right factors of squared distances, shape (n_columns + 2, n_rows)."""
    factors = np.ones((len(x) + 2, x.shape[1]))
    factors[:-2] = x
    np.einsum("ij,ij->j", x, x, out=factors[-2])
    return factors


def _correct_near(squared, is_near, x, factors):
    """Recompute small distances plainly; that of a row to itself becomes 0."""
    # Two-dimensional `nonzero` takes several times as long.
    row, column = np.divmod(np.flatnonzero(is_near), squared.shape[1])
    for part in range(0, len(row), BLOCK_COLUMNS):
        i, j = row[part : part + BLOCK_COLUMNS], column[part : part + BLOCK_COLUMNS]
        difference = x[:, i] - factors[:-2, j]
        squared[i, j] = np.einsum("ij,ij->j", difference, difference)


class _Kernel:
    """Sums of distances by the compiled kernel."""

    def __init__(self, grid: Grid):
        self.grid = grid
        points = grid.points
        if points.is_light:
            # what a cell's own origin would keep is rounded off already
            self.origins = np.zeros((len(grid.cells), points.n_columns))
            self.x, self.weights = points.values, points.weights
        else:
            self.origins = self._cell_means()
            self.x = np.empty(points.values.shape, dtype=np.float32)
            over_ranges(self._fill, len(grid), grid.parallel)
            self.weights = points.weights.astype(np.float32)
        self.kernel = compiled.distance_sums(points.n_columns)

    def _cell_means(self):
        points, starts = self.grid.points, self.grid.edges[:-1]
        weights = np.add.reduceat(points.weights, starts, dtype=float)
        sums = np.add.reduceat(points.values * points.weights, starts, axis=1)
        return np.ascontiguousarray((sums / weights).T)

    def _fill(self, rows):
        for block in blocks(rows):
            origins = self.origins[self.grid.cell_of(block)]
            self.x[:, block] = self.grid.points.values[:, block] - origins.T

    def sums(self, anchors):
        """Return sums of distances to all customers, (n_anchors, n_clusters)."""
        x = np.zeros((len(self.x), compiled.LANES))
        x[:, : len(anchors)] = self.grid.points.values[:, anchors]
        members = self.grid.cells.members
        total = np.zeros((compiled.LANES, members.shape[1]))
        for part in blocks(range(len(members)), PART_CELLS):
            sums = np.empty((part.stop - part.start, compiled.LANES))
            edges = self.grid.edges[part.start : part.stop + 1]
            self.kernel(x, self.x, self.origins[part], self.weights, edges, sums)
            total += sums.T @ members[part]
        return total[: len(anchors)]


def _distance_sums(engine, anchors):
    """Add up the distances from anchors in blocks, on two threads."""
    parts = [
        anchors[start : start + BLOCK_ANCHORS]
        for start in range(0, len(anchors), BLOCK_ANCHORS)
    ]
    mapped = (parallel_map if engine.grid.parallel else map)(engine.sums, parts)
    return np.concatenate(list(mapped))


def silhouette_values(sums, sizes, own) -> np.ndarray:
    """Silhouettes from sums of distances to clusters.

    Parameters
    ----------
    sums : ndarray of shape (n_anchors, k)
    sizes : ndarray of shape (k,)
    own : ndarray of int of shape (n_anchors,)
        Label of each anchor.
    """
    every = np.arange(len(own))
    to_own = sums[every, own] / np.maximum(sizes[own] - 1, 1)
    means = sums / sizes
    means[every, own] = np.inf
    to_other = means.min(axis=1)
    larger = np.maximum(to_own, to_other)
    values = np.divide(
        to_other - to_own, larger, out=np.zeros(len(own)), where=larger > 0
    )
    values[sizes[own] == 1] = 0  # by definition
    return values


def _exact(grid, engine) -> list[Silhouette]:
    sums = _distance_sums(engine, np.arange(len(grid)))
    weights = grid.points.weights
    every = grid.labels(slice(0, len(grid)))
    results = []
    for own, place in zip(every, grid.cells.of_partition, strict=True):
        values = silhouette_values(sums[:, place], grid.sizes[place], own)
        weighted = values * weights
        per_cluster = np.bincount(own, weighted) / grid.sizes[place]
        mean = float(np.sum(weighted) / np.sum(weights))
        results.append(Silhouette(mean, 0.0, per_cluster, values, len(values)))
    return results


def _estimate(grid, engine, measures, random_state) -> list[Silhouette]:
    rng = np.random.default_rng([random_state, 1])
    weights = grid.points.weights
    most = min(MOST_ANCHORS, max(2 * PILOT_ANCHORS, MOST_DISTANCES // len(grid)))
    n_customers = int(weights.sum(dtype=np.int64))
    draw = draw_customers(weights, min(most, n_customers - 1), rng)
    rng.shuffle(draw)
    sample = _Anchors(grid, engine, measures)
    sample.add(draw[:PILOT_ANCHORS])
    worst = max(result.error for result in sample.results())
    # The error falls with the root of the number; a tenth more for the pilot's own.
    needed = 1.1 * PILOT_ANCHORS * (worst / TARGET_ERROR) ** 2
    sample.add(draw[PILOT_ANCHORS : int(max(needed, 2 * PILOT_ANCHORS))])
    sample.complete_small_clusters(rng)
    return sample.results()


class _Anchors:
    """Anchors drawn so far, their silhouettes and controls in each partition."""

    def __init__(self, grid: Grid, engine, measures):
        self.grid, self.engine = grid, engine
        self.scores = MeanScores(grid)
        self.control_means = [m.rms_silhouettes for m in measures]
        self.sizes = [grid.sizes[place] for place in grid.cells.of_partition]
        n_partitions = len(self.sizes)
        self.rows = np.empty(0, dtype=np.intp)
        self.values = np.empty((n_partitions, 0))
        self.controls = np.empty((n_partitions, 0))
        # Which partitions an anchor may speak for: all, or the one it was
        # added for.
        self.serves = np.empty((n_partitions, 0), dtype=bool)
        self.known = [{} for _ in self.sizes]  # clusters computed in full

    def add(self, rows, serves=None):
        if not len(rows):
            return
        grid, labels = self.grid, self.grid.labels(rows)
        sums = _distance_sums(self.engine, rows)
        values = [
            silhouette_values(sums[:, place], grid.sizes[place], own)
            for own, place in zip(labels, grid.cells.of_partition, strict=True)
        ]
        scorer = self.scores.scorer()
        _, controls = self.scores.of_rows(scorer, grid.points.values[:, rows], labels)
        if serves is None:
            serves = np.ones((len(values), len(rows)), dtype=bool)
        self.rows = np.concatenate((self.rows, rows))
        self.values = np.concatenate((self.values, values), axis=1)
        self.controls = np.concatenate((self.controls, controls), axis=1)
        self.serves = np.concatenate((self.serves, serves), axis=1)

    def complete_small_clusters(self, rng):
        """Give clusters that have fewer than `CLUSTER_ANCHORS` that many.

        A cluster of that few distinct rows is computed in full.
        """
        added, serves = [], []
        n_partitions = len(self.sizes)
        for p, own in enumerate(self.grid.labels(self.rows)):
            drawn = np.bincount(own, minlength=len(self.sizes[p]))
            for cluster in np.flatnonzero(drawn < CLUSTER_ANCHORS):
                rows = self.grid.rows_of(p, cluster)
                if len(rows) <= CLUSTER_ANCHORS:
                    self.known[p][cluster] = self._in_full(p, rows)
                    continue
                weights = self.grid.points.weights[rows]
                missing = CLUSTER_ANCHORS - drawn[cluster]
                added.append(rows[draw_customers(weights, missing, rng)])
                serves += [np.arange(n_partitions) == p] * missing
        if added:
            self.add(np.concatenate(added), np.array(serves).T)

    def _in_full(self, p, rows) -> float:
        grid, place = self.grid, self.grid.cells.of_partition[p]
        sums = self.engine.sums(rows)[:, place]
        values = silhouette_values(sums, grid.sizes[place], grid.labels(rows)[p])
        return np.average(values, weights=grid.points.weights[rows])

    def results(self) -> list[Silhouette]:
        labels = self.grid.labels(self.rows)
        return [self._result(p, own) for p, own in enumerate(labels)]

    def _result(self, p, own) -> Silhouette:
        serves, sizes = self.serves[p], self.sizes[p]
        own = own[serves]
        value, control = self.values[p, serves], self.controls[p, serves]
        drawn = np.bincount(own, minlength=len(sizes))
        slope = _pooled_slope(value, control, own, drawn)
        residual = value - slope * control
        totals = np.bincount(own, residual, minlength=len(sizes))
        centre = totals / np.maximum(drawn, 1)
        per_cluster = centre + slope * self.control_means[p]
        spread = np.bincount(own, (residual - centre[own]) ** 2, minlength=len(sizes))
        freedom = max(len(own) - np.count_nonzero(drawn) - 1, 1)
        # Clusters with few anchors borrow the common variance.
        variance = np.where(
            drawn >= CLUSTER_ANCHORS,
            spread / np.maximum(drawn - 1, 1),
            spread.sum() / freedom,
        )
        for cluster, known in self.known[p].items():
            per_cluster[cluster], variance[cluster] = known, 0.0
        share = sizes / sizes.sum()
        unseen = np.maximum(1 - drawn / sizes, 0)
        error = np.sqrt(np.sum(share**2 * unseen * variance / np.maximum(drawn, 1)))
        mean = float(np.sum(share * per_cluster))
        return Silhouette(mean, float(error), per_cluster, None, len(own))


def _pooled_slope(value, control, own, drawn) -> float:
    """Regression slope of value on control within clusters."""
    counts = np.maximum(drawn, 1)
    value = value - (np.bincount(own, value, minlength=len(drawn)) / counts)[own]
    control = control - (np.bincount(own, control, minlength=len(drawn)) / counts)[own]
    square = np.sum(control**2)
    return float(np.sum(value * control) / square) if square > 0 else 1.0
