"""Bootstrap agreement and permutation p-values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, silhouette_score

from segmentacao import stability
from segmentacao.kmeans import assign_all_k, fit_all_k
from segmentacao.stability import (
    adjusted_rand,
    bootstrap_ari,
    nested_seeds,
    permutation_p_values,
    permute_columns,
    refit_all_k,
)


def blobs(n, d=4, k=4, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(k, d))[np.arange(n) % k] * 20 + rng.normal(size=(n, d))


def noise(n, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


LABELS = st.lists(st.integers(0, 4), min_size=2, max_size=30)


@settings(max_examples=100, deadline=None)
@given(first=LABELS, seed=st.integers(0, 99))
def test_adjusted_rand_agrees_with_scikit_learn(first, seed):
    first = np.array(first, dtype=np.uint8)
    second = np.random.default_rng(seed).integers(4, size=len(first))
    expected = adjusted_rand_score(first, second)
    assert adjusted_rand(first, second) == pytest.approx(expected, abs=1e-12)
    assert adjusted_rand(first, first) == 1


def test_adjusted_rand_by_hand():
    # Pairs together in both: {0,1} = 1; in the first 3 + 0 = 3, in the second
    # 1 + 1 = 2; expected 3 * 2 / 6 = 1; (1 - 1) / (2.5 - 1) = 0.
    assert adjusted_rand(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])) == 0


def test_seeds_are_rows_far_apart():
    X = blobs(400)
    seeds = nested_seeds(X, weights=np.ones(400), k_max=4, rng=np.random.default_rng(0))
    assert sorted(seeds % 4) == [0, 1, 2, 3]  # one in each blob


def test_seeds_never_have_weight_zero():
    X, weights = blobs(40), np.arange(40) % 2
    seeds = nested_seeds(X, weights=weights, k_max=9, rng=np.random.default_rng(0))
    assert set(weights[seeds]) == {1}


def test_refit_is_nearly_as_good_as_scikit_learn():
    X = blobs(500) + 1e4
    centres = refit_all_k(X, k_max=6, rng=np.random.default_rng(0))
    for c, own in zip(centres, assign_all_k(X, centres), strict=True):
        inertia = np.sum((X - c[own]) ** 2)
        best = KMeans(len(c), n_init=10, random_state=0).fit(X).inertia_
        assert inertia < best * 1.15


def test_light_silhouette_is_the_silhouette():
    X = noise(300) * [1, 2, 3, 4] + 1e3
    values = stability._light_silhouettes(X, 5, np.random.default_rng(7))
    centres = refit_all_k(X, k_max=5, rng=np.random.default_rng(7))
    for value, own in zip(values, assign_all_k(X, centres), strict=True):
        assert value == pytest.approx(silhouette_score(X - 1e3, own), abs=1e-4)


def test_bootstrap_finds_blobs_again_and_noise_not():
    for X, low, high in ((blobs(400), 0.999, 1), (noise(400, d=8), -0.1, 0.6)):
        labels = fit_all_k(X, k_max=4, random_state=0).labels
        ari = bootstrap_ari(X, labels, draws=10, random_state=0)
        assert ari.shape == (3,)
        assert low <= ari[-1] <= high


def test_bootstrap_does_not_depend_on_label_names():
    X = blobs(200)
    labels = fit_all_k(X, k_max=3, random_state=0).labels
    ari = bootstrap_ari(X, labels, draws=3, random_state=0)
    again = bootstrap_ari(X, [1 - labels[0], 2 - labels[1]], draws=3, random_state=0)
    assert np.array_equal(ari, again)


def test_p_is_small_for_blobs_and_large_for_noise():
    p = permutation_p_values(blobs(300), k_max=5, permutations=39, random_state=0)
    assert p[2] == 1 / 40
    p = permutation_p_values(noise(300), k_max=5, permutations=39, random_state=0)
    assert (p > 0.05).all()


def test_p_is_uniform_enough_without_structure():
    """Twenty independent data sets: a p below 0.1 is no rule."""
    p = np.array(
        [
            permutation_p_values(
                noise(80, 3, seed), k_max=3, permutations=19, random_state=seed
            )
            for seed in range(20)
        ]
    )
    assert 0.3 < p.mean() < 0.75
    assert np.count_nonzero(p[:, 0] <= 0.1) <= 7


def test_p_for_shares():
    rng = np.random.default_rng(0)
    # Everyone spends on one of two baskets: shares within a basket go together.
    basket = rng.integers(2, size=(300, 1)) == [[0, 0, 1, 1]]
    structured = basket * rng.gamma(5, size=(300, 4))
    independent = rng.gamma(0.5, size=(300, 4)) * (rng.random((300, 4)) < 0.5)
    independent = permute_columns(
        independent[independent.sum(axis=1) > 0], shares=True, rng=rng
    )
    for X, low, high in ((structured, 0, 0.05), (independent, 0.05, 1)):
        shares = X / X.sum(axis=1, keepdims=True)
        p = permutation_p_values(
            shares, k_max=3, permutations=39, random_state=0, shares=True
        )
        assert low < p[0] <= high


def test_one_column_has_no_joint_structure():
    p = permutation_p_values(noise(50, 1), k_max=3, permutations=9, random_state=0)
    assert np.isnan(p).all()


def test_permuted_columns_keep_their_values():
    X = noise(50)
    permuted = permute_columns(X, shares=False, rng=np.random.default_rng(0))
    assert np.array_equal(np.sort(permuted, axis=0), np.sort(X, axis=0))
    assert not np.array_equal(permuted, X)


def test_permuted_shares_sum_to_one_even_when_all_zero_were_drawn():
    X = np.eye(5)[np.arange(200) % 5]  # a third of the permuted rows are all zero
    permuted = permute_columns(X, shares=True, rng=np.random.default_rng(0))
    assert permuted.sum(axis=1) == pytest.approx(np.ones(200))
    X[0] = 0  # a row without a sum stays without one
    permuted = permute_columns(X, shares=True, rng=np.random.default_rng(0))
    assert permuted.sum(axis=1) == pytest.approx([0] + [1] * 199)


def test_statistics_survive_fewer_distinct_rows_than_clusters():
    X = np.repeat([[0.0, 0], [1, 5], [2, 1]], 20, axis=0)
    p = permutation_p_values(X, k_max=8, permutations=5, random_state=0)
    assert ((p > 0) & (p <= 1)).all()
    labels = np.tile(np.repeat([0, 1, 1], 20), (7, 1))
    assert np.isfinite(bootstrap_ari(X, labels, draws=2, random_state=0)).all()


def test_constant_rows_do_not_fail():
    p = permutation_p_values(np.ones((20, 2)), k_max=3, permutations=3, random_state=0)
    assert p.tolist() == [1, 1]


@pytest.mark.parametrize(
    ("function", "options", "message"),
    [
        (bootstrap_ari, {"labels_by_k": [[0, 1]], "draws": 0}, "draws: 0"),
        (permutation_p_values, {"k_max": 2, "permutations": 0}, "permutations: 0"),
    ],
)
def test_validates(function, options, message):
    with pytest.raises(ValueError, match=f"{message}, allowed is at least 1"):
        function(X=noise(2), random_state=0, **options)


def test_the_median_of_the_observed_fits_is_tested(monkeypatch):
    # eleven observed fits, one of them lucky: their median is 0.5; of the four
    # null values 0.5 and 0.9 reach it, so p = (1 + 2) / (4 + 1)
    observed = [0.9] + [0.5] * 6 + [0.1] * 4
    values = iter([*observed, 0.2, 0.5, 0.9, 0.4])
    monkeypatch.setattr(
        "segmentacao.stability._light_silhouettes",
        lambda X, k_max, rng: np.array([next(values)]),
    )
    p = permutation_p_values(blobs(20), k_max=2, permutations=4, random_state=0)
    assert p == pytest.approx([3 / 5])
