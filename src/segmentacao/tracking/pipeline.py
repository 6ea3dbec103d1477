"""Rebuild a fitted scikit-learn pipeline from the table of centres."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

PIPELINE_COLUMNS = [
    "cluster",
    "variavel",
    "posicao",
    "transformacao",
    "deslocamento",
    "escala",
    "centro",
]


def build_pipeline(rows_of_one_k: pd.DataFrame | pa.Table) -> Pipeline:
    """Rebuild a fitted scikit-learn pipeline from the rows of one model.

    ``pipeline.predict(frame)`` takes raw features in named columns and returns the
    cluster numbers of the centres table, as any other reader of that table does.

    Parameters
    ----------
    rows_of_one_k : DataFrame or Table
        One row per (cluster, variable) of one step and one k: ``cluster`` (0 to
        k - 1), ``variavel``, ``posicao`` (0-based column order), ``transformacao``
        (``nenhuma`` or ``log1p``), ``deslocamento`` and ``escala`` (applied after the
        transformation), ``centro`` (in that model space).

    Returns
    -------
    Pipeline
        Steps ``transformacao`` (ColumnTransformer), ``escala`` (StandardScaler) and
        ``kmeans`` (KMeans), all fitted.

    Raises
    ------
    ValueError
        If a column is missing, a (cluster, position) pair is missing or repeated,
        the clusters are not 0 to k - 1, or a transformation or scale is not known.
    """
    from sklearn.pipeline import Pipeline

    rows = take_columns(rows_of_one_k, PIPELINE_COLUMNS, "rows_of_one_k")
    centres = centre_array(rows)
    variables = rows.drop_duplicates("posicao").sort_values("posicao")
    return Pipeline(
        [
            ("transformacao", _column_transformer(variables)),
            ("escala", _scaler(variables)),
            ("kmeans", _kmeans(centres)),
        ]
    )


def take_columns(data: Any, columns: Sequence[str], name: str) -> pd.DataFrame:
    """Take only the named columns, so that nothing else can reach MLflow."""
    present = data.column_names if isinstance(data, pa.Table) else list(data.columns)
    missing = [column for column in columns if column not in present]
    if missing:
        raise ValueError(
            f"{name}: columns {missing} are missing, required are {list(columns)}"
        )
    if isinstance(data, pa.Table):
        return data.select(list(columns)).to_pandas()
    return data[list(columns)].copy()


def centre_array(rows: pd.DataFrame) -> np.ndarray:
    """Return the centres as an array of shape (k, n_variables)."""
    if rows.duplicated(["cluster", "posicao"]).any():
        raise ValueError(
            "rows_of_one_k: a pair (cluster, posicao) is repeated; allowed are the "
            "rows of one passo and one k"
        )
    table = rows.pivot(index="cluster", columns="posicao", values="centro")
    centres = table.sort_index().sort_index(axis=1).to_numpy(dtype=float)
    for name, index in (("cluster", table.index), ("posicao", table.columns)):
        if sorted(index) != list(range(len(index))):
            raise ValueError(
                f"rows_of_one_k: {name}={sorted(index)}, allowed are the numbers from "
                "0 without a gap"
            )
    if not np.isfinite(centres).all():
        raise ValueError("rows_of_one_k: centro must be finite for every pair")
    return centres


def _column_transformer(variables: pd.DataFrame) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer

    kinds = {
        "nenhuma": "passthrough",
        "log1p": FunctionTransformer(np.log1p, feature_names_out="one-to-one"),
    }
    blocks: list[tuple[str, Any, list[str]]] = []
    names, transforms = variables["variavel"], variables["transformacao"]
    previous = None
    # One block per run of equal transformations keeps the columns in their order.
    for name, kind in zip(names, transforms, strict=True):
        if kind not in kinds:
            raise ValueError(
                f"rows_of_one_k: transformacao={kind!r}, allowed are {tuple(kinds)}"
            )
        if kind != previous:
            blocks.append((f"{kind}_{len(blocks)}", kinds[kind], []))
        blocks[-1][2].append(str(name))
        previous = kind
    transformer = ColumnTransformer(blocks, verbose_feature_names_out=False)
    columns = [str(name) for name in names]
    return transformer.fit(pd.DataFrame(np.zeros((1, len(columns))), columns=columns))


def _scaler(variables: pd.DataFrame) -> Any:
    from sklearn.preprocessing import StandardScaler

    scale = variables["escala"].to_numpy(dtype=float)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"rows_of_one_k: escala={scale.tolist()}, allowed is above 0")
    scaler = StandardScaler().fit(np.zeros((1, len(scale))))
    scaler.mean_ = variables["deslocamento"].to_numpy(dtype=float)
    scaler.scale_, scaler.var_ = scale, scale**2
    return scaler


def _kmeans(centres: np.ndarray) -> Any:
    from sklearn.cluster import KMeans

    # Fitting the centres on themselves fills every private attribute; the centres are
    # put back afterwards because the fit may move them by a rounding error.
    model = KMeans(len(centres), init=centres, n_init=1, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(centres)
    model.cluster_centers_ = np.ascontiguousarray(centres)
    model.labels_ = np.arange(len(centres), dtype=np.int32)
    return model
