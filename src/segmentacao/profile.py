"""What the customers of every cluster are like, in the variables' own units."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from segmentacao.blocks import COLUMN_BLOCK, blocks, parallel_map
from segmentacao.cells import Grid

#: Most bins of a first look for medians, and values that set their edges.
BINS = 255
EDGE_VALUES = 4096


@dataclass(frozen=True)
class Profile:
    """Raw means and medians of every partition.

    Attributes
    ----------
    means, medians : list of ndarray of shape (k, n_columns)
        Medians are NaN for columns without.
    """

    means: list[np.ndarray]
    medians: list[np.ndarray]


def profile_clusters(
    grid: Grid,
    *,
    raw: Callable[[int], np.ndarray],
    is_linear: list[bool],
    shift: np.ndarray,
    scale: np.ndarray,
    medians: bool,
) -> Profile:
    """Average the raw values of the customers of every cluster.

    Parameters
    ----------
    grid : Grid
    raw : callable
        Returns the raw values of a column in the order of the grid.
    is_linear : list of bool
        For each column, whether ``x * scale + shift`` leads from the model
        space back to raw values: then the mean is known.
    shift, scale : ndarray of shape (n_columns,)
    medians : bool
        Whether to search for medians too.

    Returns
    -------
    Profile
    """
    known = grid.points.outward(grid.moments[0]) * scale + shift
    none = np.full(len(grid.sizes), np.nan)

    def describe(j):
        if is_linear[j] and not medians:
            return known[:, j], none
        values = raw(j)
        means = known[:, j] if is_linear[j] else _means(grid, values)
        return means, cluster_medians(grid, values) if medians else none

    columns = parallel_map(describe, range(grid.points.n_columns))
    found = [np.column_stack(each) for each in zip(*columns, strict=True)]
    means, middles = (
        [each[place] for place in grid.cells.of_partition] for each in found
    )
    return Profile(means, middles)


def _means(grid, values):
    def measure(block):
        return (values[block] * grid.points.weights[block])[None]

    return grid.cluster_sums(lambda: measure, 1)[0] / grid.sizes


def cluster_medians(grid: Grid, values: np.ndarray) -> np.ndarray:
    """Median of every cluster of all partitions.

    A first look counts the customers of every cluster in bins of values; only
    the bins that hold a median are then sorted.

    Parameters
    ----------
    grid : Grid
    values : ndarray of shape (n_rows,)

    Returns
    -------
    ndarray of shape (n_clusters_of_all_partitions,)
        The mean of the two middle customers where their number is even.
    """
    bins = _Bins(grid, values)
    total = bins.upto[:, -1]
    low, high = (
        np.array([bins.value(c, n) for c, n in enumerate(numbers)])
        for numbers in ((total - 1) // 2, total // 2)
    )
    return low + (high - low) / 2


class _Bins:
    """Values of a grid in bins; the bins' values ascend from bin to bin."""

    def __init__(self, grid, values):
        self.grid, self.values = grid, values
        sample = np.sort(values[:: max(1, len(values) // EDGE_VALUES)])
        edges = np.unique(sample[:: max(1, -(-len(sample) // BINS))])
        self.of_row = np.empty(len(values), dtype=np.uint8)
        for block in blocks(range(len(values)), COLUMN_BLOCK):
            self.of_row[block] = np.searchsorted(edges, values[block], side="right")
        weights, ends = grid.points.weights, grid.edges
        counts = [
            np.bincount(self.of_row[a:b], weights[a:b], minlength=len(edges) + 1)
            for a, b in zip(ends, ends[1:], strict=False)
        ]
        # Customers of each cluster up to the end of each bin.
        self.upto = np.cumsum(grid.cells.members.T @ np.array(counts), axis=1)
        self._opened = {}

    def value(self, cluster, n) -> float:
        """Value of customer number `n`, from 0, of a cluster."""
        b = np.searchsorted(self.upto[cluster], n, side="right")
        if b not in self._opened:
            self._opened[b] = self._open(b)
        values, weights, cells = self._opened[b]
        if len(values) == 1:
            return values[0]
        before = self.upto[cluster, b - 1] if b else 0.0
        is_member = self.grid.cells.members[:, cluster] > 0
        customers = np.cumsum(np.where(is_member[cells], weights, 0.0))
        return values[np.searchsorted(customers, n - before, side="right")]

    def _open(self, b):
        """Sorted values of a bin, their weights and cells; one if all are equal."""
        rows = np.flatnonzero(self.of_row == b)
        values = self.values[rows]
        if values.min() == values.max():
            return values[:1], None, None
        order = np.argsort(values, kind="stable")
        rows = rows[order]
        return values[order], self.grid.points.weights[rows], self.grid.cell_of(rows)
