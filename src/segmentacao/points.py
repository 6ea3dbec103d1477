"""Rows of the model space, stored by column about their mean.

Above a size in single precision: half the memory, and products twice as fast.
About the mean and in units of the spread little is lost; where a last digit
decides, as between two nearest centres, `Points.exact` gives the row in double
precision.
"""

from __future__ import annotations

import numpy as np

from segmentacao.blocks import blocks, over_ranges, parallel_map, weighted_origin


class Points:
    """Rows of the model space; ``values * unit + origin`` are their coordinates.

    Parameters
    ----------
    values : ndarray of shape (n_columns, n_rows)
        Double or single precision, each column contiguous.
    weights : ndarray of shape (n_rows,)
        Customers behind each row, at least 0.
    origin : ndarray of shape (n_columns,)
        About the mean.
    unit : float
        Of the order of the spread.
    source : callable
        Maps numbers of rows to their coordinates, shape (n, n_columns), in
        double precision.
    rows : ndarray of int of shape (n_rows,)
        The number in `source` of each row.
    """

    def __init__(self, values, weights, *, origin, unit, source, rows):
        self.values, self.weights = values, weights
        self.origin, self.unit = origin, unit
        self._source, self.rows = source, rows

    @classmethod
    def of(cls, X, weights=None) -> Points:
        """Take rows of shape (n_rows, n_columns); points are returned as they are."""
        if isinstance(X, Points):
            return X
        weights = np.ones(len(X), dtype=np.int64) if weights is None else weights
        origin = weighted_origin(X, weights)
        values = np.ascontiguousarray((X - origin).T)
        rows = np.arange(len(X))
        return cls(
            values, weights, origin=origin, unit=1.0, source=X.__getitem__, rows=rows
        )

    def __len__(self):
        """Return the number of rows."""
        return self.values.shape[1]

    @property
    def n_columns(self) -> int:
        """Number of columns."""
        return len(self.values)

    @property
    def is_light(self) -> bool:
        """Whether the values are in single precision."""
        return self.values.dtype == np.float32

    def exact(self, rows) -> np.ndarray:
        """Coordinates of some rows, shape (n, n_columns), in double precision."""
        return self._source(self.rows[rows])

    def inward(self, centres: np.ndarray) -> np.ndarray:
        """Coordinates as these points store them, shape (k, n_columns)."""
        return ((centres - self.origin) / self.unit).astype(self.values.dtype)

    def outward(self, centres: np.ndarray) -> np.ndarray:
        """Coordinates of what these points store, shape (k, n_columns)."""
        return centres.astype(float) * self.unit + self.origin

    def light(self) -> Points:
        """Return the same points in single precision, in units of their spread."""
        if self.is_light:
            return self
        squares = self._mean_square()
        unit = float(np.sqrt(squares)) or 1.0
        return Points(
            (self.values / unit).astype(np.float32),
            self.weights,
            origin=self.origin,
            unit=self.unit * unit,
            source=self._source,
            rows=self.rows,
        )

    def _mean_square(self):
        def add_up(rows):
            return sum(
                np.einsum("ij,ij,j", x, x, self.weights[b])
                for b in blocks(rows)
                for x in [self.values[:, b]]
            )

        return sum(over_ranges(add_up, len(self), True)) / self.weights.sum()

    def forget_source(self) -> None:
        """Let go of the numbers of the rows; `exact` is not to be called again."""
        self.rows = None

    def sort(self, order: np.ndarray) -> None:
        """Put the rows in another order, column by column to save memory."""
        self.weights, self.rows = self.weights[order], self.rows[order]

        def reorder(column):
            column[:] = column[order]

        list(parallel_map(reorder, self.values))
