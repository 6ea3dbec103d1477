"""Servers that tests start on loopback, with data and port of their own."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

PASSWORD = "segredo/nao?escapado#1"
ESCAPED = "segredo%2Fnao%3Fescapado%231"


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class Postgres:
    """A running PostgreSQL with the superuser `dona`."""

    folder: Path
    port: int

    def url(self, user: str = "dona", password: str = ESCAPED) -> str:
        """Return the SQLAlchemy URL of a user."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/postgres"

    def connect(self, **options):
        """Open a psycopg connection, as any reader would."""
        import psycopg

        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            dbname="postgres",
            # a reader that is kept waiting is a fault
            options="-c statement_timeout=5000",
            **({"user": "dona", "password": PASSWORD} | options),
        )

    def rows(self, sql: str, **options) -> list[tuple]:
        """Return the rows of a query."""
        with self.connect(**options) as connection:
            return connection.execute(sql).fetchall()

    def do(self, *statements: str) -> None:
        """Run statements and commit."""
        with self.connect() as connection:
            for statement in statements:
                connection.execute(statement)


def find_binary(name: str) -> str | None:
    """Return the path of one of PostgreSQL's programs, None without it."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def _binary(name: str) -> str:
    path = find_binary(name)
    assert path, f"{name} is missing: apt-get install postgresql"
    return path


@contextmanager
def postgres():
    """Start PostgreSQL as an ordinary user; it refuses to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="segmentacao_pg_"))
    user = {}
    if os.geteuid() == 0:
        account = pwd.getpwnam("postgres")
        user = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        os.chown(folder, account.pw_uid, account.pw_gid)
    port = free_port()
    run = {"check": True, "cwd": folder, "stdout": subprocess.DEVNULL, **user}
    secret = folder / "password"
    secret.write_text(PASSWORD)
    secret.chmod(0o644)
    data = folder / "data"
    initdb = [_binary("initdb"), "-D", data, "-U", "dona", "-A", "scram-sha-256"]
    control = [_binary("pg_ctl"), "-D", data, "-w"]
    options = (
        f"-c port={port} -c listen_addresses=127.0.0.1 -c fsync=off "
        f"-c unix_socket_directories={folder}"
    )
    try:
        subprocess.run([*initdb, "--pwfile", secret, "-E", "utf8"], **run)
        log = ["-l", folder / "log", "-o", options]
        subprocess.run([*control, *log, "start"], **run)
        yield Postgres(folder, port)
    finally:
        subprocess.run([*control, "-m", "immediate", "stop"], **{**run, "check": False})
        shutil.rmtree(folder)
