"""Keep the chosen pipeline as a registered model, one version for each model."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from segmentacao import serving
from segmentacao.tracking.pipeline import build_pipeline, centre_array
from segmentacao.tracking.steps import Step
from segmentacao.tracking.store import Context

ALIAS = "em_vigor"
# The module of `segmentacao.serving` inside a logged model.
_SERVING = "segmentacao_serving"


@dataclass(frozen=True)
class Prepared:
    """A pipeline, the same model with names, and the folder for their files."""

    pipeline: Any
    variables: list[str]
    segments: dict[str, Any]
    folder: Path


def prepare_model(step: Step, folder: Path) -> Prepared:
    """Build the model of a step, for files in a folder that does not exist yet."""
    variables = step.variables["variavel"].astype(str).tolist()
    return Prepared(build_pipeline(step.rows), variables, _segment_model(step), folder)


def _segment_model(step: Step) -> dict[str, Any]:
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
                step.segments,
                step.labels,
                centre_array(step.rows).tolist(),
                strict=True,
            )
        ],
    }


def register(
    context: Context, step: Step, run_id: str, model: Prepared
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


def _log_model(context: Context, step: Step, run_id: str, model: Prepared) -> Any:
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


def _save_model(model: Prepared, logged: Any, run_id: str) -> None:
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
    context: Context, step: Step, run_id: str, name: str, logged: Any
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
