"""The model as a service: names as in the mart, wrong fields named."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path

import pandas as pd
import pytest
from conftest import QUICK
from servers import free_port

from segmentacao.serving import SegmentModel

MODEL = {
    "variaveis": [
        {"nome": "dias", "transformacao": "nenhuma", "deslocamento": 10, "escala": 5},
        {"nome": "valor", "transformacao": "log1p", "deslocamento": 0, "escala": 1},
    ],
    "segmentos": [
        {"segmento_id": "perto", "rotulo": "01-Perto", "centro": [0.0, 0.0]},
        {"segmento_id": "longe", "rotulo": "02-Longe", "centro": [2.0, 0.0]},
    ],
}


def answer(**columns):
    return SegmentModel(MODEL).predict(pd.DataFrame(columns)).to_dict("list")


def test_the_nearest_centre_answers_by_name():
    # worked out by hand: (dias - 10) / 5 is 0, 2 and 1; log(1 + valor) is 0 and 1
    found = answer(valor=[0, math.e - 1, 0], dias=[10, 20, 15])
    assert found["rotulo"] == ["01-Perto", "02-Longe", "01-Perto"]
    assert found["segmento_id"] == ["perto", "longe", "perto"]
    assert found["distancia"] == pytest.approx([0, 1, 1])


@pytest.mark.parametrize(
    ("columns", "text"),
    [
        ({"dias": [1]}, "valor is missing"),
        ({"dias": [1, None], "valor": [1, 1]}, "dias is nan in row 1, .* finite"),
        ({"dias": ["x"], "valor": [1]}, "dias is x in row 0, allowed are finite"),
        ({"dias": [1], "valor": [-3]}, "valor is -3.0 in row 0, allowed are above -1"),
        ({"dias": [math.inf], "valor": [1]}, "dias is inf in row 0"),
    ],
)
def test_a_wrong_value_is_named_with_field_and_row(columns, text):
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match=text) as caught:
        answer(**columns)
    assert caught.value.get_http_status_code() == 400


@pytest.fixture(scope="module")
def traced(sample, tmp_path_factory):
    """Log the sample's models into a store of their own."""
    store = f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"
    variables = QUICK | {"rastreio": "obrigatorio", "mlflow_uri": store}
    done = sample.run("run", "--select", "ml_rastreio", variables=variables)
    assert done.returncode == 0, done.stdout[-3000:]
    return store


@contextmanager
def served(store, passo, folder):
    """Run what `make serve` runs."""
    port, scripts = free_port(), Path(sys.executable).parent
    log = open(folder / "serve.log", "w")
    process = subprocess.Popen(
        [
            str(scripts / "mlflow"),
            *("models", "serve", "--env-manager", "local"),
            *("--model-uri", f"models:/segmentacao_{passo}@em_vigor"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        env={
            **os.environ,
            "MLFLOW_TRACKING_URI": store,
            "DO_NOT_TRACK": "1",
            "PATH": f"{scripts}:{os.environ['PATH']}",
        },
        cwd=folder,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )
    try:
        end = time.monotonic() + 90
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/ping", timeout=5)
                break
            except OSError:
                text = (folder / "serve.log").read_text()[-2000:]
                assert process.poll() is None and time.monotonic() < end, text
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}/invocations"
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(20)
        log.close()


def post(url, records):
    """Return status and decoded body."""
    request = urllib.request.Request(
        url,
        json.dumps({"dataframe_records": records}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return response.status, json.loads(response.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def customers(sample, passo):
    """Return the features of every customer that the step labels, and the labels."""
    if passo == "rfv":
        features, table = "f.recencia_dias, f.frequencia, f.valor", "feat_rfv"
    else:
        features = "columns('^pct_')"
        table = "feat_pct_categoria"
    query = f"""
        select {features}, n.segmento_id as esperado, n.rotulo as nome
        from {table} as f
        inner join ml_atribuicoes as a using (dt_ref, id_cliente)
        inner join ml_nomes_em_vigor as n using (modelo_id, cluster)
        where a.passo = '{passo}'
        order by id_cliente, dt_ref
    """
    import duckdb

    with duckdb.connect(str(sample.database), read_only=True) as connection:
        rows = connection.execute(query).fetchall()
        names = [column[0] for column in connection.description]
    frame = pd.DataFrame(rows, columns=names)
    numbers = frame.drop(columns=["esperado", "nome"]).astype(float)
    return numbers, frame["esperado"].tolist(), frame["nome"].tolist()


@pytest.mark.longo
@pytest.mark.parametrize("passo", ["rfv", "categoria"])
def test_the_service_answers_as_the_sql_for_every_customer(
    sample, traced, passo, tmp_path
):
    features, codes, names = customers(sample, passo)
    assert len(features) > 1500 and len(set(codes)) >= 4
    records = features.to_dict("records")
    with served(traced, passo, tmp_path) as url:
        status, body = post(url, records)
        assert status == 200
        answers = body["predictions"]
        assert [row["segmento_id"] for row in answers] == codes
        assert [row["rotulo"] for row in answers] == names
        field = features.columns[1]
        for wrong, text in [
            ({k: v for k, v in records[0].items() if k != field}, field),
            (records[0] | {field: "muitos"}, field),
            (records[0] | {field: None}, f"{field} is nan in row 0"),
        ]:
            status, body = post(url, [wrong])
            assert status == 400, body
            assert text in body["message"], body
        whole = {name: round(value) for name, value in records[0].items()}
        assert post(url, [whole])[0] == 200
