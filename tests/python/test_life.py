"""The life of a model: rollback, identity, erasure, freshness, what a kill leaves."""

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import duckdb
import pytest
import yaml
from conftest import QUICK, ROOT, Dbt

from segmentacao import backfill

pytestmark = pytest.mark.dbt

LABELS = """
    select id_cliente, cluster, segmento_id, segmento_rfv_id, segmento_categoria_id
    from cluster_clientes order by id_cliente
"""
MART = """
    select * exclude (run_id, calculado_em)
    from cluster_clientes order by id_cliente
"""
# everything that decides the labels, without tests
REFIT = ("run", "--select", "+cluster_clientes")


def ok(done):
    """Fail with the end of dbt's output unless it went well."""
    assert done.returncode == 0, done.stdout[-4000:]
    return done


def test_scoring_an_empty_warehouse_stops_with_a_sentence(dbt):
    done = dbt.run("build", "--selector", "pontuacao", variables=QUICK)
    assert done.returncode != 0
    assert (
        "There is no model to score by: the registry ml_modelos does not exist yet. "
        "Run dbt build once without excluding tag:treino, which trains one."
    ) in done.stdout
    assert dbt.rows("select 1 from information_schema.tables") == []


def test_a_refit_keeps_identities_and_a_pin_takes_it_back(sample, sample_copy):
    before = dict(
        sample.rows("select passo, modelo_id from ml_versoes where is_em_vigor")
    )
    ok(sample_copy.run(*REFIT, variables=QUICK | {"rfv_k_fixo": 5}))
    after = sample_copy.rows(
        """
        select identidade, is_novo, jaccard from ml_segmentos
        where passo = 'rfv' and modelo_id in (
            select modelo_id from ml_versoes where is_em_vigor
        )
        """
    )
    # k went from four to five: most go on, none bears a number twice
    assert len(after) == 5
    assert sum(is_novo for _, is_novo, _ in after) in (1, 2)
    for identity, is_new, jaccard in after:
        assert is_new == (jaccard is None or jaccard < 0.5)
        assert is_new == (int(identity[1:]) > 4)
    assert sample_copy.rows(LABELS) != sample.rows(LABELS)

    pinned = QUICK | {"modelo_em_vigor": before}
    ok(sample_copy.run("run", "--selector", "pontuacao", variables=pinned))
    assert sample_copy.rows(MART) == sample.rows(MART)
    # one date, whatever was run on it and how often
    assert sample_copy.rows(
        "select dt_ref, count(*) from cluster_clientes_historico group by 1"
    ) == [(dt.date(2026, 1, 1), 2000)]

    unknown = QUICK | {"modelo_em_vigor": {"rfv": "rfv-unknown"}}
    done = sample_copy.run("run", "--selector", "pontuacao", variables=unknown)
    assert done.returncode != 0
    assert (
        f"Var modelo_em_vigor.rfv is 'rfv-unknown', allowed: null or {before['rfv']} or"
    ) in done.stdout


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"dt_ref": "2025-10-01"},
            "There is no model to score by: none was trained at or before dt_ref, "
            "the earliest on 2026-01-01",
        ),
        ({"janela_meses": 3}, "Var janela_meses is 3, allowed: 6, with which the"),
    ],
)
def test_no_model_is_used_where_it_does_not_belong(sample_copy, variables, sentence):
    done = sample_copy.run(
        "run",
        "--select",
        "feat_referencias",
        "ml_versoes",
        "ml_modelo_em_vigor",
        variables=QUICK | variables,
    )
    assert done.returncode != 0
    assert sentence in done.stdout


def test_forgotten_customers_leave_every_table(sample_copy):
    forgotten = ["C0001", "C0002", "C0003"]
    before = holders(sample_copy, forgotten)
    assert {"cluster_clientes", "cluster_clientes_historico", "stg_vendas"} <= before
    written = "(select unnest(['C0001', ' C0002 ', 'C0003']) as id_cliente)"
    variables = QUICK | {"clientes_esquecidos": written}

    # a part of the project is enough: no table is left with them
    ok(sample_copy.run("run", "--select", "feat_referencias", variables=variables))
    views = sample_copy.rows("select view_name from duckdb_views()")
    left = holders(sample_copy, forgotten) - {name for (name,) in views}
    assert left == {"amostra_vendas"}
    # another date, so that the history is rid of them at dates it does not write
    ok(
        sample_copy.run(
            "build",
            "--exclude",
            "test_type:unit",
            "tag:treino",
            variables=variables | {"dt_ref": "2026-02-01"},
        )
    )
    # the sale lines themselves are the shop's, and the view on them
    assert holders(sample_copy, forgotten) == {"amostra_vendas", "base_vendas"}
    assert sample_copy.rows(
        "select dt_ref, count(*) from cluster_clientes_historico group by 1 order by 1"
    ) == [(dt.date(2026, 1, 1), 1997), (dt.date(2026, 2, 1), 1997)]


def holders(project: Dbt, customers: list[str]) -> set[str]:
    """Return the relations that hold a customer's id in any text column."""
    found = set()
    with duckdb.connect(str(project.database), read_only=True) as connection:
        columns = connection.execute(
            """
            select table_name, column_name from information_schema.columns
            where data_type = 'VARCHAR' and table_schema = 'main'
            """
        ).fetchall()
        for table, column in columns:
            sql = f'select 1 from "{table}" where trim("{column}") in ? limit 1'
            if connection.execute(sql, [customers]).fetchall():
                found.add(table)
    return found


def test_mlflow_holds_no_customer(sample_copy, tmp_path):
    store = tmp_path / "rastreio"
    store.mkdir()
    variables = {
        "mlflow_uri": f"sqlite:///{store}/mlflow.db",
        "mlflow_artefatos": str(store / "artefatos"),
    }
    ok(sample_copy.run("run", "--select", "ml_rastreio", variables=variables))
    assert sample_copy.rows("select distinct situacao from ml_rastreio") == [
        ("registrado",)
    ]
    ids = [
        value.encode()
        for (value,) in sample_copy.rows("select id_cliente from cluster_clientes")
    ]
    contents = dict(unpacked(store))
    assert {Path(name).suffix for name in contents} >= {".db", ".png", ".skops"}
    # a positive control: the search would find one
    assert any(b"segmentacao_rfv" in content for content in contents.values())
    for name, content in contents.items():
        if not name.endswith(".png"):
            assert not [value for value in ids if value in content], name


def unpacked(folder: Path):
    """Yield every file with its bytes, and what lies inside of zip archives."""
    for file in folder.rglob("*"):
        if file.is_file():
            yield str(file), file.read_bytes()
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as archive:
                    for name in archive.namelist():
                        yield f"{file}!{name}", archive.read(name)


def test_a_late_export_is_seen_before_a_build(tmp_path):
    host = Dbt(tmp_path, project=ROOT / "integration_tests")
    environment = {"AMOSTRA": str(ROOT / "seeds/amostra_vendas.csv")}
    ok(host.run("deps", **environment))
    ok(host.run("source", "freshness", **environment))
    late = host.run(
        "source", "freshness", EXPORTADO_EM="2020-01-01 00:00:00+00", **environment
    )
    assert late.returncode == 1
    assert "ERROR STALE" in late.stdout


# Minutes long ------------------------------------------------------------------------


@pytest.mark.longo
def test_twenty_seeds_and_row_orders_change_no_name(sample, sample_copy):
    expected = sample.rows(LABELS)
    for seed in range(1, 21):
        shuffled = (
            "(select * from main.amostra_vendas order by "
            f"hash(id_venda || id_linha || '{seed}'))"
        )
        ok(
            sample_copy.run(
                *REFIT, variables=QUICK | {"semente": seed, "vendas": shuffled}
            )
        )
        assert sample_copy.rows(LABELS) == expected, seed


@pytest.mark.longo
def test_back_fill_gives_what_a_run_on_that_day_would_have(tmp_path):
    dates = [dt.date(2025, 7, 1), dt.date(2025, 8, 31)]
    later = Dbt(tmp_path / "later")
    then = Dbt(tmp_path / "then")
    for project in (later, then):
        project.folder.mkdir()
    ok(later.run("seed"))
    *past, (_, current) = backfill.commands(dates, refit_every=2, variables=QUICK)
    for _, line in past:
        ok(later.run(*without_vars(line), variables=vars_of(line)))
    for date, train in zip(dates, (True, False), strict=True):
        # the file as it was on that day
        lines = f"""(
            select *
            from read_csv('{ROOT}/seeds/amostra_vendas.csv', all_varchar = true)
            where coalesce(try_cast(data_venda as date) < date '{date}', true)
        )"""
        then.build(
            *([] if train else ["tag:treino"]),
            variables=QUICK | {"vendas": lines, "dt_ref": str(date)},
        )
    for table in backfill.HISTORY:
        rows = f"select * exclude (run_id, calculado_em) from {table} order by all"
        assert later.rows(rows) == then.rows(rows), table
    assert later.value("select count(distinct dt_ref) from monitor_deriva") == 2
    assert later.rows("from information_schema.tables where table_name = 'x'") == []
    assert not later.rows(
        "select 1 from information_schema.tables where table_name = 'cluster_clientes'"
    )
    # scoring publishes what there is: nobody has built the Insiders yet
    ok(later.run(*without_vars(current), variables=vars_of(current)))
    assert {file.stem for file in (later.folder / "publicado").iterdir()} == {
        "ativacao_clientes",
        "cluster_clientes",
        "cluster_clientes_historico",
        "migracao_clusters",
        "monitor_deriva",
        "perfil_clusters",
        "qualidade_vendas",
        "segmentos_transicao",
    }


def without_vars(line: list[str]) -> list[str]:
    """Return a dbt command without its vars."""
    place = line.index("--vars")
    return line[:place] + line[place + 2 :]


def vars_of(line: list[str]) -> dict:
    """Return the vars of a dbt command."""
    return yaml.safe_load(line[line.index("--vars") + 1])


# in the order in which a build reaches them
KILLED_AT = [
    "stg_vendas",
    "feat_rfv",
    "ml_rfv_kmeans",
    "ml_modelos",
    "ml_pareamento",
    "ml_segmentos",
    "ml_atribuicoes",
    "cluster_clientes__candidato",
]


def start(project: Dbt, *arguments: str, variables: dict) -> subprocess.Popen:
    """Start dbt and return at once."""
    return subprocess.Popen(
        [
            str(Path(sys.executable).with_name("dbt")),
            "--no-use-colors",
            *arguments,
            "--project-dir",
            str(ROOT),
            "--profiles-dir",
            str(ROOT),
            "--log-path",
            str(project.folder / "logs"),
            "--vars",
            yaml.safe_dump(variables),
        ],
        cwd=ROOT,
        env={
            **os.environ,
            "SEGMENTACAO_DB": str(project.database),
            "DBT_TARGET_PATH": str(project.folder / "target"),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


@pytest.mark.longo
@pytest.mark.parametrize("node", KILLED_AT)
def test_a_killed_build_leaves_the_mart_of_the_run_before(sample, sample_copy, node):
    other = QUICK | {"dt_ref": "2025-10-01"}
    build = start(sample_copy, "build", "--exclude", "test_type:unit", variables=other)
    reached = False
    for line in build.stdout:
        if " START " in line and f"model main.{node} " in line:
            reached = True
            os.killpg(build.pid, signal.SIGKILL)
            break
    build.stdout.close()
    assert build.wait() == -signal.SIGKILL
    assert reached
    assert sample_copy.rows(MART) == sample.rows(MART)
    # the next build is clean, and right; of two kills one is followed by scoring
    # alone, which must not take up the half-born version
    if KILLED_AT.index(node) % 2:
        ok(sample_copy.run("build", "--selector", "pontuacao", variables=QUICK))
        assert sample_copy.rows(MART) == sample.rows(MART)
    else:
        sample_copy.build(variables=other)
        assert sample_copy.value("select max(dt_ref) from cluster_clientes") == dt.date(
            2025, 10, 1
        )
    leftovers = sample_copy.rows(
        "select table_name from information_schema.tables where table_name like '%tmp%'"
    )
    assert leftovers == []


@pytest.mark.longo
def test_two_builds_at_once_both_end_well(sample, sample_copy):
    builds = [
        start(sample_copy, "build", "--exclude", "test_type:unit", variables=QUICK)
        for _ in range(2)
    ]
    for build in builds:
        output, _ = build.communicate(timeout=500)
        assert build.returncode == 0, output[-4000:]
    assert sample_copy.rows(MART) == sample.rows(MART)


@pytest.mark.longo
def test_a_reader_sees_a_whole_table_or_is_told_to_wait(sample, sample_copy):
    """What a DuckDB file allows: one writer, or readers, never both.

    A reader who holds the file keeps the build waiting and sees the mart of the
    run before; while a build runs, a reader is refused at once.
    """
    with duckdb.connect(str(sample_copy.database), read_only=True) as reader:
        build = start(
            sample_copy,
            "build",
            "--selector",
            "pontuacao",
            variables=QUICK | {"dt_ref": "2026-02-01"},
        )
        time.sleep(15)
        assert build.poll() is None
        assert reader.execute(MART).fetchall() == sample.rows(MART)
    refused = 0
    while build.poll() is None:
        try:
            dates = sample_copy.rows("select distinct dt_ref from cluster_clientes")
            assert dates in ([(dt.date(2026, 1, 1),)], [(dt.date(2026, 2, 1),)])
            time.sleep(0.2)
        except duckdb.IOException:
            refused += 1
            time.sleep(0.2)
    output = build.stdout.read()
    assert build.returncode == 0, output[-4000:]
    assert refused > 0
    assert sample_copy.rows("select distinct dt_ref from cluster_clientes") == [
        (dt.date(2026, 2, 1),)
    ]
