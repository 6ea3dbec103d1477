"""Candidate models: every k with its centres, profile and quality, as a table."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from segmentacao.blocks import (
    COLUMN_BLOCK,
    blocks,
    parallel_map,
    release_memory,
    single_blas_thread,
)
from segmentacao.cells import cut_into_cells, sort_by_cell
from segmentacao.kmeans import draw_customers, fit_all_k
from segmentacao.measures import PartitionMeasures, grid_measures
from segmentacao.points import Points
from segmentacao.profile import Profile, profile_clusters
from segmentacao.silhouette import Silhouette, grid_silhouettes
from segmentacao.stability import bootstrap_ari, permutation_p_values
from segmentacao.transform import (
    apply_transform,
    check_transforms,
    column_digest,
    data_digest,
    distinct_rows,
    feature_columns,
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
        data = _prepare(
            names,
            columns,
            kinds,
            standardize=standardize,
            shares=shares,
            double_max=max(fit_max, exact_max),
        )
        if len(data.points) < LEAST_DISTINCT:
            log(
                f"{step}: no candidates, {len(data.points)} distinct rows, needed "
                f"are {LEAST_DISTINCT}"
            )
            return SCHEMA.empty_table()
        release_memory()
        clock.tell(f"{len(table)} customers, {len(data.points)} distinct")
        fits = fit_all_k(
            data.points,
            k_max=min(k_max, len(data.points) - 1),
            n_init=n_init,
            fit_max=fit_max,
            random_state=random_state,
            column_order=data.table_order,
            log=clock.tell,
        )
        clock.tell("centres and labels of all k")
        evidence = _evidence(
            data,
            fits.labels,
            bootstrap_draws=bootstrap_draws,
            permutations=permutations,
            stability_max=stability_max,
            random_state=random_state,
        )
        clock.tell("stability of all k")
        centres = fits.centres
        cells, of_row = cut_into_cells(fits.labels)
        del fits  # the cells know its labels, which are large at scale
        release_memory()
        grid = sort_by_cell(data.points, cells, of_row)[0]
        del of_row
        measures, profile, quality = _judge(
            data, grid, clock, exact_max=exact_max, random_state=random_state
        )
    result = _table(step, data, centres, measures, profile, quality, evidence)
    for i, k in enumerate(map(len, centres)):
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
    """The distinct rows of a table, columns sorted by name.

    Sorting the columns makes the fit independent of the table's order of
    columns; `table_order` leads back: the position, among the sorted columns,
    of each of the table's columns. `base` holds the raw mean and deviation of
    each column.
    """

    names: list[str]
    kinds: list[str]
    columns: list[np.ndarray]
    table_order: list[int]
    points: Points
    shift: np.ndarray
    scale: np.ndarray
    base: list[tuple[float, float]]
    shares: bool
    digest: str

    def raw(self, j: int) -> np.ndarray:
        """Raw values of one variable in the order of the points."""
        return self.columns[j][self.points.rows]

    def to_model(self, raw: np.ndarray) -> np.ndarray:
        """Transform and scale raw rows with the parameters of the fit."""
        return _to_model(raw, self.names, self.kinds, self.shift, self.scale)


def _to_model(raw, names, kinds, shift, scale):
    transformed = [
        apply_transform(raw[:, j], kind, name=names[j]) for j, kind in enumerate(kinds)
    ]
    return (np.column_stack(transformed) - shift) / scale


def _prepare(names, columns, kinds, *, standardize, shares, double_max) -> _Data:
    by_name = sorted(range(len(names)), key=names.__getitem__)
    names, columns, kinds = (
        [values[j] for j in by_name] for values in (names, columns, kinds)
    )
    if shares:
        _check_shares(names, columns)
    rows, counts = distinct_rows(columns)
    # narrow types: at scale each costs as much as a column
    rows = rows.astype(np.min_scalar_type(-len(columns[0])))
    # ... but two bytes at least: the kernel is compiled for each type it meets
    weights = counts.astype(np.result_type(np.uint16, np.min_scalar_type(counts.max())))
    is_light = len(rows) > double_max
    values = np.empty((len(columns), len(rows)), np.float32 if is_light else float)

    def read(j):
        column = columns[j][rows]
        digest = column_digest(column)
        base = moments = weighted_mean_std(column, weights)
        if kinds[j] != "nenhuma":
            column = apply_transform(column, kinds[j], name=names[j])
            moments = weighted_mean_std(column, weights)
        mean, std = moments
        divisor = _divisor(std, standardize, is_light)
        for block in blocks(range(len(rows)), COLUMN_BLOCK):
            values[j, block] = (column[block] - mean) / divisor
        return digest, base, mean, divisor

    digests, base, means, divisors = zip(
        *parallel_map(read, range(len(columns))), strict=True
    )
    means, divisors = np.array(means), np.array(divisors)
    if standardize:
        shift, scale, origin, unit = means, divisors, np.zeros(len(means)), 1.0
    else:
        shift, scale = np.zeros(len(means)), np.ones(len(means))
        origin, unit = means, divisors.max()
        for line, divisor in zip(values, divisors, strict=True):
            if divisor != unit:
                line *= divisor / unit

    def source(numbers):
        raw = np.column_stack([column[numbers] for column in columns])
        return _to_model(raw, names, kinds, shift, scale)

    return _Data(
        names=names,
        kinds=kinds,
        columns=columns,
        table_order=list(np.argsort(by_name)),
        points=Points(
            values, weights, origin=origin, unit=unit, source=source, rows=rows
        ),
        shift=shift,
        scale=scale,
        base=list(base),
        shares=shares,
        digest=data_digest(names, kinds, counts, digests),
    )


def _check_shares(names, columns):
    for name, column in zip(names, columns, strict=True):
        if column.min() < 0:
            raise ValueError(
                f"shares: column {name!r} has the value {column.min()}, allowed "
                "is at least 0"
            )


def _divisor(std, standardize, is_light) -> float:
    """By what to divide a column: its deviation, or what single precision needs.

    Squares of single precision have little room, so its columns come in a unit
    of the order of their spread; a power of two costs no digit.
    """
    if std == 0 or not (standardize or is_light):
        return 1.0
    return std if standardize else 2.0 ** np.round(np.log2(std))


def _judge(data, grid, clock, *, exact_max, random_state):
    """Measures, profile and silhouettes of all partitions.

    Memory is handed back between the stages, and with it the way back to the
    rows of the table: at millions of customers each is worth a column.
    """
    release_memory()
    measures = grid_measures(grid)
    profile = profile_clusters(
        grid,
        raw=data.raw,
        is_linear=[kind == "nenhuma" for kind in data.kinds],
        shift=data.shift,
        scale=data.scale,
        # Most shares are 0, and so is their median: not worth a sort.
        medians=not data.shares,
    )
    data.points.forget_source()
    release_memory()
    clock.tell("profiles of all k")
    quality = grid_silhouettes(
        grid, exact_max=exact_max, random_state=random_state, measures=measures
    )
    clock.tell(f"silhouettes of all k from {quality[0].anchors} anchors")
    return measures, profile, quality


@dataclass(frozen=True)
class _Evidence:
    """Bootstrap ARI and permutation p-value for each k; NaN where not asked for."""

    ari: np.ndarray
    p: np.ndarray


def _evidence(
    data, labels, *, bootstrap_draws, permutations, stability_max, random_state
) -> _Evidence:
    points, n_partitions = data.points, len(labels)
    rng = np.random.default_rng([random_state, 4])
    size = min(stability_max, int(points.weights.sum()))
    drawn = draw_customers(points.weights, size, rng)
    ari = p = np.full(n_partitions, np.nan)
    if bootstrap_draws:
        ari = bootstrap_ari(
            points.exact(drawn),
            labels[:, drawn],
            draws=bootstrap_draws,
            random_state=random_state,
        )
    if permutations:
        numbers = points.rows[drawn]
        p = permutation_p_values(
            np.column_stack([column[numbers] for column in data.columns]),
            k_max=n_partitions + 1,
            permutations=permutations,
            random_state=random_state,
            shares=data.shares,
            to_model=data.to_model,
        )
    return _Evidence(ari, p)


def _table(
    step: str,
    data: _Data,
    centres: list[np.ndarray],
    measures: list[PartitionMeasures],
    profile: Profile,
    quality: list[Silhouette],
    evidence: _Evidence,
) -> pa.Table:
    rows = []
    for i, k in enumerate(map(len, centres)):
        of_k = {
            "passo": step,
            "k": k,
            "silhueta": quality[i].mean,
            "silhueta_erro": quality[i].error,
            "wss": measures[i].wss,
            "calinski_harabasz": measures[i].calinski_harabasz,
            "davies_bouldin": measures[i].davies_bouldin,
            "menor_cluster": int(measures[i].sizes.min()),
            "clientes_ajuste": int(data.points.weights.sum()),
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
                mean, deviation = data.base[j]
                of_variable = {
                    "variavel": data.names[j],
                    "posicao": position,
                    "transformacao": data.kinds[j],
                    "deslocamento": float(data.shift[j]),
                    "escala": float(data.scale[j]),
                    "centro": float(centres[i][cluster, j]),
                    "media_cluster": float(profile.means[i][cluster, j]),
                    "mediana_cluster": _or_null(profile.medians[i][cluster, j]),
                    "media_base": mean,
                    "desvio_base": deviation,
                }
                rows.append(of_k | of_cluster | of_variable)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _or_null(value) -> float | None:
    return None if np.isnan(value) else float(value)
