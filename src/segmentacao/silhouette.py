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
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segmentacao import compiled
from segmentacao.blocks import (
    blocks,
    over_ranges,
    parallel_map,
    single_blas_thread,
    weighted_origin,
)
from segmentacao.cells import Cells, renumber
from segmentacao.kmeans import Scorer, draw_customers, pad_centres
from segmentacao.transform import distinct_rows

#: Anchors and rows of one block of distances: 2 MB, within the cache.
BLOCK_ANCHORS = compiled.LANES
BLOCK_COLUMNS = 4096
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
    cells: Cells | None = None,
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
    cells : Cells, optional
        The cells of `labels_by_k`, if at hand.
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
    cells = Cells(labels) if cells is None else cells
    rows, row_weights, back = _merge_equal_rows(X, cells.of_row, weights, merge)
    is_exact = len(rows) <= exact_max
    with single_blas_thread:
        origin = weighted_origin(X, weights)
        grid = _Grid(X, origin, rows, labels[:, rows], cells, row_weights, parallel)
        n_anchors = len(rows) if is_exact else 2 * PILOT_ANCHORS
        is_compiled = compiled.is_worth(len(rows) * n_anchors)
        engine = (_Kernel if is_compiled else _Products)(grid)
        if is_exact:
            return _exact(grid, engine, back)
        return _estimate(grid, engine, random_state)


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


def _merge_equal_rows(X, cell, weights, merge):
    """Merge equal rows of the same cell, whose distance a product gets wrong.

    Returns the rows kept, sorted by cell, their weights, and for every row of
    `X` the position of its kept copy.
    """
    if merge:
        columns = [np.ascontiguousarray(column) for column in X.T]
        rows, _, back = distinct_rows([*columns, cell.astype(float)], inverse=True)
    else:
        rows = back = np.arange(len(X))
    by_cell = np.argsort(cell[rows], kind="stable")
    place = np.empty_like(by_cell)
    place[by_cell] = np.arange(len(by_cell))
    back = place[back]
    return rows[by_cell], np.bincount(back, weights), back


class _Grid:
    """Rows sorted by cell.

    Attributes
    ----------
    labels : ndarray of shape (n_partitions, n_rows)
    weights : ndarray of shape (n_rows,)
        Customers behind each row.
    edges : ndarray of shape (n_cells + 1,)
        Cell `c` holds the rows ``edges[c]:edges[c + 1]``.
    cells : Cells
    sizes : ndarray of shape (n_clusters_of_all_partitions,)
        Customers in each cluster.
    """

    def __init__(self, X, origin, rows, labels, cells, weights, parallel):
        self._X, self._rows = X, rows
        self._origin = origin
        self.labels, self.weights, self.cells = labels, weights, cells
        self.parallel = parallel
        cell = cells.of_row[rows]
        self.edges = np.searchsorted(cell, np.arange(len(cells) + 1))
        self.sizes = np.add.reduceat(weights, self.edges[:-1]) @ cells.members

    def __len__(self):
        return len(self._rows)

    def x(self, rows):
        """Rows about the mean of all, shape (n, n_columns)."""
        return self._X[self._rows[rows]] - self._origin

    def segments(self, block):
        """Cells of a block of rows, and where each begins within the block."""
        first = np.searchsorted(self.edges, block.start, side="right") - 1
        last = np.searchsorted(self.edges, block.stop)
        return (
            slice(first, last),
            np.maximum(self.edges[first:last] - block.start, 0),
        )

    @cached_property
    def cell_sums(self):
        """Sums of [x, |x|^2] by cell, shape (n_cells, n_columns + 1)."""

        def add_up(rows):
            sums = np.zeros((len(self.cells), self._X.shape[1] + 1))
            for block in blocks(rows):
                x = self.x(block)
                values = np.column_stack((x, np.einsum("ij,ij->i", x, x)))
                values *= self.weights[block, None]
                cells, starts = self.segments(block)
                sums[cells] += np.add.reduceat(values, starts, axis=0)
            return sums

        return sum(over_ranges(add_up, len(self), self.parallel))


class _Products:
    """Sums of distances by matrix products in double precision."""

    def __init__(self, grid: _Grid):
        self.grid = grid
        x = grid.x(slice(None))
        squares = np.einsum("ij,ij->i", x, x)
        self.factors = np.column_stack((x, squares, np.ones(len(x))))
        self.unequal = grid.weights if grid.weights.max() > 1 else None

    def sums(self, anchors):
        """Return sums of distances to all customers, (n_anchors, n_clusters)."""
        x, squares = self.factors[anchors, :-2], self.factors[anchors, -2]
        left = np.column_stack((-2 * x, np.ones(len(x)), squares))
        near = (NEAR * squares)[:, None]
        sums = np.zeros((len(x), len(self.grid.cells)))
        buffer = np.empty((len(x), BLOCK_COLUMNS))
        is_near = np.empty((len(x), BLOCK_COLUMNS), dtype=bool)
        for block in blocks(range(len(self.grid)), BLOCK_COLUMNS):
            width = block.stop - block.start
            squared = buffer[:, :width]
            np.matmul(left, self.factors[block].T, out=squared)
            np.less_equal(squared, near, out=is_near[:, :width])
            self._correct_near(squared, is_near[:, :width], x, block.start)
            distances = np.sqrt(squared, out=squared)
            if self.unequal is not None:
                distances *= self.unequal[block]
            cells, starts = self.grid.segments(block)
            sums[:, cells] += np.add.reduceat(distances, starts, axis=1)
        return sums @ self.grid.cells.members

    def _correct_near(self, squared, is_near, x, start):
        """Recompute small distances plainly; that of a row to itself becomes 0."""
        # Two-dimensional `nonzero` takes several times as long.
        row, column = np.divmod(np.flatnonzero(is_near), squared.shape[1])
        for part in range(0, len(row), BLOCK_COLUMNS):
            i, j = row[part : part + BLOCK_COLUMNS], column[part : part + BLOCK_COLUMNS]
            difference = x[i] - self.factors[start + j, :-2]
            squared[i, j] = np.einsum("ij,ij->i", difference, difference)


class _Kernel:
    """Sums of distances by the compiled kernel."""

    def __init__(self, grid: _Grid):
        self.grid = grid
        sums = grid.cell_sums[:, :-1]
        weights = np.add.reduceat(grid.weights, grid.edges[:-1])
        self.origins = sums / weights[:, None]
        self.x = np.empty((sums.shape[1], len(grid)), dtype=np.float32)
        over_ranges(self._fill, len(grid), grid.parallel)
        self.weights = grid.weights.astype(np.float32)
        self.kernel = compiled.distance_sums(len(self.x))

    def _fill(self, rows):
        for block in blocks(rows):
            cells, starts = self.grid.segments(block)
            lengths = np.diff(starts, append=block.stop - block.start)
            origins = np.repeat(self.origins[cells], lengths, axis=0)
            self.x[:, block] = (self.grid.x(block) - origins).T

    def sums(self, anchors):
        """Return sums of distances to all customers, (n_anchors, n_clusters)."""
        x = np.zeros((len(self.x), compiled.LANES))
        x[:, : len(anchors)] = self.grid.x(anchors).T
        sums = np.empty((len(self.origins), compiled.LANES))
        edges = self.grid.edges
        self.kernel(x, self.x, self.origins, self.weights, edges, sums)
        return sums[:, : len(anchors)].T @ self.grid.cells.members


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


def _exact(grid, engine, back) -> list[Silhouette]:
    sums = _distance_sums(engine, np.arange(len(grid)))
    results = []
    for own, place in zip(grid.labels, grid.cells.of_partition, strict=True):
        values = silhouette_values(sums[:, place], grid.sizes[place], own)
        weighted = values * grid.weights
        per_cluster = np.bincount(own, weighted) / grid.sizes[place]
        mean = float(np.sum(weighted) / np.sum(grid.weights))
        results.append(Silhouette(mean, 0.0, per_cluster, values[back], len(values)))
    return results


def _estimate(grid, engine, random_state) -> list[Silhouette]:
    rng = np.random.default_rng([random_state, 1])
    most = min(MOST_ANCHORS, max(2 * PILOT_ANCHORS, MOST_DISTANCES // len(grid)))
    n_customers = int(grid.weights.sum())
    draw = draw_customers(
        grid.weights.astype(np.int64), min(most, n_customers - 1), rng
    )
    rng.shuffle(draw)
    sample = _Anchors(grid, engine)
    sample.add(draw[:PILOT_ANCHORS])
    worst = max(result.error for result in sample.results())
    # The error falls with the root of the number; a tenth more for the pilot's own.
    needed = 1.1 * PILOT_ANCHORS * (worst / TARGET_ERROR) ** 2
    sample.add(draw[PILOT_ANCHORS : int(max(needed, 2 * PILOT_ANCHORS))])
    sample.complete_small_clusters(rng)
    return sample.results()


class _Control:
    """Root-mean-square silhouettes of all partitions, in single precision.

    The mean squared distance from `x` to a cluster is the squared distance to
    its mean plus the mean square within; without the row itself, whose
    distance is 0, it is larger by n / (n - 1).

    Parameters
    ----------
    grid : _Grid
    """

    def __init__(self, grid: _Grid):
        self.grid = grid
        of_partition = grid.cells.of_partition
        self.sizes = [grid.sizes[place] for place in of_partition]
        sums = grid.cells.members.T @ grid.cell_sums / grid.sizes[:, None]
        # The clusters' mean square: about it nothing leaves single precision.
        self.unit = np.sqrt(np.max(sums[:, -1])) or 1.0
        # The scorer wants partitions in ascending order of k.
        self.order = np.argsort([len(size) for size in self.sizes], kind="stable")
        places = [of_partition[p] for p in self.order]
        self.C, self.ks = pad_centres(
            [(sums[place, :-1] / self.unit).astype(np.float32) for place in places]
        )
        # |mean|^2 plus the mean square within is the members' mean of |x|^2.
        self.norms = [sums[place, -1] / self.unit**2 for place in places]
        self.factors = [  # of the own cluster, for the row itself
            np.sqrt(size / np.maximum(size - 1, 1)).astype(np.float32)
            for size in (self.sizes[p] for p in self.order)
        ]

    def scorer(self) -> Scorer:
        """Scorer whose scores, plus |x|^2, are mean squared distances."""
        scorer = Scorer(self.C, self.ks)
        for line, (j, p) in enumerate(zip(scorer.slot, scorer.partition, strict=True)):
            scorer.norms[line] = self.norms[p][j]
        return scorer

    def values(self, scorer: Scorer, rows) -> np.ndarray:
        """Return controls, (n_partitions, n_rows), of at most a block of rows."""
        x = (self.grid.x(rows) / self.unit).astype(np.float32)
        roots = scorer.scores(x)
        roots += np.einsum("ij,ij->i", x, x)
        np.maximum(roots, 0, out=roots)
        np.sqrt(roots, out=roots)
        labels = self.grid.labels[:, rows][self.order]
        to_own = np.zeros(labels.shape, dtype=np.float32)
        to_other = np.full(labels.shape, np.inf, dtype=np.float32)
        for j, (lines, rest) in enumerate(scorer.places):
            own = labels[rest] == j
            np.copyto(to_own[rest], roots[lines], where=own)
            np.copyto(roots[lines], np.inf, where=own)
            np.minimum(to_other[rest], roots[lines], out=to_other[rest])
        for line, factor, own in zip(to_own, self.factors, labels, strict=True):
            line *= factor[own]
        larger = np.maximum(np.maximum(to_own, to_other), np.finfo(np.float32).tiny)
        values = np.empty_like(to_own)
        values[self.order] = (to_other - to_own) / larger
        return values

    def means(self) -> list[np.ndarray]:
        """Mean control of each cluster over all its customers."""

        def totals(rows):
            scorer = self.scorer()
            sums = [np.zeros(len(size)) for size in self.sizes]
            for block in blocks(rows):
                weighted = self.values(scorer, block) * self.grid.weights[block]
                for total, own, values in zip(
                    sums, self.grid.labels[:, block], weighted, strict=True
                ):
                    total += np.bincount(own, values, minlength=len(total))
            return sums

        parts = over_ranges(totals, len(self.grid), self.grid.parallel)
        return [
            sum(part) / size for *part, size in zip(*parts, self.sizes, strict=True)
        ]


class _Anchors:
    """Anchors drawn so far, their silhouettes and controls in each partition."""

    def __init__(self, grid: _Grid, engine):
        self.grid, self.engine = grid, engine
        self.control = _Control(grid)
        self.control_means = self.control.means()
        n_partitions = len(grid.labels)
        self.rows = np.empty(0, dtype=np.intp)
        self.values = np.empty((n_partitions, 0))
        self.controls = np.empty((n_partitions, 0))
        # Which partitions an anchor may speak for: all, or the one it was
        # added for.
        self.serves = np.empty((n_partitions, 0), dtype=bool)
        self.known = [{} for _ in grid.labels]  # clusters computed in full

    def add(self, rows, serves=None):
        if not len(rows):
            return
        grid = self.grid
        sums = _distance_sums(self.engine, rows)
        values = [
            silhouette_values(sums[:, place], grid.sizes[place], own)
            for own, place in zip(
                grid.labels[:, rows], grid.cells.of_partition, strict=True
            )
        ]
        scorer = self.control.scorer()
        controls = [
            self.control.values(scorer, rows[block])
            for block in blocks(range(len(rows)))
        ]
        if serves is None:
            serves = np.ones((len(values), len(rows)), dtype=bool)
        self.rows = np.concatenate((self.rows, rows))
        self.values = np.concatenate((self.values, values), axis=1)
        self.controls = np.concatenate((self.controls, *controls), axis=1)
        self.serves = np.concatenate((self.serves, serves), axis=1)

    def complete_small_clusters(self, rng):
        """Give clusters that have fewer than `CLUSTER_ANCHORS` that many.

        A cluster of that few distinct rows is computed in full.
        """
        added, serves = [], []
        n_partitions = len(self.grid.labels)
        for p, own in enumerate(self.grid.labels):
            drawn = np.bincount(own[self.rows], minlength=len(self.control.sizes[p]))
            for cluster in np.flatnonzero(drawn < CLUSTER_ANCHORS):
                rows = np.flatnonzero(own == cluster)
                if len(rows) <= CLUSTER_ANCHORS:
                    self.known[p][cluster] = self._in_full(p, rows)
                    continue
                weights = self.grid.weights[rows].astype(np.int64)
                missing = CLUSTER_ANCHORS - drawn[cluster]
                added.append(rows[draw_customers(weights, missing, rng)])
                serves += [np.arange(n_partitions) == p] * missing
        if added:
            self.add(np.concatenate(added), np.array(serves).T)

    def _in_full(self, p, rows) -> float:
        grid, place = self.grid, self.grid.cells.of_partition[p]
        sums = self.engine.sums(rows)[:, place]
        values = silhouette_values(sums, grid.sizes[place], grid.labels[p, rows])
        return np.average(values, weights=grid.weights[rows])

    def results(self) -> list[Silhouette]:
        return [self._result(p) for p in range(len(self.grid.labels))]

    def _result(self, p) -> Silhouette:
        serves, sizes = self.serves[p], self.control.sizes[p]
        own = self.grid.labels[p, self.rows[serves]]
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
