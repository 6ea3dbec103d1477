"""The entry rule: a shallow tree, rounded and written down."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

#: Columns of the rule, in order.
SCHEMA = pa.schema(
    [
        ("dt_ref", pa.date32()),
        ("ramo", pa.int32()),
        ("condicao", pa.int32()),
        ("variavel", pa.string()),
        ("operador", pa.string()),
        ("limite", pa.float64()),
        ("regra_sql", pa.string()),
        ("regra_frase", pa.string()),
    ]
)
#: Features the rule may name, and how a sentence names them.
WORDS = {
    "recencia_dias": ("última compra há", "dia", "dias"),
    "frequencia": ("", "pedido", "pedidos"),
    "valor": ("", "em compras", "em compras"),
    "itens": ("", "item comprado", "itens comprados"),
    "produtos_distintos": ("", "produto diferente", "produtos diferentes"),
    "ticket_medio": ("ticket médio de", "", ""),
}
#: Features in money; the others are counted in whole numbers.
MONEY = ("valor", "ticket_medio")
#: Digits of a rounded limit, fewest first, and the loss of F1 that rounding or
#: a shallower tree may cost.
DIGITS, F1_LOSS = (2, 3, 4), 0.02
#: Least customers of a leaf, as a share of the group.
LEAF_SHARE = 0.05


@dataclass(frozen=True, order=True)
class Condition:
    """One comparison: `variable` is at least or at most `limit`."""

    variable: str
    operator: str
    limit: float

    def holds(self, values: dict[str, np.ndarray]) -> np.ndarray:
        """Return the customers for which it holds, as a mask."""
        own = values[self.variable]
        return own >= self.limit if self.operator == ">=" else own <= self.limit

    @property
    def sql(self) -> str:
        """The comparison as SQL."""
        return f"{self.variable} {self.operator} {self.limit:.15g}"

    @property
    def phrase(self) -> str:
        """The comparison in Portuguese."""
        lead, one, many = WORDS[self.variable]
        number = brazilian(self.limit)
        unit = one if self.limit == 1 else many
        bound = "no mínimo" if self.operator == ">=" else "no máximo"
        return " ".join(part for part in (lead, bound, number, unit) if part)


#: A branch holds when all its conditions do, a rule when one of its branches does.
Branch = tuple[Condition, ...]


def brazilian(number: float) -> str:
    """Write a number as Brazilians do: 1.234,5 and no superfluous zeros."""
    text = f"{number:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".")
    return text.rstrip("0").rstrip(",")


def entry_rules(table: pa.Table, *, depth: int, random_state: int) -> pa.Table:
    """Learn the entry rule of every reference date.

    Parameters
    ----------
    table : pyarrow.Table
        One row per reference date and customer: `dt_ref`, `id_cliente`,
        `is_insider` and the features of `WORDS`.
    depth : int
        Greatest depth of the tree, 1 to 5.
    random_state : int
        Seed of ties between equally good splits.

    Returns
    -------
    pyarrow.Table
        One row per (dt_ref, branch, condition), ordered so, with the columns
        of `SCHEMA`; no row for a date whose group no tree can tell apart.
    """
    names = [n for n in WORDS if not table.column(n).null_count]
    rows = []
    for date in sorted(pc.unique(table.column("dt_ref")).to_pylist()):
        own = table.filter(pc.equal(table.column("dt_ref"), pa.scalar(date)))
        own = own.sort_by("id_cliente")
        values = {
            n: own.column(n).cast(pa.float64(), safe=False).to_numpy() for n in names
        }
        member = own.column("is_insider").to_numpy(zero_copy_only=False)
        rule = learn_rule(values, member, depth=depth, random_state=random_state)
        for i, branch in enumerate(rule, start=1):
            for j, condition in enumerate(branch, start=1):
                rows.append(
                    {
                        "dt_ref": date,
                        "ramo": i,
                        "condicao": j,
                        "variavel": condition.variable,
                        "operador": condition.operator,
                        "limite": condition.limit,
                        "regra_sql": rule_sql(rule),
                        "regra_frase": rule_sentence(rule),
                    }
                )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def learn_rule(
    values: dict[str, np.ndarray],
    member: np.ndarray,
    *,
    depth: int,
    random_state: int,
) -> list[Branch]:
    """Learn the shortest rule that tells members apart about as well as any.

    Parameters
    ----------
    values : dict of str to ndarray of shape (n_customers,)
    member : ndarray of bool of shape (n_customers,)
    depth : int
        Greatest depth of the tree.
    random_state : int

    Returns
    -------
    list of tuple of Condition
        Branches; empty when no leaf holds more members than others.
    """
    if not member.any() or member.all():
        return []
    candidates = []
    for levels in range(1, depth + 1):
        branches = _tree_branches(values, member, levels, random_state)
        rounded = [
            _rounded(branches, values, digits, member) for digits in (*DIGITS, None)
        ]
        candidates += [simplified(rule, values, member) for rule in rounded if rule]
    if not candidates:
        return []
    scores = [f1(holds(rule, values), member) for rule in candidates]
    near = [
        rule
        for rule, score in zip(candidates, scores, strict=True)
        if score >= max(scores) - F1_LOSS
    ]
    # of equally short ones the first: the shallowest tree, the fewest digits
    return min(near, key=lambda rule: sum(len(branch) for branch in rule))


def simplified(
    rule: Sequence[Branch], values: dict[str, np.ndarray], member: np.ndarray
) -> list[Branch]:
    """Leave out the conditions and branches that make a rule no better.

    A tree cuts customers apart, so its second branch says again that the first
    does not hold; as a rule to be told to customers that is noise.

    Parameters
    ----------
    rule : sequence of tuple of Condition
    values : dict of str to ndarray of shape (n_customers,)
    member : ndarray of bool of shape (n_customers,)

    Returns
    -------
    list of tuple of Condition
    """
    rule = list(rule)
    score = f1(holds(rule, values), member)
    shorter = True
    while shorter:
        shorter = False
        for option in _shortened(rule):
            own = f1(holds(option, values), member)
            if own >= score:
                rule, score, shorter = option, own, True
                break
    return rule


def _shortened(rule):
    """Every rule with one branch, or one condition of a branch, less."""
    for i, branch in enumerate(rule):
        rest = rule[:i] + rule[i + 1 :]
        if rest:
            yield rest
        for j in range(len(branch)):
            fewer = branch[:j] + branch[j + 1 :]
            if fewer:
                yield sorted([*rest, fewer])


def holds(rule: Sequence[Branch], values: dict[str, np.ndarray]) -> np.ndarray:
    """Return the customers for which a rule holds, as a mask."""
    size = len(next(iter(values.values())))
    met = np.zeros(size, dtype=bool)
    for branch in rule:
        met |= np.logical_and.reduce([c.holds(values) for c in branch])
    return met


def f1(chosen: np.ndarray, member: np.ndarray) -> float:
    """Harmonic mean of precision and recall, 0 to 1."""
    both = np.count_nonzero(chosen & member)
    return 2 * both / max(np.count_nonzero(chosen) + np.count_nonzero(member), 1)


def rule_sql(rule: Sequence[Branch]) -> str:
    """Write a rule as the condition of a SQL query on the features."""
    branches = [" and ".join(c.sql for c in branch) for branch in rule]
    return branches[0] if len(branches) == 1 else f"({') or ('.join(branches)})"


def rule_sentence(rule: Sequence[Branch]) -> str:
    """Write a rule in Portuguese."""
    parts = []
    for branch in rule:
        *first, last = (c.phrase for c in branch)
        parts.append(f"{', '.join(first)} e {last}" if first else last)
    return "; ou ".join(parts)


def _tree_branches(values, member, levels, random_state) -> list[list[tuple]]:
    """Paths to the leaves with more members than others, as (name, side, cut)."""
    from sklearn.tree import DecisionTreeClassifier

    names = list(values)
    tree = (
        DecisionTreeClassifier(
            max_depth=levels,
            min_samples_leaf=max(1, math.ceil(LEAF_SHARE * member.sum())),
            random_state=random_state,
        )
        .fit(np.column_stack(list(values.values())), member)
        .tree_
    )

    def positive(node):
        """Paths below a node; [[]] when the whole of it is positive."""
        if tree.children_left[node] < 0:
            others, members = tree.value[node][0]
            return [[]] if members > others else []
        name, cut = names[tree.feature[node]], tree.threshold[node]
        left = positive(tree.children_left[node])
        right = positive(tree.children_right[node])
        if left == right == [[]]:
            return [[]]
        return [[(name, "<=", cut), *path] for path in left] + [
            [(name, ">=", cut), *path] for path in right
        ]

    return positive(0)


def _rounded(branches, values, digits, member) -> list[Branch]:
    """Branches with rounded limits; of several on one side the strictest stays."""
    rule = []
    for path in branches:
        limits = {}
        for name, side, cut in path:
            limit = _limit(values[name], name, side, cut, digits)
            if (name, side) in limits:
                tightest = max if side == ">=" else min
                limit = tightest(limit, limits[name, side])
            limits[name, side] = limit
        if limits:
            rule.append(
                tuple(sorted(Condition(n, side, v) for (n, side), v in limits.items()))
            )
    return sorted(rule)


def _limit(own, name, side, cut, digits) -> float:
    """Return a limit that a person would write for a cut of the tree."""
    if name not in MONEY:
        # whole numbers: above 3.5 is at least 4
        cut = math.floor(cut) + (side == ">=")
        if digits is None or abs(cut) < 10**digits:
            return float(cut)
    elif digits is None:
        # the tree's cut lies between two customers: take the one inside
        inside = own[own > cut].min() if side == ">=" else own[own <= cut].max()
        return float(inside)
    if cut == 0:
        return 0.0
    return float(round(cut, digits - 1 - math.floor(math.log10(abs(cut)))))
