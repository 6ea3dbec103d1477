"""Render the boards of a dbt Charts project, one offline HTML file each.

``python -m segmentacao.dashboards`` is what ``make dashboard`` runs. A board is drawn
when every table that it reads by ``ref()`` has been built; the others are named with
what they miss.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

REF = re.compile(r"ref\(\s*['\"](\w+)['\"]\s*\)")
# Neither looks for updates nor sends statistics.
QUIET = {"DCT_NO_WORKSPACE_GUARD": "1", "DO_NOT_TRACK": "1"}


def models_read(board: str) -> list[str]:
    """Return the models that a board reads.

    Parameters
    ----------
    board : str
        Text of the board's YAML.

    Returns
    -------
    list of str
        Names, sorted, each once.
    """
    return sorted(set(REF.findall(board)))


def missing_models(board: str, manifest: Mapping) -> list[str]:
    """Return the models that a board reads and the dbt project does not have.

    Parameters
    ----------
    board : str
        Text of the board's YAML.
    manifest : mapping
        dbt's manifest.json.

    Returns
    -------
    list of str
        Names, sorted.
    """
    known = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed")
    }
    return [name for name in models_read(board) if name not in known]


def render(project: Path, target: Path, output: Path) -> tuple[list[Path], list[str]]:
    """Render every board whose tables exist.

    Parameters
    ----------
    project : Path
        dbt project with a folder ``dashboards``.
    target : Path
        Folder of dbt's ``manifest.json``.
    output : Path
        Folder for the HTML files; made when missing.

    Returns
    -------
    files : list of Path
        One file per board, by name.
    skipped : list of str
        One sentence per board that could not be drawn.

    Raises
    ------
    RuntimeError
        If a board cannot be drawn although its tables exist.
    """
    manifest = json.loads((target / "manifest.json").read_text())
    boards, skipped = [], []
    for path in sorted((project / "dashboards" / "charts").glob("*.yml")):
        if path.stem == "meta":
            continue
        missing = missing_models(path.read_text(), manifest)
        if missing:
            skipped.append(f"{path.stem}: not drawn, needs {', '.join(missing)}")
        else:
            boards.append(path)
    output.mkdir(parents=True, exist_ok=True)
    command = [
        str(Path(sys.executable).with_name("dct")),
        *("--no-send-anonymous-usage-stats", "render", *map(str, boards)),
        *("--project-dir", str(project / "dashboards")),
        *("--dbt-project-dir", str(project)),
        *("--format", "html", "--no-cache"),
        *("--output", str(output / "{stem}.html")),
    ]
    done = subprocess.run(
        command,
        cwd=project,
        env={**os.environ, **QUIET, **_inside(project, target)},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"boards cannot be drawn:\n{done.stderr or done.stdout}")
    return [output / f"{path.stem}.html" for path in boards], skipped


def _inside(project: Path, target: Path) -> dict[str, str]:
    """Name folders relative to the project: dbt Charts takes no other path."""
    paths = {"DBT_TARGET_PATH": os.path.relpath(target, project)}
    database = os.environ.get("SEGMENTACAO_DB")
    if database:
        paths["SEGMENTACAO_DB"] = os.path.relpath(project / database, project)
    return paths


def main() -> None:
    """Render and print the paths."""
    parser = argparse.ArgumentParser(prog="python -m segmentacao.dashboards")
    parser.add_argument("--project", type=Path, default=Path.cwd())
    parser.add_argument("--output", type=Path, default=Path("paineis"))
    options = parser.parse_args()
    project = options.project.resolve()
    target = project / os.environ.get("DBT_TARGET_PATH", "target")
    try:
        files, skipped = render(project, target, options.output.resolve())
    except (RuntimeError, FileNotFoundError) as error:
        sys.exit(f"{error}\nRun dbt build first.")
    for sentence in skipped:
        print(sentence)
    for path in files:
        print(f"Dashboard: {path}")


if __name__ == "__main__":
    main()
