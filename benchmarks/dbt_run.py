"""A dbt build as a user runs it: a process, a database file, vars."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

from benchmarks.measure import ROOT


def build(
    watch,
    *,
    folder: str,
    variables: dict,
    memory_limit: str | None = None,
    threads: int = 4,
    exclude: tuple[str, ...] = (),
    select: tuple[str, ...] = (),
) -> dict:
    """Build the project into ``folder/warehouse.duckdb``.

    Returns
    -------
    dict
        `nodes` by type, `seconds_by_node`, `seconds_in_nodes` (summed; nodes
        run side by side), and `database_mb`.

    Raises
    ------
    RuntimeError
        dbt found an error.
    """
    Path(folder).mkdir(parents=True, exist_ok=True)
    _profile(folder, memory_limit)
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--no-use-colors",
        *("--log-path", f"{folder}/logs"),
        "build",
        *("--project-dir", str(ROOT), "--profiles-dir", folder),
        *("--vars", json.dumps(variables)),
        *("--exclude", "test_type:unit", *exclude),
        # with a selection, the tests that need nothing outside of it
        *(("--select", *select) if select else ()),
        *(("--indirect-selection", "buildable") if select else ()),
    ]
    environment = os.environ | {
        "SEGMENTACAO_DB": f"{folder}/warehouse.duckdb",
        "SEGMENTACAO_PUBLICADO": f"{folder}/publicado",
        "SEGMENTACAO_THREADS": str(threads),
        "DBT_TARGET_PATH": f"{folder}/target",
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DO_NOT_TRACK": "1",
    }
    with watch:
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True
        )
    if done.returncode:
        raise RuntimeError(f"dbt build failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return _nodes(folder)


def _profile(folder, memory_limit):
    """Write the project's profile with two DuckDB threads and a memory limit."""
    import yaml

    profile = yaml.safe_load((ROOT / "profiles.yml").read_text())
    for output in profile["segmentacao_clientes"]["outputs"].values():
        config = output.setdefault("config_options", {})
        config["threads"] = "2"
        if memory_limit:
            config["memory_limit"] = memory_limit
            # as the script by hand has it: large tables need less memory
            config["preserve_insertion_order"] = "false"
            config["temp_directory"] = f"{folder}/tmp"
    Path(folder, "profiles.yml").write_text(yaml.safe_dump(profile))


def _nodes(folder) -> dict:
    found = json.loads(Path(folder, "target", "run_results.json").read_text())
    seconds, kinds = {}, Counter()
    for result in found["results"]:
        kind, _, name = result["unique_id"].split(".", 2)
        kinds[kind] += 1
        seconds[f"{kind} {name.split('.')[0]}"] = round(result["execution_time"], 3)
    slowest = dict(sorted(seconds.items(), key=lambda item: -item[1]))
    return {
        "nodes": dict(kinds) | {"all": sum(kinds.values())},
        "seconds_in_nodes": round(sum(seconds.values()), 2),
        "seconds_by_node": slowest,
        "database_mb": Path(folder, "warehouse.duckdb").stat().st_size / 1e6,
    }
