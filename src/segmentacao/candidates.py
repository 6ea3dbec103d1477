"""Candidate models: every k with its centres, profile and quality, as a table."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from segmentacao.blocks import blocks, over_ranges, parallel_map, single_blas_thread
from segmentacao.cells import Cells
from segmentacao.kmeans import KMeansFits, draw_customers, fit_all_k
from segmentacao.measures import PartitionMeasures, partition_measures
from segmentacao.silhouette import Silhouette, silhouettes
from segmentacao.stability import bootstrap_ari, permutation_p_values
from segmentacao.transform import (
    apply_transform,
    check_transforms,
    data_digest,
    distinct_rows,
    feature_columns,
    standardise,
    weighted_mean_std,
)

#: Columns of the candidate table, in order.
SCHEMA = pa.schema(
    [
        ("passo", pa.string()),
        ("k", pa.int32()),
        ("cluster", pa.int32()),
        ("variavel", pa.string()),
        ("posicao", pa.int32()),
        ("transformacao", pa.string()),
        ("deslocamento", pa.float64()),
        ("escala", pa.float64()),
        ("centro", pa.float64()),
        ("media_cluster", pa.float64()),
        ("mediana_cluster", pa.float64()),
        ("media_base", pa.float64()),
        ("desvio_base", pa.float64()),
        ("clientes", pa.int64()),
        ("silhueta_cluster", pa.float64()),
        ("silhueta", pa.float64()),
        ("silhueta_erro", pa.float64()),
        ("wss", pa.float64()),
        ("calinski_harabasz", pa.float64()),
        ("davies_bouldin", pa.float64()),
        ("menor_cluster", pa.int64()),
        ("clientes_ajuste", pa.int64()),
        ("ari_bootstrap", pa.float64()),
        ("p_valor", pa.float64()),
        ("digest", pa.string()),
    ]
)

#: One step at a time: a fit uses both cores, and two at once spend half of
#: them waiting for each other.
TURN = threading.Lock()
#: Rows of a block in the search for a median.
MEDIAN_BLOCK = 8192
#: Fewer distinct rows than this have no partition with 2 <= k <= n - 1.
LEAST_DISTINCT = 3


def propose_candidates(
    table: pa.Table,
    *,
    step: str,
    transforms: Mapping[str, str],
    standardize: bool,
    k_max: int,
    n_init: int = 10,
    random_state: int,
    exact_max: int = 20_000,
    fit_max: int = 50_000,
    bootstrap_draws: int,
    permutations: int,
    stability_max: int,
    shares: bool,
    log: Callable[[str], None] | None = None,
) -> pa.Table:
    """Fit and judge K-Means for k = 2..k_max.

    The result depends on the values of the rows, not on their order, and not
    on the number of threads. The order of the columns decides `posicao` and
    the numbering of the clusters only.

    Parameters
    ----------
    table : pyarrow.Table
        One row per customer and one numeric column per variable; no ids.
    step : str
        Name of the step, written to `passo`.
    transforms : mapping of str to {'nenhuma', 'log1p'}
        Transform of each variable; 'nenhuma' for those it does not name.
    standardize : bool
        Whether to bring the transformed variables to mean 0 and deviation 1.
    k_max : int
        Largest number of clusters, 2 to 10; one less than the number of
        distinct rows bounds it further.
    n_init : int, optional
        Starts of K-Means for each k, at least 1.
    random_state : int
        Seed, 0 to 2**32 - 1.
    exact_max : int, optional
        Most distinct rows for which the silhouette is exact, at least 2.
    fit_max : int, optional
        Most distinct rows on which K-Means starts, at least 100; with more, it
        starts on a sample of customers and goes on with all.
    bootstrap_draws : int
        Resamples behind `ari_bootstrap`, at least 0; 0 leaves it null.
    permutations : int
        Null data sets behind `p_valor`, at least 0; 0 leaves it null, and so
        does a single variable.
    stability_max : int
        Most customers in a resample or null data set, at least 50.
    shares : bool
        Whether the variables are shares of one total, at least 0.
    log : callable, optional
        Called with one line of text per unit of work.

    Returns
    -------
    pyarrow.Table
        One row per (k, cluster, variable), ordered so, with the columns of
        `SCHEMA`; empty without columns or with fewer than 3 distinct rows.

    Raises
    ------
    ValueError
        A parameter out of its range, or values that are not finite numbers.
    """
    log = log or (lambda line: None)
    _check_parameters(
        k_max=(k_max, 2, 10),
        n_init=(n_init, 1, None),
        random_state=(random_state, 0, 2**32 - 1),
        exact_max=(exact_max, 2, None),
        fit_max=(fit_max, 100, None),
        bootstrap_draws=(bootstrap_draws, 0, None),
        permutations=(permutations, 0, None),
        stability_max=(stability_max, 50, None),
    )
    names, columns = feature_columns(table)
    check_transforms(transforms, names)
    if not names or not len(columns[0]):
        log(f"{step}: no candidates, {len(names)} variables and {len(table)} rows")
        return SCHEMA.empty_table()
    kinds = [transforms.get(name, "nenhuma") for name in names]
    with TURN, single_blas_thread:
        clock = _Clock(f"{step}: ", log)
        data = _prepare(names, columns, kinds, standardize=standardize, shares=shares)
        if len(data.weights) < LEAST_DISTINCT:
            log(
                f"{step}: no candidates, {len(data.weights)} distinct rows, needed "
                f"are {LEAST_DISTINCT}"
            )
            return SCHEMA.empty_table()
        clock.tell(f"{len(table)} customers, {len(data.weights)} distinct")
        fits = fit_all_k(
            data.X,
            k_max=min(k_max, len(data.weights) - 1),
            weights=data.weights,
            n_init=n_init,
            fit_max=fit_max,
            random_state=random_state,
            column_order=data.table_order,
            log=clock.tell,
        )
        clock.tell("centres and labels of all k")
        cells = Cells(fits.labels)
        measures = partition_measures(
            data.X, fits.labels, weights=data.weights, cells=cells
        )
        profile = _profile(data, fits, cells)
        clock.tell("profiles of all k")
        quality = silhouettes(
            data.X,
            fits.labels,
            weights=data.weights,
            cells=cells,
            exact_max=exact_max,
            random_state=random_state,
        )
        clock.tell(f"silhouettes of all k from {quality[0].anchors} anchors")
        evidence = _evidence(
            data,
            fits,
            bootstrap_draws=bootstrap_draws,
            permutations=permutations,
            stability_max=stability_max,
            random_state=random_state,
        )
        clock.tell("stability of all k")
    result = _table(step, data, fits, measures, profile, quality, evidence)
    for i, k in enumerate(fits.ks):
        clock.tell(
            f"k = {k}: silhouette {quality[i].mean:.4f}, smallest cluster "
            f"{measures[i].sizes.min()}, ARI {evidence.ari[i]:.3f}, "
            f"p {evidence.p[i]:.3f}"
        )
    return result


def _check_parameters(**ranges) -> None:
    for name, (value, least, most) in ranges.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer):
            raise ValueError(f"{name}: {value!r}, allowed is an integer")
        if value < least or (most is not None and value > most):
            allowed = f"at least {least}" if most is None else f"[{least}, {most}]"
            raise ValueError(f"{name}: {value}, allowed is {allowed}")


class _Clock:
    """Log lines with the seconds since the start."""

    def __init__(self, prefix, log):
        self.prefix, self.log = prefix, log
        self.started = time.perf_counter()

    def tell(self, line):
        seconds = time.perf_counter() - self.started
        self.log(f"{self.prefix}{line} [{seconds:.1f} s]")


@dataclass(frozen=True)
class _Data:
    """The distinct rows of a table in canonical order, columns sorted by name.

    Sorting the columns makes the fit independent of the table's order of
    columns; `table_order` leads back: the position, among the sorted columns,
    of each of the table's columns.
    """

    names: list[str]
    kinds: list[str]
    columns: list[np.ndarray]
    table_order: list[int]
    rows: np.ndarray
    weights: np.ndarray
    X: np.ndarray
    shift: np.ndarray
    scale: np.ndarray
    shares: bool
    digest: str

    def raw(self, j: int) -> np.ndarray:
        """Raw values of one variable, distinct rows in canonical order."""
        return self.columns[j][self.rows]

    def to_model(self, raw: np.ndarray) -> np.ndarray:
        """Transform and scale raw rows with the parameters of the fit."""
        transformed = [
            apply_transform(raw[:, j], kind, name=self.names[j])
            for j, kind in enumerate(self.kinds)
        ]
        return (np.column_stack(transformed) - self.shift) / self.scale


def _prepare(names, columns, kinds, *, standardize, shares) -> _Data:
    by_name = sorted(range(len(names)), key=names.__getitem__)
    names, columns, kinds = (
        [values[j] for j in by_name] for values in (names, columns, kinds)
    )
    if shares:
        for name, column in zip(names, columns, strict=True):
            if column.min() < 0:
                raise ValueError(
                    f"shares: column {name!r} has the value {column.min()}, allowed "
                    "is at least 0"
                )
    rows, weights = distinct_rows(columns)
    X = np.empty((len(rows), len(columns)))

    def fill(part):
        for block in blocks(part):
            for j, (column, kind) in enumerate(zip(columns, kinds, strict=True)):
                X[block, j] = apply_transform(column[rows[block]], kind, name=names[j])

    over_ranges(fill, len(rows), True)
    shift, scale = np.zeros(len(columns)), np.ones(len(columns))
    if standardize:
        X, shift, scale = standardise(X, weights=weights, copy=False)
    return _Data(
        names=names,
        kinds=kinds,
        columns=columns,
        table_order=list(np.argsort(by_name)),
        rows=rows,
        weights=weights,
        X=X,
        shift=shift,
        scale=scale,
        shares=shares,
        digest=data_digest(names, kinds, columns, rows, weights),
    )


@dataclass(frozen=True)
class _Profile:
    """Raw means and medians, (k, n_columns) per partition, and the base's moments."""

    means: list[np.ndarray]
    medians: list[np.ndarray]
    base: list[tuple[float, float]]


def _profile(data: _Data, fits: KMeansFits, cells: Cells) -> _Profile:
    weights = data.weights.astype(float)
    sizes = cells.cluster_sums(weights)

    def describe(j):
        values = data.raw(j)
        means = cells.cluster_sums(values * weights) / sizes
        # Most shares are 0, and so is their median: not worth a sort.
        medians = (
            [np.full(k, np.nan) for k in fits.ks]
            if data.shares
            else grouped_medians(values, fits.labels, weights=data.weights)
        )
        return means, medians, weighted_mean_std(values, weights)

    means, medians, base = zip(
        *parallel_map(describe, range(len(data.names))), strict=True
    )
    means = np.column_stack(means)
    return _Profile(
        means=[means[place] for place in cells.of_partition],
        medians=[np.column_stack(m) for m in zip(*medians, strict=True)],
        base=list(base),
    )


def grouped_medians(
    values: np.ndarray, labels: np.ndarray, *, weights: np.ndarray
) -> list[np.ndarray]:
    """Median of every cluster of every partition.

    Parameters
    ----------
    values : ndarray of shape (n_rows,)
    labels : ndarray of uint8 of shape (n_partitions, n_rows)
        Labels 0..k-1, none of them empty.
    weights : ndarray of int of shape (n_rows,)
        Customers behind each row, at least 1.

    Returns
    -------
    list of ndarray of shape (k,)
        The mean of the two middle customers where their number is even.
    """
    order = np.argsort(values)
    values, weights = values[order], weights[order].astype(float)
    block = np.arange(len(values)) // MEDIAN_BLOCK
    medians = []
    for own in labels:
        own = own[order]
        k = int(own.max()) + 1
        # Customers of each cluster up to the end of each block: enough to find
        # the block that holds the median without sorting by cluster.
        upto = np.bincount(block * k + own, weights, minlength=(block[-1] + 1) * k)
        upto = np.cumsum(upto.reshape(-1, k), axis=0)
        middle = np.array([(upto[-1] - 1) // 2, upto[-1] // 2])
        low, high = (
            np.array(
                [_nth(values, weights, own, upto[:, c], c, n[c]) for c in range(k)]
            )
            for n in middle
        )
        medians.append(low + (high - low) / 2)
    return medians


def _nth(values, weights, own, upto, cluster, n) -> float:
    """Value of customer number `n`, from 0, of a cluster; `values` ascend."""
    block = np.searchsorted(upto, n, side="right")
    before = upto[block - 1] if block else 0.0
    rows = slice(block * MEDIAN_BLOCK, (block + 1) * MEDIAN_BLOCK)
    customers = np.cumsum(np.where(own[rows] == cluster, weights[rows], 0.0))
    return values[rows][np.searchsorted(customers, n - before, side="right")]


@dataclass(frozen=True)
class _Evidence:
    """Bootstrap ARI and permutation p-value for each k; NaN where not asked for."""

    ari: np.ndarray
    p: np.ndarray


def _evidence(
    data, fits, *, bootstrap_draws, permutations, stability_max, random_state
) -> _Evidence:
    rng = np.random.default_rng([random_state, 4])
    size = min(stability_max, int(data.weights.sum()))
    drawn = draw_customers(data.weights, size, rng)
    ari = p = np.full(len(fits.ks), np.nan)
    if bootstrap_draws:
        ari = bootstrap_ari(
            data.X[drawn],
            fits.labels[:, drawn],
            draws=bootstrap_draws,
            random_state=random_state,
        )
    if permutations:
        raw = np.column_stack([column[data.rows[drawn]] for column in data.columns])
        p = permutation_p_values(
            raw,
            k_max=fits.ks[-1],
            permutations=permutations,
            random_state=random_state,
            shares=data.shares,
            to_model=data.to_model,
        )
    return _Evidence(ari, p)


def _table(
    step: str,
    data: _Data,
    fits: KMeansFits,
    measures: list[PartitionMeasures],
    profile: _Profile,
    quality: list[Silhouette],
    evidence: _Evidence,
) -> pa.Table:
    rows = []
    for i, k in enumerate(fits.ks):
        of_k = {
            "passo": step,
            "k": k,
            "silhueta": quality[i].mean,
            "silhueta_erro": quality[i].error,
            "wss": measures[i].wss,
            "calinski_harabasz": measures[i].calinski_harabasz,
            "davies_bouldin": measures[i].davies_bouldin,
            "menor_cluster": int(measures[i].sizes.min()),
            "clientes_ajuste": int(data.weights.sum()),
            "ari_bootstrap": _or_null(evidence.ari[i]),
            "p_valor": _or_null(evidence.p[i]),
            "digest": data.digest,
        }
        for cluster in range(k):
            of_cluster = {
                "cluster": cluster,
                "clientes": int(measures[i].sizes[cluster]),
                "silhueta_cluster": float(quality[i].per_cluster[cluster]),
            }
            for position, j in enumerate(data.table_order):
                mean, deviation = profile.base[j]
                of_variable = {
                    "variavel": data.names[j],
                    "posicao": position,
                    "transformacao": data.kinds[j],
                    "deslocamento": float(data.shift[j]),
                    "escala": float(data.scale[j]),
                    "centro": float(fits.centres[i][cluster, j]),
                    "media_cluster": float(profile.means[i][cluster, j]),
                    "mediana_cluster": _or_null(profile.medians[i][cluster, j]),
                    "media_base": mean,
                    "desvio_base": deviation,
                }
                rows.append(of_k | of_cluster | of_variable)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _or_null(value) -> float | None:
    return None if np.isnan(value) else float(value)
