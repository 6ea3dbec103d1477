"""The Insiders programme end to end: sample, package, real data, browser."""

import hashlib
import re
import shutil

import duckdb
import pytest
import yaml
from browser import page_of
from conftest import QUICK, ROOT, Dbt

from segmentacao.report.__main__ import main

INSIDERS = [
    "+insiders_relatorio",
    "+insiders_clientes",
    "+insiders_perfil",
    "+qualidade_vendas",
]
# everything in the tables that does not name the run
TABLES = {
    "insiders_clientes": "id_cliente",
    "insiders_perfil": "posicao",
    "insiders_relatorio": "pergunta, item",
}


IGNORED = shutil.ignore_patterns("dbt_packages", "target", "logs", "*.duckdb")


def contents(project):
    return {
        table: project.rows(
            f"select * exclude (run_id, calculado_em) from {table} order by {order}"
        )
        for table, order in TABLES.items()
    }


@pytest.mark.dbt
def test_the_sample_has_a_programme(sample):
    customers, revenue = sample.rows(
        """
        select participacao_clientes, participacao_receita
        from insiders_perfil where is_insiders
        """
    )[0]
    assert 0.05 < customers < 0.16
    assert 0.40 < revenue < 0.65
    names = [n for (n,) in sample.rows("select grupo from insiders_perfil order by 1")]
    assert "Insiders" in names and len(names) == len(set(names))


@pytest.mark.dbt
def test_the_hold_out_depends_on_the_customer_and_the_salt_alone(sample):
    rows = sample.rows("select id_cliente, is_controle from insiders_clientes")
    for customer, held_out in rows:
        digits = hashlib.md5(f"{customer}:insiders".encode()).hexdigest()[:7]
        assert held_out == (int(digits, 16) / 16**7 < 0.1), customer
    assert 0.07 < sum(held_out for _, held_out in rows) / len(rows) < 0.13


@pytest.mark.dbt
@pytest.mark.longo
def test_past_groups_do_not_know_the_future(sample, tmp_path):
    # forget all sales from the previous date on: its groups stay as they were
    project = Dbt(tmp_path)
    project.build(
        "--select",
        "+ml_insiders_membros",
        "--indirect-selection",
        "cautious",
        variables=QUICK
        | {
            "dt_ref": "2025-07-01",
            "insiders_espaco": "rfv_log",
            "insiders_algoritmo": "kmeans",
            "insiders_k_fixo": sample.value(
                "select k from ml_insiders_escolha where is_escolhido"
            ),
        },
    )
    groups = """
        select id_cliente, grupo, is_insider, valor from ml_insiders_membros
        where dt_ref = date '2025-07-01' order by 1
    """
    assert sample.value(
        "select espaco || algoritmo from ml_insiders_escolha where is_escolhido"
    ) == ("rfv_logkmeans")
    assert project.rows(groups) == sample.rows(groups)


@pytest.mark.dbt
def test_the_order_of_the_members_changes_no_number(sample_copy):
    views = [f"insiders_relatorio__{part}" for part in ("grupo", "regra", "saida")]
    before = [set(sample_copy.rows(f"from {view}")) for view in views]
    with duckdb.connect(str(sample_copy.database)) as connection:
        connection.execute(
            """
            create table outra_ordem as
                select * from ml_insiders_membros order by md5(id_cliente::varchar);
            drop table ml_insiders_membros;
            alter table outra_ordem rename to ml_insiders_membros
            """
        )
    assert [set(sample_copy.rows(f"from {view}")) for view in views] == before


@pytest.mark.dbt
@pytest.mark.longo
def test_row_order_and_threads_change_no_number(sample, tmp_path):
    shuffled = tmp_path / "shuffled.csv"
    with duckdb.connect() as connection:
        connection.execute("select setseed(0.3)")
        connection.execute(
            f"""
            copy (select * from read_csv('{ROOT}/seeds/amostra_vendas.csv',
                all_varchar = true) order by random()) to '{shuffled}'
            """
        )
    project = Dbt(tmp_path, threads=1)
    project.build(
        "--select",
        *INSIDERS,
        "--indirect-selection",
        "cautious",
        variables=QUICK | {"vendas": f"read_csv('{shuffled}', all_varchar = true)"},
    )
    assert contents(project) == contents(sample)


@pytest.mark.dbt
@pytest.mark.longo
def test_a_short_history_says_which_answers_need_more(tmp_path, capsys):
    project = Dbt(tmp_path)
    # four months of sales
    project.build(
        "--select",
        *INSIDERS,
        "--indirect-selection",
        "cautious",
        variables=QUICK | {"dt_ref": "2024-11-01"},
    )
    silent = {
        question
        for (question,) in project.rows(
            """
            select distinct pergunta from insiders_relatorio
            where situacao = 'historico insuficiente'
            """
        )
    }
    assert silent == {5, 6, 7, 8}
    target = tmp_path / "relatorio.html"
    assert main(["--banco", str(project.database), "--saida", str(target)]) == 0
    page = target.read_text("utf-8")
    for question in (5, 6, 7, 8):
        answer = page.split(f'id="pergunta-{question}"')[1].split("<h3")[0]
        assert "Histórico insuficiente" in answer
    assert "a janela ainda não está completa" in page


@pytest.mark.dbt
@pytest.mark.longo
@pytest.mark.parametrize("folder", ["", "integration_tests"])
def test_a_var_switches_it_off(tmp_path, folder):
    # a host's own vars count as those of the command line do
    project = tmp_path / "project"
    if folder:
        shutil.copytree(ROOT / folder, project, ignore=IGNORED)
        settings = yaml.safe_load((project / "dbt_project.yml").read_text())
        settings["vars"]["insiders_ativo"] = False
        (project / "dbt_project.yml").write_text(yaml.safe_dump(settings))
        (project / "packages.yml").write_text(f"packages:\n  - local: {ROOT}\n")
        host, variables = Dbt(tmp_path, project=project), {}
        assert host.run("deps", AMOSTRA="x").returncode == 0
    else:
        host, variables = Dbt(tmp_path), {"insiders_ativo": False}
    done = host.run("ls", variables=variables, AMOSTRA="x")
    assert done.returncode == 0, done.stdout[-2000:]
    nodes = done.stdout
    assert "cluster_clientes" in nodes
    assert "feat_comportamento" not in nodes
    built = [
        line
        for line in nodes.splitlines()
        if re.search(r"\.(ml_)?insiders_", line) and "rotulos_insiders" not in line
    ]
    assert built == []


def example(name, folder, **more):
    variables = yaml.safe_load((ROOT / f"examples/{name}.yml").read_text())
    return {
        key: value.replace('{{ env_var("DADOS") }}', str(folder))
        if isinstance(value, str)
        else value
        for key, value in {**variables, **QUICK, **more}.items()
    }


@pytest.fixture(scope="module")
def online_retail(real_data, tmp_path_factory):
    """Return Online Retail, 12 months, by the rules of the published table."""
    project = Dbt(tmp_path_factory.mktemp("online_retail"))
    project.build(
        "--select",
        *INSIDERS,
        "--exclude",
        "resource_type:seed,amostra_vendas test_type:unit",
        "--indirect-selection",
        "cautious",
        variables=example("online_retail_insiders", real_data),
    )
    return project


@pytest.mark.dados
@pytest.mark.dbt
@pytest.mark.longo
def test_online_retail_finds_what_others_published(online_retail):
    customers, revenue = online_retail.rows(
        """
        select participacao_clientes, participacao_receita
        from insiders_perfil where is_insiders
        """
    )[0]
    # independent solutions found 10-13 % of customers with 44-61 % of revenue
    assert 0.08 <= customers <= 0.16
    assert 0.40 <= revenue <= 0.65


@pytest.mark.dados
@pytest.mark.dbt
@pytest.mark.longo
def test_online_retail_is_judged_out_of_time_beside_the_baseline(online_retail):
    groups = dict(
        online_retail.rows(
            """
            select grupo, valor from insiders_relatorio
            where pergunta = 8 and medida = 'receita_seguinte_media'
                and dt_ref = date '2011-06-10'
            """
        )
    )
    assert sorted(groups) == ["demais", "insiders", "mais_valiosos", "sorteio"]
    # the plain list is ahead by a little here, and stands there all the same
    assert groups["mais_valiosos"] > groups["insiders"] > 10 * groups["demais"]
    # recomputed from the lines, without the project's features
    members = online_retail.value(
        """
        select avg(coalesce(receita, 0)) from ml_insiders_membros as membros
        left join (
            select id_cliente, sum(valor_venda) as receita from stg_vendas
            where data_venda >= date '2011-06-10' and data_venda < date '2011-12-10'
                and (is_compra or is_devolucao)
            group by 1
        ) as depois on membros.id_cliente = depois.id_cliente
        where is_insider and dt_ref = date '2011-06-10'
        """
    )
    assert groups["insiders"] == pytest.approx(float(members))


@pytest.mark.dados
@pytest.mark.dbt
@pytest.mark.longo
def test_complete_journey_needs_no_special_case(real_data, tmp_path):
    project = Dbt(tmp_path)
    project.build(
        "--select",
        *INSIDERS,
        "--exclude",
        "resource_type:seed,amostra_vendas test_type:unit",
        "--indirect-selection",
        "cautious",
        variables=example("complete_journey", real_data),
    )
    asked = project.rows("select distinct pergunta from insiders_relatorio order by 1")
    assert [q for (q,) in asked] == list(range(1, 10))
    target = tmp_path / "relatorio.html"
    assert main(["--banco", str(project.database), "--saida", str(target)]) == 0


# ---------------------------------------------------------------------- browser


@pytest.mark.dbt
@pytest.mark.longo
def test_the_report_opens_in_a_browser_and_asks_for_nothing(sample, tmp_path):
    target = tmp_path / "relatorio.html"
    assert main(["--banco", str(sample.database), "--saida", str(target)]) == 0
    with page_of(target) as page:
        assert page.errors() == []
        assert page.outside() == []
        assert (
            page.evaluate("document.querySelectorAll('h3[id^=pergunta]').length") == 9
        )
        drawn = """
            [...document.querySelectorAll('figure img, figure svg[role=img]')]
            .filter(i => i.getBoundingClientRect().height > 60).length
        """
        assert page.evaluate(drawn) == 9
        whole = "[...document.images].every(i => i.complete && i.naturalWidth > 100)"
        assert page.evaluate(whole) is True
        # nothing sticks out at the side, on a desk or on a phone
        overflow = "document.documentElement.scrollWidth - window.innerWidth"
        assert page.evaluate(overflow) <= 0
        page.call(
            "Emulation.setDeviceMetricsOverride",
            width=390,
            height=800,
            deviceScaleFactor=1,
            mobile=True,
        )
        assert page.evaluate(overflow) <= 0


@pytest.mark.dbt
@pytest.mark.longo
def test_the_browser_test_sees_errors_and_requests(tmp_path):
    bad = tmp_path / "bad.html"
    bad.write_text(
        "<img src='http://127.0.0.1:9/x.png'><script>throw new Error('x')</script>"
    )
    with page_of(bad) as page:
        assert page.errors() != []
        assert page.outside() == ["http://127.0.0.1:9/x.png"]
