"""Where and how strictly to trace."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from segmentacao.addresses import safe_address, scheme

MODES = ("ligado", "desligado", "obrigatorio")
HTTP = ("http", "https")
DATABASE_PORTS = {"sqlite": None, "postgresql": 5432, "mysql": 3306, "mssql": 1433}


@dataclass(frozen=True, kw_only=True)
class Tracking:
    """Where and how strictly to trace.

    Parameters
    ----------
    mode : {'ligado', 'desligado', 'obrigatorio'}
        ``ligado`` never fails the build, ``obrigatorio`` raises when tracing fails,
        ``desligado`` does not even import MLflow.
    uri : str
        MLflow store: ``sqlite:///file.db``, another SQLAlchemy URL of PostgreSQL,
        MySQL or SQL Server, or ``http(s)://`` of a tracking server.
    artifact_location : str, optional
        Folder (or ``s3://`` and the like) for files of a store without a server.
        Default: the folder ``artefatos`` beside the SQLite file. Servers decide for
        themselves. It is fixed when the experiment is created.
    experiment : str
        Name of the MLflow experiment.
    model_prefix : str
        A step's registered model is called ``<model_prefix>_<passo>``.
    timeout : int
        Seconds to wait for one answer of a server, 1 to 600.
    pinned : sequence of str
        Steps whose version in force is pinned by hand: their fits are logged and
        registered, and the alias stays where it is.

    Raises
    ------
    ValueError
        If a value is outside its range.
    """

    mode: str = "ligado"
    uri: str = "sqlite:///rastreio/mlflow.db"
    artifact_location: str | None = None
    experiment: str = "segmentacao_clientes"
    model_prefix: str = "segmentacao"
    timeout: int = 5
    pinned: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.mode not in MODES:
            raise ValueError(f"mode={self.mode!r}: allowed values are {MODES}")
        schemes = (*HTTP, *DATABASE_PORTS)
        if not isinstance(self.uri, str) or scheme(self.uri) not in schemes:
            shown = safe_address(str(self.uri))
            raise ValueError(f"uri={shown!r}: allowed schemes are {schemes}")
        whole = isinstance(self.timeout, int) and not isinstance(self.timeout, bool)
        if not whole or not 1 <= self.timeout <= 600:
            raise ValueError(
                f"timeout={self.timeout!r}: allowed are whole seconds from 1 to 600"
            )
        for name in ("experiment", "model_prefix"):
            value = getattr(self, name)
            if not isinstance(value, str) or not re.fullmatch(r"[\w .-]+", value):
                raise ValueError(
                    f"{name}={value!r}: allowed are letters, digits, '_', '.', '-' "
                    "and blanks, at least one"
                )
        location = self.artifact_location
        if location is not None and (not isinstance(location, str) or not location):
            raise ValueError(
                f"artifact_location={location!r}: allowed are a folder, a storage "
                "URI or None"
            )
