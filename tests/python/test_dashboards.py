"""The dashboards: every chart drawn, offline, in Brazilian Portuguese."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
import yaml
from browser import page_of
from conftest import ROOT

from segmentacao.dashboards import missing_models, models_read

CHARTS = ROOT / "dashboards" / "charts"
BOARDS = sorted(path.stem for path in CHARTS.glob("*.yml") if path.stem != "meta")
# what a person sees of each chart: its size, its words, its marks
DRAWN = """
    Object.fromEntries([...document.querySelectorAll('[data-chart-id]')].map(
        chart => [chart.dataset.chartId, {
            width: chart.getBoundingClientRect().width,
            height: chart.getBoundingClientRect().height,
            text: chart.textContent.replace(/\\s+/g, ' '),
            marks: chart.querySelectorAll('path, rect, circle').length,
        }]
    ))
"""


def test_a_board_says_what_it_reads_and_what_is_missing():
    board = "from {{ ref('a') }} join {{ ref( \"b\" ) }} join {{ ref('a') }}"
    manifest = {"nodes": {"model.x.a": {"name": "a", "resource_type": "model"}}}
    assert models_read(board) == ["a", "b"]
    assert missing_models(board, manifest) == ["b"]


def test_every_board_has_the_charts_that_it_lays_out():
    def laid_out(part):
        if isinstance(part, str):
            return [part]
        children = (
            part if isinstance(part, list) else part.get("rows", part.get("cols"))
        )
        return [name for child in children for name in laid_out(child)]

    for board in BOARDS:
        content = yaml.safe_load((CHARTS / f"{board}.yml").read_text())
        assert sorted(laid_out(content["rows"])) == sorted(content["charts"]), board


@pytest.mark.dbt
def test_the_map_shows_what_buyers_bought(sample):
    board = yaml.safe_load((CHARTS / "segmentos.yml").read_text())
    query = re.sub(
        r"\{\{ ref\('(\w+)'\) \}\}", r"\1", board["queries"]["categorias"]["sql"]
    )
    parts = {}
    for group, _, part in sample.rows(query):
        parts.setdefault(group, []).append(part)
    buyers = sample.rows(
        "select distinct cluster_rfv from cluster_clientes where frequencia > 0"
    )
    # customers who only returned something in the window are no row of the map
    assert set(parts) == {group for (group,) in buyers}
    for of_group in parts.values():
        assert min(of_group) >= 0 and sum(of_group) == pytest.approx(1)


@pytest.fixture(scope="module")
def rendered(project_folder):
    """Render the sample; dbt Charts reads nothing outside the project's folder."""
    done = subprocess.run(
        [sys.executable, "-m", "segmentacao.dashboards"],
        cwd=project_folder,
        env=os.environ | {"SEGMENTACAO_DB": "warehouse.duckdb"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return project_folder / "paineis", done.stdout


@pytest.mark.longo
def test_the_paths_are_printed(rendered):
    folder, printed = rendered
    files = sorted(folder.glob("*.html"))
    assert {"segmentos", "modelo", "qualidade"} <= {path.stem for path in files}
    for path in files:
        assert f"Dashboard: {path}\n" in printed
    for board in set(BOARDS) - {path.stem for path in files}:
        assert f"{board}: not drawn, needs " in printed


@pytest.mark.longo
@pytest.mark.parametrize("board", BOARDS)
def test_every_chart_is_drawn_without_an_error_or_an_outside_request(rendered, board):
    folder, printed = rendered
    path = folder / f"{board}.html"
    if not path.exists():
        # its tables belong to another part of the project; it is named as such
        assert f"{board}: not drawn, needs " in printed
        return
    with page_of(path) as page:
        found = page.evaluate(DRAWN)
        assert page.errors() == []
        assert page.outside() == []
    charts = yaml.safe_load((CHARTS / f"{board}.yml").read_text())["charts"]
    assert set(found) == set(charts)
    for name, chart in charts.items():
        drawn = found[name]
        assert drawn["width"] > 100 and drawn["height"] > 40, name
        assert chart.get("title", chart.get("label")) in drawn["text"], name
        if chart["type"] not in ("kpi", "table"):
            assert drawn["marks"] > 3, name


@pytest.mark.longo
def test_the_numbers_are_those_of_the_mart_in_brazilian_format(rendered, sample):
    folder, _ = rendered
    with page_of(folder / "segmentos.html") as page:
        charts = page.evaluate(DRAWN)
    customers, revenue, vips = sample.rows(
        """
        select
            count(*) filter (frequencia > 0),
            cast(round(sum(valor)) as bigint),
            count(*) filter (segmento_rfv_id = 'vip')
        from cluster_clientes
        """
    )[0]
    assert f"{customers:,}".replace(",", ".") in charts["k_clientes"]["text"]
    assert "R$" in charts["k_receita"]["text"]
    assert f"{revenue:,}".replace(",", ".") in charts["k_receita"]["text"]
    assert str(vips) in charts["k_vips"]["text"]
    assert "01/01/2026" in charts["k_receita"]["text"]
    best = sample.value("select id_cliente from cluster_clientes order by valor desc")
    assert best in charts["melhores"]["text"]
