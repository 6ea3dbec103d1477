"""The model as a service: plain features come in, the segment's name goes out.

This file is copied into every logged model and loaded from there by MLflow, so it
imports nothing of this package: a served model needs MLflow, numpy and pandas only.
Scores are those of the SQL in ``ml_atribuicoes``: the same sums in the same order,
and of equal distances the first cluster.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FILE = "segmentos.json"


class SegmentModel:
    """Nearest centre, answered by name.

    Parameters
    ----------
    model : dict
        ``variaveis`` (list of dict with ``nome``, ``transformacao``, ``deslocamento``,
        ``escala``) and ``segmentos`` (list of dict with ``segmento_id``, ``rotulo``
        and ``centro``, one number per variable).
    """

    def __init__(self, model: dict[str, Any]):
        self.variables = model["variaveis"]
        self.segments = model["segmentos"]

    def predict(self, features: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Name the segment of each row.

        Parameters
        ----------
        features : DataFrame
            One column per variable, in its own unit (days, orders, money, shares);
            further columns are ignored.
        params : optional
            Not used; MLflow passes it.

        Returns
        -------
        DataFrame
            ``segmento_id``, ``rotulo`` and ``distancia`` (to the centre, in the space
            of the model), a row per row.

        Raises
        ------
        mlflow.exceptions.MlflowException
            If a variable is missing or a value is not allowed; over HTTP status 400.
        """
        points = [self._standardised(features, variable) for variable in self.variables]
        squares = np.zeros((len(features), len(self.segments)))
        for number, segment in enumerate(self.segments):
            for point, centre in zip(points, segment["centro"], strict=True):
                squares[:, number] += (point - centre) * (point - centre)
        nearest = squares.argmin(axis=1)
        return pd.DataFrame(
            {
                "segmento_id": [self.segments[i]["segmento_id"] for i in nearest],
                "rotulo": [self.segments[i]["rotulo"] for i in nearest],
                "distancia": np.sqrt(squares[np.arange(len(nearest)), nearest]),
            }
        )

    def _standardised(self, features, variable):
        values = _numbers(features, variable["nome"])
        if variable["transformacao"] == "log1p":
            _refuse(values <= -1, variable["nome"], values, "above -1")
            values = np.log(1 + values)
        return (values - variable["deslocamento"]) / variable["escala"]


def _numbers(features: pd.DataFrame, name: str) -> np.ndarray:
    from mlflow.exceptions import MlflowException

    if name not in features.columns:
        raise MlflowException.invalid_parameter_value(f"{name} is missing")
    values = pd.to_numeric(features[name], errors="coerce").to_numpy(float)
    _refuse(~np.isfinite(values), name, features[name].to_numpy(), "finite numbers")
    return values


def _refuse(wrong: np.ndarray, name: str, values: np.ndarray, allowed: str) -> None:
    from mlflow.exceptions import MlflowException

    if wrong.any():
        row = int(wrong.argmax())
        raise MlflowException.invalid_parameter_value(
            f"{name} is {values[row]!s} in row {row}, allowed are {allowed}"
        )


def _load_pyfunc(path: str) -> SegmentModel:
    """Load the model from its folder, for MLflow."""
    return SegmentModel(json.loads((Path(path) / FILE).read_text(encoding="utf-8")))
