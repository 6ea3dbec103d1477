"""Several partitions of the same rows, cut into the cells they share.

A *cell* is a tuple of labels that occurs, one label per partition. Whatever is
summed over the rows of every cell is summed over the clusters of every
partition by one small product, so that rows are gone through once however many
partitions there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from segmentacao.blocks import COLUMN_BLOCK, blocks, over_ranges
from segmentacao.points import Points

#: Largest cell number that is cheaper to count than to sort.
COUNTED = 1 << 22


@dataclass(frozen=True)
class Cells:
    """The cells of several partitions, in lexicographic order of their labels.

    Attributes
    ----------
    labels : ndarray of unsigned int of shape (n_partitions, n_cells)
    members : ndarray of shape (n_cells, n_clusters_of_all_partitions)
        1 where a cell is part of a cluster, else 0.
    of_partition : list of slice
        For each partition, its clusters' places among those of all partitions.
    """

    labels: np.ndarray
    members: np.ndarray
    of_partition: list[slice]

    def __len__(self):
        """Return the number of cells."""
        return len(self.members)


def cut_into_cells(labels: np.ndarray) -> tuple[Cells, np.ndarray]:
    """Find the cells of several partitions.

    Parameters
    ----------
    labels : ndarray of int of shape (n_partitions, n_rows)
        Labels 0..k-1 of each partition, none of them empty.

    Returns
    -------
    cells : Cells
    of_row : ndarray of unsigned int of shape (n_rows,)
        Cell of each row.
    """
    of_row, count = _joint(labels)
    first = np.empty(count, dtype=np.intp)  # one row of each cell
    for block in blocks(range(len(of_row)), COLUMN_BLOCK):
        first[of_row[block]] = np.arange(block.start, block.stop)
    of_cell = labels[:, first]
    ends = np.cumsum(of_cell.max(axis=1).astype(np.intp) + 1)
    starts = np.concatenate(([0], ends[:-1]))
    members = np.zeros((count, ends[-1]))
    for own, start in zip(of_cell, starts, strict=True):
        members[np.arange(count), start + own.astype(np.intp)] = 1
    places = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
    return Cells(of_cell, members, places), of_row


def _joint(labels) -> tuple[np.ndarray, int]:
    """Give every tuple of labels that occurs a number; also return how many."""
    # 255 times the largest number of a cell still fits the shorter one
    cell = np.zeros(labels.shape[1], np.int32 if labels.dtype == np.uint8 else np.int64)
    for own in labels:
        cell *= int(own.max()) + 1
        cell += own
        if cell.max() >= COUNTED:
            cell = np.unique(cell, return_inverse=True)[1]
    return renumber(cell)


def renumber(numbers: np.ndarray) -> tuple[np.ndarray, int]:
    """Close the gaps between numbers.

    Parameters
    ----------
    numbers : ndarray of int of shape (n_rows,)
        At least 0.

    Returns
    -------
    places : ndarray of unsigned int of shape (n_rows,)
        Place of each number among those that occur, 0..count-1.
    count : int
        How many different numbers there are.
    """
    if numbers.max() > max(4 * len(numbers), 255):  # a table would cost more
        used, place = np.unique(numbers, return_inverse=True)
        return place, len(used)
    # block by block: an index of all rows is turned into one of 64 bits
    cut = list(blocks(range(len(numbers)), COLUMN_BLOCK))
    used = np.zeros(int(numbers.max()) + 1, dtype=bool)
    for block in cut:
        used[numbers[block]] = True
    count = np.count_nonzero(used)
    place = np.zeros(len(used), dtype=np.min_scalar_type(count))
    place[used] = np.arange(count)
    places = np.empty(len(numbers), dtype=place.dtype)
    for block in cut:
        places[block] = place[numbers[block]]
    return places, count


class Grid:
    """Points sorted by cell.

    Parameters
    ----------
    points : Points
        In order of their cells.
    cells : Cells
    edges : ndarray of int of shape (n_cells + 1,)
        Cell `c` holds the rows ``edges[c]:edges[c + 1]``.
    parallel : bool
        Use two threads when there are enough rows.

    Attributes
    ----------
    sizes : ndarray of shape (n_clusters_of_all_partitions,)
        Customers in each cluster.
    """

    def __init__(self, points, cells, edges, parallel):
        self.points, self.cells, self.edges = points, cells, edges
        self.parallel = parallel
        self.sizes = self.cluster_sums(
            lambda: lambda block: points.weights[None, block].astype(float), 1
        )[0]

    def __len__(self):
        """Return the number of rows."""
        return len(self.points)

    def segments(self, block: slice) -> tuple[slice, np.ndarray]:
        """Cells of a block of rows, and where each begins within the block."""
        first = np.searchsorted(self.edges, block.start, side="right") - 1
        last = np.searchsorted(self.edges, block.stop)
        return (
            slice(first, last),
            np.maximum(self.edges[first:last] - block.start, 0),
        )

    def cell_of(self, rows: np.ndarray | slice) -> np.ndarray:
        """Cell of each of some rows."""
        if isinstance(rows, slice):
            cells, starts = self.segments(rows)
            lengths = np.diff(starts, append=rows.stop - rows.start)
            return np.repeat(np.arange(cells.start, cells.stop), lengths)
        return np.searchsorted(self.edges, rows, side="right") - 1

    def labels(self, rows: np.ndarray | slice) -> np.ndarray:
        """Labels of some rows, shape (n_partitions, n)."""
        return self.cells.labels[:, self.cell_of(rows)]

    def rows_of(self, partition: int, cluster: int) -> np.ndarray:
        """Rows of one cluster, ascending."""
        cells = np.flatnonzero(self.cells.labels[partition] == cluster)
        parts = [np.arange(self.edges[c], self.edges[c + 1]) for c in cells]
        return np.concatenate(parts)

    def cluster_sums(self, start: Callable[[], Callable], n_values: int) -> np.ndarray:
        """Add up values of the rows over the clusters of all partitions.

        Parameters
        ----------
        start : callable
            Called by each thread; returns the function that computes the
            values of a block of rows, shape (n_values, n_rows).
        n_values : int

        Returns
        -------
        ndarray of shape (n_values, n_clusters_of_all_partitions)
        """

        def add_up(rows):
            measure = start()
            sums = np.zeros((n_values, len(self.cells)))
            for block in blocks(rows):
                cells, starts = self.segments(block)
                sums[:, cells] += np.add.reduceat(measure(block), starts, axis=1)
            return sums

        parts = over_ranges(add_up, len(self), self.parallel)
        return sum(parts) @ self.cells.members

    @cached_property
    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean, and mean of the squared norm, of every cluster's customers.

        Of shapes (n_clusters_of_all_partitions, n_columns) and
        (n_clusters_of_all_partitions,), as the points store coordinates.
        """

        def measure(block):
            values = np.empty((self.points.n_columns + 1, block.stop - block.start))
            values[:-1] = self.points.values[:, block]
            values[-1] = np.einsum("ij,ij->j", values[:-1], values[:-1])
            return np.multiply(values, self.points.weights[block], out=values)

        sums = self.cluster_sums(lambda: measure, self.points.n_columns + 1)
        sums /= self.sizes
        return sums[:-1].T, sums[-1]


def sort_by_cell(
    points: Points, cells: Cells, of_row: np.ndarray, *, parallel: bool = True
) -> tuple[Grid, np.ndarray]:
    """Sort points, in place, by their cells.

    Parameters
    ----------
    points : Points
    cells : Cells
    of_row : ndarray of int of shape (n_rows,)
        Cell of each row; both from `cut_into_cells`.
    parallel : bool, optional
        Use two threads when there are enough rows.

    Returns
    -------
    grid : Grid
    order : ndarray of intp of shape (n_rows,)
        Where each row stood before.
    """
    order = np.argsort(of_row, kind="stable")
    edges = np.concatenate(([0], np.cumsum(np.bincount(of_row))))
    points.sort(order)
    return Grid(points, cells, edges, parallel), order
