"""The page: answers, tables and charts put into one HTML file."""

from __future__ import annotations

from importlib.resources import files

import pandas as pd
from jinja2 import Environment, StrictUndefined

from segmentacao.report import charts, words
from segmentacao.report.answers import (
    QUESTIONS,
    Facts,
    Windows,
    answer_all,
    near_misses,
)
from segmentacao.report.reading import Warehouse

#: Customers named under question 1.
NAMED = 10
#: Past dates drawn under question 5.
PAST_DATES = 4


def render(warehouse: Warehouse) -> str:
    """Render the report.

    Parameters
    ----------
    warehouse : Warehouse

    Returns
    -------
    str
        HTML that asks for nothing outside itself.
    """
    template = files(__package__).joinpath("relatorio.html.j2").read_text("utf-8")
    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(template).render(
        words=words,
        questions=QUESTIONS,
        facts=Facts(warehouse),
        windows=Windows.of(warehouse),
        answers=answer_all(warehouse),
        near_misses=near_misses(warehouse),
        run_id=warehouse["insiders_relatorio"]["run_id"].iloc[0],
        made_at=warehouse["insiders_relatorio"]["calculado_em"].iloc[0],
        sql_rule=_sql_rule(warehouse),
        choice=_choice(warehouse),
        tables=_tables(warehouse),
        charts=_charts(warehouse),
        groups=warehouse["insiders_perfil"].to_dict("records"),
    )


def _choice(warehouse) -> dict:
    chosen = warehouse["ml_insiders_escolha"]
    row = chosen[chosen["is_escolhido"]].iloc[0].to_dict()
    row["sampled"] = bool((chosen["clientes_ajuste"] < chosen["clientes"]).any())
    row["options"] = len(chosen)
    row["admissible"] = int(chosen["is_admissivel"].sum())
    return row


def _sql_rule(warehouse) -> str | None:
    rule = warehouse["ml_insiders_regra"]
    today = rule[rule["dt_ref"] == warehouse["feat_referencias"]["dt_ref"].max()]
    if not len(today):
        return None
    return (
        "select id_cliente\nfrom feat_comportamento\n"
        f"where dt_ref = date '{today['dt_ref'].iloc[0]:%Y-%m-%d}'\n"
        f"    and ({today['regra_sql'].iloc[0]})"
    )


# ------------------------------------------------------------------------ tables


def _table(frame: pd.DataFrame, *, text: list[str], bold: int | None = None) -> str:
    """Write a table of ready texts; all columns but `text` stand to the right."""
    from great_tables import GT, loc, style

    table = GT(frame).cols_align("right").cols_align("left", columns=text)
    if bold is not None:
        table = table.tab_style(style.text(weight="bold"), loc.body(rows=[bold]))
    html = table.tab_options(
        table_width="100%",
        table_font_size="14px",
        table_font_names=["Arial", "Helvetica", "sans-serif"],
        table_font_color=charts.INK,
        column_labels_font_size="12px",
        column_labels_font_weight="bold",
        table_border_top_style="none",
        table_border_bottom_style="none",
        table_body_hlines_color=charts.GRID,
        data_row_padding="6px",
    ).as_raw_html()
    return f'<div class="tabela" tabindex="0">{html}</div>'


def _tables(warehouse) -> dict[str, str]:
    facts = Facts(warehouse)
    return {
        "named": _named(warehouse, facts),
        "characteristics": _characteristics(facts),
        "judged": _judged(facts),
        "groups": _groups(warehouse, facts),
        "comparison": _comparison(warehouse),
        "quality": _quality(warehouse, facts),
    }


def _named(warehouse, facts) -> str:
    customers = warehouse["insiders_clientes"]
    best = customers[customers["is_insider"]].head(NAMED)
    return _table(
        pd.DataFrame(
            {
                "Cliente": best["id_cliente"],
                "Valor na janela": [facts.money(v) for v in best["valor"]],
                "Pedidos": [words.number(v) for v in best["frequencia"]],
                "Dias desde a última compra": [
                    words.number(v) for v in best["recencia_dias"]
                ],
            }
        ),
        text=["Cliente"],
    )


def _write(facts, measure, value) -> str:
    if measure in ("valor_medio", "ticket_medio"):
        return facts.money(value)
    if measure == "taxa_devolucao":
        return words.percent(value)
    return words.number(value, 0 if measure in ("recencia_mediana",) else 1)


def _characteristics(facts) -> str:
    groups = {"insiders": "Insiders", "demais": "Demais", "todos": "Todos"}
    return _table(
        pd.DataFrame(
            {
                "Característica": list(words.MEASURES.values()),
                **{
                    title: [
                        _write(facts, m, facts.value(3, m, group))
                        for m in words.MEASURES
                    ]
                    for group, title in groups.items()
                },
            }
        ),
        text=["Característica"],
    )


def _judged(facts) -> str | None:
    row = facts.row(8, "receita_seguinte_media", "insiders")
    if row is None or words.is_missing(row["valor"]):
        return None
    date = row["dt_ref"].date()

    def column(measure, write):
        return [write(facts.value(8, measure, group, date)) for group in words.JUDGED]

    return _table(
        pd.DataFrame(
            {
                "Grupo fixado na data": list(words.JUDGED.values()),
                "Clientes": [
                    words.number(
                        facts.row(8, "receita_seguinte_media", group, date)["n"]
                    )
                    for group in words.JUDGED
                ],
                "Receita média depois": column("receita_seguinte_media", facts.money),
                "Parte da receita depois": column(
                    "participacao_receita_seguinte", words.percent
                ),
                "Voltaram a comprar": column("taxa_de_recompra", words.percent),
            }
        ),
        text=["Grupo fixado na data"],
    )


def _groups(warehouse, facts) -> str:
    profile = warehouse["insiders_perfil"]
    return _table(
        pd.DataFrame(
            {
                "Grupo": profile["grupo"],
                "Clientes": [words.number(v) for v in profile["clientes"]],
                "% clientes": [
                    words.percent(v) for v in profile["participacao_clientes"]
                ],
                "Receita": [facts.money(v) for v in profile["receita"]],
                "% receita": [
                    words.percent(v) for v in profile["participacao_receita"]
                ],
                "Valor por cliente": [facts.money(v) for v in profile["receita_media"]],
                "Pedidos": [words.number(v, 1) for v in profile["frequencia_media"]],
                "Ticket": [facts.money(v) for v in profile["ticket_medio"]],
                "Última compra (dias)": [
                    words.number(v) for v in profile["recencia_mediana"]
                ],
            }
        ),
        text=["Grupo"],
        bold=int(profile["is_insiders"].to_numpy().argmax()),
    )


def _comparison(warehouse) -> str:
    choice = warehouse["ml_insiders_escolha"]
    # first the option in force, then the best of each space and algorithm
    best = (
        choice.sort_values(
            ["is_escolhido", "is_admissivel", "silhueta_comum"], ascending=False
        )
        .groupby(["espaco", "algoritmo"], sort=False)
        .head(1)
    )
    return _table(
        pd.DataFrame(
            {
                "Espaço": best["espaco"].map(words.SPACES),
                "Algoritmo": best["algoritmo"].map(words.ALGORITHMS),
                "Grupos": best["grupos"].astype(str),
                "Silhueta comum": [words.number(v, 2) for v in best["silhueta_comum"]],
                "Silhueta própria": [
                    words.number(v, 2) + ("" if fair else " *")
                    for v, fair in zip(
                        best["silhueta"], best["is_silhueta_comparavel"], strict=True
                    )
                ],
                "Estabilidade": [words.number(v, 2) for v in best["ari_bootstrap"]],
                "% clientes no topo": [
                    words.percent(v) for v in best["participacao_topo"]
                ],
                "% receita no topo": [
                    words.percent(v) for v in best["participacao_receita_topo"]
                ],
                "Ruído": [
                    words.percent(v) if v else "" for v in best["participacao_ruido"]
                ],
            }
        ),
        text=["Espaço", "Algoritmo"],
        bold=0,
    )


def _quality(warehouse, facts) -> str:
    rows = warehouse["qualidade_vendas"]
    return _table(
        pd.DataFrame(
            {
                "Situação": rows["situacao"].map(
                    {"aceita": "Aceita", "recusada": "Recusada"}
                ),
                "Tipo de linha": [words.KINDS.get(m, m) for m in rows["motivo"]],
                "Linhas": [words.number(v) for v in rows["linhas"]],
                "% linhas": [words.percent(v) for v in rows["participacao_linhas"]],
                "Valor": [facts.money(v) for v in rows["valor"]],
            }
        ),
        text=["Situação", "Tipo de linha"],
    )


# ------------------------------------------------------------------------ charts


def _charts(warehouse) -> dict[str, str | None]:
    profile, behaviour = warehouse["insiders_perfil"], warehouse["comportamento"]
    features = [
        name
        for name in words.FEATURES
        if behaviour[name].notna().any() and behaviour[name].nunique() > 1
    ]
    return {
        "shares": charts.shares(profile),
        "backtest": _backtest(warehouse),
        "evidence": _evidence(warehouse),
        "comparison": charts.comparison(warehouse["ml_insiders_escolha"]),
        "distributions": charts.distributions(behaviour, features),
        "by_group": charts.by_group(behaviour, profile, features),
        "pairs": charts.pairs(behaviour, None),
        "pairs_by_group": charts.pairs(behaviour, profile),
        "spaces": charts.spaces(behaviour, profile, random_state=0),
    }


def _backtest(warehouse) -> str | None:
    facts = Facts(warehouse)
    series = {"real": "Vendas", "modelo": "Modelo", "ritmo": "Ritmo"}
    rows = facts.rows[
        facts.rows["medida"].isin([f"reteste_{name}" for name in series])
        & facts.rows["valor"].notna()
    ]
    if not len(rows):
        return None
    latest = sorted(rows["dt_ref"].unique())[-PAST_DATES:]
    rows = rows[rows["dt_ref"].isin(latest)].sort_values("dt_ref", ascending=False)
    past = pd.DataFrame(
        {
            "data": [words.date(d) for d in rows["dt_ref"]],
            "serie": [series[m.removeprefix("reteste_")] for m in rows["medida"]],
            "valor": rows["valor"].to_numpy(),
        }
    )
    return charts.backtest(past, facts.currency)


def _evidence(warehouse) -> str | None:
    facts = Facts(warehouse)
    row = facts.row(8, "receita_seguinte_media", "insiders")
    if row is None or words.is_missing(row["valor"]):
        return None
    rows = facts.rows[
        (facts.rows["medida"] == "receita_seguinte_media")
        & (facts.rows["dt_ref"] == row["dt_ref"])
    ]
    return charts.evidence(rows, facts.currency)
