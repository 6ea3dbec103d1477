"""Open an MLflow store, quietly and without waiting for one that is not there."""

from __future__ import annotations

import logging
import os
import socket
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from segmentacao.addresses import redact, safe_address, scheme
from segmentacao.tracking.settings import DATABASE_PORTS, HTTP, Tracking

_QUIET_LOGGERS = ("mlflow", "alembic", "sqlalchemy", "urllib3", "git", "matplotlib")


class Unavailable(Exception):
    """Tracing is impossible; the text is fit for the user and free of secrets."""


@dataclass(frozen=True)
class Context:
    """What all steps of one call share."""

    client: Any
    experiment_id: str
    settings: Tracking
    params: Mapping[str, object]
    run_id: str
    dt_ref: str


def connect(settings: Tracking) -> tuple[Any, str]:
    """Open the store and return its client and the experiment's id."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if scheme(settings.uri) in DATABASE_PORTS:
        _probe_database(settings)
    client = MlflowClient(tracking_uri=settings.uri, registry_uri=settings.uri)
    found = client.get_experiment_by_name(settings.experiment)
    if found is None:
        try:
            return client, client.create_experiment(
                settings.experiment, artifact_location=_artifact_uri(settings)
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(settings.experiment)
    return client, found.experiment_id


def _probe_database(settings: Tracking) -> None:
    """Fail at once where MLflow would try ten times, for a minute and a half."""
    import sqlalchemy

    path = _sqlite_path(settings.uri)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    else:
        parts = urllib.parse.urlsplit(settings.uri)
        port = parts.port or DATABASE_PORTS[scheme(settings.uri)]
        if parts.hostname:
            address = (parts.hostname, port)
            socket.create_connection(address, timeout=settings.timeout).close()
    engine = sqlalchemy.create_engine(settings.uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _artifact_uri(settings: Tracking) -> str | None:
    if scheme(settings.uri) in HTTP:
        return None
    location = settings.artifact_location
    if location is None:
        path = _sqlite_path(settings.uri)
        if path is None:
            return None
        location = str(path.parent / "artefatos")
    if "://" in location:
        return location
    return Path(location).resolve().as_uri()


def _sqlite_path(uri: str) -> Path | None:
    if scheme(uri) != "sqlite":
        return None
    return Path(uri.partition(":///")[2].partition("?")[0])


@contextmanager
def environment(settings: Tracking) -> Iterator[None]:
    """Set MLflow's switches for the time of the call.

    Telemetry is decided while MLflow is imported, so this surrounds the import.
    """
    values = {
        "DO_NOT_TRACK": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
        "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": str(settings.timeout),
        "GIT_PYTHON_REFRESH": "quiet",
    }
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def silenced() -> Iterator[None]:
    """Keep the libraries' own log lines out of dbt's JSON logs."""
    loggers = [logging.getLogger(name) for name in _QUIET_LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def describe_error(error: Exception, settings: Tracking) -> str:
    """Say in one sentence what went wrong, without a secret."""
    if isinstance(error, Unavailable):
        return str(error)
    text = " ".join(str(error).split())
    if scheme(settings.uri) in HTTP and "Max retries exceeded" in text:
        cause = f"sem resposta, espera maxima de {settings.timeout} s por tentativa"
    else:
        cause = f"{type(error).__name__}: {redact(text, settings.uri)[:200]}"
    return f"MLflow em {safe_address(settings.uri)} indisponivel ({cause})"
