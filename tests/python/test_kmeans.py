"""K-Means for all k at once: labels, iterations, fits and measures."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score
from threadpoolctl import threadpool_info, threadpool_limits

from segmentacao.blocks import (
    BLOCK_ROWS,
    HOLD_SECONDS,
    PARALLEL_ROWS,
    parallel_map,
    single_blas_thread,
)
from segmentacao.kmeans import (
    assign_all_k,
    draw_customers,
    fit_all_k,
    fit_sample,
    lloyd,
)
from segmentacao.measures import partition_measures
from segmentacao.points import Points


def blobs(n, d=3, k=4, spread=1.0, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(k, d)) * 10
    return centres[rng.integers(k, size=n)] + rng.normal(size=(n, d)) * spread


def nearest(X, centres):
    return np.argmin(((X[:, None] - centres[None]) ** 2).sum(axis=2), axis=1)


@pytest.mark.parametrize("n", [7, BLOCK_ROWS + 1, PARALLEL_ROWS + 3])
@pytest.mark.parametrize("offset", [0.0, 1e6])
def test_labels_are_those_of_the_nearest_centre(n, offset):
    X = blobs(n) + offset
    centres = [X[:k] for k in (2, 3, 6)]
    labels = assign_all_k(X, centres)
    for own, c in zip(labels, centres, strict=True):
        assert np.array_equal(own, nearest(X, c))


def test_a_tie_goes_to_the_lowest_index():
    # 0 is as far from -1 as from 1, and so is 0.3 from 0.1 and 0.5 but for
    # rounding, which the plain sum of squares decides as SQL does.
    X = np.array([[0.0], [-2.0], [2.0], [0.0]])
    assert assign_all_k(X, [np.array([[1.0], [-1.0]])])[0].tolist() == [0, 1, 0, 0]
    centres = np.array([[-1.0, 5.0], [1.0, 5.0], [0.0, 4.0]])
    points = np.array([[0.0, 5.0], [7e5, 5.0], [-7e5, -5.0]])
    assert assign_all_k(points, [centres])[0].tolist() == [0, 1, 0]
    equal = np.array([[3.0], [3.0], [9.0]])
    assert assign_all_k(X, [equal])[0].tolist() == [0, 0, 0, 0]


@settings(max_examples=60, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=30
    ),
    k=st.integers(2, 5),
    offset=st.sampled_from([0, 1000]),
)
def test_ties_on_a_grid_agree_with_exact_arithmetic(points, k, offset):
    """Small integers have exact squares, so every tie is a true one."""
    X = np.array(points, dtype=float) + offset
    centres = (np.array(points, dtype=float) + offset)[np.arange(k) % len(points)]
    expected = nearest(X, centres)
    assert np.array_equal(assign_all_k(X, [centres])[0], expected)
    assert np.array_equal(assign_all_k(Points.of(X).light(), [centres])[0], expected)


@pytest.mark.parametrize("d", [1, 3, 20])
@pytest.mark.parametrize("offset", [0.0, 1e5])
def test_single_precision_labels_as_double_does(d, offset):
    """Also where only double precision tells which centre is nearer."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20_000, d)) + offset
    middle, step = X[:1].mean(axis=0), rng.normal(size=d)
    centres = [X[:7], np.array([middle - step, middle + step * (1 + 1e-9), X[1]])]
    labels = assign_all_k(Points.of(X).light(), centres)
    assert np.array_equal(labels, assign_all_k(X, centres))
    # one centre in single precision, and two that rounding confuses
    for gap in (1e-9, 1e-6):
        close = np.array([X[0], X[0] + gap * step])
        labels = assign_all_k(Points.of(X).light(), [close])
        assert np.array_equal(labels, assign_all_k(X, [close]))
        assert 0.2 < labels.mean() < 0.8


def test_customers_are_drawn_without_replacement():
    """All 70,000 customers of 40,000 rows; then a third of them, fairly."""
    weights = np.repeat([1, 2, 3, 1], 10_000).astype(np.uint8)
    drawn = draw_customers(weights, 70_000, np.random.default_rng(0))
    assert np.array_equal(np.bincount(drawn), weights)
    counts = np.bincount(
        draw_customers(weights, 23_000, np.random.default_rng(1)), minlength=40_000
    )
    assert np.all(counts <= weights)
    by_weight = counts.reshape(4, -1).sum(axis=1) / (23_000 / 7)
    assert by_weight == pytest.approx([1, 2, 3, 1], rel=0.05)


def test_lloyd_agrees_with_scikit_learn():
    X = blobs(500)
    starts = [X[:k] for k in (2, 5)]
    centres, inertia = lloyd(X, starts)
    for start, c, value in zip(starts, centres, inertia, strict=True):
        model = KMeans(len(start), init=start, n_init=1, tol=0).fit(X)
        assert np.allclose(c, model.cluster_centers_)
        assert value == pytest.approx(model.inertia_, rel=1e-9)


def test_lloyd_weights_are_repeated_rows():
    X = blobs(300)
    weights = np.arange(300) % 4
    starts = [X[1:4]]
    weighted, inertia = lloyd(X, starts, weights=weights)
    repeated, other = lloyd(np.repeat(X, weights, axis=0), starts)
    assert np.allclose(weighted[0], repeated[0])
    assert inertia == pytest.approx(other, rel=1e-9)


def test_lloyd_fills_an_empty_cluster():
    X = blobs(400, k=3)
    start = np.vstack((X[:2], [[1e4, 1e4, 1e4]]))
    centres, _ = lloyd(X, [start])
    assert np.bincount(assign_all_k(X, centres)[0]).min() > 0
    assert len(np.bincount(assign_all_k(X, centres)[0])) == 3


@pytest.mark.parametrize("n", [600, PARALLEL_ROWS + 1])
def test_measures_agree_with_scikit_learn(n):
    X = blobs(n) + 100
    fits = fit_all_k(X, k_max=5, n_init=1, random_state=0, fit_max=500)
    for own, c, m in zip(
        fits.labels, fits.centres, partition_measures(X, fits.labels), strict=True
    ):
        means = np.array([X[own == j].mean(axis=0) for j in range(len(c))])
        assert m.wss == pytest.approx(np.sum((X - means[own]) ** 2), rel=1e-9)
        assert m.calinski_harabasz == pytest.approx(
            calinski_harabasz_score(X, own), rel=1e-9
        )
        assert m.davies_bouldin == pytest.approx(davies_bouldin_score(X, own), rel=1e-9)
        assert m.sizes.tolist() == np.bincount(own).tolist()


def test_measures_weights_are_repeated_rows():
    X = blobs(300)
    weights = 1 + np.arange(300) % 3
    labels = fit_all_k(X, k_max=4, n_init=1, random_state=0).labels
    weighted = partition_measures(X, labels, weights=weights)
    repeated = partition_measures(
        np.repeat(X, weights, axis=0), np.repeat(labels, weights, axis=1)
    )
    for a, b in zip(weighted, repeated, strict=True):
        assert a.sizes.tolist() == b.sizes.tolist()
        assert (a.wss, a.calinski_harabasz, a.davies_bouldin) == pytest.approx(
            (b.wss, b.calinski_harabasz, b.davies_bouldin), rel=1e-9
        )


def test_measures_of_points_on_their_means():
    X = np.array([[0.0], [1.0], [1.0]])
    (m,) = partition_measures(X, np.array([[0, 1, 1]]))
    assert (m.wss, m.calinski_harabasz, m.davies_bouldin) == (0, 1, 0)


def test_fit_converges_when_all_rows_take_part():
    X = blobs(2000, spread=5)
    fits = fit_all_k(X, k_max=6, random_state=1)
    for k, own, c in zip(fits.ks, fits.labels, fits.centres, strict=True):
        means = np.array([X[own == j].mean(axis=0) for j in range(k)])
        assert np.allclose(means, c, rtol=0, atol=1e-9)
        assert sorted(map(tuple, c)) == list(map(tuple, c))


def test_fit_on_a_sample_is_nearly_as_good():
    X = blobs(6000, d=4, k=6, spread=4)
    whole = fit_all_k(X, k_max=6, random_state=1)
    sampled = fit_all_k(X, k_max=6, random_state=1, fit_max=600)
    for a, b in zip(
        partition_measures(X, whole.labels),
        partition_measures(X, sampled.labels),
        strict=True,
    ):
        assert b.wss <= a.wss * 1.01
    assert not np.array_equal(whole.labels, sampled.labels)  # it was a sample


def test_fit_labels_are_those_of_the_final_centres():
    X = blobs(3000, spread=6)
    for fit_max in (500, 5000):
        fits = fit_all_k(X, k_max=10, n_init=2, random_state=3, fit_max=fit_max)
        for own, c in zip(fits.labels, fits.centres, strict=True):
            assert np.array_equal(own, nearest(X, c))


@pytest.mark.parametrize("threads", [1, 2])
def test_fit_does_not_depend_on_threads(threads):
    X = blobs(PARALLEL_ROWS + 100, d=5, spread=8)
    with threadpool_limits(1):
        expected = fit_all_k(X, k_max=8, n_init=1, random_state=0, fit_max=20_000)
    with threadpool_limits(threads):
        fits = fit_all_k(X, k_max=8, n_init=1, random_state=0, fit_max=20_000)
    assert fits.labels.tobytes() == expected.labels.tobytes()
    for a, b in zip(fits.centres, expected.centres, strict=True):
        assert a.tobytes() == b.tobytes()


def test_every_cluster_has_members_with_few_distinct_rows_in_the_sample():
    """A sample of 100 sees one value of the eight; the top-up brings the others."""
    X = np.arange(1.0, 202.0)[:, None]
    weights = np.ones(201, dtype=np.int64)
    weights[-1] = 10**7
    fits = fit_all_k(X, k_max=10, weights=weights, random_state=0, fit_max=100)
    for k, own in zip(fits.ks, fits.labels, strict=True):
        assert len(np.unique(own)) == k


def test_sample_is_drawn_by_customer():
    weights = np.array([1, 1, 998, *[1] * 200])
    rng = np.random.default_rng(0)
    drawn = draw_customers(weights, 600, rng)
    assert len(drawn) == 600
    assert 450 < np.count_nonzero(drawn == 2) < 550  # expected 499
    assert np.bincount(drawn)[[0, 1]].max() <= 1
    rows, counts = fit_sample(weights, fit_max=100, least_distinct=5, random_state=0)
    assert counts.sum() == 100
    rows, counts = fit_sample(weights, fit_max=300, least_distinct=5, random_state=0)
    assert counts is weights and len(rows) == len(weights)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k_max": 1}, r"k_max: 1, allowed is \[2, 29\]"),
        ({"k_max": 30}, r"k_max: 30, allowed is \[2, 29\]"),
        ({"k_max": 3, "n_init": 0}, "n_init: 0, allowed is at least 1"),
        ({"k_max": 3, "fit_max": 3}, "fit_max: 3, allowed is more than k_max"),
    ],
)
def test_fit_validates(options, message):
    with pytest.raises(ValueError, match=message):
        fit_all_k(blobs(30), random_state=0, **options)


def test_fit_tells_each_k():
    lines = []
    fit_all_k(blobs(50), k_max=4, random_state=0, log=lines.append)
    assert sorted(line.split(":")[0] for line in lines) == ["k = 2", "k = 3", "k = 4"]


def blas_threads():
    return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}


def test_blas_limit_survives_overlapping_callers():
    """Enter A, enter B, leave A, leave B: limited until the last one is out."""
    before = blas_threads()
    inside, leave = threading.Event(), threading.Event()

    def other():
        with single_blas_thread:
            inside.set()
            leave.wait(10)

    with single_blas_thread:
        thread = threading.Thread(target=other)
        thread.start()
        assert inside.wait(10)
    assert blas_threads() == {1}
    leave.set()
    thread.join()
    assert blas_threads() == before


def test_blas_limit_follows_that_of_another_library():
    """A limit lifted by someone else while ours is held is set again."""
    before = blas_threads()
    foreign = threadpool_limits(1, user_api="blas")
    foreign.__enter__()
    with single_blas_thread:
        foreign.__exit__(None, None, None)
        time.sleep(4 * HOLD_SECONDS)
        assert blas_threads() == {1}
    assert blas_threads() == before


@pytest.mark.parametrize("wanted", [1, 2])
def test_blas_limit_holds_although_the_caller_wants_more(wanted):
    with threadpool_limits(wanted, user_api="blas"):
        with single_blas_thread:
            assert blas_threads() == {1}
        assert blas_threads() == {wanted}


def test_workers_have_one_openmp_thread_and_callers_keep_theirs():
    def openmp(_):
        return {
            i["num_threads"] for i in threadpool_info() if i["user_api"] == "openmp"
        }

    with threadpool_limits(2, user_api="openmp"):
        assert list(parallel_map(openmp, range(3))) == [{1}] * 3
        assert openmp(0) == {2}
