"""Trace every clustering decision in MLflow, without ever endangering the build.

One MLflow run per clustering step holds the parameters, the quality of every
candidate k, figures of the choice and the chosen model as a scikit-learn pipeline,
registered under ``segmentacao_<passo>`` with the alias ``em_vigor``.

Only ``MlflowClient`` is used. The fluent API (``set_experiment``, ``start_run``)
keeps its state per process, and dbt runs models in threads. What is global all the
same (environment, log levels) is changed under a lock and put back.

Nothing here knows a customer: the inputs are centres and measures, and only the
columns named in this module are read from them.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import re
import shutil
import socket
import tempfile
import threading
import time
import urllib.parse
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segmentacao import figures, serving
from segmentacao.addresses import redact, safe_address, scheme

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

MODES = ("ligado", "desligado", "obrigatorio")
ALIAS = "em_vigor"
RESULT_SCHEMA = pa.schema(
    [
        ("passo", pa.string()),
        ("modelo_id", pa.string()),
        ("mlflow_run_id", pa.string()),
        ("situacao", pa.string()),
        ("mensagem", pa.string()),
    ]
)

_HTTP = ("http", "https")
_DATABASE_PORTS = {"sqlite": None, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
_PIPELINE_COLUMNS = [
    "cluster",
    "variavel",
    "posicao",
    "transformacao",
    "deslocamento",
    "escala",
    "centro",
]
_MEASURES = [
    "silhueta",
    "silhueta_erro",
    "wss",
    "calinski_harabasz",
    "davies_bouldin",
    "ari_bootstrap",
    "p_valor",
]
_CANDIDATE_COLUMNS = [
    "passo",
    "k",
    *_PIPELINE_COLUMNS,
    "media_cluster",
    "media_base",
    "desvio_base",
    "clientes",
    "menor_cluster",
    "digest",
    *_MEASURES,
]
_CHOICE_COLUMNS = [
    "passo",
    "k",
    "is_escolhido",
    "is_admissivel",
    "motivo",
    "is_instavel",
    "is_sem_estrutura",
]
_LABEL_COLUMNS = ["passo", "k", "cluster", "segmento_id", "rotulo", "modelo_id"]
_QUIET_LOGGERS = ("mlflow", "alembic", "sqlalchemy", "urllib3", "git", "matplotlib")
# The module of `segmentacao.serving` inside a logged model.
_SERVING = "segmentacao_serving"
_LOCK = threading.Lock()


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
    pinned : tuple of str
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
    pinned: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse values outside their range."""
        if self.mode not in MODES:
            raise ValueError(f"mode={self.mode!r}: allowed values are {MODES}")
        schemes = (*_HTTP, *_DATABASE_PORTS)
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


class _Unavailable(Exception):
    """Tracing is impossible; the text is fit for the user and free of secrets."""


@dataclass(frozen=True)
class _Step:
    """One clustering step, ready to be logged; ``problem`` says why it is not."""

    passo: str
    modelo_id: str | None
    k: int
    measures: pd.DataFrame
    rows: pd.DataFrame
    labels: list[str]
    segments: list[str]
    choice: Mapping[str, Any]
    problem: str | None = None

    @property
    def sizes(self) -> list[int]:
        by_cluster = self.rows.drop_duplicates("cluster").sort_values("cluster")
        return by_cluster["clientes"].astype(int).tolist()

    @property
    def digest(self) -> str:
        return str(self.rows["digest"].iloc[0])

    @property
    def variables(self) -> pd.DataFrame:
        return self.rows.drop_duplicates("posicao").sort_values("posicao")


@dataclass(frozen=True)
class _Context:
    """What all steps of one call share."""

    client: Any
    experiment_id: str
    settings: Tracking
    params: Mapping[str, object]
    run_id: str
    dt_ref: str


def build_pipeline(rows_of_one_k: pd.DataFrame | pa.Table) -> Pipeline:
    """Rebuild a fitted scikit-learn pipeline from the rows of one model.

    ``pipeline.predict(frame)`` takes raw features in named columns and returns the
    cluster numbers of the centres table, as any other reader of that table does.

    Parameters
    ----------
    rows_of_one_k : DataFrame or Table
        One row per (cluster, variable) of one step and one k: ``cluster`` (0 to
        k - 1), ``variavel``, ``posicao`` (0-based column order), ``transformacao``
        (``nenhuma`` or ``log1p``), ``deslocamento`` and ``escala`` (applied after the
        transformation), ``centro`` (in that model space).

    Returns
    -------
    Pipeline
        Steps ``transformacao`` (ColumnTransformer), ``escala`` (StandardScaler) and
        ``kmeans`` (KMeans), all fitted.

    Raises
    ------
    ValueError
        If a column is missing, a (cluster, position) pair is missing or repeated,
        the clusters are not 0 to k - 1, or a transformation or scale is not known.
    """
    from sklearn.pipeline import Pipeline

    rows = _frame(rows_of_one_k, _PIPELINE_COLUMNS, "rows_of_one_k")
    centres = _centres(rows)
    variables = rows.drop_duplicates("posicao").sort_values("posicao")
    return Pipeline(
        [
            ("transformacao", _column_transformer(variables)),
            ("escala", _scaler(variables)),
            ("kmeans", _kmeans(centres)),
        ]
    )


def log_models(
    candidates: pd.DataFrame | pa.Table,
    choice: pd.DataFrame | pa.Table,
    labels: pd.DataFrame | pa.Table,
    *,
    settings: Tracking,
    params: Mapping[str, object],
    run_id: str,
    dt_ref: str,
    log: Callable[[str], None],
) -> pa.Table:
    """Log one MLflow run per clustering step and register the chosen models.

    Parameters
    ----------
    candidates : DataFrame or Table
        One row per (passo, k, cluster, variavel): centres, scales, cluster profile
        and the measures of that k.
    choice : DataFrame or Table
        One row per (passo, k): ``is_escolhido``, ``is_admissivel``, ``motivo``,
        ``is_instavel``, ``is_sem_estrutura``.
    labels : DataFrame or Table
        One row per (passo, cluster) of the chosen k, with ``rotulo``, ``modelo_id``.
    settings : Tracking
        Store and mode.
    params : mapping
        Settings of the build, logged as MLflow parameters of every run.
    run_id : str
        Identifier of the dbt invocation.
    dt_ref : str
        Reference date of the features.
    log : callable
        Receives one sentence per event; never a password.

    Returns
    -------
    Table
        ``RESULT_SCHEMA``, one row per step in ``candidates``, ordered by ``passo``.

    Raises
    ------
    ValueError
        If an input lacks a column.
    RuntimeError
        If ``settings.mode`` is ``obrigatorio`` and a step could not be traced.
    """
    steps = _read_steps(candidates, choice, labels)
    if settings.mode == "desligado":
        rows = [_row(step, None, "desligado", "rastreio desligado") for step in steps]
        return _result(rows)
    with _LOCK:
        rows = _track(steps, settings, params, run_id, dt_ref)
    for row in rows:
        log(f"rastreio {row['passo']}: {row['mensagem']}")
    lost = [row for row in rows if row["situacao"] == "indisponivel"]
    if lost and settings.mode == "obrigatorio":
        raise RuntimeError(
            f"rastreio obrigatorio, passo {lost[0]['passo']}: {lost[0]['mensagem']}"
        )
    return _result(rows)


# Inputs ------------------------------------------------------------------------------


def _frame(data: Any, columns: Sequence[str], name: str) -> pd.DataFrame:
    """Take only the named columns, so that nothing else can reach MLflow."""
    present = data.column_names if isinstance(data, pa.Table) else list(data.columns)
    missing = [column for column in columns if column not in present]
    if missing:
        raise ValueError(
            f"{name}: columns {missing} are missing, required are {list(columns)}"
        )
    if isinstance(data, pa.Table):
        return data.select(list(columns)).to_pandas()
    return data[list(columns)].copy()


def _read_steps(candidates: Any, choice: Any, labels: Any) -> list[_Step]:
    rows = _frame(candidates, _CANDIDATE_COLUMNS, "candidates")
    chosen = _frame(choice, _CHOICE_COLUMNS, "choice")
    names = _frame(labels, _LABEL_COLUMNS, "labels")
    numbers = [*_MEASURES, "media_cluster", "media_base", "desvio_base"]
    rows[numbers] = rows[numbers].astype(float)
    for column in ("is_escolhido", "is_admissivel", "is_instavel", "is_sem_estrutura"):
        chosen[column] = chosen[column].eq(True).fillna(False).astype(bool)
    return [
        _read_step(
            str(passo),
            rows[rows["passo"] == passo],
            chosen[chosen["passo"] == passo],
            names[names["passo"] == passo],
        )
        for passo in sorted(rows["passo"].unique())
    ]


def _read_step(
    passo: str, rows: pd.DataFrame, choice: pd.DataFrame, labels: pd.DataFrame
) -> _Step:
    picked = choice[choice["is_escolhido"]]
    ids = labels["modelo_id"].dropna().unique()
    modelo_id = str(ids[0]) if len(ids) else None
    k = int(picked["k"].iloc[0]) if len(picked) else 0
    chosen_rows = rows[rows["k"] == k].sort_values(["cluster", "posicao"])
    problem = None
    if len(picked) != 1:
        problem = f"{len(picked)} valores de k escolhidos, o esperado e 1"
    elif chosen_rows.empty:
        problem = f"o k escolhido ({k}) nao esta entre os candidatos"
    elif len(ids) != 1:
        problem = f"{len(ids)} valores de modelo_id nos rotulos, o esperado e 1"
    return _Step(
        passo=passo,
        modelo_id=modelo_id,
        k=k,
        measures=_measures(rows, choice),
        rows=chosen_rows,
        labels=_texts_by_cluster(labels, "rotulo", k),
        segments=_texts_by_cluster(labels, "segmento_id", k),
        choice=picked.iloc[0].to_dict() if len(picked) else {},
        problem=problem,
    )


def _measures(rows: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """Reduce the long table to one row per k, joined with the verdicts on it."""
    customers = rows.drop_duplicates(["k", "cluster"]).groupby("k")["clientes"].sum()
    table = rows.drop_duplicates("k").sort_values("k")
    table = table[["k", "menor_cluster", *_MEASURES]].reset_index(drop=True)
    total = table["k"].map(customers).astype(float)
    table["menor_cluster_participacao"] = table["menor_cluster"].astype(float) / total
    verdicts = choice[["k", "is_escolhido", "is_admissivel"]]
    table = table.merge(verdicts, on="k", how="left")
    for column in ("is_escolhido", "is_admissivel"):
        table[column] = table[column].eq(True)
    return table


def _texts_by_cluster(labels: pd.DataFrame, column: str, k: int) -> list[str]:
    texts = dict(zip(labels["cluster"], labels[column], strict=True))
    return [str(texts.get(cluster) or f"cluster {cluster}") for cluster in range(k)]


# Pipeline ----------------------------------------------------------------------------


def _centres(rows: pd.DataFrame) -> np.ndarray:
    """Return the centres as an array of shape (k, n_variables)."""
    if rows.duplicated(["cluster", "posicao"]).any():
        raise ValueError(
            "rows_of_one_k: a pair (cluster, posicao) is repeated; allowed are the "
            "rows of one passo and one k"
        )
    table = rows.pivot(index="cluster", columns="posicao", values="centro")
    centres = table.sort_index().sort_index(axis=1).to_numpy(dtype=float)
    for name, index in (("cluster", table.index), ("posicao", table.columns)):
        if sorted(index) != list(range(len(index))):
            raise ValueError(
                f"rows_of_one_k: {name}={sorted(index)}, allowed are the numbers from "
                "0 without a gap"
            )
    if not np.isfinite(centres).all():
        raise ValueError("rows_of_one_k: centro must be finite for every pair")
    return centres


def _column_transformer(variables: pd.DataFrame) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.preprocessing import FunctionTransformer

    kinds = {
        "nenhuma": "passthrough",
        "log1p": FunctionTransformer(np.log1p, feature_names_out="one-to-one"),
    }
    blocks: list[tuple[str, Any, list[str]]] = []
    names, transforms = variables["variavel"], variables["transformacao"]
    previous = None
    # One block per run of equal transformations keeps the columns in their order.
    for name, kind in zip(names, transforms, strict=True):
        if kind not in kinds:
            raise ValueError(
                f"rows_of_one_k: transformacao={kind!r}, allowed are {tuple(kinds)}"
            )
        if kind != previous:
            blocks.append((f"{kind}_{len(blocks)}", kinds[kind], []))
        blocks[-1][2].append(str(name))
        previous = kind
    transformer = ColumnTransformer(blocks, verbose_feature_names_out=False)
    columns = [str(name) for name in names]
    return transformer.fit(pd.DataFrame(np.zeros((1, len(columns))), columns=columns))


def _scaler(variables: pd.DataFrame) -> Any:
    from sklearn.preprocessing import StandardScaler

    scale = variables["escala"].to_numpy(dtype=float)
    if not (np.isfinite(scale) & (scale > 0)).all():
        raise ValueError(f"rows_of_one_k: escala={scale.tolist()}, allowed is above 0")
    scaler = StandardScaler().fit(np.zeros((1, len(scale))))
    scaler.mean_ = variables["deslocamento"].to_numpy(dtype=float)
    scaler.scale_, scaler.var_ = scale, scale**2
    return scaler


def _kmeans(centres: np.ndarray) -> Any:
    from sklearn.cluster import KMeans

    # Fitting the centres on themselves fills every private attribute; the centres are
    # put back afterwards because the fit may move them by a rounding error.
    model = KMeans(len(centres), init=centres, n_init=1, max_iter=1, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(centres)
    model.cluster_centers_ = np.ascontiguousarray(centres)
    model.labels_ = np.arange(len(centres), dtype=np.int32)
    return model


# Tracing -----------------------------------------------------------------------------


def _track(
    steps: Sequence[_Step],
    settings: Tracking,
    params: Mapping[str, object],
    run_id: str,
    dt_ref: str,
) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = []
    with _environment(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Importing MLflow sets its log levels, so it comes before the silence.
            if not _is_installed("mlflow"):
                raise _Unavailable(_missing_sentence(["mlflow"]))
            with _silenced():
                client, experiment_id = _connect(settings)
                context = _Context(
                    client, experiment_id, settings, params, run_id, dt_ref
                )
                for step in steps:
                    rows.append(_track_step(context, step))
        except Exception as error:  # a store may fail in any way, the build must not
            reason = _reason(error, settings)
            rows += [
                _row(step, None, "indisponivel", reason) for step in steps[len(rows) :]
            ]
    return rows


def _track_step(context: _Context, step: _Step) -> dict[str, str | None]:
    if step.problem:
        return _row(step, None, "indisponivel", step.problem)
    with tempfile.TemporaryDirectory() as folder:
        # What needs no store comes first: a mistake here leaves no half run behind.
        try:
            model, missing = _prepare(step, Path(folder))
        except Exception as error:
            text = f"figuras ou modelo impossiveis ({type(error).__name__}: {error})"
            return _row(step, None, "indisponivel", text)
        if missing and context.settings.mode == "obrigatorio":
            return _row(step, None, "indisponivel", _missing_sentence(missing))
        mlflow_run_id = _start_run(context, step)
        try:
            registered = _fill_run(context, step, mlflow_run_id, Path(folder), model)
        except Exception:
            # The first error is the one to report, and the store may be gone.
            with suppress(Exception):
                context.client.set_terminated(mlflow_run_id, "FAILED")
            raise
    sentence = f"execucao {mlflow_run_id} registrada, {registered}"
    if missing:
        sentence += f"; {_missing_sentence(missing)}"
    return _row(step, mlflow_run_id, "registrado", sentence)


def _prepare(step: _Step, folder: Path) -> tuple[_Prepared | None, list[str]]:
    """Write the figures and build the model; also name the packages missing."""
    missing = [name for name in ("matplotlib", "skops") if not _is_installed(name)]
    if "matplotlib" not in missing:
        _write_figures(step, folder / "figuras")
    model = None
    if "skops" not in missing:
        variables = step.variables["variavel"].astype(str).tolist()
        model = _Prepared(
            build_pipeline(step.rows),
            variables,
            _segment_model(step),
            folder / "modelo",
        )
    return model, missing


def _fill_run(
    context: _Context, step: _Step, run_id: str, folder: Path, model: Any
) -> str:
    client = context.client
    for batch in _batches(_params(context, step), 100):
        client.log_batch(run_id, params=batch)
    for batch in _batches(_step_metrics(step), 1000):
        client.log_batch(run_id, metrics=batch)
    client.log_inputs(run_id, datasets=[_dataset_input(step)])
    if (folder / "figuras").exists():
        client.log_artifacts(run_id, str(folder / "figuras"), "figuras")
    registered, model_id = "sem modelo registrado", None
    if model is not None:
        registered, model_id = _register(context, step, run_id, model)
    client.log_batch(run_id, metrics=_final_metrics(step, run_id, model_id))
    client.set_terminated(run_id, "FINISHED")
    return registered


def _start_run(context: _Context, step: _Step) -> str:
    tags = {
        "run_id": context.run_id,
        "modelo_id": step.modelo_id,
        "dt_ref": context.dt_ref,
        "passo": step.passo,
        "digest": step.digest,
        "motivo": step.choice["motivo"],
        "is_instavel": step.choice["is_instavel"],
        "is_sem_estrutura": step.choice["is_sem_estrutura"],
    }
    run = context.client.create_run(
        context.experiment_id,
        tags={key: _text(value)[:5000] for key, value in tags.items()},
        run_name=f"{step.passo} {context.dt_ref}",
    )
    return run.info.run_id


def _params(context: _Context, step: _Step) -> list[Any]:
    from mlflow.entities import Param

    variables = step.variables
    pairs = zip(variables["variavel"], variables["transformacao"], strict=True)
    values = {
        **context.params,
        "k": step.k,
        "n": sum(step.sizes),
        "n_variaveis": len(variables),
        "variaveis": ", ".join(variables["variavel"].astype(str)),
        "transformacoes": ", ".join(f"{name}={kind}" for name, kind in pairs),
    }
    texts = {
        re.sub(r"[^\w ./-]", "_", str(key)): _text(value)[:5000]
        for key, value in values.items()
    }
    return [Param(key, text) for key, text in texts.items()]


def _step_metrics(step: _Step) -> list[Any]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [
        Metric(name, float(row[name]), now, int(row["k"]))
        for row in step.measures.to_dict("records")
        for name in (*_MEASURES, "menor_cluster_participacao")
        if np.isfinite(row[name])
    ]


def _final_metrics(step: _Step, run_id: str, model_id: str | None) -> list[Any]:
    """Return the chosen k's measures; with a model id they also describe the model.

    They need names of their own: MLflow shows a metric's value at its highest step,
    which is the largest k and not the chosen one.
    """
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    row = step.measures.set_index("k").loc[step.k]
    names = (*_MEASURES, "menor_cluster_participacao")
    return [
        Metric(
            f"escolhido_{name}",
            float(row[name]),
            now,
            0,
            model_id=model_id,
            run_id=run_id,
        )
        for name in names
        if np.isfinite(row[name])
    ]


def _dataset_input(step: _Step) -> Any:
    from mlflow.entities import Dataset, DatasetInput

    # MLflow keeps 36 characters of a dataset's digest; the tag holds all of it.
    profile = {"n": sum(step.sizes), "digest": step.digest}
    dataset = Dataset(
        name=f"features_{step.passo}",
        digest=step.digest[:36],
        source_type="dbt",
        source=json.dumps({"passo": step.passo}),
        profile=json.dumps(profile),
    )
    return DatasetInput(dataset)


def _write_figures(step: _Step, folder: Path) -> None:
    rows, variables = step.rows, step.variables
    means = rows.pivot(index="cluster", columns="posicao", values="media_cluster")
    drawn = {
        "silhueta_por_k": figures.silhouette_by_k(step.measures, passo=step.passo),
        "wss_por_k": figures.wss_by_k(step.measures, passo=step.passo),
        "perfil_clusters": figures.profile_heatmap(
            means.to_numpy(float),
            variables["media_base"].to_numpy(float),
            variables["desvio_base"].to_numpy(float),
            labels=step.labels,
            variables=variables["variavel"].astype(str).tolist(),
            passo=step.passo,
        ),
        "tamanho_clusters": figures.cluster_sizes(
            step.sizes, labels=step.labels, passo=step.passo
        ),
    }
    folder.mkdir()
    for name, figure in drawn.items():
        (folder / f"{name}.png").write_bytes(figures.to_png(figure))


# Model registry ----------------------------------------------------------------------


@dataclass(frozen=True)
class _Prepared:
    """A pipeline, the same model with names, and the folder for their files."""

    pipeline: Any
    variables: list[str]
    segments: dict[str, Any]
    folder: Path


def _segment_model(step: _Step) -> dict[str, Any]:
    """Return what `segmentacao.serving` answers from."""
    columns = ["variavel", "transformacao", "deslocamento", "escala"]
    return {
        "modelo_id": step.modelo_id,
        "variaveis": [
            {
                "nome": name,
                "transformacao": kind,
                "deslocamento": shift,
                "escala": scale,
            }
            for name, kind, shift, scale in step.variables[columns].itertuples(
                index=False
            )
        ],
        "segmentos": [
            {"segmento_id": code, "rotulo": name, "centro": centre}
            for code, name, centre in zip(
                step.segments, step.labels, _centres(step.rows).tolist(), strict=True
            )
        ],
    }


def _register(
    context: _Context, step: _Step, run_id: str, model: _Prepared
) -> tuple[str, str | None]:
    """Put the model in force, with a new version only if it is a new model.

    A step that is pinned to a version by hand keeps its alias.
    """
    client = context.client
    name = f"{context.settings.model_prefix}_{step.passo}"
    number, model_id, origin = _find_version(client, name, step.modelo_id), None, ""
    if number is None:
        logged = _log_model(context, step, run_id, model)
        number = _create_version(context, step, run_id, name, logged)
        model_id, origin = logged.model_id, " (nova)"
    if step.passo not in context.settings.pinned:
        client.set_registered_model_alias(name, ALIAS, number)
    client.set_tag(run_id, "modelo_registrado", f"{name} versao {number}")
    return f"modelo {name} versao {number}{origin}", model_id


def _find_version(client: Any, name: str, modelo_id: str | None) -> str | None:
    text = str(modelo_id)
    quote = '"' if "'" in text else "'"
    found = client.search_model_versions(
        f"name = '{name}' and tag.modelo_id = {quote}{text}{quote}", max_results=1
    )
    return str(found[0].version) if found else None


def _log_model(context: _Context, step: _Step, run_id: str, model: _Prepared) -> Any:
    """Do what ``mlflow.sklearn.log_model`` does, without an active run."""
    from mlflow.entities import LoggedModelOutput

    client = context.client
    logged = client.create_logged_model(
        context.experiment_id,
        name=f"{context.settings.model_prefix}_{step.passo}",
        source_run_id=run_id,
        tags={"modelo_id": str(step.modelo_id)},
        params={"k": str(step.k)},
        model_type="kmeans",
    )
    client.log_outputs(run_id, models=[LoggedModelOutput(logged.model_id, step=0)])
    _save_model(model, logged, run_id)
    client.log_model_artifacts(logged.model_id, str(model.folder))
    client.finalize_logged_model(logged.model_id, "READY")
    return logged


def _save_model(model: _Prepared, logged: Any, run_id: str) -> None:
    """Write two readings of one model: the pipeline's numbers, the service's names."""
    import mlflow.pyfunc
    import mlflow.sklearn
    from mlflow.models import Model, ModelSignature
    from mlflow.types import ColSpec, Schema

    packages = ("mlflow", "numpy", "pandas", "scikit-learn", "skops")
    mlflow_model = Model(
        artifact_path=logged.artifact_location,
        model_uuid=logged.model_id,
        run_id=run_id,
        model_id=logged.model_id,
    )
    mlflow.sklearn.save_model(
        model.pipeline,
        str(model.folder),
        mlflow_model=mlflow_model,
        serialization_format="skops",
        skops_trusted_types=[],
        signature=ModelSignature(
            inputs=Schema([ColSpec("double", name) for name in model.variables]),
            outputs=Schema(
                [
                    ColSpec("string", "segmento_id"),
                    ColSpec("string", "rotulo"),
                    ColSpec("double", "distancia"),
                ]
            ),
        ),
        # Inferring them would import the model in a new process: 15 s.
        pip_requirements=[f"{name}=={version(name)}" for name in packages],
    )
    code = model.folder / "code"
    code.mkdir()
    shutil.copy(serving.__file__, code / f"{_SERVING}.py")
    content = json.dumps(model.segments, ensure_ascii=False, indent=1)
    (model.folder / serving.FILE).write_text(content, encoding="utf-8")
    environment = mlflow_model.flavors["python_function"]["env"]
    mlflow.pyfunc.add_to_model(
        mlflow_model,
        loader_module=_SERVING,
        code="code",
        conda_env=environment["conda"],
        python_env=environment["virtualenv"],
    )
    mlflow_model.save(str(model.folder / "MLmodel"))


def _create_version(
    context: _Context, step: _Step, run_id: str, name: str, logged: Any
) -> str:
    from mlflow.exceptions import MlflowException

    client = context.client
    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    created = client.create_model_version(
        name,
        # A "models:/<id>" source is looked up in the process-wide store, not in ours.
        logged.artifact_location,
        run_id,
        tags={"modelo_id": str(step.modelo_id), "dt_ref": context.dt_ref},
        await_creation_for=context.settings.timeout,
        model_id=logged.model_id,
    )
    return str(created.version)


# Store -------------------------------------------------------------------------------


def _connect(settings: Tracking) -> tuple[Any, str]:
    """Open the store and return its client and the experiment's id."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException

    if scheme(settings.uri) in _DATABASE_PORTS:
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
        port = parts.port or _DATABASE_PORTS[scheme(settings.uri)]
        if parts.hostname:
            address = (parts.hostname, port)
            socket.create_connection(address, timeout=settings.timeout).close()
    engine = sqlalchemy.create_engine(settings.uri)
    try:
        engine.connect().close()
    finally:
        engine.dispose()


def _artifact_uri(settings: Tracking) -> str | None:
    if scheme(settings.uri) in _HTTP:
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


def _is_installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


@contextmanager
def _environment(settings: Tracking) -> Iterator[None]:
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
def _silenced() -> Iterator[None]:
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


# Texts -------------------------------------------------------------------------------


def _missing_sentence(packages: Sequence[str]) -> str:
    names = " e ".join(packages)
    return f"pacote {names} nao instalado (extra 'mlflow'): sem o que depende dele"


def _reason(error: Exception, settings: Tracking) -> str:
    """Say in one sentence what went wrong, without a secret."""
    if isinstance(error, _Unavailable):
        return str(error)
    text = " ".join(str(error).split())
    if scheme(settings.uri) in _HTTP and "Max retries exceeded" in text:
        cause = f"sem resposta, espera maxima de {settings.timeout} s por tentativa"
    else:
        cause = f"{type(error).__name__}: {redact(text, settings.uri)[:200]}"
    return f"MLflow em {safe_address(settings.uri)} indisponivel ({cause})"


def _text(value: object) -> str:
    """Write a parameter or tag as text, without credentials of a URI in it."""
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return re.sub(r"(?<=://)[^/\s@]+@", "***@", str(value))


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _row(
    step: _Step, run_id: str | None, situacao: str, mensagem: str
) -> dict[str, str | None]:
    return {
        "passo": step.passo,
        "modelo_id": step.modelo_id,
        "mlflow_run_id": run_id,
        "situacao": situacao,
        "mensagem": mensagem,
    }


def _result(rows: list[dict[str, str | None]]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=RESULT_SCHEMA)
