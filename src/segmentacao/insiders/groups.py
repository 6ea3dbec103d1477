"""The groups of the chosen way, at every reference date."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segmentacao.blocks import single_blas_thread
from segmentacao.candidates import TURN
from segmentacao.insiders.algorithms import partition
from segmentacao.insiders.spaces import behaviour, build_space

#: Columns of the groups, in order.
SCHEMA = pa.schema(
    [
        ("dt_ref", pa.date32()),
        ("id_cliente", pa.string()),
        ("grupo", pa.int32()),
        ("espaco", pa.string()),
        ("algoritmo", pa.string()),
        ("k", pa.int32()),
    ]
)


def group_customers(
    table: pa.Table,
    choice: pa.Table,
    *,
    n_init: int,
    sample_max: int,
    random_state: int,
) -> pa.Table:
    """Group the customers of every reference date by the chosen way.

    Each date is fitted on its own features, which read sales before it only:
    nothing of later dates enters its groups, except the choice of the way.

    Parameters
    ----------
    table : pyarrow.Table
        One row per reference date and customer: `dt_ref`, `id_cliente` and the
        features of behaviour.
    choice : pyarrow.Table
        One row: `espaco`, `algoritmo` and `k`; without a row there are no
        groups.
    n_init, sample_max, random_state : int
        As in `segmentacao.insiders.comparison.compare`.

    Returns
    -------
    pyarrow.Table
        One row per reference date and customer, ordered so, with the columns
        of `SCHEMA`. `grupo` is 1 for the highest mean value; 0 is noise.
    """
    if not len(choice):
        return SCHEMA.empty_table()
    space, algorithm, k = (
        choice.column(name)[0].as_py() for name in ("espaco", "algoritmo", "k")
    )
    parts = []
    with TURN, single_blas_thread:
        for date in sorted(pc.unique(table.column("dt_ref")).to_pylist()):
            own = table.filter(pc.equal(table.column("dt_ref"), pa.scalar(date)))
            own = own.sort_by("id_cliente")
            features = behaviour(own)
            found = partition(
                build_space(features, space, random_state=random_state),
                algorithm,
                ks=range(k, k + 1),
                n_init=n_init,
                sample_max=sample_max,
                random_state=random_state,
            )
            if not found.ks:
                continue
            parts.append(
                pa.table(
                    {
                        "dt_ref": own.column("dt_ref").cast(pa.date32()),
                        "id_cliente": own.column("id_cliente").cast(pa.string()),
                        "grupo": by_value(found.labels[0], features["valor"]),
                        "espaco": [space] * len(own),
                        "algoritmo": [algorithm] * len(own),
                        "k": pa.array([k] * len(own), pa.int32()),
                    }
                ).cast(SCHEMA)
            )
    return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def by_value(labels: np.ndarray, value: np.ndarray) -> np.ndarray:
    """Give groups numbers from 1 by falling mean value; noise, -1, becomes 0.

    Parameters
    ----------
    labels : ndarray of int of shape (n_customers,)
    value : ndarray of shape (n_customers,)

    Returns
    -------
    ndarray of int32 of shape (n_customers,)
    """
    groups = np.unique(labels[labels >= 0])
    means = [value[labels == group].mean() for group in groups]
    numbers = np.zeros(max(labels.max() + 1, 1), dtype=np.int32)
    numbers[groups[np.argsort(-np.array(means), kind="stable")]] = np.arange(
        1, len(groups) + 1
    )
    return np.where(labels >= 0, numbers[labels], 0).astype(np.int32)
