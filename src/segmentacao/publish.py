"""Put a table where people read it: a Parquet file, a table of their database.

Whatever goes wrong, what was published before stays: a file is written beside the
old one and renamed over it, a table is emptied and filled in one transaction. A table
is never dropped, so the views and grants that hang on it stay too.
"""

from __future__ import annotations

import os
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from segmentacao.addresses import redact, safe_address, scheme

if TYPE_CHECKING:
    import sqlalchemy as sa

# Seconds to wait for a connection, and for another publication to end.
CONNECT_TIMEOUT = 10
LOCK_TIMEOUT = 60
# Rows of one insert, where COPY is not to be had.
BATCH_ROWS = 10_000
# A half-written file of a killed run is removed by a later run.
LEFTOVER_SECONDS = 24 * 3600


class PublicationError(Exception):
    """Nothing was published; the text is fit for the user and free of secrets."""


def to_parquet(rows: pa.RecordBatchReader, path: Path) -> int:
    """Write a Parquet file, and only when it is whole put it in the old one's place.

    A reader that has the old file open goes on reading it. A table without rows gives
    a file with its columns and no row.

    Parameters
    ----------
    rows : RecordBatchReader
        The table.
    path : Path
        The file; its folder is made when missing.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    PublicationError
        If the file cannot be written.
    """
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    count = 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        with (
            open(partial, "xb") as file,
            pa.parquet.ParquetWriter(file, rows.schema) as writer,
        ):
            for batch in rows:
                writer.write_batch(batch)
                count += batch.num_rows
        with open(partial, "rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
    except OSError as error:
        raise PublicationError(
            f"cannot write {path} ({error.strerror or error}); the file published "
            "before is as it was"
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return count


def to_database(rows: pa.RecordBatchReader, table: str, address: str) -> int:
    """Replace a database table's rows in one transaction, and load them fast.

    The table is made when it is missing, with the types of the columns: DECIMAL stays
    numeric, DATE stays date. When it is there, its rows are deleted and the new ones
    loaded in the same transaction, so that other sessions read the old rows until the
    new ones are complete. Columns that are new are added; columns that the table has
    and `rows` has not stay and are null. PostgreSQL is loaded by COPY, any other
    database by inserts.

    Parameters
    ----------
    rows : RecordBatchReader
        The table. Columns hold numbers, text, booleans, dates or timestamps.
    table : str
        Name of the table.
    address : str
        SQLAlchemy URL of the database.

    Returns
    -------
    int
        Rows loaded.

    Raises
    ------
    PublicationError
        If the rows cannot be loaded; the table is then as it was.
    """
    sqlalchemy = _sqlalchemy(address)
    engine = _engine(address)
    try:
        with warnings.catch_warnings():
            # SQLite keeps decimals as its own kind of number and says so
            warnings.filterwarnings("ignore", ".*does \\*not\\* support Decimal")
            with engine.begin() as connection:
                target = _prepare(connection, table, rows.schema)
                if engine.dialect.name == "postgresql":
                    return _copy(connection, target, rows)
                return _insert(connection, target, rows)
    except PublicationError:
        raise
    except (sqlalchemy.exc.SQLAlchemyError, _driver_errors(engine)) as error:
        raise PublicationError(
            f"cannot publish {table} to {safe_address(address)} "
            f"({_reason(error, address)}); the table published before is as it was"
        ) from None
    finally:
        engine.dispose()


# File --------------------------------------------------------------------------------


def _remove_leftovers(path: Path) -> None:
    """Remove half-written files of killed runs, not one that is in the making."""
    for leftover in path.parent.glob(f".{path.name}.*"):
        if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
            leftover.unlink(missing_ok=True)


# Connection --------------------------------------------------------------------------


def _sqlalchemy(address: str) -> Any:
    try:
        import sqlalchemy

        if scheme(address) == "postgresql":
            import psycopg  # noqa: F401
    except ImportError as error:
        raise PublicationError(
            f"package {error.name} is not installed: pip install "
            "'segmentacao[publicacao]'"
        ) from None
    return sqlalchemy


def _engine(address: str) -> sa.Engine:
    import sqlalchemy as sa

    options: dict[str, Any] = {}
    try:
        url = sa.make_url(address)
        if url.get_backend_name() == "postgresql":
            url = url.set(drivername="postgresql+psycopg")
            options = {"connect_timeout": CONNECT_TIMEOUT}
        elif url.get_backend_name() == "sqlite":
            options = {"timeout": LOCK_TIMEOUT}
        engine = sa.create_engine(
            url, connect_args=options, poolclass=sa.pool.NullPool, hide_parameters=True
        )
    except (sa.exc.ArgumentError, ImportError, ValueError):
        # the message would repeat the address; a malformed one may be all secret
        raise PublicationError(
            "the address of the database is not one that SQLAlchemy can read, such as "
            "postgresql://user:password@host:5432/database, or its driver is not "
            "installed"
        ) from None
    if engine.dialect.name == "sqlite":
        _make_sqlite_transactional(engine)
    return engine


def _make_sqlite_transactional(engine: sa.Engine) -> None:
    """Let CREATE TABLE be part of the transaction, and readers read until its end."""
    import sqlalchemy as sa

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        # spilling pages would lock readers out long before the commit
        connection.execute("pragma cache_spill = off")

    @sa.event.listens_for(engine, "begin")
    def _(connection: sa.Connection) -> None:
        connection.exec_driver_sql("begin immediate")


def _driver_errors(engine: sa.Engine) -> type[BaseException]:
    return engine.dialect.dbapi.Error


def _reason(error: BaseException, address: str) -> str:
    """Say why, without the statement, the data in it, or a secret."""
    cause = getattr(error, "orig", None) or error
    diagnosis = getattr(cause, "diag", None)
    text = getattr(diagnosis, "message_primary", None) or str(cause)
    return redact(" ".join(text.split()), address)[:300]


# Table -------------------------------------------------------------------------------


def _type(field: pa.Field) -> Any:
    """Return the SQLAlchemy type of a column."""
    import sqlalchemy as sa

    kind = field.type
    if pa.types.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    if pa.types.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if pa.types.is_integer(kind):
        bits = kind.bit_width + pa.types.is_unsigned_integer(kind)
        return sa.BigInteger() if bits > 32 else sa.Integer()
    plain = [
        (pa.types.is_date, sa.Date()),
        (pa.types.is_boolean, sa.Boolean()),
        (pa.types.is_floating, sa.Double()),
        (pa.types.is_string, sa.Text()),
        (pa.types.is_large_string, sa.Text()),
    ]
    for is_kind, target in plain:
        if is_kind(kind):
            return target
    raise PublicationError(
        f"column {field.name} is of type {kind}, allowed are numbers, text, booleans, "
        "dates and timestamps"
    )


def _family(kind: Any) -> str:
    """Name what a type holds, so that varchar(20) and text count as the same."""
    import sqlalchemy as sa

    families = [
        (sa.Float, "real"),
        (sa.Boolean, "whole"),
        (sa.Integer, "whole"),
        (sa.Numeric, "decimal"),
        (sa.DateTime, "timestamp"),
        (sa.Date, "date"),
        (sa.String, "text"),
    ]
    return next((name for base, name in families if isinstance(kind, base)), str(kind))


def _loses(found: Any, wanted: Any) -> bool:
    """Tell whether the column there would change values without an error."""
    import sqlalchemy as sa

    if _family(found) != _family(wanted):
        return True
    if _family(wanted) == "decimal" and found.scale is not None:
        return found.scale < wanted.scale
    return isinstance(found, sa.REAL) and not isinstance(wanted, sa.REAL)


def _prepare(connection: sa.Connection, table: str, schema: pa.Schema) -> sa.Table:
    """Make the table, or check and empty the one that is there."""
    import sqlalchemy as sa

    columns = [sa.Column(field.name, _type(field)) for field in schema]
    target = sa.Table(table, sa.MetaData(), *columns)
    inspector = sa.inspect(connection)
    if not inspector.has_table(table):
        target.create(connection)
        return target
    _check_types(target, inspector.get_columns(table))
    _lock(connection, target)
    known = {column["name"] for column in inspector.get_columns(table)}
    for column in columns:
        if column.name not in known:
            definition = sa.schema.CreateColumn(column).compile(connection)
            connection.execute(
                sa.DDL(f"alter table {_quoted(connection, target)} add {definition}")
            )
    connection.execute(target.delete())
    return target


def _check_types(target: sa.Table, found: list[Any]) -> None:
    wanted = {column.name: column.type for column in target.columns}
    for column in found:
        kind = wanted.get(column["name"])
        if kind is not None and _loses(column["type"], kind):
            raise PublicationError(
                f"column {column['name']} of the published table {target.name} is "
                f"{column['type']}, but would have to be {kind}: alter it or drop the "
                "table; it is as it was"
            )


def _lock(connection: sa.Connection, target: sa.Table) -> None:
    """Let readers read, but no other publication write: it would double the rows."""
    if connection.dialect.name != "postgresql":
        return
    connection.exec_driver_sql(f"set local lock_timeout = '{LOCK_TIMEOUT}s'")
    name = _quoted(connection, target)
    connection.exec_driver_sql(f"lock table {name} in share row exclusive mode")


def _quoted(connection: sa.Connection, target: sa.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(target)


# Load --------------------------------------------------------------------------------


def _copy(
    connection: sa.Connection, target: sa.Table, rows: pa.RecordBatchReader
) -> int:
    """Stream the rows into PostgreSQL in COPY's own text format.

    The server reads it a quarter faster than CSV. The writer sends from a thread of
    its own, so that the server reads one batch while the next is being written.
    """
    from psycopg.copy import QueuedLibpqWriter

    quote = connection.dialect.identifier_preparer.quote
    columns = ", ".join(quote(column.name) for column in target.columns)
    statement = f"copy {_quoted(connection, target)} ({columns}) from stdin"
    count = 0
    cursor = connection.connection.driver_connection.cursor()
    writer = QueuedLibpqWriter(cursor)
    with (
        _readable_failures(rows) as batches,
        cursor.copy(statement, writer=writer) as copy,
    ):
        for batch in batches:
            copy.write(copy_text(batch))
            count += batch.num_rows
    return count


def copy_text(batch: pa.RecordBatch) -> bytes:
    r"""Write rows in the text format of PostgreSQL's COPY.

    Parameters
    ----------
    batch : RecordBatch
        Columns of numbers, text, booleans, dates or timestamps.

    Returns
    -------
    bytes
        A line per row, values divided by tabs, null as ``\N``, UTF-8.
    """
    if not batch.num_rows:
        return b""
    lines = pc.binary_join_element_wise(
        *(_escaped(column) for column in batch.columns),
        "\t",
        null_handling="replace",
        null_replacement="\\N",
    )
    whole = pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines)
    return pc.binary_join(whole, "\n")[0].as_buffer().to_pybytes() + b"\n"


def _escaped(column: pa.Array) -> pa.Array:
    if not pa.types.is_string(column.type):
        column = column.cast(pa.string())
    data = column.buffers()[2]
    content = data.to_pybytes() if data is not None else b""
    for plain, escaped in (
        ("\\", "\\\\"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\t", "\\t"),
    ):
        # most columns hold none of them, and looking is much quicker than replacing
        if plain.encode() in content:
            column = pc.replace_substring(column, plain, escaped)
    return column


def _insert(
    connection: sa.Connection, target: sa.Table, rows: pa.RecordBatchReader
) -> int:
    count = 0
    with _readable_failures(rows) as batches:
        for batch in batches:
            for start in range(0, batch.num_rows, BATCH_ROWS):
                part = batch.slice(start, BATCH_ROWS).to_pylist()
                connection.execute(target.insert(), part)
                count += len(part)
    return count


@contextmanager
def _readable_failures(
    rows: pa.RecordBatchReader,
) -> Iterator[pa.RecordBatchReader]:
    """Turn a failure to read the rows into a sentence; the transaction rolls back."""
    try:
        yield rows
    except pa.ArrowException as error:
        raise PublicationError(f"cannot read the rows ({error})") from None
