"""Sums of distances by a compiled kernel: the extra `rapido` (numba).

The kernel is several times as fast as matrix products of few columns, because
a distance stays in a register from the differences to the sum. Without numba,
`segmentacao.silhouette` takes the products.

It computes in single precision and keeps the digits all the same: every cell
has an origin of its own, its mean, so that differences are taken between small
numbers, and sums go over to double precision every `CHUNK` rows.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import lru_cache

import numpy as np

#: Anchors at once, one for each lane of the processor's vectors.
LANES = 64
#: Rows whose distances are summed in single precision.
CHUNK = 128
#: Columns of one pass over the lanes: their differences fit the registers.
GROUP = 8
#: Loading the kernel takes half a second: not for fewer distances than this.
LEAST_DISTANCES = 200_000_000


def is_worth(n_distances: float) -> bool:
    """Whether the kernel is at hand and pays for being loaded."""
    return n_distances >= LEAST_DISTANCES and bool(importlib.util.find_spec("numba"))


@lru_cache
def distance_sums(n_columns: int) -> Callable:
    """Return the kernel for rows of this many columns.

    The kernel takes

    anchors : ndarray of float64 of shape (n_columns, LANES)
    x : ndarray of float32 of shape (n_columns, n_rows)
        Rows sorted by cell, each about the origin of its cell.
    origins : ndarray of float64 of shape (n_cells, n_columns)
    weights : ndarray of shape (n_rows,)
    edges : ndarray of int64 of shape (n_cells + 1,)
        Cell `c` holds the rows ``edges[c]:edges[c + 1]``.
    sums : ndarray of float64 of shape (n_cells, LANES)
        Written: for each anchor the weighted sum of its Euclidean distances to
        the rows of each cell; the relative error is of the order of 1e-7.

    and lets go of the interpreter's lock.
    """
    import numba

    grouped = n_columns - n_columns % GROUP

    # No reordering of sums: lanes are independent, so none is needed, and the
    # result depends on the values alone.
    @numba.njit(cache=True, nogil=True, fastmath={"contract"}, error_model="numpy")
    def kernel(anchors, x, origins, weights, edges, sums):
        local = np.empty((n_columns, LANES), np.float32)
        squares = np.empty(LANES, np.float32)
        chunk = np.empty(LANES, np.float32)
        for cell in range(len(origins)):
            for column in range(n_columns):
                for lane in range(LANES):
                    local[column, lane] = anchors[column, lane] - origins[cell, column]
            sums[cell] = 0
            for start in range(edges[cell], edges[cell + 1], CHUNK):
                chunk[:] = 0
                for row in range(start, min(start + CHUNK, edges[cell + 1])):
                    weight = np.float32(weights[row])
                    squares[:] = 0
                    for first in range(0, grouped, GROUP):
                        for lane in range(LANES):
                            square = squares[lane]
                            for column in range(first, first + GROUP):
                                step = local[column, lane] - x[column, row]
                                square += step * step
                            squares[lane] = square
                    for lane in range(LANES):
                        square = squares[lane]
                        for column in range(grouped, n_columns):
                            step = local[column, lane] - x[column, row]
                            square += step * step
                        chunk[lane] += np.sqrt(square) * weight
                for lane in range(LANES):
                    sums[cell, lane] += chunk[lane]

    return kernel
