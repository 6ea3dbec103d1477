"""The candidate table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples
from threadpoolctl import threadpool_limits

from segmentacao.candidates import SCHEMA, propose_candidates
from segmentacao.cells import cut_into_cells, sort_by_cell
from segmentacao.points import Points
from segmentacao.profile import cluster_medians

OPTIONS = {
    "step": "rfv",
    "transforms": {},
    "standardize": True,
    "k_max": 4,
    "n_init": 2,
    "random_state": 42,
    "bootstrap_draws": 2,
    "permutations": 4,
    "stability_max": 100,
    "shares": False,
}


def customers(n=300, seed=0):
    rng = np.random.default_rng(seed)
    kind = rng.integers(3, size=n)
    return pa.table(
        {
            "recencia_dias": rng.integers(1, 60, size=n) + 60 * kind,
            "frequencia": 1 + rng.poisson([9, 3, 0.2], size=(n, 3))[np.arange(n), kind],
            "valor": np.exp(rng.normal([6, 4, 2], size=(n, 3))[np.arange(n), kind]),
        }
    )


def shares(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.gamma(0.4, size=(n, 4)) * (rng.random((n, 4)) < 0.5)
    X[X.sum(axis=1) == 0, 0] = 1
    X /= X.sum(axis=1, keepdims=True)
    return pa.table({f"pct_{j}": X[:, j] for j in range(4)})


def propose(table, **options):
    return propose_candidates(table, **(OPTIONS | options))


def matrix(table):
    return np.column_stack([column.to_numpy() for column in table.columns])


def column(result, name, k, d=3):
    """One value per cluster (first variable) of a column."""
    return [
        row[name] for row in result.to_pylist() if row["k"] == k and row["posicao"] == 0
    ]


RFV = {"transforms": {"frequencia": "log1p", "valor": "log1p"}}
#: Limits above which rows are in single precision and silhouettes estimated.
LIGHT = {"fit_max": 100, "exact_max": 50}


def test_rows_columns_and_order():
    result = propose(customers(), **RFV)
    assert result.schema == SCHEMA
    keys = [(r["k"], r["cluster"], r["posicao"]) for r in result.to_pylist()]
    assert keys == [(k, c, j) for k in (2, 3, 4) for c in range(k) for j in range(3)]
    rows = result.to_pylist()[:3]
    assert [r["variavel"] for r in rows] == ["recencia_dias", "frequencia", "valor"]
    assert [r["transformacao"] for r in rows] == ["nenhuma", "log1p", "log1p"]
    assert {r["passo"] for r in rows} == {"rfv"}


def test_scoring_from_the_table_gives_the_published_sizes():
    """What SQL does: transform, shift, scale, least distance, lowest index."""
    table = customers()
    raw = RFV | {"standardize": False}
    for options in (RFV, raw, RFV | {"fit_max": 100}, RFV | LIGHT, raw | LIGHT):
        result = propose(table, **options)
        for k in (2, 3, 4):
            own = score(table, result, k)
            assert np.bincount(own).tolist() == column(result, "clientes", k)
            assert min(np.bincount(own)) == column(result, "menor_cluster", k)[0]
            assert column(result, "clientes_ajuste", k)[0] == len(table)


def score(table, result, k):
    distances = np.zeros((table.num_rows, k))
    for row in result.to_pylist():
        if row["k"] == k:
            values = table.column(row["variavel"]).to_numpy().astype(float)
            if row["transformacao"] == "log1p":
                values = np.log1p(values)
            z = (values - row["deslocamento"]) / row["escala"]
            distances[:, row["cluster"]] += (z - row["centro"]) ** 2
    return np.argmin(distances, axis=1)


def test_profile_and_silhouette_are_those_of_the_scored_customers():
    table = customers()
    result = propose(table, **RFV)
    raw = matrix(table)
    Z = np.column_stack((raw[:, 0], np.log1p(raw[:, 1:])))
    Z = (Z - Z.mean(axis=0)) / Z.std(axis=0)
    for k in (2, 3, 4):
        own = score(table, result, k)
        values = silhouette_samples(Z, own)
        for row in (r for r in result.to_pylist() if r["k"] == k):
            mine = raw[own == row["cluster"], row["posicao"]]
            every = raw[:, row["posicao"]]
            assert row["media_cluster"] == pytest.approx(mine.mean(), rel=1e-12)
            assert row["mediana_cluster"] == np.median(mine)
            assert row["media_base"] == pytest.approx(every.mean(), rel=1e-12)
            assert row["desvio_base"] == pytest.approx(every.std(), rel=1e-12)
            assert row["silhueta"] == pytest.approx(values.mean(), abs=1e-6)
            assert row["silhueta_cluster"] == pytest.approx(
                values[own == row["cluster"]].mean(), abs=1e-6
            )
            assert row["silhueta_erro"] == 0
            assert row["centro"] == pytest.approx(
                Z[own == row["cluster"], row["posicao"]].mean(), abs=1e-9
            )


@pytest.mark.parametrize("unit", [1.0, 1e-30, 1e30])
@pytest.mark.parametrize("standardize", [True, False])
def test_single_precision_tells_the_same(standardize, unit):
    """Just above the limits and just below, in any unit of the variables."""
    table = pa.table(
        {name: pa.array(x * unit) for name, x in zip("abc", noise(400).T, strict=True)}
    )
    options = {"transforms": {}, "standardize": standardize, "n_init": 1}
    double = propose(table, fit_max=399, exact_max=400, **options)
    light = propose(table, fit_max=399, exact_max=399, **options)
    for name in SCHEMA.names:
        one, other = light[name].to_pylist(), double[name].to_pylist()
        if name.startswith("silhueta"):  # estimated, and exact
            assert one == pytest.approx(other, abs=2e-3)
        elif name in ("centro", "media_cluster", "wss", "calinski_harabasz"):
            assert one == pytest.approx(other, rel=1e-5, abs=1e-6 * unit)
        elif name != "davies_bouldin":
            assert one == other
        elif unit == 1:  # scikit-learn's definition takes 1e-8 for nothing
            assert one == pytest.approx(other, rel=1e-5)


def noise(n):
    return np.random.default_rng(0).normal(size=(n, 3)) * [1, 2, 3] + [10, 0, -5]


def test_clusters_are_in_the_order_of_their_centres():
    result = propose(customers(), **RFV)
    for k in (2, 3, 4):
        centres = column(result, "centro", k)
        assert centres == sorted(centres)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), of_shares=st.booleans(), many=st.booleans())
def test_row_order_does_not_matter_to_a_single_byte(seed, of_shares, many):
    """Below the limits of exact silhouette and fit, and above both of them."""
    limits = LIGHT if many else {}
    table, options = customers(), RFV
    if of_shares:
        table, options = shares(), {"shares": True, "standardize": False}
    order = np.random.default_rng(seed).permutation(table.num_rows)
    expected = propose(table, **options, **limits)
    assert to_bytes(propose(table.take(order), **options, **limits)) == to_bytes(
        expected
    )


def to_bytes(table):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table.combine_chunks())
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("limits", [{}, {"exact_max": 5000, "fit_max": 9000}])
def test_threads_do_not_matter_to_a_single_byte(limits):
    table = customers(24_000)
    options = RFV | limits | {"k_max": 8, "exact_max": 5000}
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads):
            results.append(to_bytes(propose(table, **options)))
    assert results[0] == results[1]


def test_two_steps_at_the_same_time_give_what_each_gives_alone():
    alone = [to_bytes(propose(customers(2000, seed), k_max=8)) for seed in (1, 2)]
    with ThreadPoolExecutor(2) as pool:
        together = pool.map(
            lambda seed: to_bytes(propose(customers(2000, seed), k_max=8)), (1, 2)
        )
    assert list(together) == alone


@pytest.mark.parametrize("limits", [{}, {"fit_max": 100}, LIGHT])
def test_column_order_changes_positions_and_numbers_only(limits):
    table = customers()
    names = table.column_names[::-1]
    a = propose(table, **RFV, **limits)
    b = propose(table.select(names), **RFV, **limits)
    for k in (2, 3, 4):
        assert [r["variavel"] for r in b.to_pylist()[:3]] == names
        for name in ("clientes", "silhueta_cluster", "wss", "ari_bootstrap", "p_valor"):
            # another numbering of the clusters is another draw of anchors
            is_drawn = limits is LIGHT and name == "silhueta_cluster"
            assert sorted(column(a, name, k)) == pytest.approx(
                sorted(column(b, name, k)), rel=2e-3 if is_drawn else 1e-12
            )
        first, second = score(table, a, k), score(table, b, k)
        assert len(set(zip(first, second, strict=True))) == k
    assert set(a["digest"].to_pylist()) == set(b["digest"].to_pylist())


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30
    ),
    copies=st.integers(1, 60),
)
def test_few_distinct_rows_bound_k(rows, copies):
    table = pa.table(dict(zip("ab", zip(*rows * copies, strict=True), strict=True)))
    result = propose(table, k_max=10)
    distinct = len(set(rows))
    assert set(result["k"].to_pylist()) == set(range(2, min(10, distinct - 1) + 1))
    for row in result.to_pylist():
        assert row["clientes"] > 0
        assert -1 <= row["silhueta_cluster"] <= 1


@pytest.mark.parametrize(
    ("table", "line"),
    [
        (pa.table({}), "0 variables"),
        (pa.table({"a": pa.array([], pa.float64())}), "1 variables and 0 rows"),
        (pa.table({"a": [1.0, 2.0, 1.0]}), "2 distinct rows, needed are 3"),
    ],
)
def test_nothing_to_cluster_is_an_empty_table(table, line):
    lines = []
    result = propose(table, log=lines.append)
    assert result.num_rows == 0
    assert result.schema == SCHEMA
    assert line in lines[-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k_max": 1}, r"k_max: 1, allowed is \[2, 10\]"),
        ({"k_max": 11}, r"k_max: 11, allowed is \[2, 10\]"),
        ({"k_max": 2.5}, r"k_max: 2.5, allowed is an integer"),
        ({"n_init": 0}, "n_init: 0, allowed is at least 1"),
        ({"random_state": -1}, "random_state: -1"),
        ({"exact_max": 1}, "exact_max: 1, allowed is at least 2"),
        ({"fit_max": 99}, "fit_max: 99, allowed is at least 100"),
        ({"bootstrap_draws": -1}, "bootstrap_draws: -1"),
        ({"permutations": -1}, "permutations: -1"),
        ({"stability_max": 49}, "stability_max: 49, allowed is at least 50"),
        ({"transforms": {"valor": "sqrt"}}, "transforms: 'valor' has 'sqrt'"),
    ],
)
def test_parameters_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        propose(customers(20), **options)


def test_negative_shares_are_refused():
    table = pa.table({"a": [0.5, -0.1, 1.0], "b": [0.5, 1.1, 0.0]})
    with pytest.raises(ValueError, match="shares: column 'a' has the value -0.1"):
        propose(table, shares=True, standardize=False)


def test_measures_not_asked_for_are_null():
    result = propose(customers(), bootstrap_draws=0, permutations=0)
    assert result["ari_bootstrap"].null_count == len(result)
    assert result["p_valor"].null_count == len(result)
    single = propose(customers().select(["valor"]))
    assert single["p_valor"].null_count == len(single)
    assert single["ari_bootstrap"].null_count == 0


def test_a_constant_variable_has_scale_one():
    table = customers().append_column("fixo", pa.array([0.1] * 300))
    rows = [r for r in propose(table).to_pylist() if r["variavel"] == "fixo"]
    assert {(r["deslocamento"], r["escala"], r["centro"]) for r in rows} == {
        (0.1, 1.0, 0.0)
    }


def test_blobs_are_found_and_judged_stable_and_significant():
    rng = np.random.default_rng(0)
    X = np.array([[0, 0], [9, 0], [0, 9.0]])[np.arange(300) % 3]
    X = X + rng.normal(size=X.shape)
    table = pa.table({"x": X[:, 0], "y": X[:, 1]})
    result = propose(table, permutations=39, bootstrap_draws=10, stability_max=300)
    assert column(result, "clientes", 3) == [100, 100, 100]
    assert column(result, "ari_bootstrap", 3)[0] > 0.98
    assert column(result, "p_valor", 3)[0] == 1 / 40
    best = max((column(result, "silhueta", k)[0], k) for k in (2, 3, 4))
    assert best[1] == 3


def test_shares_are_fitted_as_they_are():
    result = propose(shares(), shares=True, standardize=False)
    rows = result.to_pylist()
    assert {(r["deslocamento"], r["escala"]) for r in rows} == {(0.0, 1.0)}
    for row in rows:
        assert row["centro"] == pytest.approx(row["media_cluster"], abs=1e-12)


def test_log_tells_every_k():
    lines = []
    propose(customers(), log=lines.append)
    for k in (2, 3, 4):
        assert any(f"k = {k}: silhouette" in line for line in lines)
    assert all(line.startswith("rfv: ") and line.endswith(" s]") for line in lines)


def test_medians_of_weighted_clusters():
    # Cluster 0: 1, 1, 4 (median 1); cluster 1: 2, 3, 3, 8 (median 3).
    values = np.array([4.0, 3.0, 1.0, 8.0, 2.0])
    labels = np.array([[0, 1, 0, 1, 1]], dtype=np.uint8)
    assert medians_of(values, labels, np.array([1, 2, 2, 1, 1])) == [1.0, 3.0]
    assert medians_of(values, labels, np.array([1, 1, 1, 1, 1])) == [2.5, 3.0]


def medians_of(values, labels, weights):
    points = Points.of(np.zeros((len(values), 1)), weights)
    grid, order = sort_by_cell(points, *cut_into_cells(labels))
    return cluster_medians(grid, values[order]).tolist()


@pytest.mark.parametrize("digits", [None, 1, 0])
def test_medians_of_many_values(digits):
    """More values than bins, with and without many equal ones."""
    rng = np.random.default_rng(0)
    values = rng.lognormal(sigma=2, size=30_000)
    values = values if digits is None else values.round(digits)
    labels = np.array([rng.integers(k, size=len(values)) for k in (3, 5)])
    weights = rng.integers(1, 4, size=len(values))
    expected = [
        np.median(np.repeat(values, weights * (own == c)))
        for own, k in zip(labels, (3, 5), strict=True)
        for c in range(k)
    ]
    assert medians_of(values, labels.astype(np.uint8), weights) == expected
