"""Expected revenue, and evidence that the group is better, both out of time.

A past reference date is an origin: its groups and forecasts read sales before
it, and are judged on the sales from it to the next reference date.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from segmentacao.blocks import single_blas_thread
from segmentacao.insiders.lifetime import FIT_CUSTOMERS, fit_purchases, fit_spend

#: Columns of the evidence, in order.
SCHEMA = pa.schema(
    [
        ("dt_ref", pa.date32()),
        ("pergunta", pa.int32()),
        ("medida", pa.string()),
        ("grupo", pa.string()),
        ("valor", pa.float64()),
        ("inferior", pa.float64()),
        ("superior", pa.float64()),
        ("n", pa.int64()),
        ("metodo", pa.string()),
    ]
)
#: Level of every interval.
LEVEL = 0.9
#: The groups that are judged, and the columns that mark their members.
JUDGED = {
    "insiders": "is_insider",
    "mais_valiosos": "is_base_valor",
    "sorteio": "is_placebo",
}
#: Above this many customers a bootstrap mean is drawn from its normal limit.
BOOTSTRAP_CUSTOMERS = 20_000
#: Repeat customers below which a purchase model is not fitted.
LEAST_REPEATERS = 30
FORECASTS = {
    "modelo": "BG/NBD e Gamma-Gamma",
    "ritmo": "receita da janela no mesmo ritmo",
}


@dataclass(frozen=True)
class Origin:
    """The customers at one reference date, ordered by id."""

    date: dt.date
    order: int
    columns: dict[str, np.ndarray]

    def __getitem__(self, name):
        """Return a column."""
        return self.columns[name]

    @property
    def has_outcome(self) -> bool:
        """Whether the sales up to the next reference date are known."""
        return self.order > 0


def collect_evidence(table: pa.Table, *, draws: int, random_state: int) -> pa.Table:
    """Answer questions 5 and 8 of the Insiders report.

    Parameters
    ----------
    table : pyarrow.Table
        One row per reference date and customer with a purchase before it;
        `ordem` is 0 at the current date.
    draws : int
        Bootstrap draws, at least 100.
    random_state : int
        Seed.

    Returns
    -------
    pyarrow.Table
        One row per (question, date, measure, group) with the columns of
        `SCHEMA`. An answer for which there is too little history has a null
        value.
    """
    origins = sorted(_origins(table), key=lambda origin: origin.order)
    rows = []
    if origins:
        rng = np.random.default_rng([random_state, 7])
        with single_blas_thread:
            rows += _expected_revenue(origins, draws, rng)
            rows += _group_is_better(origins, draws, rng)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _origins(table):
    for date in pc.unique(table.column("dt_ref")).to_pylist():
        own = table.filter(pc.equal(table.column("dt_ref"), pa.scalar(date)))
        own = own.sort_by("id_cliente")
        columns = {}
        for name in own.column_names:
            if name in ("dt_ref", "id_cliente"):
                continue
            column = own.column(name)
            if not pa.types.is_boolean(column.type):
                column = column.cast(pa.float64(), safe=False)
            columns[name] = column.to_numpy(zero_copy_only=False)
        yield Origin(date, int(columns["ordem"][0]), columns)


def _row(question, origin, measure, value, *, group=None, interval=None, n=None, by):
    lower, upper = interval if interval is not None else (None, None)
    return {
        "dt_ref": origin.date,
        "pergunta": question,
        "medida": measure,
        "grupo": group,
        "valor": _number(value),
        "inferior": _number(lower),
        "superior": _number(upper),
        "n": None if n is None else int(n),
        "metodo": by,
    }


def _number(value):
    return None if value is None or not np.isfinite(value) else float(value)


# ------------------------------------------------- question 5: expected revenue


def forecast_customers(origin: Origin) -> dict[str, np.ndarray | None]:
    """Forecast the revenue of every customer over the horizon, by each method.

    Parameters
    ----------
    origin : Origin

    Returns
    -------
    dict of str to ndarray of shape (n_customers,), or None
        `modelo` (BG/NBD times Gamma-Gamma; None with too few repeat
        customers) and `ritmo` (revenue of the window at the same pace).
    """
    horizon, window = origin["dias_horizonte"][0], origin["dias_janela"][0]
    pace = origin["valor"] * horizon / max(window, 1)
    repeats = origin["recompras"]
    if np.count_nonzero(repeats) < LEAST_REPEATERS:
        return {"modelo": None, "ritmo": pace}
    last, age = origin["dias_ate_ultima"] / 7, origin["idade_base_dias"] / 7
    spend = origin["valor_medio_recompra"]
    drawn = np.arange(len(repeats))
    if len(drawn) > FIT_CUSTOMERS:
        rng = np.random.default_rng([len(drawn), 8])
        drawn = rng.choice(drawn, FIT_CUSTOMERS, replace=False)
    purchases = fit_purchases(repeats[drawn], last[drawn], age[drawn])
    value = fit_spend(repeats[drawn], spend[drawn])
    expected = purchases.expected_purchases(repeats, last, age, horizon / 7)
    return {"modelo": expected * value.expected_spend(repeats, spend), "ritmo": pace}


def _expected_revenue(origins, draws, rng) -> list[dict]:
    now = origins[0]
    past = [origin for origin in origins if origin.has_outcome]
    ahead = {
        origin.order: {
            name: None if own is None else own[origin["is_insider"]]
            for name, own in forecast_customers(origin).items()
        }
        for origin in origins
    }
    members = np.count_nonzero(now["is_insider"])
    rows = []
    errors = {}
    for name, method in FORECASTS.items():
        own = ahead[now.order][name]
        total = None if own is None else own.sum()
        rows.append(_row(5, now, f"previsao_{name}", total, n=members, by=method))
        usable = [o for o in past if _total(ahead[o.order][name]) > 0]
        ratios = [
            _revenue(origin).sum() / _total(ahead[origin.order][name])
            for origin in usable
        ]
        if usable and own is not None:
            errors[name] = np.mean(np.abs(np.log(np.maximum(ratios, 1e-9))))
        rows.append(
            _row(
                5,
                now,
                f"erro_reteste_{name}",
                np.mean(np.abs(np.array(ratios) - 1)) if usable else None,
                n=len(usable),
                by=f"erro relativo medio nas datas passadas: {method}",
            )
        )
    for origin in past:
        count = np.count_nonzero(origin["is_insider"])
        real = _revenue(origin).sum()
        rows.append(_row(5, origin, "reteste_real", real, n=count, by="vendas"))
        for name, method in FORECASTS.items():
            total = _total(ahead[origin.order][name])
            rows.append(
                _row(5, origin, f"reteste_{name}", total or None, n=count, by=method)
            )
    rows += _forecast_with_interval(now, past, ahead, errors, draws, rng)
    return rows


def _forecast_with_interval(now, past, ahead, errors, draws, rng) -> list[dict]:
    """Forecast by the method that erred least, corrected by its own back-test."""
    members = np.count_nonzero(now["is_insider"])
    if not errors:
        by = "sem data passada com resultado"
        return [
            _row(5, now, "receita_esperada", None, n=members, by=by),
            _row(5, now, "fator_de_correcao", None, n=0, by=by),
            _row(5, now, "cobertura_do_intervalo", None, n=0, by=by),
        ]
    best = min(errors, key=errors.get)
    usable = [origin for origin in past if _total(ahead[origin.order][best]) > 0]
    pairs = [(_revenue(origin), ahead[origin.order][best]) for origin in usable]
    point, lower, upper = correction(pairs, draws=draws, rng=rng)
    total = ahead[now.order][best].sum()
    inside = 0
    judged = 0
    for i, (real, forecast) in enumerate(pairs):
        # origins stand latest first: what came before i is known at its date
        if pairs[i + 1 :]:
            _, low, high = correction(pairs[i + 1 :], draws=draws, rng=rng)
            inside += low <= real.sum() / forecast.sum() <= high
            judged += 1
    by = f"{FORECASTS[best]}, corrigida pelo reteste"
    return [
        _row(
            5,
            now,
            "receita_esperada",
            total * point,
            interval=(total * lower, total * upper),
            n=members,
            by=by,
        ),
        _row(
            5,
            now,
            "fator_de_correcao",
            point,
            interval=(lower, upper),
            n=len(pairs),
            by="real sobre previsto nas datas passadas, com uma data neutra",
        ),
        _row(
            5,
            now,
            "cobertura_do_intervalo",
            inside / judged if judged else None,
            n=judged,
            by="datas passadas dentro do intervalo feito das anteriores a elas",
        ),
    ]


def correction(
    pairs: list[tuple[np.ndarray, np.ndarray]], *, draws: int, rng
) -> tuple[float, float, float]:
    """Factor by which past forecasts were off, drawn towards 1.

    Each origin gives draws of actual over forecast around its own ratio. One
    more origin, without error but with the same scatter, stands for what so few
    origins cannot show.

    Parameters
    ----------
    pairs : list of (ndarray, ndarray)
        Actual and forecast revenue of each member, for each origin.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    point, lower, upper : float
        Geometric mean and quantiles of the pooled draws.
    """
    pooled = []
    for real, forecast in pairs:
        # the ratio's own linear error, which is how its bootstrap would scatter
        ratio = real.sum() / forecast.sum()
        error = np.sqrt(np.sum((real - ratio * forecast) ** 2)) / forecast.sum()
        pooled.append(np.log(np.maximum(rng.normal(ratio, error, draws), 1e-3)))
    pooled += [pooled[-1] - pooled[-1].mean()]
    pooled = np.concatenate(pooled)
    tail = (1 - LEVEL) / 2
    lower, upper = np.quantile(pooled, [tail, 1 - tail])
    return float(np.exp(pooled.mean())), float(np.exp(lower)), float(np.exp(upper))


def _revenue(origin) -> np.ndarray:
    return origin["receita_seguinte"][origin["is_insider"]]


def _total(own) -> float:
    return 0.0 if own is None else float(own.sum())


# ------------------------------------------ question 8: is the group any better


def _group_is_better(origins, draws, rng) -> list[dict]:
    past = [origin for origin in origins if origin.has_outcome]
    rows = []
    for origin in past:
        rows += _judge(origin, draws, rng)
    if not past:
        by = "sem data passada com resultado"
        for group in JUDGED:
            for measure in ("receita_seguinte_media", "diferenca_media"):
                rows.append(_row(8, origins[0], measure, None, group=group, by=by))
    return rows


def _judge(origin, draws, rng) -> list[dict]:
    """Compare the groups of an origin on the revenue that came after it."""
    known = origin["is_na_janela"]
    revenue = origin["receita_seguinte"][known]
    orders = origin["pedidos_seguintes"][known]
    groups = {name: origin[column][known] for name, column in JUDGED.items()}
    if not 0 < np.count_nonzero(groups["insiders"]) < len(revenue):
        return []
    rows, means = [], {}
    for name, inside in [*groups.items(), ("demais", ~groups["insiders"])]:
        own = revenue[inside]
        means[name] = bootstrap_means(own, draws=draws, rng=rng)
        bought = np.count_nonzero(orders[inside])
        total = revenue.sum()
        rows += [
            _row(
                8,
                origin,
                "receita_seguinte_media",
                own.mean(),
                group=name,
                interval=_quantiles(means[name]),
                n=len(own),
                by="media por cliente apos a data, intervalo por bootstrap",
            ),
            _row(
                8,
                origin,
                "participacao_receita_seguinte",
                own.sum() / total if total > 0 else None,
                group=name,
                n=len(own),
                by="receita do grupo sobre a de todos, apos a data",
            ),
            _row(
                8,
                origin,
                "taxa_de_recompra",
                bought / len(own),
                group=name,
                interval=wilson(bought, len(own)),
                n=len(own),
                by="clientes com compra apos a data, intervalo de Wilson",
            ),
        ]
    for name, inside in groups.items():
        rest = bootstrap_means(revenue[~inside], draws=draws, rng=rng)
        effect, p = mann_whitney(revenue[inside], revenue[~inside])
        size = np.count_nonzero(inside)
        rows += [
            _row(
                8,
                origin,
                "diferenca_media",
                revenue[inside].mean() - revenue[~inside].mean(),
                group=name,
                interval=_quantiles(means[name] - rest),
                n=size,
                by="media do grupo menos a dos outros clientes, bootstrap",
            ),
            _row(
                8,
                origin,
                "efeito",
                effect,
                group=name,
                n=size,
                by="chance de um membro superar um cliente de fora, Mann-Whitney",
            ),
            _row(
                8,
                origin,
                "p_valor",
                p,
                group=name,
                n=size,
                by="Mann-Whitney, unilateral",
            ),
        ]
    a, b = groups["insiders"], groups["mais_valiosos"]
    rows.append(
        _row(
            8,
            origin,
            "vantagem_sobre_mais_valiosos",
            revenue[a].mean() - revenue[b].mean(),
            group="insiders",
            interval=_quantiles(_paired_difference(revenue, a, b, draws, rng)),
            n=np.count_nonzero(a),
            by="diferenca das medias sobre os mesmos clientes, bootstrap",
        )
    )
    return rows


def bootstrap_means(values: np.ndarray, *, draws: int, rng) -> np.ndarray:
    """Means of resampled customers.

    Parameters
    ----------
    values : ndarray of shape (n,)
        n at least 1; above `BOOTSTRAP_CUSTOMERS` the normal limit is drawn.
    draws : int
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of shape (draws,)
    """
    n = len(values)
    if n > BOOTSTRAP_CUSTOMERS:
        return rng.normal(values.mean(), values.std() / np.sqrt(n), draws)
    means = np.empty(draws)
    step = max(1, 2_000_000 // n)
    for start in range(0, draws, step):
        stop = min(start + step, draws)
        means[start:stop] = values[rng.integers(n, size=(stop - start, n))].mean(axis=1)
    return means


def _paired_difference(revenue, a, b, draws, rng) -> np.ndarray:
    """Differences of two groups' means; members of both do not count as luck."""
    only_a, only_b = revenue[a & ~b], revenue[b & ~a]
    size = np.count_nonzero(a)
    if not len(only_a):
        return np.zeros(draws)
    one = bootstrap_means(only_a, draws=draws, rng=rng) * len(only_a)
    other = bootstrap_means(only_b, draws=draws, rng=rng) * len(only_b)
    return (one - other) / size


def _quantiles(draws) -> tuple[float, float]:
    tail = (1 - LEVEL) / 2
    lower, upper = np.quantile(draws, [tail, 1 - tail])
    return float(lower), float(upper)


def mann_whitney(inside: np.ndarray, outside: np.ndarray) -> tuple[float, float]:
    """Compare two samples by rank (Mann and Whitney 1947).

    Parameters
    ----------
    inside, outside : ndarray
        Values of the group and of the others.

    Returns
    -------
    effect : float
        Chance that a member beats somebody outside, ties counting half; 0.5
        is no difference.
    p : float
        One-sided p-value, normal approximation with correction for ties.
    """
    from scipy.stats import mannwhitneyu

    if not len(inside) or not len(outside):
        return np.nan, np.nan
    test = mannwhitneyu(inside, outside, alternative="greater", method="asymptotic")
    return float(test.statistic / len(inside) / len(outside)), float(test.pvalue)


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Interval of a share (Wilson 1927) at `LEVEL`.

    Parameters
    ----------
    hits, n : int
        n at least 1.

    Returns
    -------
    lower, upper : float
    """
    from scipy.special import ndtri

    z = ndtri((1 + LEVEL) / 2)
    share = hits / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half
