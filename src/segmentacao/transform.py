"""From an Arrow table to the numbers a model sees.

Reading and checking feature columns, a canonical order of the rows, the
transforms and the standardisation, and a digest that names the data.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa

from segmentacao.blocks import COLUMN_BLOCK, blocks, over_ranges

#: Names of the transforms of a variable, as the warehouse writes them.
TRANSFORMS = ("nenhuma", "log1p")

#: Shifts and factors of the mixing function of SplitMix64.
MIXING = ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB))
#: Squares of larger numbers, summed, leave the range of a double.
LARGEST_VALUE = 1e100


def feature_columns(table: pa.Table) -> tuple[list[str], list[np.ndarray]]:
    """Read the columns of a table as doubles.

    Parameters
    ----------
    table : pyarrow.Table
        Integer, floating or decimal columns with distinct names.

    Returns
    -------
    names : list of str
        The column names in the table's order.
    columns : list of ndarray of shape (n_rows,)
        The values, one array per column.

    Raises
    ------
    ValueError
        A repeated name, a column that is not numeric, a null, a NaN, or a
        value outside [-1e100, 1e100].
    """
    names = table.column_names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise ValueError(f"table: column names must be distinct, got twice {repeated}")
    return names, [_as_double(name, table.column(name)) for name in names]


def _as_double(name: str, column: pa.ChunkedArray) -> np.ndarray:
    kind = column.type
    if not (
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
    ):
        raise ValueError(
            f"table: column {name!r} is {kind}, allowed are integer, floating and "
            "decimal columns"
        )
    if column.null_count:
        raise ValueError(
            f"table: column {name!r} has {column.null_count} nulls, allowed are "
            "finite numbers"
        )
    # A safe cast refuses integers above 2**53, which doubles only approximate.
    column = column.cast(pa.float64(), safe=False)
    if column.num_chunks == 1:
        values = column.chunk(0).to_numpy()
    else:
        values = column.to_numpy()
    if (
        not len(values)
        or -LARGEST_VALUE <= values.min() <= values.max() <= LARGEST_VALUE
    ):
        return values
    outside = ~(np.abs(values) <= LARGEST_VALUE)
    if outside.any():
        raise ValueError(
            f"table: column {name!r} has the value {values[outside][0]}, allowed is "
            f"[-{LARGEST_VALUE:g}, {LARGEST_VALUE:g}]"
        )
    return values


def row_hash(columns: Sequence[np.ndarray]) -> np.ndarray:
    """Hash each row to 64 bits with the mixing function of SplitMix64.

    Parameters
    ----------
    columns : sequence of ndarray of shape (n_rows,)
        Finite doubles.

    Returns
    -------
    ndarray of uint64 of shape (n_rows,)
        Equal rows have equal hashes; 0.0 and -0.0 are equal.
    """
    hashes = np.full(len(columns[0]), 0x9E3779B97F4A7C15, dtype=np.uint64)

    def mix(rows):
        for block in blocks(rows, COLUMN_BLOCK):
            own = hashes[block]
            for column in columns:
                # + 0.0 turns -0.0 into 0.0
                own ^= (column[block] + 0.0).view(np.uint64)
                for shift, factor in MIXING:
                    own ^= own >> np.uint64(shift)
                    own *= np.uint64(factor)
                own ^= own >> np.uint64(31)

    over_ranges(mix, len(hashes), True)
    return hashes


def distinct_rows(
    columns: Sequence[np.ndarray],
    *,
    hash_rows: Callable[[Sequence[np.ndarray]], np.ndarray] = row_hash,
    inverse: bool = False,
) -> tuple[np.ndarray, ...]:
    """Find the distinct rows, in an order that depends on the values alone.

    Rows are ordered by a hash, which costs one sort of one key however many
    columns there are. Different rows with the same hash are then ordered by
    their values, so that the result is exact.

    Parameters
    ----------
    columns : sequence of ndarray of shape (n_rows,)
        At least one column of finite doubles.
    hash_rows : callable, optional
        Maps the columns to one unsigned integer per row.
    inverse : bool, optional
        Also return which distinct row each row is.

    Returns
    -------
    rows : ndarray of intp of shape (n_distinct,)
        For each distinct row, the position of one of its copies.
    counts : ndarray of int64 of shape (n_distinct,)
        Number of copies; at least 1.
    back : ndarray of intp of shape (n_rows,)
        Position of each row's values in `rows`; only with `inverse`.
    """
    hashes = hash_rows(columns)
    order = np.argsort(hashes)
    tied = _tied(hashes[order])
    if _differ(columns, order, tied).any():
        order = np.lexsort((*columns, hashes))
        tied = _tied(hashes[order])
    del hashes
    is_first = np.ones(len(order), dtype=bool)
    is_first[tied + 1] = _differ(columns, order, tied)
    first = np.flatnonzero(is_first)
    counts = np.diff(first, append=len(order)).astype(np.int64)
    if not inverse:
        return order[first], counts
    back = np.empty_like(order)
    back[order] = np.cumsum(is_first) - 1
    return order[first], counts, back


def _tied(ascending) -> np.ndarray:
    """Positions whose successor is equal."""
    return np.flatnonzero(ascending[1:] == ascending[:-1])


def _differ(columns, order, positions) -> np.ndarray:
    """Whether the rows at `positions` of `order` differ from their successors."""
    before, after = order[positions], order[positions + 1]
    differ = np.zeros(len(positions), dtype=bool)
    for column in columns:
        differ |= column[before] != column[after]
    return differ


def check_transforms(transforms: Mapping[str, str], names: Sequence[str]) -> None:
    """Check that every transform is known and belongs to a column.

    Raises
    ------
    ValueError
        A transform other than 'nenhuma' and 'log1p', or a name that is no
        column.
    """
    for name, transform in transforms.items():
        if transform not in TRANSFORMS:
            raise ValueError(
                f"transforms: {name!r} has {transform!r}, allowed is one of "
                f"{TRANSFORMS}"
            )
        if name not in names:
            raise ValueError(
                f"transforms: {name!r} is not a column, allowed are {list(names)}"
            )


def apply_transform(values: np.ndarray, transform: str, *, name: str) -> np.ndarray:
    """Transform the values of one variable.

    Parameters
    ----------
    values : ndarray of any shape
        Raw values, in the variable's unit.
    transform : {'nenhuma', 'log1p'}
        'log1p' is the natural logarithm of one plus the value.
    name : str
        The variable, for the error message.

    Returns
    -------
    ndarray of the shape of `values`

    Raises
    ------
    ValueError
        A value at or below -1 under 'log1p'.
    """
    if transform == "nenhuma":
        return values
    if len(values) and values.min() <= -1:
        raise ValueError(
            f"transforms: {name!r} has the value {values.min()} under 'log1p', "
            "allowed is more than -1"
        )
    return np.log1p(values)


def weighted_mean_std(values: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Mean and population standard deviation (ddof = 0), by two passes.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    weights : ndarray of shape (n_rows,)
        Number of customers behind each value; positive.

    Returns
    -------
    mean, std : float
        In the unit of `values`; the deviation of a constant is exactly 0.
    """
    if values.min() == values.max():
        return float(values[0]), 0.0
    total = weights.sum()
    cut = list(blocks(range(len(values)), COLUMN_BLOCK))
    mean = sum(np.sum(values[b] * weights[b]) for b in cut) / total
    squares = sum(np.sum((values[b] - mean) ** 2 * weights[b]) for b in cut)
    return float(mean), float(np.sqrt(squares / total))


def standardise(
    X: np.ndarray, *, weights: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shift every column to mean 0 and scale it to standard deviation 1.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns)
    weights : ndarray of shape (n_rows,), optional
        Number of customers behind each row; 1 each by default.

    Returns
    -------
    Z : ndarray of shape (n_rows, n_columns)
        ``(X - shift) / scale``.
    shift : ndarray of shape (n_columns,)
        Column means.
    scale : ndarray of shape (n_columns,)
        Population standard deviations; 1 for a constant column.
    """
    if weights is None:
        weights = np.ones(len(X))
    moments = [weighted_mean_std(column.copy(), weights) for column in X.T]
    shift = np.array([mean for mean, _ in moments])
    scale = np.array([std if std > 0 else 1.0 for _, std in moments])
    return (X - shift) / scale, shift, scale


def column_digest(values: np.ndarray) -> str:
    """SHA-256 of the values of the distinct rows, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for block in blocks(range(len(values)), COLUMN_BLOCK):
        digest.update((values[block] + 0.0).astype("<f8", copy=False).data)
    return digest.hexdigest()


def data_digest(
    names: Sequence[str],
    transforms: Sequence[str],
    counts: np.ndarray,
    column_digests: Sequence[str],
) -> str:
    """SHA-256 of variable names, transforms, distinct rows and their counts.

    Parameters
    ----------
    names, transforms : sequence of str, one per column
    counts : ndarray of shape (n_distinct,)
        Copies of each distinct row, from `distinct_rows`.
    column_digests : sequence of str, one per column
        From `column_digest`.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    described = list(zip(names, transforms, column_digests, strict=True))
    digest = hashlib.sha256(repr(described).encode())
    digest.update(counts.astype("<i8").data)
    return digest.hexdigest()
