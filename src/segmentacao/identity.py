"""Which cluster of a refit continues which cluster of the model before it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from scipy.optimize import linear_sum_assignment

COUNT_COLUMNS = ["passo_numero", "cluster", "cluster_anterior", "clientes"]

PAIR_SCHEMA = pa.schema(
    [
        ("passo_numero", pa.int32()),
        ("cluster", pa.int32()),
        ("cluster_anterior", pa.int32()),
        ("clientes", pa.int64()),
        ("jaccard", pa.float64()),
        ("is_par", pa.bool_()),
        ("ari", pa.float64()),
    ]
)


def pair_clusters(counts: pa.Table) -> pa.Table:
    """Pair the clusters of two partitions of the same customers.

    The pairing is the one-to-one assignment with the largest sum of Jaccard
    indices (Kuhn 1955, the Hungarian method). Whether a pair is alike enough
    to be one segment is left to the caller.

    Parameters
    ----------
    counts : pyarrow.Table
        One row per step and pair of clusters that share customers:
        ``passo_numero``, ``cluster`` (new), ``cluster_anterior`` (old) and
        ``clientes``, the customers in both, at least 1. May be empty.

    Returns
    -------
    pyarrow.Table
        One row per step and pair of clusters, sharing customers or not, in
        that order: ``clientes`` in both, ``jaccard`` (customers in both over
        customers in either, 0 to 1), ``is_par`` (the pair is in the
        assignment) and the step's ``ari`` (adjusted Rand index, at most 1).

    Raises
    ------
    ValueError
        If a column is missing, or a count is below 1.
    """
    missing = [name for name in COUNT_COLUMNS if name not in counts.column_names]
    if missing:
        raise ValueError(f"counts lacks the columns {missing}")
    columns = {name: counts[name].to_numpy() for name in COUNT_COLUMNS}
    if counts.num_rows and columns["clientes"].min() < 1:
        raise ValueError(
            f"clientes is {columns['clientes'].min()}, allowed: at least 1"
        )
    steps = np.unique(columns["passo_numero"])
    return pa.concat_tables(
        [PAIR_SCHEMA.empty_table(), *(_pair_step(columns, step) for step in steps)]
    ).combine_chunks()


def jaccard_matrix(table: np.ndarray) -> np.ndarray:
    """Jaccard index of every row's set with every column's set.

    Parameters
    ----------
    table : ndarray of int of shape (n_new, n_old)
        Customers in both; no row and no column is all zero.

    Returns
    -------
    ndarray of float of shape (n_new, n_old)
        Customers in both over customers in either, 0 to 1.
    """
    either = table.sum(axis=1)[:, None] + table.sum(axis=0)[None, :] - table
    return table / either


def adjusted_rand_index(table: np.ndarray) -> float:
    """Agreement of two partitions, from how many customers each pair shares.

    Hubert, L. and Arabie, P. (1985), Comparing partitions.

    Parameters
    ----------
    table : ndarray of int of shape (n_new, n_old)
        Customers in both.

    Returns
    -------
    float
        1 for equal partitions, about 0 for independent ones.
    """
    both, new, old, all_pairs = (
        sum(n * (n - 1) // 2 for n in map(int, sizes))
        for sizes in (
            table.ravel(),
            table.sum(axis=1),
            table.sum(axis=0),
            [table.sum()],
        )
    )
    expected = new * old / all_pairs if all_pairs else 0.0
    largest = (new + old) / 2
    if largest == expected:
        return 1.0
    return (both - expected) / (largest - expected)


def _pair_step(columns: dict[str, np.ndarray], step: int) -> pa.Table:
    rows = columns["passo_numero"] == step
    new, i = np.unique(columns["cluster"][rows], return_inverse=True)
    old, j = np.unique(columns["cluster_anterior"][rows], return_inverse=True)
    table = np.zeros((len(new), len(old)), dtype=np.int64)
    np.add.at(table, (i, j), columns["clientes"][rows])
    jaccard = jaccard_matrix(table)
    paired = np.zeros(table.shape, dtype=bool)
    paired[linear_sum_assignment(jaccard, maximize=True)] = True
    return pa.table(
        {
            "passo_numero": np.full(table.size, step),
            "cluster": np.repeat(new, len(old)),
            "cluster_anterior": np.tile(old, len(new)),
            "clientes": table.ravel(),
            "jaccard": jaccard.ravel(),
            "is_par": paired.ravel(),
            "ari": np.full(table.size, adjusted_rand_index(table)),
        }
    ).cast(PAIR_SCHEMA)
