"""Long work shows progress: k by k, with the time it took, wherever dbt logs."""

import json
import logging
import re
import sys

import pytest
from conftest import QUICK

from segmentacao.progress import logger

# which k, and after it the seconds
K_LINE = re.compile(r"rfv: k = (\d+)\b.*\d+\.\d s")
ALL_K = set(range(2, 9))


@pytest.mark.longo
def test_a_fit_logs_every_k_with_elapsed_time_on_console_and_in_json(sample_copy):
    console = sample_copy.run("run", "--select", "ml_rfv_kmeans", variables=QUICK)
    assert console.returncode == 0, console.stdout
    # in any order: the largest k, which takes longest, may be fitted first
    assert {int(k) for k in K_LINE.findall(console.stdout)} == ALL_K
    quiet = sample_copy.run(
        "--log-format", "json", "run", "--select", "ml_rfv_kmeans", variables=QUICK
    )
    lines = [json.loads(line) for line in quiet.stdout.splitlines()]
    messages = [line["info"]["msg"] for line in lines]
    found = [K_LINE.search(message) for message in messages]
    assert {int(match[1]) for match in found if match} == ALL_K


def test_outside_dbt_the_standard_logger_gets_the_lines(monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "dbt.adapters.events.logging", None)
    with caplog.at_level(logging.INFO, "segmentacao"):
        logger()("k = 3")
    assert caplog.messages == ["k = 3"]
