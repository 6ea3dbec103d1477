"""Charts as static pictures: the page needs no script and no network."""

from __future__ import annotations

import base64
import re
from html import escape

import numpy as np
import pandas as pd

from segmentacao.report import words

#: Colour of the Insiders, and of the other groups in order of revenue.
ACCENT = "#c2410c"
OTHERS = [
    "#1d4e89",
    "#3f88c5",
    "#7fb2d9",
    "#5c677d",
    "#9aa5b1",
    "#8d6a9f",
    "#b6a1c4",
    "#4f772d",
    "#90a955",
    "#c9b79c",
]
MUTED, INK, GRID = "#9aa5b1", "#1f2933", "#e4e7eb"
#: Customers drawn in a scatter plot.
POINTS = 1500
BINS = 24
CONFIG = {
    "background": "transparent",
    # a reader's font may be wider than the one that the layout was made with
    "padding": {"left": 24, "right": 8, "top": 4, "bottom": 4},
    "font": "Arial, Helvetica, sans-serif",
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "gridColor": GRID,
        "domainColor": MUTED,
        "tickColor": MUTED,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 260,
    },
    "legend": {"labelFontSize": 12, "titleFontSize": 12, "labelLimit": 260},
    "header": {"labelFontSize": 12, "titleFontSize": 12, "labelColor": INK},
    "view": {"stroke": None},
}


def picture(chart, alt: str, *, dense: bool = False) -> str:
    """Draw a chart as inline SVG, or as PNG when it has very many marks.

    Parameters
    ----------
    chart : altair chart
    alt : str
        What the picture shows, for who cannot see it.
    dense : bool, optional
        Draw pixels: thousands of points would be megabytes of SVG.

    Returns
    -------
    str
        HTML.
    """
    import altair
    import vl_convert

    # the limit guards notebooks; here the rows become pixels
    with altair.data_transformers.enable("default", max_rows=None):
        spec = chart.to_dict()
    spec["config"] = CONFIG
    if dense:
        image = vl_convert.vegalite_to_png(spec, scale=2, format_locale="pt-BR")
        source = f"data:image/png;base64,{base64.b64encode(image).decode()}"
        return f'<img src="{source}" alt="{escape(alt)}">'
    svg = vl_convert.vegalite_to_svg(spec, format_locale="pt-BR")
    svg = re.sub(
        r'(<svg[^>]*?) width="(\d+)(?:\.\d+)?"', r'\1 data-width="\2"', svg, count=1
    )
    svg = re.sub(r'(<svg[^>]*?) height="[\d.]+"', r"\1", svg, count=1)
    width = re.search(r'data-width="(\d+)"', svg)[1]
    svg = svg.replace(f'data-width="{width}"', f'style="max-width:{width}px"', 1)
    # the label says it all; a reader of screens need not walk through the marks
    return re.sub(
        r"<svg",
        f'<svg role="img" aria-label="{escape(alt, quote=True)}"',
        svg,
        count=1,
    )


def group_colours(profile: pd.DataFrame):
    """Colour scale of the groups, the Insiders in the accent colour."""
    import altair as alt

    names = profile["grupo"].tolist()
    others = iter(OTHERS * 2)
    colours = [
        ACCENT if insiders else next(others) for insiders in profile["is_insiders"]
    ]
    return alt.Scale(domain=names, range=colours)


def shares(profile: pd.DataFrame) -> str:
    """Shares of customers and of revenue of every group, side by side."""
    import altair as alt

    long = profile.melt(
        "grupo", ["participacao_clientes", "participacao_receita"], "de", "parte"
    )
    long["de"] = long["de"].map(
        {"participacao_clientes": "dos clientes", "participacao_receita": "da receita"}
    )
    long["texto"] = [words.percent(x, 0) for x in long["parte"]]
    names = profile["grupo"].tolist()
    base = alt.Chart(long).encode(
        y=alt.Y("grupo:N", sort=names, title=None),
        yOffset=alt.YOffset("de:N", sort=["dos clientes", "da receita"]),
        x=alt.X("parte:Q", axis=alt.Axis(format=".0%", tickCount=5), title=None),
    )
    bars = base.mark_bar(cornerRadiusEnd=2).encode(
        color=alt.Color(
            "de:N",
            scale=alt.Scale(
                domain=["dos clientes", "da receita"], range=[MUTED, ACCENT]
            ),
            legend=alt.Legend(title=None, orient="top"),
        )
    )
    labels = base.mark_text(align="left", dx=4, color=INK).encode(text="texto:N")
    spoken = "; ".join(
        f"{row.grupo}: {words.percent(row.participacao_clientes)} dos clientes e "
        f"{words.percent(row.participacao_receita)} da receita"
        for row in profile.itertuples()
    )
    chart = (bars + labels).properties(width=560, height=alt.Step(17))
    return picture(chart, f"Parte de cada grupo. {spoken}.")


def backtest(past: pd.DataFrame, currency: str | None) -> str:
    """Forecasts and sales at past dates.

    Parameters
    ----------
    past : DataFrame
        Columns `data`, `serie` (Vendas, Modelo or Ritmo) and `valor`.
    currency : str or None
    """
    import altair as alt

    order = ["Vendas", "Modelo", "Ritmo"]
    past = past.assign(texto=[words.money(v, currency) for v in past["valor"]])
    base = alt.Chart(past).encode(
        y=alt.Y("serie:N", sort=order, title=None),
        x=alt.X(
            "valor:Q",
            title="receita dos Insiders da data até a data seguinte",
            axis=alt.Axis(tickCount=5),
        ),
    )
    bars = base.mark_bar(cornerRadiusEnd=2, height=14).encode(
        color=alt.Color(
            "serie:N",
            scale=alt.Scale(domain=order, range=[INK, "#3f88c5", MUTED]),
            legend=None,
        )
    )
    text = base.mark_text(align="left", dx=4, color=INK).encode(text="texto:N")
    chart = (
        alt.layer(bars, text, data=past)
        .properties(width=430, height=alt.Step(22))
        .facet(
            row=alt.Row(
                "data:N",
                title=None,
                sort=list(dict.fromkeys(past["data"])),
                header=alt.Header(labelOrient="top", labelAnchor="start"),
            )
        )
    )
    spoken = "; ".join(
        f"a partir de {r.data}, {r.serie.lower()}: {words.money(r.valor, currency)}"
        for r in past.itertuples()
    )
    return picture(chart, f"Previsto e realizado nas datas passadas: {spoken}.")


def evidence(rows: pd.DataFrame, currency: str | None) -> str:
    """Revenue after the date by group, with intervals."""
    import altair as alt

    rows = rows.assign(
        nome=rows["grupo"].map(words.JUDGED),
        texto=[words.money(v, currency) for v in rows["valor"]],
    )
    order = [name for name in words.JUDGED.values() if name in set(rows["nome"])]
    base = alt.Chart(rows).encode(y=alt.Y("nome:N", sort=order, title=None))
    bars = base.mark_bar(height=16, cornerRadiusEnd=2).encode(
        x=alt.X(
            "valor:Q",
            title="receita média por cliente depois da data",
            axis=alt.Axis(tickCount=5),
        ),
        color=alt.Color(
            "nome:N",
            scale=alt.Scale(
                domain=list(words.JUDGED.values()),
                range=[ACCENT, "#3f88c5", MUTED, "#cbd2d9"],
            ),
            legend=None,
        ),
    )
    rule = base.mark_rule(color=INK, strokeWidth=1.5).encode(
        x="inferior:Q", x2="superior:Q"
    )
    text = base.mark_text(align="left", dx=5, color=INK).encode(
        x="superior:Q", text="texto:N"
    )
    spoken = "; ".join(
        f"{r.nome}: {words.money(r.valor, currency)}, intervalo de "
        f"{words.money(r.inferior, currency)} a {words.money(r.superior, currency)}"
        for r in rows.itertuples()
    )
    chart = (bars + rule + text).properties(width=480, height=alt.Step(30))
    return picture(chart, f"Receita média por cliente depois da data. {spoken}.")


def comparison(choice: pd.DataFrame) -> str:
    """Silhouette in the common space by k, for each space and algorithm."""
    import altair as alt

    rows = choice.assign(
        espaco=choice["espaco"].map(words.SPACES),
        algoritmo=choice["algoritmo"].map(words.ALGORITHMS),
    )
    rows = rows[["espaco", "algoritmo", "k", "silhueta_comum", "is_escolhido"]]
    lines = rows[rows["algoritmo"] != words.ALGORITHMS["dbscan"]]
    order = list(words.ALGORITHMS.values())[:3]
    base = (
        alt.Chart(lines)
        .mark_line(point=alt.OverlayMarkDef(size=18), strokeWidth=1.5)
        .encode(
            x=alt.X("k:Q", title="número de grupos", axis=alt.Axis(tickMinStep=1)),
            y=alt.Y("silhueta_comum:Q", title="silhueta no espaço comum"),
            color=alt.Color(
                "algoritmo:N",
                scale=alt.Scale(domain=order, range=["#1d4e89", "#8d6a9f", "#4f772d"]),
                legend=alt.Legend(title=None, orient="top"),
            ),
        )
    )
    chosen = (
        base.transform_filter("datum.is_escolhido")
        .mark_point(size=170, color=ACCENT, strokeWidth=2.5)
        .encode(color=alt.value(ACCENT))
    )
    chart = (
        alt.layer(base, chosen, data=lines)
        .properties(width=230, height=150)
        .facet(
            facet=alt.Facet("espaco:N", title=None, sort=list(words.SPACES.values())),
            columns=3,
        )
    )
    best = rows[rows["is_escolhido"]].iloc[0]
    return picture(
        chart,
        "Silhueta no espaço comum por número de grupos, em cada espaço e algoritmo. A "
        f"opção escolhida, marcada, é {best.algoritmo} em {best.espaco} com "
        f"{best.k} grupos e silhueta {words.number(best.silhueta_comum, 2)}.",
    )


def distributions(behaviour: pd.DataFrame, features: list[str]) -> str:
    """Histogram of every feature over all customers."""
    import altair as alt

    rows = []
    for name in features:
        values = behaviour[name].dropna().to_numpy(float)
        shown = np.minimum(values, np.quantile(values, 0.98))
        counts, edges = np.histogram(shown, BINS)
        rows += [
            {
                "nome": words.FEATURES[name],
                "de": left,
                "ate": right,
                "clientes": int(count),
            }
            for count, left, right in zip(counts, edges, edges[1:], strict=False)
        ]
    chart = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar(color="#3f88c5")
        .encode(
            x=alt.X(
                "de:Q",
                bin="binned",
                title=None,
                axis=alt.Axis(tickCount=4, format="~s"),
            ),
            x2="ate:Q",
            y=alt.Y("clientes:Q", title=None, axis=alt.Axis(tickCount=3)),
        )
        .properties(width=205, height=90)
        .facet(
            facet=alt.Facet(
                "nome:N", title=None, sort=[words.FEATURES[n] for n in features]
            ),
            columns=3,
        )
        .resolve_scale(x="independent", y="independent")
    )
    spoken = "; ".join(
        f"{words.FEATURES[n]}: metade dos clientes até "
        f"{words.number(behaviour[n].median(), 1)}"
        for n in features
    )
    return picture(
        chart, f"Distribuição de cada característica, todos os clientes. {spoken}."
    )


def by_group(behaviour: pd.DataFrame, profile: pd.DataFrame, features) -> str:
    """Quartiles of every feature in every group."""
    import altair as alt

    names = profile["grupo"].tolist()
    rows = []
    for name in features:
        for group in names:
            own = behaviour.loc[behaviour["grupo"] == group, name].dropna()
            if len(own):
                low, q1, middle, q3, high = np.quantile(
                    own.to_numpy(float), [0.05, 0.25, 0.5, 0.75, 0.95]
                )
                rows.append(
                    {
                        "nome": words.FEATURES[name],
                        "grupo": group,
                        "p5": low,
                        "q1": q1,
                        "mediana": middle,
                        "q3": q3,
                        "p95": high,
                    }
                )
    base = alt.Chart(pd.DataFrame(rows)).encode(
        y=alt.Y("grupo:N", sort=names, title=None),
        color=alt.Color("grupo:N", scale=group_colours(profile), legend=None),
    )
    axis = alt.Axis(tickCount=4, format="~s")
    chart = (
        alt.layer(
            base.mark_rule().encode(x=alt.X("p5:Q", title=None, axis=axis), x2="p95:Q"),
            base.mark_bar(height=9, opacity=0.55).encode(x="q1:Q", x2="q3:Q"),
            base.mark_tick(thickness=2.5, height=13).encode(x="mediana:Q"),
        )
        .properties(width=170, height=alt.Step(19))
        .facet(
            facet=alt.Facet(
                "nome:N", title=None, sort=[words.FEATURES[n] for n in features]
            ),
            columns=3,
        )
        .resolve_scale(x="independent")
    )
    spoken = "; ".join(
        f"{r['nome']} em {r['grupo']}: {words.number(r['mediana'], 1)}" for r in rows
    )
    return picture(
        chart,
        "Características por grupo: traço na mediana, caixa do primeiro ao terceiro "
        f"quartil, linha de 5 % a 95 %. Medianas: {spoken}.",
    )


def pairs(behaviour: pd.DataFrame, profile: pd.DataFrame | None) -> str:
    """Every pair of recency, frequency and value, plain or by group."""
    import altair as alt

    sample = _sample(behaviour)
    points = pd.DataFrame(
        {
            "Recência": sample["recencia_dias"],
            "Pedidos (log)": np.log10(1 + sample["frequencia"].to_numpy(float)),
            "Valor (log)": np.log10(1 + sample["valor"].to_numpy(float)),
            "grupo": sample["grupo"],
        }
    )
    axes = ["Recência", "Pedidos (log)", "Valor (log)"]
    colour = alt.value("#3f88c5")
    if profile is not None:
        colour = alt.Color(
            "grupo:N",
            scale=group_colours(profile),
            legend=alt.Legend(title=None, orient="top", columns=5, symbolOpacity=1),
        )
    charts = [
        alt.Chart(points)
        .mark_circle(size=9, opacity=0.9)
        .encode(
            x=alt.X(f"{x}:Q", title=x, axis=alt.Axis(tickCount=4)),
            y=alt.Y(f"{y}:Q", title=y, axis=alt.Axis(tickCount=4)),
            color=colour,
        )
        .properties(width=210, height=170)
        for x, y in [(axes[0], axes[2]), (axes[1], axes[2]), (axes[0], axes[1])]
    ]
    how = "sem os grupos" if profile is None else "com a cor do grupo"
    ranks = behaviour[["recencia_dias", "frequencia", "valor"]].astype(float).rank()
    near = ranks.corr()
    return picture(
        alt.hconcat(*charts),
        f"Pares de recência, pedidos e valor, {how}. Correlação de postos: recência e "
        f"valor {words.number(near.loc['recencia_dias', 'valor'], 2)}, pedidos e valor "
        f"{words.number(near.loc['frequencia', 'valor'], 2)}, recência e pedidos "
        f"{words.number(near.loc['recencia_dias', 'frequencia'], 2)}.",
        dense=True,
    )


def spaces(behaviour: pd.DataFrame, profile: pd.DataFrame, random_state: int) -> str:
    """Every space on its first two principal components, by group."""
    import altair as alt
    import pyarrow as pa

    from segmentacao.insiders import spaces as of_customers

    sample = _sample(behaviour)
    numeric = sample.drop(columns=["dt_ref", "grupo", "is_insider", "id_cliente"])
    features = of_customers.behaviour(
        pa.Table.from_pandas(numeric, preserve_index=False)
    )
    drawn = []
    for name in of_customers.SPACES:
        X = of_customers.principal_components(
            of_customers.build_space(features, name, random_state=random_state),
            at_most=2,
        )
        if X.shape[1] < 2:
            continue
        drawn.append(
            pd.DataFrame(
                {
                    "x": _unit(X[:, 0]),
                    "y": _unit(X[:, 1]),
                    "espaco": words.SPACES[name],
                    "grupo": sample["grupo"].to_numpy(),
                }
            )
        )
    blank = alt.Axis(labels=False, ticks=False, grid=False, domain=False)
    chart = (
        alt.Chart(pd.concat(drawn))
        .mark_circle(size=8, opacity=0.9)
        .encode(
            x=alt.X("x:Q", title=None, axis=blank),
            y=alt.Y("y:Q", title=None, axis=blank),
            color=alt.Color(
                "grupo:N",
                scale=group_colours(profile),
                legend=alt.Legend(title=None, orient="top", columns=5, symbolOpacity=1),
            ),
        )
        .properties(width=215, height=190)
        .facet(
            facet=alt.Facet("espaco:N", title=None, sort=list(words.SPACES.values())),
            columns=3,
        )
    )
    return picture(
        chart,
        "Cada espaço em duas dimensões, com os mesmos grupos: "
        f"{', '.join(words.SPACES.values())}.",
        dense=True,
    )


def _unit(values) -> np.ndarray:
    """Bring values to 0..1 between their outer percents, for drawing only."""
    low, high = np.quantile(values, [0.005, 0.995])
    return np.clip((values - low) / max(high - low, 1e-12), 0, 1)


def _sample(behaviour: pd.DataFrame) -> pd.DataFrame:
    if len(behaviour) <= POINTS:
        return behaviour
    return behaviour.sample(POINTS, random_state=0).sort_values("id_cliente")
