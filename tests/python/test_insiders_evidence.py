"""Forecasts by BG/NBD and Gamma-Gamma, and evidence out of time."""

import datetime as dt
from importlib.metadata import distribution

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from scipy.special import hyp2f1

from segmentacao.insiders.evidence import (
    bootstrap_means,
    collect_evidence,
    correction,
    mann_whitney,
    wilson,
)
from segmentacao.insiders.lifetime import (
    PurchaseModel,
    SpendModel,
    fit_purchases,
    fit_spend,
)


@pytest.fixture(scope="module")
def cdnow():
    """Return the CDNOW customers of Fader and Hardie: weeks, and dollars."""
    package = distribution("lifetimes")
    name = "lifetimes/datasets/cdnow_customers_summary_with_transactions.csv"
    table = pd.read_csv(package.locate_file(name))
    assert len(table) == 2357
    return table


def test_purchases_match_the_published_cdnow_estimates(cdnow):
    model = fit_purchases(
        cdnow["x"].to_numpy(), cdnow["t_x"].to_numpy(), cdnow["T"].to_numpy()
    )
    # Fader, Hardie and Lee (2005), table 2
    assert round(model.r, 3) == 0.243
    assert round(model.alpha, 3) == pytest.approx(4.414, abs=0.001)
    assert round(model.a, 3) == 0.793
    assert round(model.b, 3) == 2.426


def test_spend_matches_the_published_cdnow_estimates(cdnow):
    model = fit_spend(cdnow["x"].to_numpy(), cdnow["zbar"].to_numpy())
    # Fader and Hardie (2013)
    assert round(model.p, 2) == 6.25
    assert round(model.q, 2) == 3.74
    assert round(model.v, 1) == 15.4


def test_units_of_time_and_money_do_not_change_the_model(cdnow):
    x, t, T = (cdnow[name].to_numpy() for name in ("x", "t_x", "T"))
    weeks, days = fit_purchases(x, t, T), fit_purchases(x, 7 * t, 7 * T)
    assert (days.r, days.alpha / 7, days.a, days.b) == pytest.approx(
        (weeks.r, weeks.alpha, weeks.a, weeks.b), rel=1e-3
    )
    dollars, cents = (
        fit_spend(x, unit * cdnow["zbar"].to_numpy()) for unit in (1, 100)
    )
    assert (cents.p, cents.q, cents.v / 100) == pytest.approx(
        (dollars.p, dollars.q, dollars.v), rel=1e-3
    )


def test_expected_purchases_of_the_published_customer():
    model = PurchaseModel(0.243, 4.414, 0.793, 2.426)
    # two repeats, the last after 30.43 weeks of 38.86: 1.226 in 39 weeks
    ahead = model.expected_purchases(
        np.array([2.0]), np.array([30.43]), np.array([38.86]), 39
    )
    assert ahead[0] == pytest.approx(1.226, abs=0.001)


def test_the_stable_form_is_the_published_formula():
    r, alpha, a, b = 0.5, 3.0, 0.7, 2.0
    x, last, age, horizon = 3.0, 20.0, 30.0, 13.0
    z = horizon / (alpha + age + horizon)
    published = (a + b + x - 1) / (a - 1)
    published *= 1 - ((alpha + age) / (alpha + age + horizon)) ** (r + x) * hyp2f1(
        r + x, b + x, a + b + x - 1, z
    )
    published /= 1 + a / (b + x - 1) * ((alpha + age) / (alpha + last)) ** (r + x)
    ours = PurchaseModel(r, alpha, a, b).expected_purchases(
        np.array([x]), np.array([last]), np.array([age]), horizon
    )
    assert ours[0] == pytest.approx(published, rel=1e-9)


def test_hundreds_of_purchases_and_a_long_silence_stay_finite():
    model = PurchaseModel(1.2, 2.0, 0.1, 3.0)
    ahead = model.expected_purchases(
        np.array([500.0, 500.0, 0.0]),
        np.array([51.99, 5.0, 0.0]),
        np.array([52.0, 52.0, 52.0]),
        26,
    )
    assert np.isfinite(ahead).all()
    # about the pace of the past for the one who still buys, nothing for the gone
    assert ahead[0] == pytest.approx(26 * 501 / 54, rel=0.1)
    assert ahead[1] < 1e-6 < ahead[2]


def test_customers_who_all_leave_at_one_rate_stay_finite():
    model = PurchaseModel(0.5, 3.0, 5e4, 1e5)
    ahead = model.expected_purchases(
        np.array([0.0, 4.0]), np.array([0.0, 29.0]), np.array([30.0, 30.0]), 26
    )
    assert np.isfinite(ahead).all() and (ahead >= 0).all()
    # the one who bought may have left; who never bought again is there by definition
    assert ahead[1] < 26 * 4.5 / 33


def test_spend_is_drawn_to_the_mean_of_all_by_few_purchases():
    model = SpendModel(6.25, 3.74, 15.44)
    everybody = model.p * model.v / (model.q - 1)
    expected = model.expected_spend(np.array([0, 1, 50]), np.array([0, 100.0, 100.0]))
    assert expected[0] == pytest.approx(everybody)
    assert everybody < expected[1] < expected[2] < 100


def test_data_that_cannot_be_fitted_are_refused_in_words():
    nothing = np.zeros(5)
    with pytest.raises(ValueError, match="repeats: all 0"):
        fit_purchases(nothing, nothing, nothing + 10)
    with pytest.raises(ValueError, match="no repeat purchase has a value"):
        fit_spend(nothing, nothing)


def test_correction_lies_between_what_was_seen_and_none():
    rng = np.random.default_rng(0)
    forecast = np.full(200, 100.0)
    real = forecast * 2 * rng.uniform(0.8, 1.2, 200)
    point, lower, upper = correction([(real, forecast)], draws=2000, rng=rng)
    # one origin at 2, one neutral at 1: the geometric mean
    assert point == pytest.approx(np.sqrt(2), rel=0.02)
    assert lower == pytest.approx(1, abs=0.05)
    assert upper == pytest.approx(2, abs=0.1)


def test_correction_follows_many_origins_that_agree():
    rng = np.random.default_rng(0)
    pair = (np.full(100, 150.0), np.full(100, 100.0))
    point, _, _ = correction([pair] * 9, draws=500, rng=rng)
    assert point == pytest.approx(1.5**0.9)


def test_bootstrap_spreads_like_the_standard_error():
    rng = np.random.default_rng(1)
    values = rng.normal(10, 3, 900)
    means = bootstrap_means(values, draws=4000, rng=rng)
    assert means.mean() == pytest.approx(values.mean(), abs=0.01)
    assert means.std() == pytest.approx(3 / 30, rel=0.08)
    large = np.tile(values, 30)
    assert bootstrap_means(large, draws=4000, rng=rng).std() == pytest.approx(
        values.std() / np.sqrt(27_000), rel=0.08
    )


def test_effect_is_the_chance_to_be_ahead():
    effect, p = mann_whitney(np.array([3.0, 4]), np.array([1.0, 2, 3]))
    # of six pairs five are won and one is a tie
    assert effect == pytest.approx(5.5 / 6)
    assert 0 < p < 0.5
    same, p = mann_whitney(np.arange(50.0), np.arange(50.0))
    assert same == 0.5 and p == pytest.approx(0.5, abs=0.01)


def test_wilson_interval_of_the_textbook():
    lower, upper = wilson(0, 20)
    assert lower == pytest.approx(0, abs=1e-12)
    # z = 1.645: z^2 / (n + z^2)
    assert upper == pytest.approx(1.6449**2 / (20 + 1.6449**2), rel=1e-3)


def history(*, dates=2, members_pay=300.0, listed_pay=100.0, n=400) -> pa.Table:
    """Customers at reference dates with an outcome; one in ten is an Insider."""
    rng = np.random.default_rng(5)
    parts = []
    for order in range(dates):
        insider = np.arange(n) % 10 == 0
        listed = np.arange(n) % 10 == 1
        revenue = np.where(insider, members_pay, np.where(listed, listed_pay, 20.0))
        revenue = revenue * rng.uniform(0.8, 1.2, n) * (order > 0)
        repeats = np.where(insider, 20, 2) + rng.integers(0, 3, n)
        parts.append(
            pa.table(
                {
                    "dt_ref": pa.array(
                        [dt.date(2025, 7, 1) - dt.timedelta(181 * order)] * n,
                        pa.date32(),
                    ),
                    "id_cliente": [f"c{i:04d}" for i in range(n)],
                    "ordem": [order] * n,
                    "dias_janela": [365] * n,
                    "dias_horizonte": [182] * n,
                    "recompras": repeats,
                    "dias_ate_ultima": rng.integers(200, 350, n),
                    "idade_base_dias": [360] * n,
                    "valor_medio_recompra": rng.gamma(4, 5, n),
                    "is_na_janela": [True] * n,
                    "is_insider": insider,
                    "is_base_valor": listed,
                    "is_placebo": np.arange(n) % 10 == 2,
                    "valor": np.where(insider, 600.0, 60.0),
                    "receita_seguinte": revenue,
                    "pedidos_seguintes": (revenue > 0).astype(int),
                }
            )
        )
    return pa.concat_tables(parts)


def rows_of(table, **options):
    table = collect_evidence(table, draws=300, random_state=1, **options)
    return {
        (row["pergunta"], row["medida"], row["grupo"], row["dt_ref"]): row
        for row in table.to_pylist()
    }


BEFORE = dt.date(2025, 7, 1) - dt.timedelta(181)
NOW = dt.date(2025, 7, 1)


def test_the_group_is_judged_on_what_came_after():
    rows = rows_of(history())
    gap = rows[8, "diferenca_media", "insiders", BEFORE]
    outcome = history().slice(400)
    revenue = outcome.column("receita_seguinte").to_numpy()
    insider = outcome.column("is_insider").to_numpy(zero_copy_only=False)
    assert gap["valor"] == pytest.approx(
        revenue[insider].mean() - revenue[~insider].mean()
    )
    assert gap["inferior"] < gap["valor"] < gap["superior"]
    assert rows[8, "efeito", "insiders", BEFORE]["valor"] == 1
    # a draw by lot does not differ from the others
    draw = rows[8, "efeito", "sorteio", BEFORE]
    assert 0.3 < draw["valor"] < 0.6
    assert not any(key[0] == 8 and key[3] == NOW for key in rows)


def test_the_baseline_is_shown_even_where_it_wins():
    rows = rows_of(history(members_pay=100.0, listed_pay=300.0))
    edge = rows[8, "vantagem_sobre_mais_valiosos", "insiders", BEFORE]
    assert edge["superior"] < 0
    assert rows[8, "receita_seguinte_media", "mais_valiosos", BEFORE]["valor"] > 250


def test_shares_of_members_and_others_are_the_whole():
    rows = rows_of(history())
    parts = [
        rows[8, "participacao_receita_seguinte", group, BEFORE]["valor"]
        for group in ("insiders", "demais")
    ]
    assert sum(parts) == pytest.approx(1)


def test_the_forecast_is_corrected_by_its_own_backtest():
    rows = rows_of(history())
    pace = rows[5, "previsao_ritmo", None, NOW]["valor"]
    # 40 members, 600 in 365 days, 182 days ahead; afterwards they paid 300
    assert pace == pytest.approx(40 * 600 * 182 / 365)
    expected = rows[5, "receita_esperada", None, NOW]
    assert "ritmo" in expected["metodo"]
    assert expected["valor"] == pytest.approx(pace, rel=0.05)
    assert expected["inferior"] < expected["valor"] < expected["superior"]
    assert rows[5, "cobertura_do_intervalo", None, NOW]["valor"] is None


def test_coverage_asks_each_origin_what_came_before_it_says():
    rows = rows_of(history(dates=4))
    coverage = rows[5, "cobertura_do_intervalo", None, NOW]
    assert coverage["n"] == 2
    assert coverage["valor"] in (0, 0.5, 1)


def test_too_little_history_gives_rows_without_values():
    rows = rows_of(history(dates=1))
    assert rows[5, "receita_esperada", None, NOW]["valor"] is None
    assert rows[5, "previsao_ritmo", None, NOW]["valor"] > 0
    assert rows[8, "diferenca_media", "insiders", NOW]["valor"] is None


def test_nobody_to_fit_leaves_the_model_out():
    table = history()
    lonely = table.set_column(
        table.column_names.index("recompras"), "recompras", pa.array([0] * len(table))
    )
    rows = rows_of(lonely)
    assert rows[5, "previsao_modelo", None, NOW]["valor"] is None
    assert rows[5, "receita_esperada", None, NOW]["valor"] > 0


def test_row_order_changes_nothing():
    table = history()
    shuffled = table.take(np.random.default_rng(2).permutation(len(table)))
    assert collect_evidence(table, draws=200, random_state=1) == collect_evidence(
        shuffled, draws=200, random_state=1
    )


def test_no_customers_no_rows():
    assert len(collect_evidence(history().slice(0, 0), draws=100, random_state=1)) == 0
