"""Every space, algorithm and number of groups, judged by the same measures."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from segmentacao.blocks import single_blas_thread
from segmentacao.candidates import TURN
from segmentacao.insiders.algorithms import (
    ALGORITHMS,
    Partitions,
    draw,
    group_means,
    partition,
)
from segmentacao.insiders.spaces import (
    COMMON,
    SPACES,
    SUPERVISED,
    UMAP,
    UMAP_MAX,
    behaviour,
    build_space,
)
from segmentacao.kmeans import assign_all_k
from segmentacao.silhouette import silhouettes
from segmentacao.stability import adjusted_rand

#: Columns of the comparison, in order.
SCHEMA = pa.schema(
    [
        ("espaco", pa.string()),
        ("algoritmo", pa.string()),
        ("k", pa.int32()),
        ("grupos", pa.int32()),
        ("silhueta", pa.float64()),
        ("silhueta_comum", pa.float64()),
        ("is_silhueta_comparavel", pa.bool_()),
        ("menor_grupo", pa.int64()),
        ("participacao_menor", pa.float64()),
        ("participacao_ruido", pa.float64()),
        ("clientes_topo", pa.int64()),
        ("participacao_topo", pa.float64()),
        ("participacao_receita_topo", pa.float64()),
        ("ari_bootstrap", pa.float64()),
        ("clientes", pa.int64()),
        ("clientes_ajuste", pa.int64()),
        ("clientes_medida", pa.int64()),
        ("segundos_ajuste", pa.float64()),
    ]
)
#: Starts of K-Means in a refit on resampled customers.
REFIT_STARTS = 1


def compare(
    table: pa.Table,
    *,
    k_max: int,
    n_init: int,
    draws: int,
    stability_max: int,
    sample_max: int,
    least_share: float,
    random_state: int,
    umap: bool = False,
    log: Callable[[str], None] | None = None,
) -> pa.Table:
    """Compare the ways of grouping customers.

    Parameters
    ----------
    table : pyarrow.Table
        One row per customer: `id_cliente` and the features of behaviour.
    k_max : int
        Largest number of groups, at least 2.
    n_init : int
        Starts of K-Means, at least 1.
    draws : int
        Resamples behind `ari_bootstrap`; 0 leaves it null.
    stability_max : int
        Most customers in a resample.
    sample_max : int
        Most customers on which the hierarchy and DBSCAN are fitted and
        silhouettes are measured.
    least_share : float
        Smallest share of customers, 0 to 1, of a group that may be the top.
    random_state : int
        Seed.
    umap : bool, optional
        Compare the space `folhas_umap` too, where there are not too many
        customers for it.
    log : callable, optional
        Called with one line of text per space.

    Returns
    -------
    pyarrow.Table
        One row per (space, algorithm, k), ordered so, with the columns of
        `SCHEMA`; empty with fewer than 3 distinct customers.
    """
    log = log or (lambda line: None)
    table = table.sort_by("id_cliente")
    if len(table) < 3:
        return SCHEMA.empty_table()
    features = behaviour(table)
    options = {
        "n_init": n_init,
        "sample_max": sample_max,
        "random_state": random_state,
    }
    rows = []
    with TURN, single_blas_thread:
        spaces = {
            name: build_space(features, name, random_state=random_state)
            for name in _space_names(len(table), umap, log)
        }
        measured = draw(len(table), sample_max, random_state)
        common = spaces[COMMON][measured]
        for space, X in spaces.items():
            started = time.perf_counter()
            fits = _fit_all(X, ks=range(2, k_max + 1), **options)
            stability = _stability(
                X,
                {algorithm: found for algorithm, (found, _) in fits.items()},
                draws=draws,
                size=stability_max,
                random_state=random_state,
            )
            for algorithm, (found, seconds) in fits.items():
                ari = stability[algorithm]
                own = _quality(X[measured], found.labels[:, measured])
                shared = _quality(common, found.labels[:, measured])
                for i, k in enumerate(found.ks):
                    rows.append(
                        {
                            "espaco": space,
                            "algoritmo": algorithm,
                            "k": k,
                            "silhueta": own[i],
                            "silhueta_comum": shared[i],
                            "is_silhueta_comparavel": space not in SUPERVISED,
                            "ari_bootstrap": ari[i],
                            "clientes": len(X),
                            "clientes_ajuste": found.fitted_on,
                            "clientes_medida": len(measured),
                            "segundos_ajuste": seconds / len(found.ks),
                            **_sizes(found.labels[i], features["valor"], least_share),
                        }
                    )
            log(f"insiders: {space} [{time.perf_counter() - started:.1f} s]")
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _space_names(n_customers, umap, log) -> tuple[str, ...]:
    if umap and n_customers > UMAP_MAX:
        log(f"insiders: no {UMAP}, {n_customers} customers are more than {UMAP_MAX}")
        umap = False
    return (*SPACES, UMAP) if umap else SPACES


def _quality(X, labels) -> list[float | None]:
    """Silhouettes of several partitions; noise takes no part."""
    if labels.size and labels.min() < 0:
        kept = (labels >= 0).all(axis=0)
        X, labels = X[kept], labels[:, kept]
    usable = [2 <= len(np.unique(own)) < len(X) for own in labels]
    if not any(usable):
        return [None] * len(labels)
    kept = [own for own, fits in zip(labels, usable, strict=True) if fits]
    values = iter(silhouettes(X, kept, exact_max=len(X)))
    return [next(values).mean if fits else None for fits in usable]


def _sizes(labels, value, least_share) -> dict:
    """Sizes, and the group of highest mean value that is not too small."""
    grouped = labels >= 0
    sizes = np.bincount(labels[grouped])
    sizes = sizes[sizes > 0]
    top = top_group(labels, value, least_share=least_share)
    in_top = labels == top
    return {
        "grupos": len(sizes),
        "menor_grupo": int(sizes.min()),
        "participacao_menor": float(sizes.min() / len(labels)),
        "participacao_ruido": float(1 - grouped.mean()),
        "clientes_topo": int(in_top.sum()),
        "participacao_topo": float(in_top.mean()),
        "participacao_receita_topo": float(
            value[in_top].sum() / (value.sum() or np.nan)
        ),
    }


def top_group(labels: np.ndarray, value: np.ndarray, *, least_share: float) -> int:
    """Group with the highest mean value among those that are not too small.

    Parameters
    ----------
    labels : ndarray of int of shape (n_customers,)
        Groups from 0; -1 is noise and never the top.
    value : ndarray of shape (n_customers,)
    least_share : float
        Smallest share of customers; without such a group, all take part.

    Returns
    -------
    int
    """
    groups, sizes = np.unique(labels[labels >= 0], return_counts=True)
    large = sizes >= least_share * len(labels)
    groups = groups[large] if large.any() else groups
    return int(max(groups, key=lambda group: value[labels == group].mean()))


def _fit_all(X, **options) -> dict[str, tuple[Partitions, float]]:
    """Partitions of every algorithm, and the seconds that each took."""
    fits = {}
    for algorithm in ALGORITHMS:
        began = time.perf_counter()
        start = fits["kmeans"][0] if algorithm == "mistura" else None
        found = partition(X, algorithm, kmeans=start, **options)
        fits[algorithm] = found, time.perf_counter() - began
    return fits


def _stability(X, fits, *, draws, size, random_state) -> dict[str, list[float | None]]:
    """Mean agreement with refits on resampled customers (Hennig 2007).

    A refit labels the customers by the nearest of its means; DBSCAN has no
    means and is compared on the customers of the resample.
    """
    if not draws:
        return {name: [None] * len(found.ks) for name, found in fits.items()}
    base = draw(len(X), size, random_state + 1)
    X = X[base]
    k_max = max(max(found.ks, default=2) for found in fits.values())
    ari = {name: np.zeros((draws, len(found.ks))) for name, found in fits.items()}
    for i in range(draws):
        rng = np.random.default_rng([random_state, 6, i])
        rows = np.unique(rng.integers(len(X), size=len(X)))
        again = _fit_all(
            X[rows],
            ks=range(2, k_max + 1),
            n_init=REFIT_STARTS,
            sample_max=len(X),
            random_state=random_state,
        )
        for name, found in fits.items():
            labels, (refit, _) = found.labels[:, base], again[name]
            for j, k in enumerate(found.ks):
                if name == "dbscan":
                    noisy = labels[j, rows] + 1
                    other = refit.labels[0] + 1 if refit.ks else np.zeros_like(noisy)
                    ari[name][i, j] = adjusted_rand(noisy, other)
                elif k in refit.ks:
                    means = group_means(X[rows], refit.labels[refit.ks.index(k)])
                    other = assign_all_k(X, [means])[0].astype(int)
                    ari[name][i, j] = adjusted_rand(labels[j], other)
    return {name: values.mean(axis=0).tolist() for name, values in ari.items()}
