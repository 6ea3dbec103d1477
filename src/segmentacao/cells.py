"""Several partitions of the same rows, cut into the cells they share.

A *cell* is a tuple of labels that occurs, one label per partition. Whatever is
summed over the rows of every cell is summed over the clusters of every
partition by one small product, so that rows are gone through once however many
partitions there are.
"""

from __future__ import annotations

import numpy as np

#: Largest cell number that is cheaper to count than to sort.
COUNTED = 1 << 22


class Cells:
    """The cells of several partitions.

    Parameters
    ----------
    labels : ndarray of int of shape (n_partitions, n_rows)
        Labels 0..k-1 of each partition, none of them empty.

    Attributes
    ----------
    of_row : ndarray of unsigned int of shape (n_rows,)
        Cell of each row, 0..n_cells-1, in lexicographic order of the tuples.
    members : ndarray of shape (n_cells, n_clusters_of_all_partitions)
        1 where a cell is part of a cluster, else 0.
    of_partition : list of slice
        For each partition, its clusters' places among those of all partitions.
    """

    def __init__(self, labels: np.ndarray):
        self.of_row, count = _joint(labels)
        first = np.empty(count, dtype=np.intp)
        first[self.of_row] = np.arange(len(self.of_row))  # one row of each cell
        of_cell = labels[:, first].astype(np.intp)
        ends = np.cumsum(of_cell.max(axis=1) + 1)
        starts = np.concatenate(([0], ends[:-1]))
        self.of_partition = [slice(a, b) for a, b in zip(starts, ends, strict=True)]
        self.members = np.zeros((count, ends[-1]))
        for own, start in zip(of_cell, starts, strict=True):
            self.members[np.arange(count), start + own] = 1

    def __len__(self):
        """Return the number of cells."""
        return len(self.members)

    def cluster_sums(self, values: np.ndarray) -> np.ndarray:
        """Add up one value per row over the clusters of all partitions.

        Parameters
        ----------
        values : ndarray of shape (n_rows,)

        Returns
        -------
        ndarray of shape (n_clusters_of_all_partitions,)
        """
        return np.bincount(self.of_row, values, minlength=len(self)) @ self.members


def _joint(labels) -> tuple[np.ndarray, int]:
    """Give every tuple of labels that occurs a number; also return how many."""
    cell = np.zeros(labels.shape[1], dtype=np.int64)
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
    used = np.bincount(numbers) > 0
    count = np.count_nonzero(used)
    place = np.cumsum(used) - 1
    return place.astype(np.min_scalar_type(count))[numbers], count
