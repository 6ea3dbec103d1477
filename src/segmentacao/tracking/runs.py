"""Log one MLflow run for each clustering step."""

from __future__ import annotations

import importlib
import json
import re
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from segmentacao import figures
from segmentacao.tracking.registry import Prepared, prepare_model, register
from segmentacao.tracking.settings import Tracking
from segmentacao.tracking.steps import MEASURES, Step, read_steps
from segmentacao.tracking.store import (
    Context,
    Unavailable,
    connect,
    describe_error,
    environment,
    silenced,
)

RESULT_SCHEMA = pa.schema(
    [
        ("passo", pa.string()),
        ("modelo_id", pa.string()),
        ("mlflow_run_id", pa.string()),
        ("situacao", pa.string()),
        ("mensagem", pa.string()),
    ]
)
_LOCK = threading.Lock()


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
    steps = read_steps(candidates, choice, labels)
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


def _track(
    steps: Sequence[Step],
    settings: Tracking,
    params: Mapping[str, object],
    run_id: str,
    dt_ref: str,
) -> list[dict[str, str | None]]:
    rows: list[dict[str, str | None]] = []
    with environment(settings), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            # Importing MLflow sets its log levels, so it comes before the silence.
            if not _is_installed("mlflow"):
                raise Unavailable(_missing_sentence(["mlflow"]))
            with silenced():
                client, experiment_id = connect(settings)
                context = Context(
                    client, experiment_id, settings, params, run_id, dt_ref
                )
                for step in steps:
                    rows.append(_track_step(context, step))
        except Exception as error:  # a store may fail in any way, the build must not
            reason = describe_error(error, settings)
            rows += [
                _row(step, None, "indisponivel", reason) for step in steps[len(rows) :]
            ]
    return rows


def _track_step(context: Context, step: Step) -> dict[str, str | None]:
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


def _prepare(step: Step, folder: Path) -> tuple[Prepared | None, list[str]]:
    """Write the figures and build the model; also name the packages missing."""
    missing = [name for name in ("matplotlib", "skops") if not _is_installed(name)]
    if "matplotlib" not in missing:
        _write_figures(step, folder / "figuras")
    model = None
    if "skops" not in missing:
        model = prepare_model(step, folder / "modelo")
    return model, missing


def _fill_run(
    context: Context, step: Step, run_id: str, folder: Path, model: Any
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
        registered, model_id = register(context, step, run_id, model)
    client.log_batch(run_id, metrics=_final_metrics(step, run_id, model_id))
    client.set_terminated(run_id, "FINISHED")
    return registered


def _start_run(context: Context, step: Step) -> str:
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


def _params(context: Context, step: Step) -> list[Any]:
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


def _step_metrics(step: Step) -> list[Any]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [
        Metric(name, float(row[name]), now, int(row["k"]))
        for row in step.measures.to_dict("records")
        for name in (*MEASURES, "menor_cluster_participacao")
        if np.isfinite(row[name])
    ]


def _final_metrics(step: Step, run_id: str, model_id: str | None) -> list[Any]:
    """Return the chosen k's measures; with a model id they also describe the model.

    They need names of their own: MLflow shows a metric's value at its highest step,
    which is the largest k and not the chosen one.
    """
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    row = step.measures.set_index("k").loc[step.k]
    names = (*MEASURES, "menor_cluster_participacao")
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


def _dataset_input(step: Step) -> Any:
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


def _write_figures(step: Step, folder: Path) -> None:
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


def _missing_sentence(packages: Sequence[str]) -> str:
    names = " e ".join(packages)
    return f"pacote {names} nao instalado (extra 'mlflow'): sem o que depende dele"


def _is_installed(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ImportError:
        return False
    return True


def _text(value: object) -> str:
    """Write a parameter or tag as text, without credentials of a URI in it."""
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return re.sub(r"(?<=://)[^/\s@]+@", "***@", str(value))


def _batches(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _row(
    step: Step, run_id: str | None, situacao: str, mensagem: str
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
