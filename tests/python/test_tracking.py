"""Tracing in MLflow: complete, repeatable, quiet, and never in the build's way."""

from __future__ import annotations

import io
import json
import os
import re
import socket
import subprocess
import sys
import textwrap
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

# MLflow decides on telemetry at its import, before pytest's own variables are set.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
pytest.importorskip("mlflow")
pytest.importorskip("skops")
image = pytest.importorskip("PIL.Image")

from segmentacao import tracking  # noqa: E402
from segmentacao.tracking import (  # noqa: E402
    RESULT_SCHEMA,
    Tracking,
    build_pipeline,
    log_models,
    runs,
)
from segmentacao.tracking.store import environment  # noqa: E402

SRC = Path(tracking.__file__).resolve().parents[2]
SECRET_ID = "CLIENTE-0000042"
DIGEST = "0123456789abcdef" * 4
VARIABLES = {
    "rfv": {"recencia_dias": "nenhuma", "frequencia": "log1p", "valor": "log1p"},
    "categoria": {f"pct_{name}": "nenhuma" for name in ("livros", "food", "tech")},
}
CHOSEN = {"rfv": 4, "categoria": 3}
CANDIDATES = {"rfv": range(2, 7), "categoria": range(2, 5)}
MEASURES = {
    "silhueta": lambda k: 0.5 - 0.01 * abs(k - 4),
    "silhueta_erro": lambda k: 0.004 if k != 5 else None,
    "wss": lambda k: 9000.0 / k,
    "calinski_harabasz": lambda k: 100.0 * k,
    "davies_bouldin": lambda k: 1.1 / k,
    "ari_bootstrap": lambda k: 0.9 if k in (3, 4) else np.nan,
    "p_valor": lambda k: 0.01 if k in (3, 4) else np.nan,
}


def candidate_rows(passo: str) -> list[dict]:
    generator = np.random.default_rng(len(passo))
    rows = []
    for k in CANDIDATES[passo]:
        sizes = [50 * (cluster + 1) for cluster in range(k)]
        shared = {name: measure(k) for name, measure in MEASURES.items()}
        shared |= {"menor_cluster": 50, "clientes_ajuste": sum(sizes)}
        for cluster in range(k):
            for position, (name, kind) in enumerate(VARIABLES[passo].items()):
                scaled = passo == "rfv"
                rows.append(
                    {
                        "passo": passo,
                        "k": k,
                        "cluster": cluster,
                        "variavel": name,
                        "posicao": position,
                        "transformacao": kind,
                        "deslocamento": 2.0 + position if scaled else 0.0,
                        "escala": 0.7 + position if scaled else 1.0,
                        "centro": generator.normal(),
                        "media_cluster": 10.0 * (cluster + 1) + position,
                        "mediana_cluster": 9.0,
                        "media_base": 25.0,
                        "desvio_base": 12.0,
                        "clientes": sizes[cluster],
                        "silhueta_cluster": 0.4,
                        "digest": DIGEST,
                        "id_cliente": SECRET_ID,
                        **shared,
                    }
                )
    return rows


def inputs(suffix: str = "1") -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    candidates, choice, labels = [], [], []
    for passo, k_chosen in CHOSEN.items():
        candidates += candidate_rows(passo)
        choice += [
            {
                "passo": passo,
                "k": k,
                "is_escolhido": k == k_chosen,
                "is_admissivel": k > 2,
                "motivo": f"maior silhueta, k = {k}",
                "is_instavel": False,
                "is_sem_estrutura": k == 3,
                "id_cliente": SECRET_ID,
            }
            for k in CANDIDATES[passo]
        ]
        labels += [
            {
                "passo": passo,
                "k": k_chosen,
                "cluster": cluster,
                "segmento_id": f"s{cluster}",
                "rotulo": f"{k_chosen - cluster}-Grupo {cluster}",
                "modelo_id": f"{passo}-{suffix}",
                "id_cliente": SECRET_ID,
            }
            for cluster in range(k_chosen)
        ]
    return pd.DataFrame(candidates), pd.DataFrame(choice), pd.DataFrame(labels)


def run(settings: Tracking, frames=None, **changes) -> tuple[list[dict], list[str]]:
    messages: list[str] = []
    options = {
        "params": {"k_min": 4, "lista": [1, 2], "fonte": "pg://eu:segredo@bd/vendas"},
        "run_id": "invocacao-1",
        "dt_ref": "2025-07-01",
        "log": messages.append,
    }
    table = log_models(*(frames or inputs()), settings=settings, **options | changes)
    assert table.schema.equals(RESULT_SCHEMA)
    rows = table.to_pylist()
    assert [row["passo"] for row in rows] == ["categoria", "rfv"]
    return rows, messages


def client_of(settings: Tracking):
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=settings.uri, registry_uri=settings.uri)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """One store, logged to twice with the same data: first Arrow, then pandas."""
    folder = tmp_path_factory.mktemp("mlflow")
    settings = Tracking(uri=f"sqlite:///{folder}/rastreio/mlflow.db")
    arrow = [pa.Table.from_pandas(frame, preserve_index=False) for frame in inputs()]
    first, messages = run(settings, arrow)
    second, again = run(settings)
    return {
        "settings": settings,
        "client": client_of(settings),
        "first": first,
        "second": second,
        "messages": messages + again,
        "runs": {row["passo"]: row["mlflow_run_id"] for row in first},
    }


@pytest.fixture
def own(store, request):
    """Settings for the same database, where creating one takes seconds, but with an
    experiment and models of the test's own."""
    name = re.sub(r"\W+", "_", request.node.name)
    return replace(store["settings"], experiment=name, model_prefix=name)


@pytest.fixture
def no_figures(monkeypatch):
    """Leave out the pictures where a test is about something else: they take time."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)


@pytest.fixture
def shared_store(store, monkeypatch):
    """The module's store as MLflow's default, for the ``models:/`` addresses."""
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(store["settings"].uri)
    mlflow.set_registry_uri(store["settings"].uri)
    yield store
    mlflow.set_tracking_uri(before[0])
    mlflow.set_registry_uri(before[1])


# The run -----------------------------------------------------------------------------


@pytest.mark.parametrize("passo", list(CHOSEN))
def test_every_measure_of_every_k_is_logged_at_its_step(store, passo):
    client, run_id = store["client"], store["runs"][passo]
    expected = {
        name: {k: measure(k) for k in CANDIDATES[passo]}
        for name, measure in MEASURES.items()
    }
    expected["menor_cluster_participacao"] = {
        k: 50 / sum(50 * (c + 1) for c in range(k)) for k in CANDIDATES[passo]
    }
    for name, by_k in expected.items():
        history = client.get_metric_history(run_id, name)
        logged = {metric.step: metric.value for metric in history}
        finite = {k: v for k, v in by_k.items() if v is not None and np.isfinite(v)}
        assert logged == finite, name
        assert len(history) == len(finite), name


@pytest.mark.parametrize("passo", list(CHOSEN))
def test_the_chosen_k_has_metrics_of_its_own(store, passo):
    metrics = store["client"].get_run(store["runs"][passo]).data.metrics
    k = CHOSEN[passo]
    for name, measure in MEASURES.items():
        assert metrics[f"escolhido_{name}"] == measure(k)


def test_params_and_tags(store):
    data = store["client"].get_run(store["runs"]["rfv"]).data
    assert data.params == {
        "k_min": "4",
        "lista": "[1, 2]",
        "fonte": "pg://***@bd/vendas",
        "k": "4",
        "n": "500",
        "n_variaveis": "3",
        "variaveis": "recencia_dias, frequencia, valor",
        "transformacoes": "recencia_dias=nenhuma, frequencia=log1p, valor=log1p",
    }
    expected = {
        "run_id": "invocacao-1",
        "modelo_id": "rfv-1",
        "dt_ref": "2025-07-01",
        "passo": "rfv",
        "digest": DIGEST,
        "motivo": "maior silhueta, k = 4",
        "is_instavel": "False",
        "is_sem_estrutura": "False",
        "modelo_registrado": "segmentacao_rfv versao 1",
    }
    assert expected.items() <= data.tags.items()


def test_run_is_finished_and_knows_its_data(store):
    run_ = store["client"].get_run(store["runs"]["categoria"])
    assert run_.info.status == "FINISHED"
    dataset = run_.inputs.dataset_inputs[0].dataset
    assert (dataset.name, dataset.digest) == ("features_categoria", DIGEST[:36])


@pytest.mark.parametrize("passo", list(CHOSEN))
def test_figures_are_artifacts_and_pictures(store, passo, tmp_path):
    client, run_id = store["client"], store["runs"][passo]
    names = {Path(item.path).name for item in client.list_artifacts(run_id, "figuras")}
    assert names == {
        "silhueta_por_k.png",
        "wss_por_k.png",
        "perfil_clusters.png",
        "tamanho_clusters.png",
    }
    for name in names:
        path = client.download_artifacts(run_id, f"figuras/{name}", str(tmp_path))
        picture = image.open(io.BytesIO(Path(path).read_bytes())).convert("RGB")
        assert picture.width >= 400 and picture.height >= 250
        assert len(picture.getcolors(maxcolors=1 << 24)) > 20


def test_result_and_messages(store):
    for row in store["first"]:
        assert row["situacao"] == "registrado"
        assert row["modelo_id"] == f"{row['passo']}-1"
    assert "segmentacao_rfv versao 1 (nova)" in store["first"][1]["mensagem"]
    assert "(nova)" not in store["second"][1]["mensagem"]
    assert len(store["messages"]) == 4


def test_artifacts_lie_beside_the_database(store):
    folder = Path(store["settings"].uri.removeprefix("sqlite:///")).parent
    uri = store["client"].get_run(store["runs"]["rfv"]).info.artifact_uri
    assert uri.startswith((folder / "artefatos").as_uri())


def test_no_customer_id_reaches_the_store(store):
    folder = Path(store["settings"].uri.removeprefix("sqlite:///")).parent
    files = [path for path in folder.rglob("*") if path.is_file()]
    contents = [path.read_bytes() for path in files]
    for path in files:
        if path.suffix == ".skops":
            with zipfile.ZipFile(path) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
    assert any(DIGEST.encode() in content for content in contents)
    assert not any(SECRET_ID.encode() in content for content in contents)
    assert not any(b"segredo" in content for content in contents)


# The model ---------------------------------------------------------------------------


def chosen_rows(passo: str) -> pd.DataFrame:
    rows = inputs()[0]
    return rows[(rows["passo"] == passo) & (rows["k"] == CHOSEN[passo])]


def nearest_centre(rows: pd.DataFrame, features: pd.DataFrame) -> np.ndarray:
    """Assign by the table alone, in plain numpy."""
    variables = rows.drop_duplicates("posicao").sort_values("posicao")
    points = features[list(variables["variavel"])].to_numpy(float).copy()
    is_log = (variables["transformacao"] == "log1p").to_numpy()
    points[:, is_log] = np.log1p(points[:, is_log])
    points = points - variables["deslocamento"].to_numpy()
    points = points / variables["escala"].to_numpy()
    centres = rows.pivot(index="cluster", columns="posicao", values="centro")
    gaps = points[:, None, :] - centres.to_numpy()[None, :, :]
    return (gaps**2).sum(axis=2).argmin(axis=1)


def features_of(passo: str, n: int = 5000) -> pd.DataFrame:
    generator = np.random.default_rng(7)
    if passo == "rfv":
        draws = {
            "recencia_dias": generator.integers(1, 8, n).astype(float),
            "frequencia": generator.gamma(2.0, 20.0, n),
            "valor": generator.lognormal(4.0, 1.5, n),
        }
        return pd.DataFrame(draws)
    return pd.DataFrame(
        generator.normal(size=(n, 3)), columns=list(VARIABLES["categoria"])
    )


@pytest.mark.parametrize("passo", list(CHOSEN))
@pytest.mark.parametrize("shuffled", [False, True])
def test_pipeline_predicts_the_number_of_the_nearest_centre(passo, shuffled):
    rows, features = chosen_rows(passo), features_of(passo)
    expected = nearest_centre(rows, features)
    assert set(expected) == set(range(CHOSEN[passo]))
    if shuffled:
        rows = rows.sample(frac=1, random_state=1)
        features = features[features.columns[::-1]]
    assert (build_pipeline(rows).predict(features) == expected).all()


def test_pipeline_takes_arrow_and_mixed_transformations():
    rows = chosen_rows("rfv").copy()
    rows.loc[rows["posicao"] == 2, "transformacao"] = "nenhuma"
    rows.loc[rows["posicao"] == 0, "transformacao"] = "log1p"
    features = features_of("rfv")
    pipeline = build_pipeline(pa.Table.from_pandas(rows))
    assert (pipeline.predict(features) == nearest_centre(rows, features)).all()


def test_pipeline_keeps_the_centres_to_the_last_digit():
    rows = chosen_rows("rfv")
    centres = rows.pivot(index="cluster", columns="posicao", values="centro")
    model = build_pipeline(rows).named_steps["kmeans"]
    assert (model.cluster_centers_ == centres.to_numpy()).all()


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [
        ("escala", 0.0, "escala"),
        ("centro", np.nan, "centro"),
        ("transformacao", "raiz", "transformacao='raiz'"),
        ("posicao", 0, "repeated"),
    ],
)
def test_pipeline_refuses_what_it_cannot_rebuild(column, value, text):
    rows = chosen_rows("rfv").copy()
    rows[column] = value
    with pytest.raises(ValueError, match=text):
        build_pipeline(rows)


def test_pipeline_refuses_clusters_that_do_not_count_from_zero():
    rows = chosen_rows("rfv").copy()
    rows["cluster"] += 1
    with pytest.raises(ValueError, match="cluster="):
        build_pipeline(rows)


@pytest.mark.parametrize("passo", list(CHOSEN))
def test_registered_model_predicts_the_same_after_loading(shared_store, passo):
    import mlflow.pyfunc
    import mlflow.sklearn

    uri = f"models:/segmentacao_{passo}@em_vigor"
    features = features_of(passo)
    expected = nearest_centre(chosen_rows(passo), features)
    assert (mlflow.sklearn.load_model(uri).predict(features) == expected).all()
    named = mlflow.pyfunc.load_model(uri).predict(features)
    assert (named["segmento_id"] == [f"s{cluster}" for cluster in expected]).all()
    k = CHOSEN[passo]
    names = [f"{k - cluster}-Grupo {cluster}" for cluster in expected]
    assert (named["rotulo"] == names).all()


def test_model_is_skops_with_pinned_packages(shared_store):
    from mlflow.models import Model

    model = Model.load("models:/segmentacao_rfv@em_vigor")
    assert model.flavors["sklearn"]["serialization_format"] == "skops"
    names = [column.name for column in model.signature.inputs]
    assert names == list(VARIABLES["rfv"])
    version = shared_store["client"].get_model_version_by_alias(
        "segmentacao_rfv", "em_vigor"
    )
    folder = Path(version.source.removeprefix("file://"))
    pinned = (folder / "requirements.txt").read_text().split()
    assert [line.partition("==")[0] for line in pinned] == [
        "mlflow",
        "numpy",
        "pandas",
        "scikit-learn",
        "skops",
    ]


@pytest.mark.parametrize("passo", list(CHOSEN))
def test_same_model_again_gives_a_run_but_no_version(store, passo):
    client, name = store["client"], f"segmentacao_{passo}"
    versions = client.search_model_versions(f"name = '{name}'")
    assert [int(version.version) for version in versions] == [1]
    assert versions[0].tags["modelo_id"] == f"{passo}-1"
    runs = {row["mlflow_run_id"] for row in store["first"] + store["second"]}
    assert len(runs) == 4


def test_alias_follows_the_model_in_force_forth_and_back(store, own, no_figures):
    client, name = store["client"], f"{own.model_prefix}_rfv"
    for suffix, version in (("1", 1), ("2", 2), ("1", 1)):
        run(own, inputs(suffix))
        alias = client.get_model_version_by_alias(name, "em_vigor")
        assert int(alias.version) == version
        assert alias.tags["modelo_id"] == f"rfv-{suffix}"
    assert len(client.search_model_versions(f"name = '{name}'")) == 2


def test_a_pinned_step_keeps_its_alias(store, own, no_figures):
    client, name = store["client"], f"{own.model_prefix}_rfv"
    run(own, inputs("1"))
    rows, _ = run(replace(own, pinned=("rfv",)), inputs("2"))
    assert {row["situacao"] for row in rows} == {"registrado"}
    # recorded, and not in force
    assert len(client.search_model_versions(f"name = '{name}'")) == 2
    assert int(client.get_model_version_by_alias(name, "em_vigor").version) == 1
    other = client.get_model_version_by_alias(
        f"{own.model_prefix}_categoria", "em_vigor"
    )
    assert int(other.version) == 2


# What may go wrong -------------------------------------------------------------------


def test_dead_server_costs_seconds_and_one_sentence():
    settings = Tracking(uri="http://usuario:segredo@127.0.0.1:9")
    start = time.monotonic()
    rows, messages = run(settings)
    assert time.monotonic() - start < 20
    assert {row["situacao"] for row in rows} == {"indisponivel"}
    assert {row["mlflow_run_id"] for row in rows} == {None}
    for message in [*messages, *(row["mensagem"] for row in rows)]:
        assert "MLflow em http://127.0.0.1:9 indisponivel (sem resposta" in message
        assert "segredo" not in message and "usuario" not in message


def test_silent_server_costs_one_timeout_a_try():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = Tracking(uri=f"http://127.0.0.1:{port}", timeout=1)
        start = time.monotonic()
        rows, _ = run(settings)
        assert time.monotonic() - start < 5
    assert {row["situacao"] for row in rows} == {"indisponivel"}


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://eu:segr%40edo@127.0.0.1:9/mlflow?password=outrosegredo",
        "postgresql+naoexiste://eu:segr%40edo@/mlflow?password=outrosegredo",
    ],
)
def test_dead_database_is_not_asked_ten_times(uri):
    start = time.monotonic()
    rows, messages = run(Tracking(uri=uri))
    assert time.monotonic() - start < 10
    assert {row["situacao"] for row in rows} == {"indisponivel"}
    assert not any(word in str(messages) for word in ("segr", "outro"))


def test_a_file_that_cannot_be_opened_is_not_tried_ten_times(tmp_path):
    start = time.monotonic()
    rows, messages = run(Tracking(uri=f"sqlite:///{tmp_path}"))
    assert time.monotonic() - start < 10
    assert {row["situacao"] for row in rows} == {"indisponivel"}
    assert "unable to open database file" in messages[0]


def test_switches_are_the_ones_mlflow_reads_and_are_put_back(monkeypatch):
    from mlflow import environment_variables as switches

    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "3")
    monkeypatch.delenv("MLFLOW_HTTP_REQUEST_TIMEOUT", raising=False)
    with environment(Tracking(timeout=4)):
        assert switches.MLFLOW_HTTP_REQUEST_MAX_RETRIES.get() == 1
        assert switches.MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR.get() == 0
        assert switches.MLFLOW_HTTP_REQUEST_TIMEOUT.get() == 4
        assert not switches.MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER.get()
        assert not switches.MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR.get()
        assert switches.MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT.get()
        assert switches.MLFLOW_DISABLE_TELEMETRY.get()
    assert os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] == "3"
    assert "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ


def test_obrigatorio_raises_one_sentence_without_the_password():
    uri = "http://usuario:segredo@127.0.0.1:9"
    with pytest.raises(RuntimeError, match="^rastreio obrigatorio, passo") as caught:
        run(Tracking(uri=uri, mode="obrigatorio"))
    chain = (caught.value, caught.value.__cause__, caught.value.__context__)
    assert not any("segredo" in str(error) for error in chain)


def test_obrigatorio_is_content_when_all_went_well(own):
    rows, _ = run(replace(own, mode="obrigatorio"))
    assert {row["situacao"] for row in rows} == {"registrado"}


@pytest.mark.parametrize("mode", ["ligado", "obrigatorio"])
def test_missing_mlflow_is_said(monkeypatch, mode):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    if mode == "obrigatorio":
        with pytest.raises(RuntimeError, match="mlflow nao instalado"):
            run(Tracking(mode=mode))
        return
    rows, messages = run(Tracking())
    assert {row["situacao"] for row in rows} == {"indisponivel"}
    assert all("pacote mlflow nao instalado" in message for message in messages)


def test_missing_extras_cost_only_what_depends_on_them(monkeypatch, store, own):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "skops", None)
    rows, messages = run(own)
    assert {row["situacao"] for row in rows} == {"registrado"}
    assert all("matplotlib e skops nao instalado" in text for text in messages)
    data = store["client"].get_run(rows[1]["mlflow_run_id"]).data
    assert data.metrics["escolhido_silhueta"] == MEASURES["silhueta"](4)


def test_a_failure_half_way_marks_the_run_and_spares_the_build(
    monkeypatch, store, own, no_figures
):
    def fail(*_):
        raise OSError("disco cheio")

    monkeypatch.setattr(runs, "register", fail)
    rows, messages = run(own)
    assert {row["situacao"] for row in rows} == {"indisponivel"}
    assert "disco cheio" in messages[0]
    client = store["client"]
    experiment = client.get_experiment_by_name(own.experiment)
    found = client.search_runs([experiment.experiment_id])
    assert [item.info.status for item in found] == ["FAILED"]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("two choices", "2 valores de k escolhidos"),
        ("no label", "0 valores de modelo_id"),
        ("bad centre", "figuras ou modelo impossiveis"),
    ],
)
def test_a_step_that_makes_no_sense_leaves_the_other_alone(
    own, no_figures, change, text
):
    candidates, choice, labels = inputs()
    if change == "two choices":
        choice.loc[choice["passo"] == "categoria", "is_escolhido"] = [True, True, False]
    elif change == "no label":
        labels = labels[labels["passo"] != "categoria"]
    else:
        candidates.loc[candidates["passo"] == "categoria", "centro"] = np.nan
    rows, _ = run(own, (candidates, choice, labels))
    assert [row["situacao"] for row in rows] == ["indisponivel", "registrado"]
    assert text in rows[0]["mensagem"]


def test_missing_column_is_named():
    candidates, choice, labels = inputs()
    frames = candidates.drop(columns="wss"), choice, labels
    with pytest.raises(ValueError, match=r"candidates: columns \['wss'\] are missing"):
        run(Tracking(mode="desligado"), frames)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("mode", "talvez"),
        ("uri", "mlruns"),
        ("uri", "file:///tmp/mlruns"),
        ("uri", None),
        ("timeout", 0),
        ("timeout", 2.5),
        ("timeout", True),
        ("experiment", ""),
        ("model_prefix", "a/b"),
        ("artifact_location", ""),
    ],
)
def test_settings_name_parameter_value_and_range(field, value):
    with pytest.raises(ValueError, match=f"^{field}=.*allowed") as caught:
        Tracking(**{field: value})
    assert repr(value) in str(caught.value)


def test_settings_never_repeat_a_password():
    with pytest.raises(ValueError) as caught:
        Tracking(uri="ftp://eu:segredo@servidor/x")
    assert "segredo" not in str(caught.value)


# In a process of its own -------------------------------------------------------------


def outside(body: str, folder: Path) -> subprocess.CompletedProcess:
    """Run code in a fresh process that reads this module's inputs, without a network.

    MLflow switches telemetry off under pytest and CI, so their variables are removed.
    """
    folder.mkdir(exist_ok=True)
    head = f"""
        import json, logging, os, socket, sys
        sys.path[:0] = [{str(SRC)!r}, {str(Path(__file__).parent)!r}]
        calls = []
        def refuse(*address, **_):
            calls.append(str(address))
            raise OSError("no network")
        socket.socket.connect = socket.getaddrinfo = refuse
        frames = [__import__("pandas").read_pickle(n) for n in sys.argv[1:]]
        from segmentacao.tracking import Tracking, log_models
        options = dict(params={{}}, run_id="i", dt_ref="d", log=lambda text: None)
    """
    names = []
    for number, frame in enumerate(inputs()):
        names.append(str(folder.parent / f"frame{number}.pkl"))
        frame.to_pickle(names[-1])
    quiet = ("CI", "GITHUB_ACTIONS", "PYTEST_CURRENT_TEST", "DO_NOT_TRACK")
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in quiet and "MLFLOW" not in name
    }
    code = textwrap.dedent(head) + textwrap.dedent(body)
    return subprocess.run(
        [sys.executable, "-W", "default::UserWarning", "-c", code, *names],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_quiet_offline_and_everything_put_back(tmp_path):
    body = """
        import sklearn  # sets variables of its own for its threads
        before = dict(os.environ)
        levels = {n: logging.getLogger(n).level for n in ("urllib3", "matplotlib")}
        settings = Tracking(uri="sqlite:///rastreio/mlflow.db")
        result = log_models(*frames, settings=settings, **options)
        after = {n: logging.getLogger(n).level for n in ("urllib3", "matplotlib")}
        # Any telemetry client, even one that gave up since, has asked for this id.
        from mlflow.telemetry import installation_id
        facts = {
            "situacao": result.column("situacao").to_pylist(),
            "environment": sorted(set(os.environ.items()) ^ set(before.items())),
            "levels": levels == after,
            "mlflow_level": logging.getLogger("mlflow").level,
            "telemetry": installation_id._INSTALLATION_ID_CACHE,
            "network": calls,
            "pyplot": "matplotlib.pyplot" in sys.modules,
            "files": sorted(os.listdir()),
        }
        print(json.dumps(facts))
    """
    done = outside(body, tmp_path / "projeto")
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert len(lines) == 1
    assert json.loads(lines[0]) == {
        "situacao": ["registrado", "registrado"],
        "environment": [],
        "levels": True,
        "mlflow_level": 20,
        "telemetry": None,
        "network": [],
        "pyplot": False,
        "files": ["rastreio"],
    }


def test_desligado_imports_nothing_heavy(tmp_path):
    body = """
        result = log_models(*frames, settings=Tracking(mode="desligado"), **options)
        heavy = {"mlflow", "matplotlib", "skops", "sklearn"} & set(sys.modules)
        print(json.dumps([result.column("situacao").to_pylist(), sorted(heavy)]))
    """
    done = outside(body, tmp_path / "projeto")
    assert done.stderr == ""
    assert json.loads(done.stdout) == [["desligado", "desligado"], []]
    assert os.listdir(tmp_path / "projeto") == []
