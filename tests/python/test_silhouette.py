"""Silhouettes by hand, against scikit-learn, and estimated."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import silhouette_samples

from segmentacao import compiled, silhouette
from segmentacao.cells import cut_into_cells, sort_by_cell
from segmentacao.kmeans import assign_all_k, fit_all_k
from segmentacao.points import Points
from segmentacao.silhouette import grid_silhouettes, silhouettes


@pytest.fixture(params=["products", "kernel"], autouse=True, scope="module")
def engine(request):
    """Everything here holds for both ways of summing distances."""
    with pytest.MonkeyPatch.context() as patch:
        is_kernel = request.param == "kernel"
        patch.setattr(compiled, "is_worth", lambda n_distances: is_kernel)
        yield request.param


@pytest.fixture(scope="module")
def digits(engine):
    """Largest error of an engine: the kernel sums in single precision."""
    return {"products": 1e-9, "kernel": 5e-7}[engine]


def mixture(n, d=3, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(4, d)) * 3
    return centres[rng.integers(4, size=n)] + rng.normal(size=(n, d))


def random_labels(n, ks, seed=0):
    rng = np.random.default_rng(seed)
    return [np.concatenate((np.arange(k), rng.integers(k, size=n - k))) for k in ks]


def test_by_hand():
    # On a line: 0, 2 | 5, 6, 10.
    #   0: a = 2,           b = (5 + 6 + 10) / 3 = 7    s = 5 / 7
    #   2: a = 2,           b = (3 + 4 + 8) / 3 = 5     s = 3 / 5
    #   5: a = (1 + 5) / 2 = 3,   b = (5 + 3) / 2 = 4   s = 1 / 4
    #   6: a = (1 + 4) / 2 = 2.5, b = (6 + 4) / 2 = 5   s = 1 / 2
    #  10: a = (5 + 4) / 2 = 4.5, b = (10 + 8) / 2 = 9  s = 1 / 2
    X = np.array([[0.0], [2.0], [5.0], [6.0], [10.0]])
    (result,) = silhouettes(X, [np.array([0, 0, 1, 1, 1])])
    expected = [5 / 7, 3 / 5, 1 / 4, 1 / 2, 1 / 2]
    assert result.samples == pytest.approx(expected, abs=1e-12)
    assert result.per_cluster == pytest.approx([23 / 35, 5 / 12], abs=1e-12)
    assert result.mean == pytest.approx(np.mean(expected), abs=1e-12)
    assert result.error == 0


def test_singleton_is_zero():
    # 0, 1 | 4: s(0) = 1 - 1/4, s(1) = 1 - 1/3, and the singleton 0.
    X = np.array([[0.0], [1.0], [4.0]])
    (result,) = silhouettes(X, [[7, 7, 3]])
    assert result.samples == pytest.approx([3 / 4, 2 / 3, 0], abs=1e-12)
    assert result.per_cluster == pytest.approx([0, 17 / 24], abs=1e-12)


@pytest.mark.parametrize("d", [1, 3, 8, 20])
@pytest.mark.parametrize("offset", [0.0, 1e5])
@pytest.mark.parametrize("copies", [1, 7])
def test_agrees_with_scikit_learn(d, offset, copies):
    """Both random labels and sensible ones; scikit-learn sees the data centred."""
    X = np.repeat(mixture(700 // copies, d), copies, axis=0) + offset
    labels = [
        *assign_all_k(X, [X[:: len(X) // k][:k] for k in (2, 5, 10)]),
        *random_labels(len(X), (2, 3, 9)),
    ]
    centred = X - X.mean(axis=0)
    for own, result in zip(labels, silhouettes(X, labels), strict=True):
        expected = silhouette_samples(centred, own)
        assert np.abs(result.samples - expected).max() < 1e-6
        assert result.mean == pytest.approx(expected.mean(), abs=1e-6)
        assert result.per_cluster == pytest.approx(
            [expected[own == c].mean() for c in np.unique(own)], abs=1e-6
        )


def test_more_rows_than_a_block():
    X = mixture(silhouette.BLOCK_COLUMNS + 50, 2)
    labels = assign_all_k(X, [X[:2], X[:6]])
    for own, result in zip(labels, silhouettes(X, labels), strict=True):
        assert np.abs(result.samples - silhouette_samples(X, own)).max() < 1e-6


def test_equal_rows_in_different_clusters_are_at_distance_zero():
    """a = b = 0 is 0 by convention; rounding of a product would make it +-1."""
    X = np.repeat([[1234.567, 1.1], [0.3, 0.7]], 4, axis=0)
    own = np.tile([0, 0, 1, 1], 2)
    own[-1] = 2
    own[-2] = 2
    exact = silhouette_by_definition(X, own)
    for weights in (None, np.ones(8, dtype=int)):  # merged, and left as they are
        (result,) = silhouettes(X, [own], weights=weights)
        assert result.samples == pytest.approx(exact, abs=1e-12)


def test_near_rows_far_from_the_mean_keep_their_digits():
    """Two pairs a micrometre apart at a distance of a kilometre from the rest."""
    X = np.array([[1e3], [1e3 + 1e-6], [1e3 + 4e-6], [1e3 + 6e-6], [-5e3]])
    own = np.array([0, 0, 1, 1, 2])
    (result,) = silhouettes(X, [own])
    assert result.samples == pytest.approx(silhouette_by_definition(X, own), abs=1e-6)


def silhouette_by_definition(X, own):
    distances = np.sqrt(((X[:, None] - X[None]) ** 2).sum(axis=2))
    values = []
    for i, mine in enumerate(own):
        size = np.count_nonzero(own == mine)
        if size == 1:
            values.append(0.0)
            continue
        a = distances[i, own == mine].sum() / (size - 1)
        b = min(distances[i, own == c].mean() for c in set(own) - {mine})
        values.append((b - a) / max(a, b) if max(a, b) > 0 else 0.0)
    return np.array(values)


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=5, max_size=25
    ),
    seed=st.integers(0, 99),
)
def test_properties_on_a_grid_with_duplicates(digits, points, seed):
    """By definition; whatever the row order, the labels' names, the weights."""
    rng = np.random.default_rng(seed)
    X = np.array(points, dtype=float)
    labels = random_labels(len(X), (2, 3, 4), seed)
    results = silhouettes(X, labels)
    order = rng.permutation(len(X))
    renamed = [rng.permutation(50)[own][order] for own in labels]
    moved = silhouettes(X[order], renamed)
    for own, a, b in zip(labels, results, moved, strict=True):
        assert a.samples == pytest.approx(silhouette_by_definition(X, own), abs=digits)
        assert b.samples == pytest.approx(a.samples[order], abs=digits)
        assert sorted(b.per_cluster) == pytest.approx(sorted(a.per_cluster), abs=digits)
        assert -1 <= a.mean <= 1


def test_weights_are_repeated_rows(digits):
    X = mixture(200)
    weights = 1 + np.arange(200) % 5
    labels = np.array(random_labels(200, (2, 6)))
    weighted = silhouettes(X, labels, weights=weights)
    repeated = silhouettes(
        np.repeat(X, weights, axis=0), np.repeat(labels, weights, axis=1)
    )
    for a, b in zip(weighted, repeated, strict=True):
        assert np.repeat(a.samples, weights) == pytest.approx(b.samples, abs=digits)
        assert a.mean == pytest.approx(b.mean, abs=digits)
        assert a.per_cluster == pytest.approx(b.per_cluster, abs=digits)


def test_cells_are_the_tuples_of_labels():
    labels = np.array(random_labels(500, (2, 3, 40, 200, 300)))  # counts, then sorts
    cells, of_row = cut_into_cells(labels)
    expected, of_expected = np.unique(labels, axis=1, return_inverse=True)
    assert np.array_equal(cells.labels, expected)
    assert np.array_equal(of_row, of_expected.ravel())
    values = np.arange(500.0) ** 2
    grid, order = sort_by_cell(Points.of(values[:, None]), cells, of_row)
    sums = grid.cluster_sums(lambda: lambda block: values[None, order[block]], 1)[0]
    for own, place in zip(labels, cells.of_partition, strict=True):
        assert sums[place] == pytest.approx(np.bincount(own, values), rel=1e-12)
    assert np.array_equal(grid.points.exact(slice(None))[:, 0], values[order])
    assert np.array_equal(grid.labels(slice(0, 500)), labels[:, order])
    assert np.array_equal(grid.labels(np.array([3, 499])), labels[:, order[[3, 499]]])
    assert np.array_equal(order[grid.rows_of(1, 2)], order[labels[1, order] == 2])


@pytest.mark.parametrize("d", [1, 3, 20])
def test_single_precision_costs_a_millionth(d):
    """What single precision rounds off, and scikit-learn on the plain rows."""
    X = mixture(3000, d) + 1e3
    labels = assign_all_k(X, [X[:2], X[:6]])
    grid, order = sort_by_cell(Points.of(X).light(), *cut_into_cells(labels))
    found = grid_silhouettes(grid, exact_max=3000, random_state=0)
    for own, result in zip(labels, found, strict=True):
        expected = silhouette_samples(X - X.mean(axis=0), own)[order]
        assert np.abs(result.samples - expected).max() < 5e-6
        assert result.mean == pytest.approx(expected.mean(), abs=1e-6)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([[0, 0, 0, 0]], r"partition 0 has 1 clusters, allowed is \[2, 3\]"),
        ([[0, 1, 0, 1], [0, 1, 2, 3]], r"partition 1 has 4 clusters"),
        ([[0, 1, 1]], r"partition 0 has shape \(3,\), allowed is \(4,\)"),
    ],
)
def test_validates(labels, message):
    with pytest.raises(ValueError, match=message):
        silhouettes(np.arange(4.0)[:, None], labels)


@pytest.fixture(scope="module")
def large():
    X = mixture(9000, 4)
    labels = fit_all_k(X, k_max=8, n_init=1, random_state=0).labels
    return X, labels, silhouettes(X, labels, exact_max=9000)


def test_exact_up_to_the_threshold_and_estimated_above(large):
    X, labels, exact = large
    estimated = silhouettes(X, labels, exact_max=8999)
    assert all(r.error == 0 and r.samples is not None for r in exact)
    assert all(r.error > 0 and r.samples is None for r in estimated)
    for a, b in zip(exact, estimated, strict=True):
        assert b.error <= 0.001
        assert abs(a.mean - b.mean) < 4 * b.error
        assert b.per_cluster == pytest.approx(a.per_cluster, abs=0.03)


def test_standard_error_is_honest(large, monkeypatch):
    """Over seeds, the spread of the estimate is what its error says."""
    monkeypatch.setattr(silhouette, "MOST_ANCHORS", 200)
    X, labels, exact = large
    draws = [
        silhouettes(X, labels, exact_max=100, random_state=seed) for seed in range(40)
    ]
    for p in (0, 3, 6):
        means = np.array([draw[p].mean for draw in draws])
        error = np.mean([draw[p].error for draw in draws])
        assert 0.6 < means.std() / error < 1.5
        assert abs(means.mean() - exact[p].mean) < 4 * error / np.sqrt(40)


def test_estimate_sees_a_cluster_of_three():
    """Three customers in nine thousand: subsampling would miss them."""
    X = np.vstack((mixture(9000, 3), [[90.0, 90, 90], [90, 91, 90], [91, 90, 90]]))
    own = np.append(assign_all_k(X[:9000], [X[:3]])[0], [3, 3, 3])
    weights = np.ones(len(X), dtype=np.int64)
    weights[-1] = 4
    (exact,) = silhouettes(X, [own], weights=weights)
    (estimate,) = silhouettes(X, [own], weights=weights, exact_max=100)
    assert estimate.per_cluster[3] == pytest.approx(exact.per_cluster[3], abs=1e-9)
    assert abs(estimate.mean - exact.mean) < 4 * estimate.error


def test_estimate_with_weights_agrees_with_exact():
    X = mixture(6000, 3)
    weights = 1 + (np.arange(6000) % 50 == 0) * 40
    labels = assign_all_k(X, [X[:3], X[:5]])
    exact = silhouettes(X, labels, weights=weights)
    for a, b in zip(
        exact, silhouettes(X, labels, weights=weights, exact_max=100), strict=True
    ):
        assert abs(a.mean - b.mean) < 4 * b.error
