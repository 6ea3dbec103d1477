"""Words, answers and page of the Insiders report."""

import datetime as dt
import re
from html.parser import HTMLParser

import pandas as pd
import pytest
from conftest import ROOT

from segmentacao.report import words
from segmentacao.report.__main__ import main
from segmentacao.report.answers import QUESTIONS, answer_all, months_between
from segmentacao.report.page import render
from segmentacao.report.reading import MissingTable, Warehouse, read


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1234.56, 2, "1.234,56"),
        (1234567, 0, "1.234.567"),
        (-0.4, 0, "0"),
        (0.125, 2, "0,12"),
        (None, 0, "–"),
        (float("nan"), 1, "–"),
    ],
)
def test_numbers_are_brazilian(value, digits, text):
    assert words.number(value, digits) == text


def test_money_has_a_symbol_only_where_the_currency_is_known():
    assert words.money(1234.5) == "1.234,50"
    assert words.money(1234.5, "BRL") == "R$\u00a01.234,50"
    assert words.money(1234567.8, "BRL") == "R$\u00a01.234.568"
    assert words.money(-12.3, "GBP") == "−£\u00a012,30"
    assert words.money(5, "CLP") == "CLP\u00a05,00"
    assert words.money(50000.25, cents=True) == "50.000,25"


def test_shares_dates_and_p_values():
    assert words.percent(0.4433) == "44,3\u00a0%"
    assert words.date(dt.date(2026, 1, 9)) == "09/01/2026"
    assert words.p_value(1e-9) == "menor que 0,001"
    assert words.p_value(0.042) == "0,042"
    assert words.plural(1, "cliente", "clientes") == "1 cliente"
    assert words.plural(1200, "cliente", "clientes") == "1.200 clientes"


def test_months_of_a_window_that_clamps():
    assert months_between(dt.date(2025, 2, 28), dt.date(2025, 8, 31)) == 6
    assert months_between(dt.date(2024, 12, 10), dt.date(2025, 12, 10)) == 12


@pytest.fixture(scope="module")
def warehouse(sample) -> Warehouse:
    return read(sample.database)


@pytest.fixture(scope="module")
def page(warehouse) -> str:
    return render(warehouse)


def changed(warehouse, **rows) -> Warehouse:
    """Return the warehouse with values of the report changed, by measure."""
    report = warehouse["insiders_relatorio"].copy()
    for measure, columns in rows.items():
        for name, value in columns.items():
            report.loc[report["medida"] == measure, name] = value
    tables = {**warehouse.tables, "insiders_relatorio": report}
    return Warehouse(tables, warehouse.currency)


@pytest.mark.dbt
def test_every_question_has_an_answer_in_words(warehouse, page):
    answers = answer_all(warehouse)
    assert sorted(answers) == sorted(QUESTIONS) == list(range(1, 10))
    for number, question in QUESTIONS.items():
        assert f"{number}. {question}</h3>" in page
        assert answers[number].lead in page
    assert not re.search(r"\b(nan|None|NaT|inf)\b", re.sub("<[^>]*>", " ", page))


@pytest.mark.dbt
def test_numbers_of_the_page_are_those_of_the_tables(sample, page):
    count, revenue, share = sample.rows(
        """
        select clientes, receita, participacao_receita
        from insiders_perfil where is_insiders
        """
    )[0]
    text = re.sub("[ \n]+", " ", re.sub("<[^>]*>", " ", page))
    assert f"São {count} clientes" in text
    assert f"{words.percent(share)} da receita da janela" in text
    assert f"= {words.money(float(revenue), cents=True)}." in text


@pytest.mark.dbt
def test_the_verdict_follows_the_intervals(warehouse):
    def lead(**row):
        return answer_all(changed(warehouse, **row))[8]

    better = {"valor": 10, "inferior": 5, "superior": 15}
    unsure = {"valor": 1, "inferior": -5, "superior": 7}
    worse = {"valor": -10, "inferior": -15, "superior": -5}
    assert "O grupo é melhor" in lead(diferenca_media=better).lead
    assert "não se mostrou melhor" in lead(diferenca_media=unsure).lead
    for row, said in (
        (better, "abaixo dos Insiders"),
        (unsure, "é empate"),
        (worse, "A lista simples dos mais valiosos teria sido melhor"),
    ):
        paragraphs = lead(vantagem_sobre_mais_valiosos=row).paragraphs
        assert any(said in paragraph for paragraph in paragraphs)
    # better as a group, and never because of the programme
    assert any("não que o programa" in p for p in lead().paragraphs)


@pytest.mark.dbt
def test_a_poor_rule_is_called_poor(warehouse):
    poor = {"texto": "nao exprimivel por regra curta"}
    answer = answer_all(changed(warehouse, exprimivel=poor))[6]
    assert answer.lead.startswith("Nenhuma regra curta descreve bem o grupo")
    good = answer_all(warehouse)[6]
    assert good.lead.startswith("Entra quem tem no mínimo")


@pytest.mark.dbt
def test_missing_history_is_said_with_its_length(warehouse):
    nothing = {"valor": None, "inferior": None, "superior": None}
    answers = answer_all(
        changed(
            warehouse,
            receita_esperada=nothing,
            diferenca_media=nothing,
            precisao_na_data_seguinte=nothing,
        )
    )
    assert "12 meses de vendas" in answers[5].missing[0]
    assert "18 meses de vendas" in answers[6].missing[0]
    assert "12 meses de vendas" in answers[8].missing[0]
    # 18 months of sales cannot show two failures after a date with the rule
    assert "24 meses de vendas" in answers[7].missing[0]


@pytest.mark.dbt
def test_a_known_currency_is_written(warehouse):
    assert "R$\u00a0" in render(Warehouse(warehouse.tables, "BRL"))
    assert "R$" not in render(warehouse)


class Outside(HTMLParser):
    """Collect whatever a page would fetch, and its pictures without words."""

    def __init__(self):
        super().__init__()
        self.fetched, self.silent, self.tags = [], [], []

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        for name in ("src", "srcset", "data", "poster"):
            if name in attributes and not attributes[name].startswith("data:"):
                self.fetched.append(attributes[name])
        link = attributes.get("href") or attributes.get("xlink:href") or ""
        if link and not link.startswith(("#", "data:")):
            self.fetched.append(link)
        if tag == "img" and len(attributes.get("alt", "")) < 40:
            self.silent.append(tag)
        if (
            tag == "svg"
            and "aria-label" not in attributes
            and (attributes.get("role") == "img")
        ):
            self.silent.append(tag)


@pytest.mark.dbt
def test_the_page_fetches_nothing_and_every_picture_has_words(page):
    parser = Outside()
    parser.feed(page)
    assert parser.fetched == []
    assert parser.silent == []
    assert "script" not in parser.tags
    assert not re.search(r"url\((?!['\"]?(data:|#))|@import", page)
    pictures = parser.tags.count("img") + page.count('<svg role="img" aria-label="')
    assert pictures == page.count("<figure>") == 9


@pytest.mark.dbt
def test_the_path_is_the_last_line(sample, tmp_path, capsys):
    target = tmp_path / "new" / "relatorio.html"
    assert main(["--banco", str(sample.database), "--saida", str(target)]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(target)
    assert target.read_text("utf-8").startswith("<!doctype html>")


def test_without_a_build_it_says_what_to_do(tmp_path, capsys):
    assert main(["--banco", str(tmp_path / "nothing.duckdb")]) == 1
    assert "run dbt build first" in capsys.readouterr().err
    import duckdb

    duckdb.connect(str(tmp_path / "empty.duckdb")).close()
    with pytest.raises(MissingTable, match="insiders_ativo: true"):
        read(tmp_path / "empty.duckdb")


def test_the_template_is_installed_with_the_package():
    text = (ROOT / "pyproject.toml").read_text()
    assert '"segmentacao.report" = ["*.j2"]' in text


@pytest.mark.dbt
def test_no_row_of_the_report_is_without_method_and_table(warehouse):
    report = warehouse["insiders_relatorio"]
    assert sorted(report["pergunta"].unique()) == list(range(1, 10))
    assert not report[["metodo", "tabela", "run_id", "unidade"]].isna().any().any()
    silent = report[report["situacao"] == "historico insuficiente"]
    # of 18 months of the sample, what takes 24
    assert set(zip(silent["medida"], silent["grupo"], strict=True)) == {
        ("clientes", "sai"),
        ("receita", "sai"),
    }
    assert pd.to_datetime(report["dt_ref"]).min() == pd.Timestamp("2025-01-01")
