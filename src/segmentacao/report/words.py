"""Numbers and dates as Brazilians write them, and the names of measures."""

from __future__ import annotations

import datetime as dt
import math

#: Symbols of the currencies that readers know; others keep their code.
SYMBOLS = {"BRL": "R$", "USD": "US$", "EUR": "€", "GBP": "£"}
#: What a number that does not exist looks like.
NOTHING = "–"

#: Names of measures for a reader.
MEASURES = {
    "valor_medio": "Valor por cliente",
    "recencia_mediana": "Dias desde a última compra (mediana)",
    "frequencia_media": "Pedidos por cliente",
    "intervalo_medio": "Dias entre compras",
    "ticket_medio": "Ticket médio",
    "cesta_media": "Itens por pedido",
    "produtos_medios": "Produtos diferentes por cliente",
    "taxa_devolucao": "Itens devolvidos sobre comprados",
    "idade_media": "Dias desde a primeira compra",
}
#: Names of the features in the exploration.
FEATURES = {
    "valor": "Valor",
    "recencia_dias": "Dias desde a última compra",
    "frequencia": "Pedidos",
    "itens": "Itens",
    "produtos_distintos": "Produtos diferentes",
    "ticket_medio": "Ticket médio",
    "cesta_media": "Itens por pedido",
    "itens_unicos_medios": "Produtos diferentes por pedido",
    "devolucoes": "Itens devolvidos",
    "intervalo_medio_dias": "Dias entre compras",
    "idade_base_dias": "Dias desde a primeira compra",
}
SPACES = {
    "rfv_log": "RFV em logaritmo",
    "comportamento_minmax": "Comportamento de 0 a 1",
    "comportamento_log": "Comportamento em logaritmo",
    "pca": "Componentes principais",
    "folhas": "Folhas de árvores",
    "folhas_umap": "Folhas de árvores (UMAP)",
}
ALGORITHMS = {
    "kmeans": "K-Means",
    "mistura": "Mistura gaussiana",
    "hierarquico": "Hierárquico (Ward)",
    "dbscan": "DBSCAN",
}
JUDGED = {
    "insiders": "Insiders",
    "mais_valiosos": "Os mais valiosos (lista simples)",
    "sorteio": "Sorteio",
    "demais": "Demais clientes",
}
#: Why the option in force was chosen, as ml_insiders_escolha says it.
REASONS = {
    "maior silhueta no espaco comum entre as admissiveis": "tem a maior silhueta no "
    "espaço comum entre as admissíveis",
    "silhueta no espaco comum empatada com a maior; vale o menor k": "sua silhueta no "
    "espaço comum empata com a maior, e no empate vale o menor número de grupos",
    "ATENCAO: nenhuma opcao e admissivel; esta e a mais proxima": "nenhuma opção "
    "cumpre as condições, e esta é a que menos se afasta delas",
}
#: What a condition of the entry rule lacks, for one and for several.
SHORTFALL = {
    "recencia_dias": ("dia", "dias"),
    "frequencia": ("pedido", "pedidos"),
    "itens": ("item", "itens"),
    "produtos_distintos": ("produto diferente", "produtos diferentes"),
}
#: Kinds of lines in the table of data quality.
KINDS = {
    "compra": "Compras",
    "devolucao": "Devoluções",
    "brinde": "Brindes (valor zero)",
    "sem_quantidade": "Valor sem quantidade",
    "codigo_nao_produto": "Código que não é produto",
    "linha_duplicada": "Linha repetida",
    "quantidade_ausente": "Sem quantidade",
    "quantidade_ilegivel": "Quantidade ilegível",
    "cliente_ausente": "Sem cliente",
    "cliente_excluido": "Cliente excluído",
    "pais_excluido": "País excluído",
    "data_futura": "Data no futuro",
    "data_antiga": "Data antiga demais",
    "data_ilegivel": "Data ilegível",
    "data_ausente": "Sem data",
    "valor_ilegivel": "Valor ilegível",
    "valor_ausente": "Sem valor",
    "preco_abaixo_do_minimo": "Preço abaixo do mínimo",
    "moeda_diferente": "Outra moeda",
}


def is_missing(value) -> bool:
    """Tell whether a number is null or not a number."""
    return value is None or value != value or not math.isfinite(float(value))


def number(value, digits: int = 0) -> str:
    """Write 1234.5 as 1.234,5.

    Parameters
    ----------
    value : float or None
    digits : int, optional
        Digits after the comma.

    Returns
    -------
    str
        A dash for what does not exist.
    """
    if is_missing(value):
        return NOTHING
    text = f"{round(float(value), digits) + 0.0:,.{digits}f}"
    return text.replace(",", "_").replace(".", ",").replace("_", ".")


def percent(value, digits: int = 1) -> str:
    """Write 0.4433 as 44,3 %."""
    return NOTHING if is_missing(value) else f"{number(100 * value, digits)}\u00a0%"


def money(value, currency: str | None = None, *, cents: bool | None = None) -> str:
    """Write an amount, with a symbol only where the currency is known.

    Parameters
    ----------
    value : float or None
    currency : str, optional
        ISO code such as BRL.
    cents : bool, optional
        Whether to write cents; by default below 10.000 only, above which they
        hide the number.

    Returns
    -------
    str
    """
    if is_missing(value):
        return NOTHING
    cents = abs(value) < 10_000 if cents is None else cents
    text = number(abs(value), 2 if cents else 0)
    symbol = f"{SYMBOLS.get(currency, currency)}\u00a0" if currency else ""
    return f"{'−' if value < 0 else ''}{symbol}{text}"


def date(value: dt.date) -> str:
    """Write a date as dd/mm/aaaa."""
    return f"{value:%d/%m/%Y}"


def plural(count: float, one: str, many: str) -> str:
    """Write a count with its noun."""
    return f"{number(count)} {one if round(count) == 1 else many}"


def p_value(value) -> str:
    """Write a p-value; below 0.001 only that."""
    if is_missing(value):
        return NOTHING
    return "menor que 0,001" if value < 0.001 else number(value, 3)
