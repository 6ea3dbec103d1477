"""Publishing: whole or not at all, types kept, nothing lost that hangs on a table."""

from __future__ import annotations

import datetime
import decimal
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
import yaml
from conftest import QUICK, ROOT
from servers import ESCAPED, PASSWORD, free_port, postgres

from segmentacao import publish
from segmentacao.publish import PublicationError, to_database, to_parquet

MILLION = 1_000_000
SCHEMA = pa.schema(
    [
        ("dt_ref", pa.date32()),
        ("id_cliente", pa.string()),
        ("cluster", pa.string()),
        ("frequencia", pa.int32()),
        ("linhas", pa.int64()),
        ("valor", pa.decimal128(18, 2)),
        ("margem", pa.float64()),
        ("is_instavel", pa.bool_()),
        ("calculado_em", pa.timestamp("us")),
    ]
)


def customers(n, day="2026-01-01"):
    """Return rows like those of a mart, with the texts that trip up loaders."""
    relation = duckdb.sql(
        f"""
        select
            date '{day}' as dt_ref,
            'c' || i as id_cliente,
            [
                '03-VIPs:Tech', E'com "aspas", vírgula, \\\\N e\\ttab', '', null,
                E'duas\\nlinhas'
            ][cast(i % 5 + 1 as bigint)] as cluster,
            cast(i % 40 as integer) as frequencia,
            cast(i * 10000000000 as bigint) as linhas,
            cast(i / 100 as decimal(18, 2)) as valor,
            case when i % 7 > 0 then i / 7 end as margem,
            i % 2 = 0 as is_instavel,
            timestamp '{day} 10:11:12.131415' as calculado_em
        from range({n}) as t(i)
        """
    )
    return relation.to_arrow_table().cast(SCHEMA)


def reader(table, *, between=None, batch_rows=50_000):
    """Return the table in batches, doing something before each of them."""

    def batches():
        for number, batch in enumerate(table.to_batches(batch_rows)):
            if between is not None:
                between(number)
            yield batch

    return pa.RecordBatchReader.from_batches(table.schema, batches())


@pytest.fixture
def sqlite(tmp_path):
    return f"sqlite:///{tmp_path}/publicado.db"


@pytest.fixture(scope="module")
def server():
    with postgres() as running:
        yield running


@pytest.fixture
def database(server):
    """Return the server, emptied."""
    server.do("drop schema public cascade", "create schema public")
    server.do("drop role if exists leitora", "create role leitora login password 'l'")
    server.do("grant usage on schema public to leitora")
    return server


# Parquet -----------------------------------------------------------------------------


def test_a_file_holds_the_rows_and_their_types(tmp_path):
    path = tmp_path / "publicado" / "clientes.parquet"
    table = customers(1000)
    assert to_parquet(reader(table, batch_rows=300), path) == 1000
    assert pq.read_table(path).equals(table)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_an_empty_table_is_a_file_with_columns_and_no_row(tmp_path):
    path = tmp_path / "vazia.parquet"
    assert to_parquet(reader(customers(0)), path) == 0
    found = duckdb.sql(f"describe from '{path}'").fetchall()
    assert [row[:2] for row in found][:1] + [row[:2] for row in found][5:6] == [
        ("dt_ref", "DATE"),
        ("valor", "DECIMAL(18,2)"),
    ]
    assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(0,)]


def test_a_reader_with_the_old_file_open_goes_on_reading_it(tmp_path):
    path = tmp_path / "clientes.parquet"
    to_parquet(reader(customers(1000)), path)
    with open(path, "rb") as file:
        to_parquet(reader(customers(10, "2026-02-01")), path)
        assert pq.read_table(file).equals(customers(1000))
    assert pq.read_table(path).equals(customers(10, "2026-02-01"))


def test_rows_that_cannot_be_read_leave_the_old_file(tmp_path):
    path = tmp_path / "clientes.parquet"
    to_parquet(reader(customers(1000)), path)

    def fail(number):
        if number == 2:
            raise OSError(28, "No space left on device")

    with pytest.raises(PublicationError, match="No space left.*as it was"):
        to_parquet(reader(customers(1000), between=fail, batch_rows=300), path)
    assert pq.read_table(path).equals(customers(1000))
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_a_killed_run_leaves_the_old_file_and_its_leftover_goes_later(
    tmp_path, monkeypatch
):
    path = tmp_path / "clientes.parquet"
    to_parquet(reader(customers(1000)), path)
    assert killed_in_the_middle(f"to_parquet(rows, Path({str(path)!r}))")
    assert pq.read_table(path).equals(customers(1000))
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(publish, "LEFTOVER_SECONDS", -1)
    to_parquet(reader(customers(10)), path)
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def killed_in_the_middle(call):
    """Run a publication of a million rows in a process that kills itself half way."""
    script = f"""
        import os, signal, sys
        from pathlib import Path
        sys.path.insert(0, {str(ROOT / "tests/python")!r})
        from test_publish import MILLION, customers, reader
        from segmentacao.publish import to_database, to_parquet

        def die(number):
            if number == 10:
                os.kill(os.getpid(), signal.SIGKILL)

        rows = reader(customers(MILLION, "2030-01-01"), between=die)
        {call}
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=120)
    return done.returncode == -signal.SIGKILL


# SQLite ------------------------------------------------------------------------------


def test_sqlite_keeps_rows_views_and_what_was_there_before(sqlite):
    to_database(reader(customers(1000)), "clientes", sqlite)
    engine = sa.create_engine(sqlite)
    with engine.begin() as connection:
        connection.exec_driver_sql("create view v as select sum(valor) s from clientes")
    assert to_database(reader(customers(2000)), "clientes", sqlite) == 2000
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select * from v").scalar() == 19990.0
        sums = connection.exec_driver_sql(
            "select count(*), count(cluster), sum(cluster = ''), min(dt_ref) "
            "from clientes"
        ).one()
    assert tuple(sums) == (2000, 1600, 400, "2026-01-01")
    types = {
        c["name"]: str(c["type"]) for c in sa.inspect(engine).get_columns("clientes")
    }
    assert types["valor"] == "NUMERIC(18, 2)"
    assert types["dt_ref"] == "DATE"


def test_sqlite_readers_read_the_old_rows_until_the_new_are_complete(sqlite):
    to_database(reader(customers(1000)), "clientes", sqlite)
    engine = sa.create_engine(sqlite)
    seen = []

    def look(number):
        with engine.connect() as connection:
            seen.append(
                connection.exec_driver_sql("select count(*) from clientes").scalar()
            )

    to_database(reader(customers(200_000), between=look), "clientes", sqlite)
    assert set(seen) == {1000} and len(seen) >= 4
    look(None)
    assert seen[-1] == 200_000


@pytest.mark.longo
def test_sqlite_survives_a_kill_with_the_old_rows(sqlite):
    to_database(reader(customers(1000)), "clientes", sqlite)
    assert killed_in_the_middle(f"to_database(rows, 'clientes', {sqlite!r})")
    with sa.create_engine(sqlite).connect() as connection:
        found = connection.exec_driver_sql("select count(*), max(dt_ref) from clientes")
        assert tuple(found.one()) == (1000, "2026-01-01")


@pytest.mark.longo
def test_a_kill_during_the_first_publication_leaves_no_empty_table(sqlite):
    assert killed_in_the_middle(f"to_database(rows, 'clientes', {sqlite!r})")
    assert not sa.inspect(sa.create_engine(sqlite)).has_table("clientes")


def test_new_columns_are_added_and_old_ones_stay(sqlite):
    to_database(reader(customers(10).drop(["valor"])), "clientes", sqlite)
    to_database(reader(customers(20).drop(["margem"])), "clientes", sqlite)
    with sa.create_engine(sqlite).connect() as connection:
        found = connection.exec_driver_sql(
            "select count(*), count(valor), count(margem) from clientes"
        )
        assert tuple(found.one()) == (20, 20, 0)


def test_a_column_of_another_type_is_refused_by_name(sqlite):
    with sa.create_engine(sqlite).begin() as connection:
        connection.exec_driver_sql("create table clientes (valor text)")
        connection.exec_driver_sql("insert into clientes values ('x')")
    with pytest.raises(PublicationError, match="column valor .* is TEXT, .*NUMERIC"):
        to_database(reader(customers(10)), "clientes", sqlite)
    with sa.create_engine(sqlite).connect() as connection:
        assert connection.exec_driver_sql("select valor from clientes").scalar() == "x"


@pytest.mark.parametrize(
    ("column", "kind"), [("valor", "numeric(18, 1)"), ("margem", "real")]
)
def test_a_column_that_would_round_is_refused_by_name(sqlite, column, kind):
    with sa.create_engine(sqlite).begin() as connection:
        connection.exec_driver_sql(f"create table clientes ({column} {kind})")
    with pytest.raises(PublicationError, match=f"column {column} of the published"):
        to_database(reader(customers(10)), "clientes", sqlite)


def test_a_column_that_no_database_holds_is_refused_by_name(sqlite):
    table = pa.table({"lista": [[1, 2]]})
    with pytest.raises(PublicationError, match="column lista is of type list"):
        to_database(reader(table), "clientes", sqlite)


@pytest.mark.parametrize(
    "address",
    [
        "segredo",
        "segredo://",
        "postgresql://eu:segredo@banco:porta/x",
        "naoexiste://u:segredo@x",
    ],
)
def test_an_address_nobody_can_read_is_not_repeated(address):
    with pytest.raises(PublicationError, match="SQLAlchemy can read") as caught:
        to_database(reader(customers(1)), "clientes", address)
    assert "segredo" not in str(caught.value)
    assert caught.value.__suppress_context__


# PostgreSQL --------------------------------------------------------------------------


def test_the_text_of_copy_is_written_as_the_manual_says():
    table = pa.table(
        {
            "texto": ["a\tb", "\\N", "", None, "x\r\ny"],
            "valor": pa.array([1, None, -2, 0, 3], pa.decimal128(5, 2)),
            "dia": pa.array([0, 1, None, 2, 3], pa.date32()),
        }
    )
    # sliced, as batches may be: neighbours must not leak in
    [batch] = table.to_batches()
    assert publish.copy_text(batch.slice(1, 4)).decode() == (
        "\\\\N\t\\N\t1970-01-02\n"
        "\t-2.00\t\\N\n"
        "\\N\t0.00\t1970-01-03\n"
        "x\\r\\ny\t3.00\t1970-01-04\n"
    )
    assert publish.copy_text(batch.slice(0, 0)) == b""


@pytest.mark.longo
def test_postgres_keeps_types_and_every_value(database):
    table = customers(1000)
    to_database(reader(table), "cluster_clientes", database.url())
    types = database.rows(
        """
        select column_name, data_type, numeric_precision, numeric_scale
        from information_schema.columns where table_name = 'cluster_clientes'
        order by ordinal_position
        """
    )
    assert [row[1] for row in types] == [
        "date",
        "text",
        "text",
        "integer",
        "bigint",
        "numeric",
        "double precision",
        "boolean",
        "timestamp without time zone",
    ]
    assert types[5][2:] == (18, 2)
    found = database.rows("select * from cluster_clientes")
    assert found == [tuple(row.values()) for row in table.to_pylist()]
    assert found[100][0] == datetime.date(2026, 1, 1)
    assert found[123][5] == decimal.Decimal("1.23")


@pytest.mark.longo
def test_postgres_a_million_rows_under_a_view_with_grants_and_a_reader(database):
    url = database.url()
    to_database(reader(customers(1000)), "cluster_clientes", url)
    database.do(
        "create view por_cluster as select cluster, sum(valor) as receita "
        "from cluster_clientes group by 1",
        "grant select on cluster_clientes to leitora",
    )
    seen = []

    def look(number):
        count = "select count(*) from cluster_clientes"
        seen.append(database.rows(count, user="leitora", password="l")[0][0])

    to_database(reader(customers(MILLION), between=look), "cluster_clientes", url)
    assert set(seen) == {1000} and len(seen) >= 20
    look(None)
    assert seen[-1] == MILLION
    revenue = database.rows("select sum(receita) from por_cluster")[0][0]
    assert revenue == decimal.Decimal("4999995000.00")


@pytest.mark.longo
def test_postgres_survives_a_kill_with_the_old_rows(database):
    url = database.url()
    to_database(reader(customers(1000)), "cluster_clientes", url)
    assert killed_in_the_middle(f"to_database(rows, 'cluster_clientes', {url!r})")
    found = database.rows("select count(*), max(dt_ref) from cluster_clientes")
    assert found == [(1000, datetime.date(2026, 1, 1))]
    # and the dead session holds no lock on it
    assert to_database(reader(customers(5)), "cluster_clientes", url) == 5


@pytest.mark.longo
def test_postgres_two_publications_at_once_do_not_double_the_rows(database):
    url = database.url()
    to_database(reader(customers(10)), "cluster_clientes", url)
    other = threading.Thread(
        target=to_database, args=(reader(customers(500)), "cluster_clientes", url)
    )

    def start_the_other(number):
        if number == 0:
            other.start()
            # until it waits for this one, which has emptied the table already
            waiting = (
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
            )
            end = time.monotonic() + 10
            while database.rows(waiting) == [(0,)] and time.monotonic() < end:
                time.sleep(0.05)

    rows = reader(customers(1000), between=start_the_other, batch_rows=100)
    to_database(rows, "cluster_clientes", url)
    other.join()
    assert database.rows("select count(*) from cluster_clientes") == [(500,)]


@pytest.mark.longo
def test_postgres_a_value_that_is_refused_leaves_the_old_rows(database):
    url = database.url()
    to_database(reader(customers(10)), "cluster_clientes", url)
    database.do("alter table cluster_clientes alter valor type numeric(4, 2)")
    with pytest.raises(PublicationError, match="numeric field overflow.*as it was"):
        to_database(reader(customers(MILLION)), "cluster_clientes", url)
    assert database.rows("select count(*) from cluster_clientes") == [(10,)]


@pytest.mark.longo
def test_a_database_that_does_not_answer_is_one_sentence():
    address = f"postgresql://eu:{ESCAPED}@127.0.0.1:{free_port()}/banco"
    with pytest.raises(PublicationError, match="[Cc]onnection refused") as caught:
        to_database(reader(customers(10)), "cluster_clientes", address)
    assert PASSWORD not in str(caught.value) and ESCAPED not in str(caught.value)


# The nodes ---------------------------------------------------------------------------


def build_publication(project, *arguments, **environment):
    command = ("build", "--select", "models/publicado", *arguments)
    return project.run(*command, variables=QUICK, **environment)


def traces(project):
    """Return everything that dbt left behind as text, but the warehouse."""
    files = [p for p in project.folder.rglob("*") if p.suffix not in {".duckdb"}]
    return "".join(
        path.read_bytes().decode("utf-8", "replace") for path in files if path.is_file()
    )


def _published_marts() -> list[str]:
    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    return project["vars"]["marts_publicados"]


def test_a_build_publishes_each_mart_as_parquet(sample):
    folder = sample.folder / "publicado"
    published = {path.stem for path in folder.glob("*.parquet")}
    assert published == set(_published_marts())
    for mart in published:
        rows = duckdb.sql(f"select * from '{folder}/{mart}.parquet' order by all")
        assert rows.fetchall() == sample.rows(f"select * from {mart} order by all")


def test_what_is_public_is_published_and_has_a_model_of_its_own():
    listed = _published_marts()
    models = {path.stem for path in (ROOT / "models/publicado").glob("pub_*.sql")}
    assert models == {f"pub_{mart}" for mart in listed}
    described = yaml.safe_load((ROOT / "models/marts/_marts__models.yml").read_text())
    public = {m["name"] for m in described["models"] if m.get("access") == "public"}
    assert public == set(listed)


def test_a_red_test_upstream_leaves_every_publication(sample_copy):
    assert build_publication(sample_copy).returncode == 0
    folder = sample_copy.folder / "publicado"
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert len(before) == len(_published_marts())
    broken = "(select * from main.rotulos_rfv where papel <> 'churn')"
    done = sample_copy.run(
        *("build", "--exclude", "test_type:unit", "--select"),
        "ml_perfis_rfv+",
        # nothing is wrong with this one, and yet it has to wait
        "qualidade_vendas+",
        variables=QUICK | {"rotulos_rfv": broken},
    )
    assert done.returncode == 1
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.longo
def test_an_empty_run_publishes_nothing(sample_copy):
    assert build_publication(sample_copy, "--empty").returncode == 0
    assert not (sample_copy.folder / "publicado").exists()


@pytest.mark.longo
def test_a_build_publishes_to_a_database_too(sample_copy):
    url = f"sqlite:///{sample_copy.folder}/bi.db"
    done = build_publication(sample_copy, SEGMENTACAO_PUBLICACAO_URL=url)
    assert done.returncode == 0, done.stdout
    with sa.create_engine(url).connect() as connection:
        found = connection.exec_driver_sql(
            "select count(*), round(sum(valor), 2) from cluster_clientes"
        ).one()
    expected = sample_copy.rows("select count(*), sum(valor) from cluster_clientes")[0]
    assert tuple(found) == (expected[0], float(expected[1]))


@pytest.mark.longo
def test_a_wrong_password_is_told_in_one_sentence_and_printed_nowhere(
    sample_copy, database
):
    url = database.url()
    right = {"SEGMENTACAO_PUBLICACAO_URL": url}
    wrong = {"SEGMENTACAO_PUBLICACAO_URL": url.replace(ESCAPED, "outra%2Fsenha")}
    assert build_publication(sample_copy, **right).returncode == 0
    before = database.rows("select * from cluster_clientes order by id_cliente")
    assert len(before) == 2000
    done = build_publication(sample_copy, "--debug", **wrong)
    assert done.returncode == 1
    assert "Cannot publish cluster_clientes to postgresql://127.0.0.1" in done.stdout
    assert "password authentication failed" in done.stdout
    for text in (done.stdout, done.stderr, traces(sample_copy)):
        for secret in (PASSWORD, ESCAPED, "outra/senha", "outra%2Fsenha"):
            assert secret not in text
    assert database.rows("select * from cluster_clientes order by id_cliente") == before
    done = sample_copy.run("debug", **right)
    assert ESCAPED not in done.stdout and PASSWORD not in done.stdout


@pytest.mark.longo
def test_psql_reads_the_mart_with_its_types(sample_copy, database):
    url = database.url()
    done = build_publication(sample_copy, SEGMENTACAO_PUBLICACAO_URL=url)
    assert done.returncode == 0, done.stdout
    query = (
        "select pg_typeof(dt_ref), pg_typeof(valor), pg_typeof(frequencia), count(*) "
        "from cluster_clientes group by 1, 2, 3"
    )
    psql = subprocess.run(
        ["psql", database.url(), "-At", "-c", query],
        capture_output=True,
        text=True,
        env={**os.environ, "PGCONNECT_TIMEOUT": "5"},
    )
    assert psql.stdout == "date|numeric|integer|2000\n", psql.stderr
