"""The compiled kernel alone: by hand, and when it is used at all."""

from __future__ import annotations

import numpy as np
import pytest

from segmentacao import compiled


def test_sums_by_hand():
    """Cells (0, 0), (3, 4) twice | (6, 8): distances 0, 5, 5 | 10 from the first."""
    x = np.array([[0.0, 0], [3, 4], [6, 8]])
    origins = np.array([[2.0, 1.0], [6.0, 8.0]])
    edges = np.array([0, 2, 3])
    anchors = np.zeros((2, compiled.LANES))
    anchors[:, 1] = 3, 4
    sums = np.empty((2, compiled.LANES))
    compiled.distance_sums(2)(
        anchors,
        (x - origins[[0, 0, 1]]).T.astype(np.float32).copy(),
        origins,
        np.array([1, 2, 1], np.float32),
        edges,
        sums,
    )
    assert sums[:, :2].T == pytest.approx(np.array([[10, 10], [5, 5]]), abs=1e-6)


def test_origins_keep_digits_far_from_zero():
    """Single precision about 0 would round a millionth next to a thousand away."""
    x = 1000 + np.arange(300) * 1e-6
    anchors = np.full((1, compiled.LANES), 1000.0)
    sums = np.empty((1, compiled.LANES))
    compiled.distance_sums(1)(
        anchors,
        (x - x.mean())[None].astype(np.float32),
        np.array([[x.mean()]]),
        np.ones(300, np.float32),
        np.array([0, 300]),
        sums,
    )
    # 1e-6 (0 + 1 + ... + 299)
    assert sums[0] == pytest.approx(299 * 150 * 1e-6, rel=1e-6)


def test_is_for_many_distances_where_numba_is_installed(monkeypatch):
    assert compiled.is_worth(compiled.LEAST_DISTANCES)
    assert not compiled.is_worth(compiled.LEAST_DISTANCES - 1)
    monkeypatch.setattr(compiled.importlib.util, "find_spec", lambda name: None)
    assert not compiled.is_worth(compiled.LEAST_DISTANCES)
