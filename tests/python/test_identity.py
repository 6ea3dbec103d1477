"""Which cluster of a refit continues which cluster of the model before it."""

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import adjusted_rand_score

from segmentacao.identity import (
    COUNT_COLUMNS,
    PAIR_SCHEMA,
    adjusted_rand_index,
    jaccard_matrix,
    pair_clusters,
)


def counts(*rows):
    """Return rows of (step, new, old, customers) as the model reads them."""
    columns = zip(*rows, strict=True) if rows else [[]] * 4
    return pa.table(
        {
            name: pa.array(list(column), pa.int64())
            for name, column in zip(COUNT_COLUMNS, columns, strict=True)
        }
    )


def pairs(table):
    """Return the assignment as a set of (step, new, old)."""
    return {
        (row["passo_numero"], row["cluster"], row["cluster_anterior"])
        for row in table.to_pylist()
        if row["is_par"]
    }


def test_jaccard_by_hand():
    # sizes 6 and 4 against 7 and 3; 6 / 7, 0 / 9, 1 / 10, 3 / 4
    table = np.array([[6, 0], [1, 3]])
    assert jaccard_matrix(table) == pytest.approx(
        np.array([[6 / 7, 0], [1 / 10, 3 / 4]])
    )


def test_renumbered_clusters_are_paired():
    assert pairs(pair_clusters(counts((0, 0, 2, 5), (0, 1, 0, 7), (0, 2, 1, 9)))) == {
        (0, 0, 2),
        (0, 1, 0),
        (0, 2, 1),
    }


def test_the_pairing_is_the_best_as_a_whole():
    # greedy takes (0, 0) at 6/14 and leaves (1, 1) with nothing; the assignment
    # takes 4/10 twice
    table = pair_clusters(counts((0, 0, 0, 6), (0, 0, 1, 4), (0, 1, 0, 4)))
    assert pairs(table) == {(0, 0, 1), (0, 1, 0)}


def test_a_split_cluster_has_one_heir_and_one_stranger():
    # old 0 falls into 60 and 40: the larger part is its pair, the other has none
    table = pair_clusters(counts((0, 0, 0, 60), (0, 1, 0, 40), (0, 2, 1, 50)))
    assert pairs(table) == {(0, 0, 0), (0, 2, 1)}
    assert table.num_rows == 6


def test_steps_do_not_mix_and_rows_are_in_order():
    table = pair_clusters(
        counts((1, 0, 0, 3), (0, 1, 0, 2), (0, 0, 1, 2), (1, 1, 1, 4))
    )
    assert pairs(table) == {(0, 0, 1), (0, 1, 0), (1, 0, 0), (1, 1, 1)}
    keys = [
        (row["passo_numero"], row["cluster"], row["cluster_anterior"])
        for row in table.to_pylist()
    ]
    assert keys == sorted(keys)
    assert table.schema == PAIR_SCHEMA


def test_the_first_model_has_no_pairs_but_types():
    table = pair_clusters(counts())
    assert table.num_rows == 0
    assert table.schema == PAIR_SCHEMA


def test_ari_is_that_of_the_labels():
    generator = np.random.default_rng(3)
    new, old = generator.integers(0, 4, 300), generator.integers(0, 5, 300)
    old[:200] = new[:200]
    table = np.zeros((4, 5), dtype=int)
    np.add.at(table, (new, old), 1)
    assert adjusted_rand_index(table) == pytest.approx(adjusted_rand_score(new, old))


def test_ari_of_equal_partitions_and_of_one_cluster_is_one():
    assert adjusted_rand_index(np.diag([3, 4, 5])) == 1.0
    assert adjusted_rand_index(np.array([[7]])) == 1.0


def test_ari_of_millions_of_customers_does_not_overflow():
    assert adjusted_rand_index(np.diag([5_000_000_000, 5_000_000_000])) == 1.0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pa.table({"cluster": [0]}), "lacks the columns"),
        (counts((0, 0, 0, 0)), "clientes is 0, allowed: at least 1"),
    ],
)
def test_impossible_counts_are_refused(table, message):
    with pytest.raises(ValueError, match=message):
        pair_clusters(table)
