"""Trace every clustering decision in MLflow, without ever endangering the build.

One MLflow run per clustering step holds the parameters, the quality of every
candidate k, figures of the choice and the chosen model as a scikit-learn pipeline,
registered under ``segmentacao_<passo>`` with the alias ``em_vigor``.

Only ``MlflowClient`` is used. The fluent API (``set_experiment``, ``start_run``)
keeps its state per process, and dbt runs models in threads. What is global all the
same (environment, log levels) is changed under a lock and put back.

Nothing here knows a customer: the inputs are centres and measures, and only the
columns named in `steps` are read from them.
"""

from segmentacao.tracking.pipeline import build_pipeline
from segmentacao.tracking.registry import ALIAS
from segmentacao.tracking.runs import RESULT_SCHEMA, log_models
from segmentacao.tracking.settings import MODES, Tracking

__all__ = [
    "ALIAS",
    "MODES",
    "RESULT_SCHEMA",
    "Tracking",
    "build_pipeline",
    "log_models",
]
