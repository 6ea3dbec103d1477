"""The metrics: what `mf query` says is what SQL says."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

SEMANTIC = yaml.safe_load(
    (ROOT / "models/publicado/_publicado__semantic.yml").read_text()
)
METRICS = {metric["name"]: metric for metric in SEMANTIC["metrics"]}
# by segment, from tables that no metric reads: features, labels and lanes
CUSTOMERS = """
    select
        c.segmento_rfv_id,
        count(*) as clientes,
        sum(c.valor) as receita,
        sum(f.frequencia) as pedidos,
        sum(f.valor_bruto) as valor_bruto,
        sum(f.valor_bruto) / nullif(sum(f.frequencia), 0) as ticket_medio,
        sum(c.valor) / sum(sum(c.valor)) over () as participacao_receita,
        count(*) / sum(count(*)) over () as participacao_clientes
    from cluster_clientes__candidato as c
    inner join feat_rfv as f using (dt_ref, id_cliente)
    group by 1
"""


@pytest.mark.longo
@pytest.mark.parametrize("metric", METRICS)
def test_a_metric_is_what_sql_says(sample, project_folder, metric, tmp_path):
    entity = "segmento" if metric.startswith("participacao") else "cliente"
    group = f"{entity}__segmento_rfv_id"
    answer = tmp_path / "answer.csv"
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("mf")),
            *("query", "--metrics", metric, "--group-by", f"metric_time,{group}"),
            *("--csv", str(answer)),
        ],
        cwd=project_folder,
        env=os.environ | {"SEGMENTACAO_DB": "warehouse.duckdb", "DO_NOT_TRACK": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = list(csv.DictReader(answer.open()))
    assert {row["metric_time__day"][:10] for row in rows} == {"2026-01-01"}
    found = {row[group]: row[metric] for row in rows}
    expected = dict(sample.rows(f"select segmento_rfv_id, {metric} from ({CUSTOMERS})"))
    assert len(expected) == 5 and set(found) == set(expected)
    for segment, value in expected.items():
        if value is None:
            assert found[segment] in ("", "None", "nan"), segment
        else:
            # the mart keeps cents; a mean ticket of cents times orders loses some
            tolerance = 2e-4 if metric in ("valor_bruto", "ticket_medio") else 1e-6
            assert float(found[segment]) == pytest.approx(float(value), rel=tolerance)


def test_every_metric_and_model_of_metrics_says_what_it_is():
    for part in [*SEMANTIC["metrics"], *SEMANTIC["semantic_models"]]:
        assert len(part["description"]) > 10, part["name"]
    measured = {m["name"] for s in SEMANTIC["semantic_models"] for m in s["measures"]}
    used = {
        metric["type_params"]["measure"]
        for metric in METRICS.values()
        if metric["type"] == "simple"
    }
    assert used == measured


def test_exposures_have_an_owner_by_role_and_read_what_exists():
    path = ROOT / "models/marts/_marts__exposures.yml"
    exposures = {e["name"]: e for e in yaml.safe_load(path.read_text())["exposures"]}
    assert {"segmentos_de_clientes", "paineis", "experimento_mlflow"} <= set(exposures)
    for exposure in exposures.values():
        assert exposure["owner"]["name"] and exposure["owner"]["email"]
        assert exposure["depends_on"] and exposure["description"]
