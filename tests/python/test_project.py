"""The dbt project end to end on the embedded sample."""

import re

import duckdb
import pytest
from conftest import QUICK, ROOT, Dbt

from segmentacao.sample import build_sample

pytestmark = pytest.mark.dbt

# everything in the mart that does not name the run
MART = """
    select * exclude (run_id, calculado_em)
    from cluster_clientes order by id_cliente
"""


def test_the_unit_tests_of_the_models_pass(sample_copy):
    done = sample_copy.run("test", "--select", "test_type:unit", variables=QUICK)
    assert done.returncode == 0, done.stdout[-4000:]
    assert int(re.search(r"Finished running .*?(\d+) unit tests", done.stdout)[1]) >= 42


def test_every_planted_dirty_line_is_refused_with_its_reason(sample):
    planted = {kind: n for kind, n in build_sample().planted.items() if n}
    refused = dict(
        sample.rows("select motivo, count(*) from stg_vendas_rejeitadas group by 1")
    )
    assert refused == planted


def test_lines_kept_and_refused_are_all_lines_of_the_file(sample):
    lines = len((ROOT / "seeds/amostra_vendas.csv").read_text().splitlines()) - 1
    assert sample.value("select sum(linhas) from qualidade_vendas") == lines


def test_four_classic_names_with_their_ranks(sample):
    names = sample.rows(
        "select rotulo from ml_nomes_em_vigor where passo = 'rfv' order by ordem"
    )
    assert [name for (name,) in names] == [
        "01-Frequentes de Baixo Valor",
        "02-Frequentes de Medio Valor",
        "03-VIPs/Alta Receita",
        "04-Risco churn",
    ]


def test_every_label_has_its_format(sample):
    labels = [label for (label,) in sample.rows("select cluster from perfil_clusters")]
    pattern = r"\d\d-[^:]+(:[^:]+)?|Sem compra na janela"
    assert labels and all(re.fullmatch(pattern, label) for label in labels)
    assert "03-VIPs/Alta Receita:Tech_Lovers" in labels


@pytest.mark.parametrize("readme", ["README.md", "README.pt-BR.md"])
def test_the_readme_shows_what_a_build_prints(sample, readme):
    printed = {
        f"{row[0]:<50} {row[1]:>8} {row[2] * 100:>9.1f} {row[3]:>12.0f} {row[4]:>13}"
        for row in sample.rows(
            """
            select cluster, clientes, participacao_receita, recencia_mediana,
                valor_mediano
            from perfil_clusters
            """
        )
    }
    text = (ROOT / readme).read_text().split("```")[1]
    shown = [line for line in text.splitlines() if re.search(r" \d+\.\d\d$", line)]
    assert len(shown) == 6
    assert set(shown) <= printed


def test_vips_are_few_and_bring_much(sample):
    customers, revenue = sample.rows(
        """
        select sum(clientes) / (
                select count(*) from cluster_clientes where frequencia > 0
            ), sum(participacao_receita)
        from perfil_clusters where segmento_rfv_id = 'vip'
        """
    )[0]
    assert 0.05 < customers < 0.15
    assert 0.40 < revenue < 0.60


def test_lanes_follow_their_definitions(sample):
    # recomputed from the lines, without the project's features
    lanes = dict(
        sample.rows(
            """
            with purchases as (
                select
                    id_cliente,
                    count(distinct id_venda) as orders,
                    count(distinct case when data_venda >= date '2025-07-01'
                        then id_venda end) as recent
                from stg_vendas where quantidade > 0 and valor_venda > 0
                group by 1
            )
            select 'sem_compra_na_janela', count(*) from purchases where recent = 0
            union all
            select 'com_compra', count(*) from purchases where recent > 0
            union all
            select 'compra_unica', count(*) from purchases
            where orders = 1 and recent = 1
            """
        )
    )
    mart = dict(sample.rows("select faixa, count(*) from cluster_clientes group by 1"))
    assert mart["sem_compra_na_janela"] == lanes["sem_compra_na_janela"]
    assert sum(mart.values()) - mart["sem_compra_na_janela"] == lanes["com_compra"]
    # one order ever, less those of them without a category
    assert lanes["compra_unica"] - mart["sem_categoria"] <= mart["compra_unica"]
    assert mart["compra_unica"] <= lanes["compra_unica"]


def test_chosen_k_and_motive_are_one_per_step(sample):
    chosen = dict(
        sample.rows("select passo, k from ml_escolha_k where is_escolhido order by 1")
    )
    assert chosen == {"categoria": 5, "rfv": 4}
    ks = sample.rows("select passo, min(k), max(k) from ml_escolha_k group by 1")
    assert sorted(ks) == [("categoria", 2, 10), ("rfv", 2, 8)]


def test_building_twice_changes_nothing_but_the_run(sample, sample_copy):
    versions = sample.rows("select modelo_id, count(*) from ml_modelos group by 1")
    sample_copy.build(variables=QUICK)
    assert sample_copy.rows(MART) == sample.rows(MART)
    assert sorted(
        sample_copy.rows("select modelo_id, count(*) from ml_modelos group by 1")
    ) == sorted(versions)
    run = "select distinct run_id from cluster_clientes"
    assert sample_copy.rows(run) != sample.rows(run)


@pytest.mark.parametrize(("seed", "threads"), [(1, 1), (2, 4)])
def test_row_order_and_threads_change_no_label(sample, tmp_path, seed, threads):
    shuffled = tmp_path / "vendas.csv"
    with duckdb.connect() as connection:
        connection.execute(f"set threads = 1; select setseed(0.{seed})")
        connection.execute(
            f"""
            copy (
                select * from read_csv(
                    '{ROOT}/seeds/amostra_vendas.csv', all_varchar = true
                ) order by random()
            ) to '{shuffled}'
            """
        )
    project = Dbt(tmp_path, threads=threads)
    vendas = f"read_csv('{shuffled}', all_varchar = true)"
    project.build(variables=QUICK | {"vendas": vendas})
    assert project.rows(MART) == sample.rows(MART)


def test_a_red_test_leaves_the_published_mart(sample, sample_copy):
    # names without the part `vip`: its customers would have no label
    broken = "(select * from main.rotulos_rfv where papel <> 'churn')"
    done = sample_copy.run(
        "build",
        "--exclude",
        "test_type:unit",
        variables=QUICK | {"rotulos_rfv": broken},
    )
    assert done.returncode == 1
    for table in ("cluster_clientes", "ml_modelos"):
        rows = f"from {table} order by all"
        assert sample_copy.rows(rows) == sample.rows(rows), table


def test_scoring_without_training_gives_the_same_labels(sample, sample_copy):
    done = sample_copy.run("build", "--selector", "pontuacao", variables=QUICK)
    assert done.returncode == 0, done.stdout[-4000:]
    assert "ml_rfv_kmeans" not in done.stdout
    assert sample_copy.rows(MART) == sample.rows(MART)


def test_brazilian_file_reads_like_the_plain_one(sample, tmp_path):
    source = tmp_path / "vendas.csv"
    with duckdb.connect() as connection:
        text = connection.execute(
            f"""
            select string_agg(concat_ws(';',
                id_venda, id_linha, id_cliente,
                coalesce(strftime(try_cast(data_venda as date), '%d/%m/%Y'),
                    data_venda),
                id_produto, replace(categoria_produto, 'Eletronicos', 'Eletrônicos'),
                replace(quantidade, '.', ','),
                case when try_cast(preco_unitario as double) is null
                    then preco_unitario
                    else 'R$ ' || replace(replace(replace(
                        printf('%,.2f', cast(preco_unitario as double)),
                        ',', '_'), '.', ','), '_', '.') end
            ), chr(10) order by id_venda, id_linha)
            from read_csv('{ROOT}/seeds/amostra_vendas.csv', all_varchar = true,
                nullstr = '#')
            """
        ).fetchone()[0]
    header = "venda;linha;cliente;data;produto;categoria;qtde;preço\n"
    source.write_bytes((header + text).encode("latin-1"))
    project = Dbt(tmp_path)
    project.build(
        "--select",
        "+qualidade_vendas",
        "--indirect-selection",
        "cautious",
        variables={
            "vendas": f"read_csv('{source}', delim = ';', all_varchar = true, "
            "encoding = 'latin-1')",
            "formato_numero": "brasileiro",
            "formato_data": "%d/%m/%Y",
            "colunas_vendas": {
                "id_cliente": "cliente",
                "data_venda": "data",
                "quantidade": "qtde",
                "preco_unitario": '"preço"',
                "id_venda": "venda",
                "id_linha": "linha",
                "id_produto": "produto",
                "categoria_produto": "categoria",
            },
        },
    )
    quality = """
        select situacao, motivo, linhas, clientes, valor from qualidade_vendas
        order by all
    """
    assert project.rows(quality) == sample.rows(quality)
    accented = "select count(*) from stg_vendas where categoria_produto = '{}'"
    assert project.value(accented.format("Eletrônicos")) == sample.value(
        accented.format("Eletronicos")
    )


def test_works_as_a_package_with_other_names(sample, tmp_path):
    host = Dbt(tmp_path, project=ROOT / "integration_tests")
    environment = {"AMOSTRA": str(ROOT / "seeds/amostra_vendas.csv")}
    assert host.run("deps", **environment).returncode == 0
    host.build(variables={"permutacoes": 19, "bootstrap_sorteios": 2}, **environment)
    assert host.value(
        "select count(*) from main_segmentos.cluster_clientes"
    ) == sample.value("select count(*) from cluster_clientes")
    groups = """
        select count(distinct segmento_rfv_id)
        from main_segmentos.cluster_clientes where modelo_rfv_id is not null
    """
    assert host.value(groups) == 5
    seeds = host.rows("select table_name from information_schema.tables")
    assert ("amostra_vendas",) not in seeds


def test_an_impossible_setting_stops_the_run_at_its_start(dbt):
    done = dbt.run("run", "--select", "base_vendas", variables={"janela_meses": 0})
    assert done.returncode != 0
    assert "Var janela_meses is 0, allowed: 1 to 120." in done.stdout
    assert dbt.rows("select 1 from information_schema.tables") == []


def test_a_build_traces_its_fits(sample_copy):
    store = f"sqlite:///{sample_copy.folder}/mlflow.db"
    done = sample_copy.run(
        "run", "--select", "ml_rastreio", variables={"mlflow_uri": store}
    )
    assert done.returncode == 0, done.stdout[-4000:]
    tracked = sample_copy.rows(
        "select passo, situacao, mlflow_run_id, modelo_id from ml_rastreio order by 1"
    )
    assert [row[:2] for row in tracked] == [
        ("categoria", "registrado"),
        ("rfv", "registrado"),
    ]
    assert [row[3] for row in tracked] == [
        model
        for (model,) in sample_copy.rows(
            "select distinct modelo_id from ml_modelo_em_vigor order by 1"
        )
    ]


def test_a_dead_tracking_server_does_not_fail_the_build(sample_copy):
    done = sample_copy.run(
        "run",
        "--select",
        "ml_rastreio",
        variables={"mlflow_uri": "http://127.0.0.1:9"},
    )
    assert done.returncode == 0, done.stdout[-4000:]
    states = sample_copy.rows("select distinct situacao from ml_rastreio")
    assert states == [("indisponivel",)]
