"""Spaces, algorithms, comparison and groups of the Insiders programme."""

import sys

import numpy as np
import pyarrow as pa
import pytest
from sklearn.manifold import trustworthiness

from segmentacao.insiders import comparison as comparing
from segmentacao.insiders import spaces
from segmentacao.insiders.algorithms import ALGORITHMS, knee, partition
from segmentacao.insiders.comparison import SCHEMA, compare, top_group
from segmentacao.insiders.groups import by_value, group_customers
from segmentacao.insiders.spaces import (
    SPACES,
    UMAP,
    behaviour,
    build_space,
    principal_components,
)

OPTIONS = {"n_init": 2, "sample_max": 5000, "random_state": 7}


def customers(n=400, seed=0) -> pa.Table:
    """Three kinds of customers, well apart in recency, orders and value."""
    rng = np.random.default_rng(seed)
    kind = np.arange(n) % 10
    kind = np.where(kind == 0, 0, np.where(kind < 5, 1, 2))
    orders = np.array([40, 6, 1])[kind] + rng.integers(0, 2, n)
    value = orders * np.array([200.0, 60.0, 20.0])[kind] * rng.uniform(0.9, 1.1, n)
    items = orders * rng.integers(1, 4, n)
    return pa.table(
        {
            "id_cliente": [f"c{i:04d}" for i in range(n)],
            "recencia_dias": np.array([5, 40, 250])[kind] + rng.integers(0, 10, n),
            "frequencia": orders,
            "valor": value,
            "itens": items,
            "produtos_distintos": pa.nulls(n, pa.int64()),
            "ticket_medio": value / orders,
            "cesta_media": items / orders,
            "devolucoes": np.zeros(n),
        }
    )


def test_features_that_say_nothing_are_left_out():
    features = behaviour(customers())
    # no products in the source, and nobody returned anything
    assert list(features) == [
        "recencia_dias",
        "frequencia",
        "valor",
        "itens",
        "ticket_medio",
        "cesta_media",
    ]


def test_the_common_space_is_log_standardised_rfv():
    features = behaviour(customers())
    X = build_space(features, "rfv_log", random_state=0)
    assert X.shape == (400, 3)
    assert X.mean(axis=0) == pytest.approx([0, 0, 0], abs=1e-12)
    assert X.std(axis=0) == pytest.approx([1, 1, 1])
    days = features["recencia_dias"]
    assert X[:, 0] == pytest.approx((days - days.mean()) / days.std())
    orders = np.log1p(features["frequencia"])
    assert X[:, 1] == pytest.approx((orders - orders.mean()) / orders.std())


def test_min_max_reaches_0_and_1():
    X = build_space(behaviour(customers()), "comportamento_minmax", random_state=0)
    assert X.min(axis=0).tolist() == [0] * 6
    assert X.max(axis=0).tolist() == [1] * 6


def test_principal_components_of_points_on_a_line():
    X = np.outer(np.arange(5.0), [3, 4])
    projected = principal_components(X, share=0.9)
    # one axis holds it all, and lengths along it stay
    assert projected.shape == (5, 1)
    assert projected[:, 0] == pytest.approx([-10, -5, 0, 5, 10])


def test_components_of_rotated_points_keep_all_distances():
    X = np.random.default_rng(1).normal(size=(30, 4))
    P = principal_components(X)
    for a, b in ((0, 1), (3, 17), (12, 29)):
        assert np.linalg.norm(P[a] - P[b]) == pytest.approx(np.linalg.norm(X[a] - X[b]))


def test_leaves_know_value_though_it_is_no_input():
    features = behaviour(customers())
    X = build_space(features, "folhas", random_state=3)
    log_value = np.log1p(features["valor"])
    design = np.column_stack((X, np.ones(len(X))))
    fitted = design @ np.linalg.lstsq(design, log_value, rcond=None)[0]
    assert np.corrcoef(fitted, log_value)[0, 1] > 0.95
    # customers of the same leaves are one point
    assert len(np.unique(X, axis=0)) < len(X) / 2


def test_an_unknown_space_or_algorithm_is_refused_by_name():
    with pytest.raises(ValueError, match="space: 'tsne', allowed is one of"):
        build_space(behaviour(customers()), "tsne", random_state=0)
    with pytest.raises(ValueError, match="algorithm: 'som', allowed is one of"):
        partition(np.zeros((5, 2)), "som", ks=range(2, 3), **OPTIONS)


@pytest.mark.parametrize("algorithm", ["kmeans", "mistura", "hierarquico"])
def test_three_clear_groups_are_found(algorithm):
    X = build_space(behaviour(customers()), "rfv_log", random_state=0)
    found = partition(X, algorithm, ks=range(2, 5), **OPTIONS)
    assert found.ks == [2, 3, 4]
    sizes = np.sort(np.bincount(found.labels[1]))
    assert sizes.tolist() == [40, 160, 200]


# one block of rows, and several of them on two threads
@pytest.mark.parametrize("times", [1, 50])
def test_the_mixture_is_that_of_scikit_learn(times):
    from sklearn.mixture import GaussianMixture

    rng = np.random.default_rng(6)
    X = np.concatenate(
        [
            rng.normal([0, 0], [1.0, 0.2], (300 * times, 2)),
            rng.normal([2, 1], [0.3, 1.5], (200 * times, 2)),
            rng.normal([-3, 2], [0.5, 0.5], (100 * times, 2)),
        ]
    )
    start = partition(X, "kmeans", ks=range(3, 4), **OPTIONS).labels[0]
    means = np.array([X[start == g].mean(axis=0) for g in range(3)])
    theirs = GaussianMixture(
        3,
        covariance_type="diag",
        means_init=means,
        weights_init=np.bincount(start) / len(X),
        precisions_init=1
        / (np.array([X[start == g].var(axis=0) for g in range(3)]) + 1e-3),
        tol=1e-3,
        reg_covar=1e-3,
    ).fit_predict(X)
    ours = partition(X, "mistura", ks=range(3, 4), **OPTIONS).labels[0]
    assert np.mean(ours == theirs) > 0.99
    assert np.mean(ours == start) < 0.95


def test_dbscan_finds_dense_groups_and_leaves_outliers_out():
    rng = np.random.default_rng(2)
    X = np.concatenate(
        [rng.normal(0, 0.1, (100, 2)), rng.normal(5, 0.1, (100, 2)), [[20, -20]]]
    )
    found = partition(X, "dbscan", ks=range(2, 3), **OPTIONS)
    assert found.ks == [2]
    assert found.labels[0, -1] == -1
    # customers of one blob are together, whoever else is noise
    blob = found.labels[0, :100]
    assert len(np.unique(blob[blob >= 0])) == 1


@pytest.mark.parametrize("algorithm", ["hierarquico", "dbscan"])
def test_customers_outside_the_sample_join_the_nearest_group(algorithm):
    rng = np.random.default_rng(4)
    X = np.concatenate([rng.normal(0, 0.2, (150, 2)), rng.normal(6, 0.2, (150, 2))])
    found = partition(
        X, algorithm, ks=range(2, 3), n_init=1, sample_max=120, random_state=1
    )
    assert found.fitted_on == 120
    for blob in (found.labels[0, :150], found.labels[0, 150:]):
        assert len(np.unique(blob[blob >= 0])) == 1
        assert np.mean(blob >= 0) > 0.9
    assert len(np.unique(found.labels[found.labels >= 0])) == 2


def test_kmeans_goes_on_with_all_after_a_start_on_the_sample():
    rng = np.random.default_rng(4)
    X = np.concatenate([rng.normal(0, 1, (900, 2)), rng.normal(1.5, 1, (600, 2))])
    options = {"ks": range(2, 3), "n_init": 2, "random_state": 1}
    found, of_all = (
        partition(X, "kmeans", sample_max=size, **options) for size in (40, len(X))
    )
    assert found.fitted_on == len(X)
    assert np.mean(found.labels == of_all.labels) > 0.99


def test_fewer_distinct_customers_than_groups():
    X = np.repeat([[0.0, 0], [1, 1], [5, 5]], 20, axis=0)
    found = partition(X, "kmeans", ks=range(2, 10), **OPTIONS)
    assert found.ks == [2]
    nothing = partition(X[:20], "mistura", ks=range(2, 10), **OPTIONS)
    assert nothing.ks == [] and nothing.labels.shape == (0, 20)


def test_the_knee_is_where_the_curve_turns():
    assert knee(np.array([0, 0.1, 0.2, 0.3, 4.0, 8.0])) == 0.3


def test_the_top_group_needs_customers():
    labels = np.array([0] * 2 + [1] * 38 + [2] * 60)
    value = np.array([1000.0] * 2 + [100] * 38 + [1] * 60)
    assert top_group(labels, value, least_share=0.05) == 1
    assert top_group(labels, value, least_share=0.01) == 0
    # none is large enough: all take part
    assert top_group(labels, value, least_share=0.99) == 0
    noisy = np.where(labels == 0, -1, labels)
    assert top_group(noisy, value, least_share=0.01) == 1


COMPARISON = {
    "k_max": 4,
    "n_init": 2,
    "draws": 2,
    "stability_max": 300,
    "sample_max": 5000,
    "least_share": 0.05,
    "random_state": 7,
}


@pytest.fixture(scope="module")
def comparison():
    return compare(customers(), **COMPARISON)


def test_every_space_and_algorithm_is_compared(comparison):
    assert comparison.schema == SCHEMA
    rows = comparison.to_pylist()
    ways = {(row["espaco"], row["algoritmo"]) for row in rows}
    assert ways >= {(s, a) for s in SPACES for a in ALGORITHMS if a != "dbscan"}
    assert {r["espaco"] for r in rows if not r["is_silhueta_comparavel"]} == {"folhas"}


def test_measures_of_the_partition_that_is_in_the_data(comparison):
    row = next(
        row
        for row in comparison.to_pylist()
        if (row["espaco"], row["algoritmo"], row["k"]) == ("rfv_log", "kmeans", 3)
    )
    table = customers()
    value = table.column("valor").to_numpy()
    rich = np.arange(400) % 10 == 0
    assert row["clientes_topo"] == 40
    assert row["participacao_topo"] == 0.1
    assert row["participacao_receita_topo"] == pytest.approx(
        value[rich].sum() / value.sum()
    )
    assert row["silhueta"] == row["silhueta_comum"]
    assert row["silhueta"] > 0.7
    assert row["ari_bootstrap"] == pytest.approx(1)
    assert row["menor_grupo"] == 40 and row["participacao_ruido"] == 0


def test_the_silhouette_is_that_of_scikit_learn(comparison):
    from sklearn.metrics import silhouette_score

    features = behaviour(customers())
    X = build_space(features, "pca", random_state=7)
    common = build_space(features, "rfv_log", random_state=7)
    labels = partition(X, "hierarquico", ks=range(4, 5), **OPTIONS).labels[0]
    row = next(
        row
        for row in comparison.to_pylist()
        if (row["espaco"], row["algoritmo"], row["k"]) == ("pca", "hierarquico", 4)
    )
    assert row["silhueta"] == pytest.approx(silhouette_score(X, labels))
    assert row["silhueta_comum"] == pytest.approx(silhouette_score(common, labels))


def test_row_order_changes_nothing_but_the_seconds(comparison):
    table = customers()
    shuffled = table.take(np.random.default_rng(5).permutation(len(table)))
    again = compare(
        shuffled,
        k_max=4,
        n_init=2,
        draws=2,
        stability_max=300,
        sample_max=5000,
        least_share=0.05,
        random_state=7,
    )
    without = [name for name in SCHEMA.names if name != "segundos_ajuste"]
    assert again.select(without) == comparison.select(without)


def test_too_few_customers_give_an_empty_table():
    few = customers().slice(0, 2)
    table = compare(
        few,
        k_max=4,
        n_init=1,
        draws=0,
        stability_max=100,
        sample_max=100,
        least_share=0.05,
        random_state=1,
    )
    assert len(table) == 0 and table.schema == SCHEMA


def at_two_dates() -> pa.Table:
    import datetime as dt

    now = customers()
    before = customers(300, seed=9)
    parts = [
        part.append_column("dt_ref", pa.array([date] * len(part), pa.date32()))
        for part, date in ((now, dt.date(2025, 7, 1)), (before, dt.date(2025, 1, 1)))
    ]
    return pa.concat_tables(parts)


@pytest.mark.parametrize("algorithm", ["kmeans", "mistura", "hierarquico"])
def test_groups_of_each_date_follow_the_value(algorithm):
    choice = pa.table({"espaco": ["rfv_log"], "algoritmo": [algorithm], "k": [3]})
    table = at_two_dates()
    groups = group_customers(table, choice, **OPTIONS).to_pylist()
    assert len(groups) == 700
    assert [(r["dt_ref"], r["id_cliente"]) for r in groups] == sorted(
        (r["dt_ref"], r["id_cliente"]) for r in groups
    )
    for row in groups:
        number = int(row["id_cliente"][1:]) % 10
        assert row["grupo"] == (1 if number == 0 else 2 if number < 5 else 3)


def test_groups_of_a_date_do_not_see_other_dates():
    choice = pa.table({"espaco": ["pca"], "algoritmo": ["kmeans"], "k": [5]})
    both = group_customers(at_two_dates(), choice, **OPTIONS)
    before = at_two_dates().slice(400)
    alone = group_customers(before, choice, **OPTIONS)
    assert both.slice(0, 300) == alone


def test_groups_are_those_of_the_comparison(comparison):
    row = next(
        row
        for row in comparison.to_pylist()
        if (row["espaco"], row["algoritmo"], row["k"]) == ("pca", "mistura", 4)
    )
    choice = pa.table({"espaco": ["pca"], "algoritmo": ["mistura"], "k": [4]})
    now = at_two_dates().slice(0, 400)
    groups = group_customers(now, choice, n_init=2, sample_max=5000, random_state=7)
    sizes = np.bincount(groups.column("grupo").to_numpy())[1:]
    assert sizes.min() == row["menor_grupo"]


def test_no_choice_no_groups():
    choice = pa.table({"espaco": [], "algoritmo": [], "k": []})
    assert len(group_customers(at_two_dates(), choice, **OPTIONS)) == 0


def test_numbers_follow_the_mean_value_and_noise_is_0():
    labels = np.array([0, 0, 1, 1, -1, 3])
    value = np.array([1, 1, 9, 9, 99, 5.0])
    assert by_value(labels, value).tolist() == [3, 3, 1, 1, 0, 2]


@pytest.mark.longo
def test_umap_keeps_customers_of_like_leaves_together():
    features = behaviour(customers())
    X = build_space(features, UMAP, random_state=3)
    assert X.shape == (400, 2)
    assert np.array_equal(X, build_space(features, UMAP, random_state=3))
    leaves = spaces._leaves(features, 3)
    distinct, first, back = np.unique(
        leaves, axis=0, return_index=True, return_inverse=True
    )
    assert np.array_equal(X, X[first][back.ravel()])
    assert trustworthiness(distinct, X[first], metric="hamming") > 0.9
    table = compare(customers(), **COMPARISON, umap=True)
    judged = {
        (row["espaco"], row["is_silhueta_comparavel"]) for row in table.to_pylist()
    }
    assert (UMAP, False) in judged


def test_umap_says_what_it_lacks(monkeypatch):
    features = behaviour(customers())
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(ValueError, match="'folhas_umap' needs the extra umap"):
        build_space(features, UMAP, random_state=0)
    monkeypatch.setattr(spaces, "UMAP_MAX", 399)
    with pytest.raises(ValueError, match="with 400 customers, allowed is at most 399"):
        build_space(features, UMAP, random_state=0)


def test_umap_is_left_out_of_a_comparison_of_too_many(monkeypatch, comparison):
    monkeypatch.setattr(comparing, "UMAP_MAX", 399)
    lines = []
    table = compare(customers(), **COMPARISON, umap=True, log=lines.append)
    assert table["espaco"] == comparison["espaco"]
    assert "insiders: no folhas_umap, 400 customers are more than 399" in lines
