"""Impossible settings are refused with parameter, value and allowed range."""

import pytest
import yaml
from conftest import ROOT
from dbt.cli.main import dbtRunner

pytestmark = pytest.mark.dbt


@pytest.fixture(scope="module")
def checa_config(tmp_path_factory):
    """Return a function that runs the check and returns what it says.

    dbt parses the project once; each call brings its own vars.
    """
    folder = tmp_path_factory.mktemp("settings")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        patch.setenv("SEGMENTACAO_DB", str(folder / "warehouse.duckdb"))
        patch.setenv("DBT_TARGET_PATH", str(folder / "target"))
        patch.setenv("DBT_LOG_PATH", str(folder / "logs"))
        patch.setenv("DBT_SEND_ANONYMOUS_USAGE_STATS", "false")
        manifest = dbtRunner().invoke(["--quiet", "parse"]).result

        def check(variables):
            command = ["--quiet", "run-operation", "checa_config"]
            command += ["--vars", yaml.safe_dump(variables)]
            said = []
            runner = dbtRunner(
                manifest=manifest, callbacks=[lambda event: said.append(event.info.msg)]
            )
            done = runner.invoke(command)
            return "" if done.success else " ".join(" ".join(said).split())

        yield check


def test_the_defaults_are_possible(checa_config):
    assert checa_config({}) == ""


@pytest.mark.parametrize(
    "variables",
    [
        {"dt_ref": "2025-03-01", "janela_meses": 12},
        {"rfv_k_fixo": 2, "categoria_k_fixo": 10},
        {"formato_data": ["%d/%m/%Y", "%Y-%m-%d"], "formato_numero": "brasileiro"},
        {"participacao_minima": 0, "preco_minimo": 0.04},
        {"modelo_em_vigor": {"rfv": "rfv-1"}, "jaccard_minimo": 0},
        {"insiders_janela_meses": None, "insiders_espaco": "pca"},
        {"insiders_ativo": False, "insiders_k_fixo": 15},
    ],
)
def test_possible_settings_pass(checa_config, variables):
    assert checa_config(variables) == ""


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"janela_meses": 0}, "Var janela_meses is 0, allowed: 1 to 120."),
        ({"janela_meses": "seis"}, "Var janela_meses is seis, allowed: 1 to 120."),
        (
            {"janela_meses": 1.5},
            "Var janela_meses is 1.5, allowed: a whole number, 1 to 120.",
        ),
        (
            {"rfv_k_min": 9},
            "Var rfv_k_min is 9, allowed: at most rfv_k_max, 8.",
        ),
        (
            {"categoria_k_max": 11},
            "Var categoria_k_max is 11, allowed: 2 to 10.",
        ),
        (
            {"rfv_k_fixo": 1},
            "Var rfv_k_fixo is 1, allowed: null, or 2 to rfv_k_max, 8.",
        ),
        (
            {"participacao_minima": 2},
            "Var participacao_minima is 2, allowed: 0 to 0.5.",
        ),
        (
            {"base_valor": "net"},
            "Var base_valor is 'net', allowed: liquido or bruto.",
        ),
        (
            {"dt_ref": "2025-13-01"},
            "Var dt_ref is '2025-13-01', allowed: null, or a date yyyy-mm-dd.",
        ),
        (
            {"dt_ref": "2025-02-30"},
            "Var dt_ref is '2025-02-30', allowed: null, or a date yyyy-mm-dd.",
        ),
        (
            {"fuso": "Sao Paulo"},
            "Var fuso is 'Sao Paulo', allowed: a time zone name such as "
            "America/Sao_Paulo.",
        ),
        (
            {"faixas_no_ajuste": ["ativo", "novo"]},
            "Var faixas_no_ajuste is [novo], allowed: a list of ativo, "
            "compra_unica, sem_categoria.",
        ),
        (
            {"rfv_transformacoes": {"recencia_dias": "log"}},
            "Var rfv_transformacoes.recencia_dias is 'log', allowed: nenhuma or log1p.",
        ),
        (
            {"colunas_vendas": {"data_venda": "d", "valor_venda": "v"}},
            "Var colunas_vendas is without id_cliente, allowed: id_cliente is "
            "required.",
        ),
        (
            {"colunas_vendas": {"id_cliente": "c", "data_venda": "d"}},
            "Var colunas_vendas is without a value, allowed: valor_venda, or "
            "quantidade and preco_unitario.",
        ),
        (
            {
                "cliente_ausente": "anonimo_por_venda",
                "colunas_vendas": {
                    "id_cliente": "c",
                    "data_venda": "d",
                    "valor_venda": "v",
                },
            },
            "Var cliente_ausente is 'anonimo_por_venda' without id_venda, allowed: "
            "recusar, or map id_venda in colunas_vendas.",
        ),
        (
            {"insiders_janela_meses": 0},
            "Var insiders_janela_meses is 0, allowed: 1 to 120.",
        ),
        (
            {"insiders_ativo": "sim"},
            "Var insiders_ativo is 'sim', allowed: True or False.",
        ),
        (
            {"insiders_algoritmo": "umap"},
            "Var insiders_algoritmo is 'umap', allowed: None or kmeans or mistura or "
            "hierarquico or dbscan.",
        ),
        (
            {"insiders_k_max": 16},
            "Var insiders_k_max is 16, allowed: at most insiders_k_comparado, 15.",
        ),
        (
            {"insiders_participacao_minima": 0.3},
            "Var insiders_participacao_minima is 0.3, allowed: at most "
            "insiders_participacao_maxima, 0.2.",
        ),
        (
            {"insiders_k_fixo": 1},
            "Var insiders_k_fixo is 1, allowed: null, or 2 to insiders_k_comparado, "
            "15.",
        ),
        (
            {"insiders_saida_datas": 0},
            "Var insiders_saida_datas is 0, allowed: 1 to 12.",
        ),
        (
            {"insiders_controle_sal": "x'y"},
            "Var insiders_controle_sal is 'x'y', allowed: letters, digits, _ and -.",
        ),
        (
            {"colunas_vendas": {"cliente": "c"}},
            "Var colunas_vendas is cliente, allowed: id_cliente, data_venda,",
        ),
        (
            {"modelo_em_vigor": "rfv-1"},
            "Var modelo_em_vigor is 'rfv-1', allowed: null, or a mapping with the keys "
            "rfv and categoria.",
        ),
        (
            {"modelo_em_vigor": {"rfc": "rfv-1"}},
            "Var modelo_em_vigor is for rfc, allowed: the keys rfv and categoria.",
        ),
        ({"jaccard_minimo": 1.5}, "Var jaccard_minimo is 1.5, allowed: 0 to 1."),
        (
            {"deriva_limites": {"psi": [0.3, 0.1]}},
            "Var deriva_limites.psi is [0.3, 0.1], allowed: two numbers, the first at "
            "most the second.",
        ),
        (
            {"deriva_limites": {"psi": [0.1, 0.3], "centro": 0.2}},
            "Var deriva_limites.centro is 0.2, allowed: two numbers,",
        ),
    ],
)
def test_impossible_settings_are_refused(checa_config, variables, sentence):
    assert sentence in checa_config(variables)
