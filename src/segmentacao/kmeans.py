"""K-Means for every candidate number of clusters at once.

Starts come from scikit-learn on at most a fixed number of customers; all that
follows (Lloyd's iterations on everybody, labels, sizes, sums of squares) works
on blocks of rows and on all partitions in one matrix product, so that memory
does not grow with the number of candidates.

A *row* is a distinct vector of values and carries a weight, the number of
customers that share it. The cluster sizes differ between partitions, so
centres are kept as one padded array `C` of shape (k_max, n_partitions,
n_columns) whose surplus slots are never read.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import KMeans

from segmentacao.blocks import (
    COLUMN_BLOCK,
    blocks,
    over_ranges,
    parallel_map,
    single_blas_thread,
)
from segmentacao.points import Points

#: Lloyd's iterations: to convergence where it is cheap, else a polish.
MAX_ITERATIONS = 300
POLISH_ITERATIONS = 6
POLISH_TOLERANCE = 1e-5
#: Attempts to give every cluster members.
REPAIRS = 5
#: Distances closer than this, relative to the squared norms, are recomputed.
TIE_TOLERANCE = 1e-12


def pad_centres(centres: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack the centres of several partitions into one padded array.

    Parameters
    ----------
    centres : sequence of ndarray of shape (k, n_columns)
        In ascending order of k.

    Returns
    -------
    C : ndarray of shape (k_max, n_partitions, n_columns)
        Surplus slots hold zeros.
    ks : ndarray of intp of shape (n_partitions,)
    """
    ks = np.array([len(c) for c in centres])
    C = np.zeros((ks.max(), len(centres), centres[0].shape[1]), centres[0].dtype)
    for p, c in enumerate(centres):
        C[: len(c), p] = c
    return C, ks


class Scorer:
    """Squared distances, less the row's own norm, to the centres of all partitions.

    Scores have one line for each centre, ordered by its place in its partition
    and then by partition, so that places are compared for all partitions at
    once. Results live in buffers of the scorer and last until the next call:
    new arrays of this size cost more than the arithmetic. One thread each.

    Parameters
    ----------
    C : ndarray of shape (k_max, n_partitions, n_columns)
    ks : ndarray of int of shape (n_partitions,)
        Ascending numbers of clusters.
    before : Scorer, optional
        A scorer of no fewer centres, no longer in use, whose buffers to take.

    Attributes
    ----------
    slot, partition : ndarray of intp of shape (n_centres,)
        Place and partition of the centre of each line.
    """

    def __init__(self, C, ks, *, before=None):
        self.slot, self.partition = np.nonzero(np.arange(len(C))[:, None] < ks)
        centres = C[self.slot, self.partition]
        self.matrix = -2 * centres
        self.norms = np.einsum("ij,ij->i", centres, centres)[:, None]
        stops = np.searchsorted(self.slot, np.arange(len(C)), side="right")
        starts = np.concatenate(([0], stops[:-1]))
        # Ascending k: the partitions with a place j are the last ones.
        self.places = [
            (slice(start, stop), slice(len(ks) - (stop - start), None))
            for start, stop in zip(starts, stops, strict=True)
            if stop > start
        ]
        self.n_partitions = len(ks)
        self._buffers = {} if before is None else before._buffers

    def _buffer(self, name, lines, n_rows, dtype):
        """Take an array of this shape from the buffer of this name."""
        if name not in self._buffers or len(self._buffers[name]) < lines * n_rows:
            self._buffers[name] = np.empty(lines * n_rows, dtype)
        return self._buffers[name][: lines * n_rows].reshape(lines, n_rows)

    def _of_partitions(self, name, scores, dtype):
        return self._buffer(name, self.n_partitions, scores.shape[1], dtype)

    def scores(self, x):
        """Scores of shape (n_centres, n_rows) of rows of shape (n_columns, n_rows)."""
        lines, n_rows = len(self.matrix), x.shape[1]
        scores = self._buffer("scores", lines, n_rows, self.matrix.dtype)
        np.matmul(self.matrix, x, out=scores)
        scores += self.norms
        return scores

    def least(self, scores):
        """Least scores of shape (n_partitions, n_rows)."""
        best = self._of_partitions("best", scores, scores.dtype)
        np.copyto(best, scores[: self.n_partitions])
        for lines, rest in self.places[1:]:
            np.minimum(best[rest], scores[lines], out=best[rest])
        return best

    def nearest(self, scores):
        """Labels (uint8) and least scores, both of shape (n_partitions, n_rows)."""
        best = self._of_partitions("best", scores, scores.dtype)
        labels = self._of_partitions("labels", scores, np.uint8)
        closer = self._of_partitions("closer", scores, bool)
        np.copyto(best, scores[: self.n_partitions])
        labels[:] = 0
        for j, (lines, rest) in enumerate(self.places[1:], start=1):
            # Strictly less: a tie stays with the lowest index.
            np.less(scores[lines], best[rest], out=closer[rest])
            np.copyto(labels[rest], np.uint8(j), where=closer[rest])
            np.minimum(best[rest], scores[lines], out=best[rest])
        return labels, best

    def of_labels(self, scores, labels):
        """Scores of the places that `labels` name, (n_partitions, n_rows)."""
        own = self._of_partitions("best", scores, scores.dtype)
        for j, (lines, rest) in enumerate(self.places):
            np.copyto(own[rest], scores[lines], where=labels[rest] == j)
        return own

    def contested(self, scores, bounds):
        """Partitions and rows with more than one score up to the bound."""
        count = np.zeros(bounds.shape, dtype=np.uint8)
        closer = self._of_partitions("closer", scores, bool)
        for lines, rest in self.places:
            np.less_equal(scores[lines], bounds[rest], out=closer[rest])
            count[rest] += closer[rest]
        return np.nonzero(count > 1)

    def labelled(self, labels, out):
        """Write to each line of `out` whether its place is the row's label."""
        for j, (lines, rest) in enumerate(self.places):
            np.equal(labels[rest], np.uint8(j), out=out[lines])
        return out

    def attaining(self, best, out):
        """Write to each line of the scores `out` whether it is the least."""
        for lines, rest in self.places:
            np.equal(out[lines], best[rest], out=out[lines])
        return out


def _lloyd_pass(points, C, ks, labels, active, rows):
    """Assign the rows of a range; add up the members of every cluster.

    Returns sums of shape (n_centres, n_columns + 1), the last column being the
    weight, and per partition the inertia and the number of changed labels.
    """
    scorer = Scorer(C, ks)
    sums = np.zeros((len(scorer.matrix), points.n_columns + 1))
    inertia = np.zeros(len(ks))
    changed = np.zeros(len(ks), dtype=np.int64)
    for block in blocks(rows):
        x, w = points.values[:, block], points.weights[block]
        scores = scorer.scores(x)
        new, best = scorer.nearest(scores)
        changed += np.count_nonzero(new != labels[active, block], axis=1)
        labels[active, block] = new
        inertia += (best + np.einsum("ij,ij->j", x, x)) @ w
        members = scorer.labelled(new, out=scores)
        sums += members @ _weighted(x, w)
    return sums, inertia, changed


def _weighted(x, w):
    """Rows times their weight, and the weight, of shape (n_rows, n_columns + 1)."""
    weighted = np.empty((len(x) + 1, x.shape[1]), dtype=x.dtype)
    np.multiply(x, w, out=weighted[:-1], casting="same_kind")
    weighted[-1] = w
    return weighted.T


def lloyd(
    X: np.ndarray | Points,
    centres: Sequence[np.ndarray],
    *,
    weights: np.ndarray | None = None,
    max_iter: int = MAX_ITERATIONS,
    parallel: bool = True,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Run Lloyd's iterations for several partitions at once.

    Lloyd, S. (1982), Least squares quantization in PCM. A partition stops when
    no label changes; an empty cluster is moved to the row worst represented.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), or Points
    centres : sequence of ndarray of shape (k, n_columns)
        Starting centres of each partition, in ascending order of k.
    weights : ndarray of shape (n_rows,), optional
        Customers behind each row, at least 0; 1 each by default, and those of
        the points if `X` is such.
    max_iter : int, optional
        Passes over the rows, at least 1.
    parallel : bool, optional
        Use two threads when there are enough rows.

    Returns
    -------
    centres : list of ndarray of shape (k, n_columns)
    inertia : ndarray of shape (n_partitions,)
        Weighted sum of squared distances at the last pass.
    """
    points = Points.of(X, weights)
    C, ks = pad_centres([points.inward(c).astype(float) for c in centres])
    labels = np.full((len(ks), len(points)), 255, dtype=np.uint8)
    inertia = np.full(len(ks), np.inf)
    active = np.arange(len(ks))
    for _ in range(max_iter):
        parts = over_ranges(
            lambda rows, act=active: _lloyd_pass(
                points, C[:, act], ks[act], labels, act, rows
            ),
            len(points),
            parallel,
        )
        sums, new_inertia, changed = (sum(part) for part in zip(*parts, strict=True))
        counts = _move_centres(C, ks, active, sums)
        inertia[active] = new_inertia
        full = np.count_nonzero(counts, axis=0) == ks[active]
        full |= ~_fill_empty(points, C, ks, labels, active[~full])[active]
        active = active[~full | (changed > 0)]
        if not len(active):
            break
    centres = [points.outward(C[:k, p]) for p, k in enumerate(ks)]
    return centres, inertia * points.unit**2


def light_lloyd(
    points: Points,
    centres: Sequence[np.ndarray],
    *,
    max_iter: int,
    tol: float,
    parallel: bool,
) -> tuple[list[np.ndarray], np.ndarray]:
    """Run Lloyd's iterations in single precision, without labels.

    A row as near to two centres counts for both, and a cluster that loses its
    members keeps its centre; whoever needs labels assigns them afterwards.

    Parameters
    ----------
    points : Points
        In single precision.
    centres : sequence of ndarray of shape (k, n_columns)
        Starting centres of each partition, in ascending order of k.
    max_iter : int
        Passes over the rows.
    tol : float
        Relative decrease of the inertia below which a partition stops.
    parallel : bool
        Use two threads when there are enough rows.

    Returns
    -------
    centres : list of ndarray of shape (k, n_columns)
    inertia : ndarray of shape (n_partitions,)
        Inertia at the last pass, in squares of the points' unit.
    """
    C, ks = pad_centres([points.inward(c) for c in centres])
    inertia = np.full(len(ks), np.inf)
    active = np.arange(len(ks))
    scorers = {}
    for _ in range(max_iter):
        parts = over_ranges(
            lambda rows, act=active: _light_pass(
                points, C[:, act], ks[act], rows, scorers
            ),
            len(points),
            parallel,
        )
        sums, new = (sum(part) for part in zip(*parts, strict=True))
        _move_centres(C, ks, active, sums)
        falls = inertia[active] - new > tol * np.abs(new)
        inertia[active] = new
        active = active[falls]
        if not len(active):
            break
    return [points.outward(C[:k, p]) for p, k in enumerate(ks)], inertia


def _light_pass(points, C, ks, rows, scorers):
    scorer = Scorer(C, ks, before=scorers.get(rows))
    scorers[rows] = scorer
    sums, inertia = 0.0, 0.0
    for block in blocks(rows):
        x = points.values[:, block]
        w = points.weights[block].astype(np.float32)
        scores = scorer.scores(x)
        best = scorer.least(scores)
        inertia = inertia + best @ w + np.einsum("ij,ij->j", x, x) @ w
        members = scorer.attaining(best, out=scores)
        sums = sums + (members @ _weighted(x, w)).astype(float)
    return sums, inertia.astype(float)


def _move_centres(C, ks, active, sums):
    """Move centres to the means of their members; empty ones stay.

    Returns the members' weight, of shape (k_max, n_active).
    """
    slot, place = np.nonzero(np.arange(len(C))[:, None] < ks[active])
    counts = np.zeros((len(C), len(active)))
    counts[slot, place] = sums[:, -1]
    some = sums[:, -1] > 0
    C[slot[some], active[place[some]]] = sums[some, :-1] / sums[some, -1:]
    return counts


def _fill_empty(points, C, ks, labels, partitions):
    """Move the empty centres of `partitions` to the rows worst represented.

    Returns a mask over all partitions: which ones were moved. A cluster that
    cannot be filled because every row already is a centre stays empty.
    """
    moved = np.zeros(len(ks), dtype=bool)
    for p in partitions:
        sizes = np.bincount(labels[p], points.weights, minlength=ks[p])
        empty = np.flatnonzero(sizes[: ks[p]] == 0)
        distances = np.concatenate(
            [
                np.sum((points.values[:, b] - C[labels[p, b], p].T) ** 2, axis=0)
                for b in blocks(range(len(points)))
            ]
        )
        distances[points.weights == 0] = 0
        worst = np.argsort(-distances, kind="stable")[: len(empty)]
        worst = worst[distances[worst] > 0]
        C[empty[: len(worst)], p] = points.values[:, worst].T
        moved[p] = len(worst) > 0
    return moved


def assign_all_k(
    X: np.ndarray | Points,
    centres: Sequence[np.ndarray],
    *,
    parallel: bool = True,
) -> np.ndarray:
    """Label every row with its nearest centre, for several partitions at once.

    Rows whose two best distances agree to rounding are decided by the plain
    sum of squared differences in double precision, column by column, as SQL
    does it; an exact tie goes to the lowest index.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), or Points
    centres : sequence of ndarray of shape (k, n_columns)
        In ascending order of k, k at most 255.
    parallel : bool, optional
        Use two threads when there are enough rows.

    Returns
    -------
    ndarray of uint8 of shape (n_partitions, n_rows)
    """
    points = Points.of(X)
    C, ks = pad_centres([points.inward(c) for c in centres])
    largest = np.einsum("jpd,jpd->jp", C, C).max()
    tolerance = _tie_tolerance(points)
    labels = np.empty((len(ks), len(points)), dtype=np.uint8)

    def assign(rows):
        scorer = Scorer(C, ks)
        for block in blocks(rows):
            x = points.values[:, block]
            scores = scorer.scores(x)
            new, best = scorer.nearest(scores)
            best += tolerance * (np.einsum("ij,ij->j", x, x) + largest)
            partition, row = scorer.contested(scores, best)
            for p in np.unique(partition):
                of_p = row[partition == p]
                exact = points.exact(block.start + of_p)
                new[p, of_p] = _nearest_plainly(exact, centres[p])
            labels[:, block] = new

    over_ranges(assign, len(points), parallel)
    return labels


def _tie_tolerance(points) -> float:
    """Bound of what rounding does to the difference of two scores.

    Relative to the squared norms: each factor is rounded, and so is every step
    of a product of as many terms as there are columns.
    """
    if not points.is_light:
        return TIE_TOLERANCE
    return (4 * points.n_columns + 12) * np.finfo(np.float32).eps / 2


def _nearest_plainly(x, centres):
    distances = np.zeros((len(x), len(centres)))
    for j in range(x.shape[1]):
        distances += (x[:, j, None] - centres[:, j]) ** 2
    return np.argmin(distances, axis=1)


@dataclass(frozen=True)
class KMeansFits:
    """K-Means models of the same rows, one for each k.

    Attributes
    ----------
    ks : list of int
        The numbers of clusters, ascending.
    centres : list of ndarray of shape (k, n_columns)
        Centres in lexicographic order of their coordinates.
    labels : ndarray of uint8 of shape (n_partitions, n_rows)
        Nearest centre of every row.
    """

    ks: list[int]
    centres: list[np.ndarray]
    labels: np.ndarray


def fit_all_k(
    X: np.ndarray | Points,
    *,
    k_max: int,
    weights: np.ndarray | None = None,
    n_init: int = 10,
    fit_max: int = 50_000,
    random_state: int,
    column_order: Sequence[int] | None = None,
    log: Callable[[str], None] | None = None,
) -> KMeansFits:
    """Fit K-Means for k = 2..k_max and label every row.

    scikit-learn's K-Means (k-means++ starts, best of `n_init`) runs on at most
    `fit_max` rows; Lloyd's iterations on all rows follow: to convergence when
    all rows took part in the fit, else until the inertia falls by less than
    1e-5 of itself, or for 6 passes.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_columns), or Points
        Distinct rows in an order that does not depend on chance.
    k_max : int
        Largest number of clusters, 2 to 255 and at most n_rows - 1.
    weights : ndarray of int of shape (n_rows,), optional
        Customers behind each row, at least 1; 1 each by default, and those of
        the points if `X` is such.
    n_init : int, optional
        Starts per k, at least 1.
    fit_max : int, optional
        Rows of the fit; with more, that many customers are drawn at random.
    random_state : int
        Seed, at least 0.
    column_order : sequence of int, optional
        Columns by which the centres are put in order; the stored order by
        default.
    log : callable, optional
        Called with one line of text for each k.

    Returns
    -------
    KMeansFits

    Raises
    ------
    ValueError
        `k_max`, `n_init` or `fit_max` out of range.
    """
    if not 2 <= k_max <= min(255, len(X) - 1):
        raise ValueError(f"k_max: {k_max}, allowed is [2, {min(255, len(X) - 1)}]")
    if n_init < 1:
        raise ValueError(f"n_init: {n_init}, allowed is at least 1")
    if fit_max <= k_max:
        raise ValueError(f"fit_max: {fit_max}, allowed is more than k_max ({k_max})")
    points = Points.of(X, weights)
    rows, counts = fit_sample(
        points.weights,
        fit_max=fit_max,
        least_distinct=k_max + 1,
        random_state=random_state,
    )
    ks = list(range(2, k_max + 1))
    with single_blas_thread:
        starts = _sklearn_starts(points, rows, counts, ks, n_init, random_state, log)
        if len(rows) == len(points):
            centres, _ = lloyd(points, starts)
        else:
            centres, _ = light_lloyd(
                points.light(),
                starts,
                max_iter=POLISH_ITERATIONS,
                tol=POLISH_TOLERANCE,
                parallel=True,
            )
        n_columns = points.n_columns
        order = range(n_columns) if column_order is None else list(column_order)
        return KMeansFits(ks, *_label(points, centres, order))


def _label(points, centres, order):
    """Put centres in order and label all rows, so that every cluster has members."""
    for _ in range(REPAIRS):
        centres = [c[np.lexsort([c[:, j] for j in order][::-1])] for c in centres]
        labels = assign_all_k(points, centres)
        lacking = [
            p for p, c in enumerate(centres) if not _all_in_use(labels[p], len(c))
        ]
        if not lacking:
            break
        repaired, _ = lloyd(points, [centres[p] for p in lacking], max_iter=10)
        for p, c in zip(lacking, repaired, strict=True):
            centres[p] = c
    return centres, labels


def _all_in_use(labels, k) -> bool:
    is_used = np.zeros(k, dtype=bool)
    is_used[labels] = True
    return is_used.all()


def fit_sample(
    weights: np.ndarray, *, fit_max: int, least_distinct: int, random_state: int
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the rows of a fit, and how often each takes part.

    All rows when there are at most `fit_max`; else `fit_max` customers drawn
    without replacement, topped up with the first rows should copies leave
    fewer than `least_distinct` of them.

    Parameters
    ----------
    weights : ndarray of int of shape (n_rows,)
        Customers behind each row.
    fit_max, least_distinct : int
    random_state : int
        Seed, at least 0.

    Returns
    -------
    rows : ndarray of intp, ascending
    counts : ndarray of int64, at least 1
    """
    if len(weights) <= fit_max:
        return np.arange(len(weights)), weights
    drawn = draw_customers(weights, fit_max, np.random.default_rng([random_state, 0]))
    rows, counts = np.unique(drawn, return_counts=True)
    if len(rows) < least_distinct:
        drawn = np.concatenate((drawn, np.arange(least_distinct)))
        rows, counts = np.unique(drawn, return_counts=True)
    return rows, counts


def draw_customers(
    weights: np.ndarray, size: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw customers without replacement; return the row of each, ascending."""
    # block by block: numbering all customers would cost as much as a column
    cut = list(blocks(range(len(weights)), COLUMN_BLOCK))
    edges = np.cumsum([0, *(weights[block].sum(dtype=np.int64) for block in cut)])
    customers = np.sort(rng.choice(edges[-1], size, replace=False, shuffle=False))
    parts = np.split(customers, np.searchsorted(customers, edges[1:-1]))
    return np.concatenate(
        [
            block.start
            + np.searchsorted(
                np.cumsum(weights[block], dtype=np.int64), own - edge, side="right"
            )
            for block, edge, own in zip(cut, edges, parts, strict=False)
        ]
    )


def _sklearn_starts(points, rows, weights, ks, n_init, random_state, log):
    """Best centres of `n_init` starts for each k, the dearest k first."""
    X = points.exact(rows)

    def fit(k):
        started = time.perf_counter()
        seed = np.random.SeedSequence([random_state, k]).generate_state(1)[0]
        model = KMeans(k, n_init=n_init, random_state=int(seed))
        model.fit(X, sample_weight=weights)
        return model.cluster_centers_, time.perf_counter() - started

    starts = []
    for k, (centres, seconds) in zip(
        ks[::-1], parallel_map(fit, ks[::-1]), strict=True
    ):
        starts.append(centres)
        if log is not None:
            log(f"k = {k}: fitted on {int(weights.sum())} customers, {seconds:.1f} s")
    return starts[::-1]
