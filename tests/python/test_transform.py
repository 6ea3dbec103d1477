"""Reading, ordering, transforming and naming the data."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segmentacao.transform import (
    apply_transform,
    check_transforms,
    column_digest,
    data_digest,
    distinct_rows,
    feature_columns,
    standardise,
    weighted_mean_std,
)

MATRICES = st.integers(1, 3).flatmap(
    lambda d: st.lists(
        st.lists(st.sampled_from([-1.5, -0.0, 0.0, 1.0, 2.0]), min_size=d, max_size=d),
        min_size=1,
        max_size=25,
    )
)


def columns_of(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0, float("nan")]), "'x' has the value nan"),
        (pa.array([1.0, float("inf")]), "'x' has the value inf"),
        (pa.array([1.0, 1e101]), r"allowed is \[-1e\+100, 1e\+100\]"),
        (pa.array([1.0, None]), "'x' has 1 nulls"),
        (pa.array(["a", "b"]), "'x' is string"),
        (pa.array([True, False]), "'x' is bool"),
    ],
)
def test_refuses_what_is_no_finite_number(column, message):
    with pytest.raises(ValueError, match=message):
        feature_columns(pa.table({"x": column}))


def test_refuses_repeated_names():
    table = pa.table([pa.array([1.0]), pa.array([2.0])], names=["x", "x"])
    with pytest.raises(ValueError, match="distinct"):
        feature_columns(table)


def test_reads_integers_decimals_and_chunks_as_doubles():
    table = pa.table(
        {
            "a": pa.chunked_array([pa.array([1, 2]), pa.array([3])]),
            "b": pa.array([1, 2, 3]).cast(pa.decimal128(21, 2)),
        }
    )
    names, (a, b) = feature_columns(table)
    assert names == ["a", "b"]
    assert a.dtype == b.dtype == np.float64
    assert a.tolist() == b.tolist() == [1, 2, 3]


@settings(max_examples=80, deadline=None)
@given(rows=MATRICES, seed=st.integers(0, 99), weak=st.booleans())
def test_distinct_rows_depend_on_values_alone(rows, seed, weak):
    """Also with a hash that puts different rows together."""
    options = {"hash_rows": weak_hash} if weak else {}
    columns = columns_of(rows)
    first, counts, back = distinct_rows(columns, inverse=True, **options)
    distinct = np.column_stack(columns)[first]
    assert len(np.unique(distinct, axis=0)) == len(distinct)
    assert np.array_equal(distinct[back], np.column_stack(columns))
    assert np.array_equal(np.bincount(back), counts)

    shuffled = np.random.default_rng(seed).permutation(len(rows))
    again = [column[shuffled] for column in columns]
    other, other_counts = distinct_rows(again, **options)
    assert np.array_equal(np.column_stack(again)[other], distinct)
    assert np.array_equal(other_counts, counts)


def weak_hash(columns):
    return (columns[0] > 0).astype(np.uint64)


def test_log1p_and_its_range():
    assert apply_transform(np.array([0.0, np.e - 1]), "log1p", name="x").tolist() == [
        0.0,
        1.0,
    ]
    with pytest.raises(ValueError, match=r"'x' has the value -1.0 under 'log1p'"):
        apply_transform(np.array([3.0, -1.0]), "log1p", name="x")


def test_unknown_transforms_and_names_are_errors():
    with pytest.raises(ValueError, match="'sqrt'.*'nenhuma', 'log1p'"):
        check_transforms({"x": "sqrt"}, ["x"])
    with pytest.raises(ValueError, match="'y' is not a column"):
        check_transforms({"y": "log1p"}, ["x"])


def test_standardise_by_hand():
    # 1, 1, 4: mean 2, squares (1 + 1 + 4) / 3 = 2; the constant keeps scale 1.
    X = np.array([[1.0, 0.1], [4.0, 0.1]])
    Z, shift, scale = standardise(X, weights=np.array([2, 1]))
    assert shift.tolist() == [2.0, 0.1]
    assert scale.tolist() == [np.sqrt(2), 1.0]
    assert np.allclose(Z, [[-1 / np.sqrt(2), 0], [np.sqrt(2), 0]])
    assert X[0, 0] == 1.0


def test_moments_keep_their_digits_under_a_large_offset():
    values = 1e9 + np.array([0.0, 1.0, 2.0])
    mean, std = weighted_mean_std(values, np.ones(3))
    assert mean == 1e9 + 1
    assert std == pytest.approx(np.sqrt(2 / 3), rel=1e-12)


def test_digest_names_the_data():
    columns = columns_of([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])

    def digest(names=("a", "b"), kinds=("nenhuma", "log1p"), columns=columns):
        rows, counts = distinct_rows(columns)
        of_columns = [column_digest(column[rows]) for column in columns]
        return data_digest(names, kinds, counts, of_columns)

    assert digest() == digest(columns=[column[::-1].copy() for column in columns])
    others = [
        digest(names=("a", "c")),
        digest(kinds=("nenhuma", "nenhuma")),
        digest(columns=[column[:2] for column in columns]),
        digest(columns=columns_of([[1.0, 2.0], [3.0, 4.5], [1.0, 2.0]])),
    ]
    assert len({digest(), *others}) == 5
