"""The entry rule: learned, rounded, shortened and written down."""

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

from segmentacao.insiders.rule import (
    Condition,
    brazilian,
    entry_rules,
    f1,
    holds,
    learn_rule,
    rule_sentence,
    rule_sql,
    simplified,
)

RNG = np.random.default_rng(0)
VALUES = {
    "valor": RNG.gamma(2, 800, 2000),
    "frequencia": RNG.integers(1, 30, 2000).astype(float),
    "recencia_dias": RNG.integers(1, 366, 2000).astype(float),
}


def at_least(variable, limit):
    return Condition(variable, ">=", limit)


def test_one_clear_condition_is_found_and_rounded():
    member = VALUES["valor"] >= 2003
    rule = learn_rule(VALUES, member, depth=3, random_state=0)
    assert rule == [(at_least("valor", 2000.0),)]
    assert rule_sql(rule) == "valor >= 2000"
    assert rule_sentence(rule) == "no mínimo 2.000 em compras"


def test_two_conditions_on_whole_numbers_keep_their_limits():
    member = (VALUES["frequencia"] >= 12) & (VALUES["recencia_dias"] <= 60)
    rule = learn_rule(VALUES, member, depth=3, random_state=0)
    assert rule == [
        (at_least("frequencia", 12.0), Condition("recencia_dias", "<=", 60.0))
    ]
    assert rule_sql(rule) == "frequencia >= 12 and recencia_dias <= 60"
    assert (
        rule_sentence(rule)
        == "no mínimo 12 pedidos e última compra há no máximo 60 dias"
    )


def test_a_branch_does_not_repeat_that_another_failed():
    member = (VALUES["frequencia"] >= 20) | (VALUES["valor"] >= 4000)
    rule = learn_rule(VALUES, member, depth=3, random_state=0)
    assert rule == [(at_least("frequencia", 20.0),), (at_least("valor", 4000.0),)]
    assert rule_sql(rule) == "(frequencia >= 20) or (valor >= 4000)"
    assert rule_sentence(rule) == "no mínimo 20 pedidos; ou no mínimo 4.000 em compras"


def test_rounding_never_costs_more_than_it_may():
    # the limit hides between customers that two digits cannot part
    value = np.concatenate([np.linspace(1000, 1004, 500), np.linspace(1006, 1010, 500)])
    member = value > 1005
    rule = learn_rule({"valor": value}, member, depth=2, random_state=0)
    assert f1(holds(rule, {"valor": value}), member) >= 0.98


def test_shortening_never_makes_a_rule_worse():
    member = (VALUES["frequencia"] >= 12) & (VALUES["valor"] >= 1000)
    long = [
        (at_least("frequencia", 12), at_least("valor", 1000)),
        (at_least("frequencia", 12), at_least("valor", 1500)),
        (
            Condition("recencia_dias", "<=", 366),
            at_least("frequencia", 15),
            at_least("valor", 1000),
        ),
    ]
    short = simplified(long, VALUES, member)
    assert short == [(at_least("frequencia", 12), at_least("valor", 1000))]
    assert f1(holds(short, VALUES), member) == 1


def test_a_group_without_a_pattern_has_a_poor_rule_or_none():
    member = np.random.default_rng(1).random(2000) < 0.1
    rule = learn_rule(VALUES, member, depth=3, random_state=0)
    assert not rule or f1(holds(rule, VALUES), member) < 0.5


@pytest.mark.parametrize("share", [0, 1])
def test_nobody_or_everybody_needs_no_rule(share):
    member = np.full(2000, bool(share))
    assert learn_rule(VALUES, member, depth=3, random_state=0) == []


@pytest.mark.parametrize(
    ("number", "text"),
    [(1234567.5, "1.234.567,5"), (2000.0, "2.000"), (0.25, "0,25"), (10.0, "10")],
)
def test_numbers_in_a_sentence_are_brazilian(number, text):
    assert brazilian(number) == text


def test_one_row_per_date_branch_and_condition_whatever_the_row_order():
    member = VALUES["frequencia"] >= 20
    n = len(member)
    table = pa.table(
        {
            "dt_ref": pa.array([dt.date(2025, 7, 1)] * n, pa.date32()),
            "id_cliente": [f"c{i:04d}" for i in range(n)],
            "is_insider": member,
            **{name: values for name, values in VALUES.items()},
            "itens": VALUES["frequencia"],
            # the source names no products
            "produtos_distintos": pa.nulls(n, pa.int64()),
            "ticket_medio": VALUES["valor"],
        }
    )
    rules = entry_rules(table, depth=3, random_state=0)
    shuffled = table.take(np.random.default_rng(3).permutation(n))
    assert entry_rules(shuffled, depth=3, random_state=0) == rules
    (row,) = rules.to_pylist()
    assert (row["operador"], row["limite"], row["ramo"], row["condicao"]) == (
        ">=",
        20.0,
        1,
        1,
    )
