"""Running dbt as a user does: a process, a database file, vars."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
REAL_DATA = ROOT.parent / "shared" / "data"
# p-values and bootstrap decide no label: few draws keep the variants quick
QUICK = {
    "rastreio": "desligado",
    "permutacoes": 19,
    "bootstrap_sorteios": 2,
    # the comparison reaches as far as the rule may choose
    "insiders_k_comparado": 8,
    "insiders_sorteios": 0,
    "insiders_sorteios_evidencia": 200,
}


@dataclass
class Dbt:
    """One database of one dbt project."""

    folder: Path
    project: Path = ROOT
    threads: int = 4

    @property
    def database(self) -> Path:
        return self.folder / "warehouse.duckdb"

    def run(self, *arguments: str, variables: dict | None = None, **environment):
        """Run dbt and return the finished process, whatever its exit code."""
        command = [
            str(Path(sys.executable).with_name("dbt")),
            "--no-use-colors",
            *arguments,
            "--project-dir",
            str(self.project),
            "--profiles-dir",
            str(self.project),
            "--log-path",
            str(self.folder / "logs"),
            "--vars",
            yaml.safe_dump(variables or {}),
        ]
        return subprocess.run(
            command,
            cwd=self.project,
            env={
                **os.environ,
                "SEGMENTACAO_DB": str(self.database),
                "DBT_TARGET_PATH": str(self.folder / "target"),
                "SEGMENTACAO_PUBLICADO": str(self.folder / "publicado"),
                "SEGMENTACAO_THREADS": str(self.threads),
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=540,
        )

    def build(self, *arguments: str, variables: dict | None = None, **environment):
        """Run ``dbt build`` without unit tests; fail the test if it fails."""
        done = self.run(
            "build",
            "--exclude",
            "test_type:unit",
            *arguments,
            variables=variables,
            **environment,
        )
        assert done.returncode == 0, done.stdout[-4000:]
        return done

    def rows(self, sql: str) -> list[tuple]:
        """Return the rows of a query on the warehouse."""
        with duckdb.connect(str(self.database), read_only=True) as connection:
            return connection.execute(sql).fetchall()

    def value(self, sql: str):
        """Return the first value of a query on the warehouse."""
        return self.rows(sql)[0][0]


@pytest.fixture
def dbt(tmp_path):
    """Return a dbt project on an empty database."""
    return Dbt(tmp_path)


@pytest.fixture(scope="session")
def sample(tmp_path_factory):
    """Return the project built once on the embedded sample. Read it only."""
    project = Dbt(tmp_path_factory.mktemp("sample"))
    project.build(variables=QUICK)
    return project


@pytest.fixture(scope="session")
def project_folder(sample, tmp_path_factory):
    """Return a project of its own for tools that read one beside dbt's target."""
    folder = tmp_path_factory.mktemp("projeto")
    shutil.copytree(ROOT / "dashboards", folder / "dashboards")
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(ROOT / name, folder)
    shutil.copytree(sample.folder / "target", folder / "target")
    shutil.copy(sample.database, folder / sample.database.name)
    return folder


@pytest.fixture
def sample_copy(sample, tmp_path):
    """Return a copy of the built sample that a test may change."""
    shutil.copy(sample.database, tmp_path / "warehouse.duckdb")
    return Dbt(tmp_path)


@pytest.fixture(scope="session")
def real_data():
    """Return the folder of the real data sets; skip where it is missing."""
    if not REAL_DATA.is_dir():
        pytest.skip(f"the real data sets are not in {REAL_DATA}")
    return REAL_DATA
