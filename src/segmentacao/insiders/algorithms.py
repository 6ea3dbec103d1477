"""Four ways to cut a space into groups, each for all k at once where it can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from segmentacao.blocks import PARALLEL_ROWS, blocks, parallel_map
from segmentacao.kmeans import assign_all_k, fit_all_k
from segmentacao.transform import distinct_rows

ALGORITHMS = ("kmeans", "mistura", "hierarquico", "dbscan")
#: Iterations, tolerance and least variance of the mixture.
MIXTURE_ITERATIONS, MIXTURE_TOLERANCE, LEAST_VARIANCE = 25, 1e-3, 1e-3
#: Label of customers that DBSCAN gives to no group.
NOISE = -1


@dataclass(frozen=True)
class Partitions:
    """Partitions of the same customers by one algorithm.

    Attributes
    ----------
    ks : list of int
        Groups asked for; for DBSCAN the groups found.
    labels : ndarray of int of shape (n_partitions, n_customers)
        Groups from 0; -1 is noise.
    fitted_on : int
        Customers of the fit; the others were given to the nearest group.
    """

    ks: list[int]
    labels: np.ndarray
    fitted_on: int


def partition(
    X: np.ndarray,
    algorithm: str,
    *,
    ks: range,
    n_init: int,
    sample_max: int,
    random_state: int,
    kmeans: Partitions | None = None,
) -> Partitions:
    """Cut a space into groups.

    Parameters
    ----------
    X : ndarray of shape (n_customers, n_columns)
        Customers in an order that does not depend on chance.
    algorithm : {'kmeans', 'mistura', 'hierarquico', 'dbscan'}
    ks : range
        Numbers of groups, from at least 2; cut short where there are fewer
        distinct customers. DBSCAN finds its own number.
    n_init : int
        Starts of K-Means.
    sample_max : int
        Most customers that the hierarchy and DBSCAN are fitted on, and on which
        K-Means starts before it goes on with all.
    random_state : int
        Seed.
    kmeans : Partitions, optional
        Result of K-Means with the same arguments, from which the mixture
        starts; made again by default.

    Returns
    -------
    Partitions
        Without partitions when there are fewer than 3 distinct customers, or
        when DBSCAN finds fewer than 2 groups.

    Raises
    ------
    ValueError
        An unknown algorithm.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"algorithm: {algorithm!r}, allowed is one of {ALGORITHMS}")
    if algorithm == "mistura":
        start = kmeans or partition(
            X,
            "kmeans",
            ks=ks,
            n_init=n_init,
            sample_max=sample_max,
            random_state=random_state,
        )
        mapped = parallel_map if len(X) > PARALLEL_ROWS else map
        labels = list(mapped(lambda own: _mixture(X, own), start.labels))
        return Partitions(start.ks, np.array(labels).reshape(-1, len(X)), len(X))
    rows, weights, back = distinct_rows([c.copy() for c in X.T], inverse=True)
    ks = range(ks.start, min(ks.stop, len(rows)))
    if not ks:
        return Partitions([], np.empty((0, len(X)), dtype=int), 0)
    if algorithm == "dbscan":
        return _density(X, sample_max=sample_max, random_state=random_state)
    if algorithm == "hierarquico":
        return _hierarchy(X, ks, sample_max=sample_max, random_state=random_state)
    fits = fit_all_k(
        X[rows],
        k_max=ks[-1],
        weights=weights,
        n_init=n_init,
        fit_max=max(sample_max, ks.stop),
        random_state=random_state,
    )
    labels = fits.labels[[fits.ks.index(k) for k in ks]][:, back].astype(int)
    return Partitions(list(ks), labels, len(X))


def _mixture(X, labels) -> np.ndarray:
    """Label by a Gaussian mixture that starts from the groups of K-Means.

    Expectation and maximisation (Dempster, Laird and Rubin 1977) with one
    variance per group and column: full matrices cost ten times as much.
    """
    share = np.bincount(labels) / len(labels)
    means = group_means(X, labels)
    variances = group_means(X * X, labels) - means**2
    x = np.ascontiguousarray(X.T)
    before = -np.inf
    for _ in range(MIXTURE_ITERATIONS):
        densities = _log_densities(share, means, variances)
        size, sums, squares, likelihood = _expectation(x, densities)
        if likelihood / len(X) - before < MIXTURE_TOLERANCE:
            break
        before = likelihood / len(X)
        size = size + np.finfo(float).tiny
        share = size / size.sum()
        means = sums / size[:, None]
        variances = squares / size[:, None] - means**2
    every = blocks(range(len(X)))
    return np.concatenate([np.argmax(densities(x[:, b]), axis=0) for b in every])


def _log_densities(share, means, variances):
    """Return a function that gives the logarithms of share times density.

    It takes rows as columns, of shape (n_columns, n), and returns shape (k, n),
    without the constant.
    """
    precision = 1 / (variances.clip(min=0) + LEAST_VARIANCE)
    linear, quadratic = means * precision, precision / 2
    constant = np.log(share) + (np.log(precision) - means**2 * precision).sum(1) / 2
    return lambda x: linear @ x - quadratic @ (x * x) + constant[:, None]


def _expectation(x, log_densities):
    """Add up the parts of the rows in each group.

    Returns their number, their sums of columns and of squares, of shapes (k,)
    and twice (k, n_columns), and the sum of their log-likelihoods.
    """
    size, sums, squares, likelihood = 0.0, 0.0, 0.0, 0.0
    for block in blocks(range(x.shape[1])):
        own = x[:, block]
        scores = log_densities(own)
        best = scores.max(axis=0)
        part = np.exp(scores - best)
        total = part.sum(axis=0)
        part /= total
        size = size + part.sum(axis=1)
        sums = sums + part @ own.T
        squares = squares + part @ (own * own).T
        likelihood += float(np.sum(best + np.log(total)))
    return size, sums, squares, likelihood


def _hierarchy(X, ks, *, sample_max, random_state) -> Partitions:
    """Ward's hierarchy, cut at every k (Ward 1963; Müllner 2013).

    Customers outside the sample go to the group with the nearest mean.
    """
    import fastcluster
    from scipy.cluster.hierarchy import fcluster

    drawn = draw(len(X), sample_max, random_state)
    tree = fastcluster.linkage_vector(X[drawn], method="ward")
    cuts = [fcluster(tree, k, "maxclust") - 1 for k in ks]
    labels = np.empty((len(cuts), len(X)), dtype=int)
    if len(drawn) < len(X):
        means = [group_means(X[drawn], cut) for cut in cuts]
        for line, own in zip(labels, means, strict=True):
            line[:] = assign_all_k(X, [own])[0]
    for line, cut in zip(labels, cuts, strict=True):
        line[drawn] = cut
    return Partitions(list(ks), labels, len(drawn))


def _density(X, *, sample_max, random_state) -> Partitions:
    """DBSCAN (Ester et al. 1996), with eps from the k-distance curve.

    Customers outside the sample join the group of the nearest core customer
    within eps, or are noise.
    """
    from sklearn.cluster import DBSCAN
    from sklearn.neighbors import NearestNeighbors

    drawn = draw(len(X), sample_max, random_state)
    sample = X[drawn]
    neighbours = min(max(5, 2 * X.shape[1]), len(sample) - 1)
    eps = knee(neighbour_distances(sample, neighbours))
    if eps <= 0:
        return Partitions([], np.empty((0, len(X)), dtype=int), len(drawn))
    model = DBSCAN(eps=eps, min_samples=neighbours + 1, n_jobs=1).fit(sample)
    groups = int(model.labels_.max()) + 1
    if groups < 2:
        return Partitions([], np.empty((0, len(X)), dtype=int), len(drawn))
    labels = np.full(len(X), NOISE)
    labels[drawn] = model.labels_
    rest = np.setdiff1d(np.arange(len(X)), drawn)
    if len(rest):
        core = model.core_sample_indices_
        search = NearestNeighbors(n_neighbors=1, n_jobs=1).fit(sample[core])
        distance, nearest = search.kneighbors(X[rest])
        own = model.labels_[core][nearest[:, 0]]
        labels[rest] = np.where(distance[:, 0] <= eps, own, NOISE)
    return Partitions([groups], labels[None], len(drawn))


def neighbour_distances(X: np.ndarray, neighbours: int) -> np.ndarray:
    """Distance of each row to its n-th neighbour, ascending."""
    from sklearn.neighbors import NearestNeighbors

    search = NearestNeighbors(n_neighbors=neighbours + 1, n_jobs=1).fit(X)
    return np.sort(search.kneighbors(X)[0][:, -1])


def knee(curve: np.ndarray) -> float:
    """Value at which an ascending curve is farthest below its chord.

    Parameters
    ----------
    curve : ndarray of shape (n,)
        Ascending, n at least 2.

    Returns
    -------
    float
    """
    chord = np.linspace(curve[0], curve[-1], len(curve))
    return float(curve[np.argmax(chord - curve)])


def draw(n_rows: int, at_most: int, random_state: int) -> np.ndarray:
    """Draw at most that many rows without replacement, in ascending order."""
    if n_rows <= at_most:
        return np.arange(n_rows)
    rng = np.random.default_rng([random_state, 5])
    return np.sort(rng.choice(n_rows, at_most, replace=False))


def group_means(X: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Means of the groups 0..k-1, shape (k, n_columns)."""
    sizes = np.bincount(labels)
    sums = [np.bincount(labels, column) for column in X.T]
    return np.column_stack(sums) / np.maximum(sizes, 1)[:, None]
