"""The nine answers in words, from the rows of insiders_relatorio."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import pandas as pd

from segmentacao.report import words
from segmentacao.report.reading import Warehouse

#: Precision or recall that a rule may lose by the next date and still hold.
HELD = 0.1
QUESTIONS = {
    1: "Quem são os Insiders?",
    2: "Quantos são?",
    3: "Como são?",
    4: "Quanto da receita vem deles?",
    5: "Quanto devem comprar nos próximos meses?",
    6: "O que faz um cliente entrar?",
    7: "O que faz um cliente sair?",
    8: "O grupo é mesmo melhor?",
    9: "O que fazer?",
}


class Facts:
    """The rows of insiders_relatorio, by question, measure and group."""

    def __init__(self, warehouse: Warehouse):
        self.rows = warehouse["insiders_relatorio"]
        self.currency = warehouse.currency
        self.today = warehouse["feat_referencias"]["dt_ref"].max().date()

    def row(self, question, measure, group=None, date=None) -> pd.Series | None:
        """Return the row of a measure, of the latest date unless one is given."""
        rows = self.rows[
            (self.rows["pergunta"] == question) & (self.rows["medida"] == measure)
        ]
        if group is not None:
            rows = rows[rows["grupo"] == group]
        if date is not None:
            rows = rows[rows["dt_ref"].dt.date == date]
        if not len(rows):
            return None
        return rows.sort_values("dt_ref").iloc[-1]

    def value(self, question, measure, group=None, date=None) -> float | None:
        """Return a value; None where there is none."""
        row = self.row(question, measure, group, date)
        if row is None or words.is_missing(row["valor"]):
            return None
        return float(row["valor"])

    def text(self, question, measure) -> str:
        """Return a text."""
        return self.row(question, measure)["texto"]

    def money(self, value, *, cents: bool | None = None) -> str:
        """Write an amount in the currency of the sales."""
        return words.money(value, self.currency, cents=cents)


@dataclass(frozen=True)
class Answer:
    """The answer to one question.

    Attributes
    ----------
    lead : str
        The answer in one sentence.
    paragraphs : list of str
        What else there is to say.
    missing : list of str
        Parts that more history would answer.
    """

    lead: str
    paragraphs: list[str]
    missing: list[str]


def months_between(first: dt.date, last: dt.date) -> int:
    """Whole months from one date to another, at least 1."""
    months = (last.year - first.year) * 12 + last.month - first.month
    return max(1, months)


@dataclass(frozen=True)
class Windows:
    """The lengths behind a report, in months, and where history begins."""

    step: int
    programme: int
    start: dt.date
    first_sale: dt.date | None

    @classmethod
    def of(cls, warehouse: Warehouse) -> Windows:
        """Read them from the reference dates."""
        now = warehouse["feat_referencias"].iloc[0]
        dates = warehouse["feat_insiders_datas"].iloc[0]
        quality = warehouse["qualidade_vendas"]
        bought = quality[
            (quality["situacao"] == "aceita") & (quality.motivo == "compra")
        ]
        first = bought["primeira_data"].min()
        return cls(
            months_between(now["inicio_janela"].date(), now["dt_ref"].date()),
            months_between(dates["inicio_janela"].date(), dates["dt_ref"].date()),
            dates["inicio_janela"].date(),
            None if pd.isna(first) else first.date(),
        )

    def need(self, months: int, what: str) -> str:
        """Say how much history an answer needs."""
        has = ""
        if self.first_sale:
            has = f"; as vendas começam em {words.date(self.first_sale)}"
        return (
            f"Histórico insuficiente para {what}: são necessários "
            f"{words.plural(months, 'mês', 'meses')} de vendas antes da data{has}."
        )


def answer_all(warehouse: Warehouse) -> dict[int, Answer]:
    """Put the nine answers in words.

    Parameters
    ----------
    warehouse : Warehouse

    Returns
    -------
    dict of int to Answer
    """
    facts, windows = Facts(warehouse), Windows.of(warehouse)
    return {
        1: _who(facts),
        2: _how_many(facts),
        3: _what_like(facts),
        4: _share(facts),
        5: _expected(facts, windows),
        6: _entry(facts, windows),
        7: _exit(facts, windows),
        8: _evidence(facts, windows),
        9: _actions(facts),
    }


def _who(facts) -> Answer:
    count = facts.value(1, "clientes", "insiders")
    overlap = facts.value(1, "participacao_mais_valiosos", "insiders")
    middle = facts.value(1, "valor_mediano", "insiders")
    return Answer(
        f"{words.plural(count, 'cliente forma', 'clientes formam')} o grupo de maior "
        f"valor médio em {words.date(facts.today)}.",
        [
            f"Metade comprou {facts.money(middle)} ou mais na janela do programa.",
            "A lista completa está na tabela <code>insiders_clientes</code>, coluna "
            "<code>is_insider</code>. Abaixo, os de maior valor.",
            f"Se em vez do agrupamento tomássemos simplesmente os "
            f"{words.number(count)} clientes de maior valor, "
            f"{words.percent(overlap)} dos nomes seriam os mesmos.",
        ],
        [],
    )


def _how_many(facts) -> Answer:
    count = facts.value(2, "clientes", "insiders")
    return Answer(
        f"São {words.plural(count, 'cliente', 'clientes')}, "
        f"{words.percent(facts.value(2, 'participacao_clientes', 'insiders'))} dos "
        f"{words.number(facts.value(2, 'clientes', 'todos'))} que compraram na janela.",
        [],
        [],
    )


def _what_like(facts) -> Answer:
    ours, others = (
        {m: facts.value(3, m, group) for m in words.MEASURES}
        for group in ("insiders", "demais")
    )
    times = _times(ours["valor_medio"], others["valor_medio"])
    return Answer(
        f"Cada Insider compra em média {facts.money(ours['valor_medio'])}"
        + (f", {times} vezes o que compra cada um dos demais." if times else "."),
        [
            f"Fazem {words.number(ours['frequencia_media'], 1)} pedidos na janela "
            f"(os demais, {words.number(others['frequencia_media'], 1)}), e a última "
            f"compra foi há {words.number(ours['recencia_mediana'])} dias na mediana "
            f"(os demais, há {words.number(others['recencia_mediana'])})."
        ],
        [],
    )


def _times(ours, others) -> str | None:
    if not ours or not others:
        return None
    return words.number(ours / others, 1)


def _share(facts) -> Answer:
    count = facts.value(2, "clientes", "insiders")
    revenue = facts.value(4, "receita", "insiders")
    plain = facts.value(4, "participacao_receita", "mais_valiosos")
    mean = facts.value(3, "valor_medio", "insiders")
    return Answer(
        f"{words.percent(facts.value(4, 'participacao_receita', 'insiders'))} da "
        f"receita da janela: {facts.money(revenue)} de "
        f"{facts.money(facts.value(4, 'receita', 'todos'))}.",
        [
            f"A conta fecha: {words.number(count)} clientes × "
            f"{facts.money(mean, cents=True)} em média = "
            f"{facts.money(revenue, cents=True)}.",
            "É um retrato do passado e favorece quem foi escolhido por ele: a lista "
            "simples dos mais valiosos, do mesmo tamanho, soma "
            f"{words.percent(plain)}, por definição o máximo possível. A pergunta 8 "
            "compara os dois no que veio depois.",
        ],
        [],
    )


def _expected(facts, windows) -> Answer:
    row = facts.row(5, "receita_esperada")
    pace = facts.value(5, "previsao_ritmo")
    months = words.plural(windows.step, "mês", "meses")
    if row is None or words.is_missing(row["valor"]):
        return Answer(
            f"Ainda não há previsão que se possa conferir para os próximos {months}.",
            [
                f"No mesmo ritmo da janela seriam {facts.money(pace)}, mas o ritmo "
                "passado de um grupo escolhido por esse passado costuma exagerar."
            ],
            [windows.need(2 * windows.step, "conferir a previsão numa data passada")],
        )
    factor = facts.row(5, "fator_de_correcao")
    dates = int(factor["n"])
    model = facts.value(5, "previsao_modelo")
    paragraphs = [
        f"O modelo de recompra (BG/NBD e Gamma-Gamma) prevê {facts.money(model)}; o "
        f"ritmo da janela, mantido, daria {facts.money(pace)}. Vale o método que "
        "menos errou nas datas passadas, corrigido por esse erro "
        f"({'multiplicado por ' + words.number(factor['valor'], 2)}).",
        _errors(facts, dates),
    ]
    missing = []
    coverage = facts.row(5, "cobertura_do_intervalo")
    if words.is_missing(coverage["valor"]):
        missing.append(
            windows.need(
                3 * windows.step, "medir quantas vezes o intervalo teria acertado"
            )
        )
    else:
        judged = int(coverage["n"])
        hits = round(coverage["valor"] * judged)
        paragraphs.append(
            f"Um intervalo feito da mesma forma teria acertado {words.number(hits)} de "
            f"{words.plural(judged, 'data passada', 'datas passadas')} que dá para "
            "conferir: leia-o como ordem de grandeza."
        )
    return Answer(
        f"Cerca de {facts.money(row['valor'])} nos próximos {months}, "
        f"provavelmente entre {facts.money(row['inferior'])} e "
        f"{facts.money(row['superior'])}.",
        paragraphs,
        missing,
    )


def _errors(facts, dates) -> str:
    parts = []
    for name, method in (("modelo", "o modelo"), ("ritmo", "o ritmo")):
        error = facts.value(5, f"erro_reteste_{name}")
        if error is not None:
            parts.append(f"{method} errou {words.percent(error, 0)}")
    when = "na data passada" if dates == 1 else f"em média nas {dates} datas passadas"
    return f"Conferido {when}, {' e '.join(parts)}."


def _entry(facts, windows) -> Answer:
    precision, recall = (
        facts.value(6, f"{name}_agora") for name in ("precisao", "revocacao")
    )
    later = [
        facts.value(6, f"{name}_na_data_seguinte") for name in ("precisao", "revocacao")
    ]
    sentence = facts.text(6, "regra_frase")
    if precision is None:
        return Answer(
            "Nenhuma regra curta distingue o grupo.",
            ["Use a lista de membros, não uma regra."],
            [],
        )
    good = not facts.text(6, "exprimivel").startswith("nao")
    lead = f"Entra quem tem {sentence}, na janela do programa."
    if not good:
        lead = "Nenhuma regra curta descreve bem o grupo; a melhor é: " + sentence + "."
    paragraphs = [
        f"Dos que cumprem a regra hoje, {words.percent(precision)} são Insiders "
        f"(precisão); dos Insiders, {words.percent(recall)} a cumprem (revocação)."
        + ("" if good else " É pouco: a regra não substitui a lista.")
    ]
    missing = []
    if later[0] is None:
        missing.append(
            windows.need(
                windows.step + windows.programme,
                "conferir a regra na data seguinte com janelas do mesmo tamanho",
            )
        )
    else:
        held = (
            "se mantém"
            if min(later) >= min(precision, recall) - HELD
            else "envelhece depressa"
        )
        paragraphs.append(
            f"A regra aprendida {words.plural(windows.step, 'mês', 'meses')} antes, "
            f"aplicada hoje, tem precisão de {words.percent(later[0])} e revocação de "
            f"{words.percent(later[1])}: ela {held}."
        )
    return Answer(lead, paragraphs, missing)


def _exit(facts, windows) -> Answer:
    dates = int(facts.value(7, "datas_para_sair"))
    lead = (
        "Sai quem deixa de cumprir a regra de entrada em "
        f"{words.plural(dates, 'data de referência', 'datas de referência seguidas')}."
    )
    paragraphs = [
        "Entrar exige cumprir a regra uma vez; sair exige falhar mais de uma: quem "
        "oscila perto do limite não entra e sai a cada apuração."
    ]
    if dates == 1:
        paragraphs = ["Uma data sem cumprir a regra basta."]
    counts = {
        group: facts.value(7, "clientes", group)
        for group in ("entra", "permanece", "em_observacao", "sai")
    }
    missing = []
    if counts["permanece"] is not None:
        said = (
            f"Hoje {words.plural(counts['permanece'], 'permanece', 'permanecem')} e "
            f"{words.plural(counts['entra'], 'entra', 'entram')}"
        )
        watched = facts.value(7, "receita", "em_observacao")
        said += (
            f"; {words.plural(counts['em_observacao'], 'está', 'estão')} em observação "
            f"(cumpriam a regra e não cumprem mais), com {facts.money(watched)} de "
            "compras na janela."
        )
        paragraphs.append(said)
    else:
        missing.append(
            windows.need(
                windows.step + windows.programme,
                "dizer quem entrou, permaneceu ou está em observação",
            )
        )
    if counts["sai"] is None:
        missing.append(
            windows.need(dates * windows.step + windows.programme, "confirmar saídas")
        )
    else:
        paragraphs.append(
            f"{words.plural(counts['sai'], 'cliente sai', 'saem')} agora."
        )
    return Answer(lead, paragraphs, missing)


def _evidence(facts, windows) -> Answer:
    row = facts.row(8, "diferenca_media", "insiders")
    if row is None or words.is_missing(row["valor"]):
        return Answer(
            "Ainda não se pode dizer se o grupo é melhor: falta ver o que vem depois.",
            [],
            [windows.need(2 * windows.step, "julgar o grupo pelo que veio depois")],
        )
    date = row["dt_ref"].date()
    effect = facts.value(8, "efeito", "insiders", date)
    better = row["inferior"] > 0
    edge = facts.row(8, "vantagem_sobre_mais_valiosos", "insiders", date)
    draw = facts.row(8, "diferenca_media", "sorteio", date)
    kept = facts.row(8, "taxa_de_recompra", "insiders", date)
    others = facts.row(8, "taxa_de_recompra", "demais", date)
    count = words.number(row["n"])
    verdict = "é melhor" if better else "não se mostrou melhor"
    lead = (
        f"O grupo {verdict} que os demais: os {count} Insiders de {words.date(date)} "
        f"compraram depois, em média, {facts.money(abs(row['valor']))} a "
        f"{'mais' if row['valor'] >= 0 else 'menos'} que cada um dos outros clientes."
    )
    paragraphs = [
        f"Intervalo de 90 %: de {facts.money(row['inferior'])} a "
        f"{facts.money(row['superior'])}. Sorteados um Insider e um cliente de fora, o "
        f"Insider compra mais em {words.percent(effect, 0)} das vezes (Mann-Whitney, p "
        f"{words.p_value(facts.value(8, 'p_valor', 'insiders', date))}).",
        f"Voltaram a comprar {words.percent(kept['valor'])} dos Insiders e "
        f"{words.percent(others['valor'])} dos demais.",
        _edge(facts, edge),
        "Um grupo do mesmo tamanho tirado por sorteio difere dos outros clientes em "
        f"{facts.money(draw['valor'])}: é o tamanho do que o acaso faz sozinho.",
        "Isto diz que o grupo <em>é</em> melhor, não que o programa <em>torna</em> "
        "alguém melhor. Para medir o efeito do programa há um grupo de controle por "
        "sorteio fixo, na coluna <code>is_controle</code> de "
        "<code>insiders_clientes</code>: "
        f"{words.number(facts.value(8, 'clientes_em_controle'))} dos Insiders de hoje "
        "ficam sem os benefícios.",
    ]
    return Answer(lead, paragraphs, [])


def _edge(facts, edge) -> str:
    gap = facts.money(abs(edge["valor"]))
    span = (
        f"(intervalo de {facts.money(edge['inferior'])} a "
        f"{facts.money(edge['superior'])} por cliente)"
    )
    if edge["inferior"] > 0:
        return (
            "A lista simples dos mais valiosos, do mesmo tamanho, teria ficado "
            f"{gap} por cliente abaixo dos Insiders {span}."
        )
    if edge["superior"] < 0:
        return (
            "<strong>A lista simples dos mais valiosos teria sido melhor:</strong> "
            f"{gap} por cliente acima dos Insiders {span}. O agrupamento vale pelo "
            "que diz dos clientes, não por vender mais que essa lista."
        )
    return (
        "Contra a lista simples dos mais valiosos, do mesmo tamanho, é empate: "
        f"diferença de {gap} por cliente, sem sinal certo {span}. O agrupamento vale "
        "pelo que diz dos clientes, não por vender mais que essa lista."
    )


def _actions(facts) -> Answer:
    rows = facts.rows[(facts.rows["pergunta"] == 9)]
    near = rows[rows["medida"] == "clientes"]
    if not len(near):
        return Answer(
            "Uma ação para cada grupo, pelo seu perfil.",
            ["Nenhum cliente está a uma condição, e por pouco, de cumprir a regra."],
            [],
        )
    total = near["valor"].sum()
    return Answer(
        "Uma ação para cada grupo, e um convite a "
        f"{words.plural(total, 'cliente', 'clientes')} que quase cumprem a regra.",
        [],
        [],
    )


def near_misses(warehouse: Warehouse) -> list[str]:
    """Say for each condition who nearly meets it, how many and of what value.

    Parameters
    ----------
    warehouse : Warehouse

    Returns
    -------
    list of str
    """
    facts = Facts(warehouse)
    rows = facts.rows[
        (facts.rows["pergunta"] == 9) & (facts.rows["medida"] == "clientes")
    ]
    said = []
    for row in rows.sort_values("valor", ascending=False).itertuples():
        lack = facts.value(9, "falta_mediana", row.grupo)
        if row.grupo in words.SHORTFALL:
            short = words.plural(lack, *words.SHORTFALL[row.grupo])
        else:
            short = facts.money(lack)
        name = words.FEATURES[row.grupo].lower()
        said.append(
            f"<strong>{words.plural(row.valor, 'cliente', 'clientes')}</strong> só "
            f"não cumprem a condição de {name}, e por pouco: na mediana, a distância é "
            f"de {short}. Juntos compraram "
            f"{facts.money(facts.value(9, 'receita', row.grupo))} na janela."
        )
    return said
