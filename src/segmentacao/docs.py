"""Write the dbt documentation as one static file in which every column is described.

``python -m segmentacao.docs`` is what ``make docs`` runs after ``dbt docs generate``.
A description is written once: a column without one takes that of the nearest model up
the lineage with a column of that name, else down the lineage, else the glossary's.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import sys
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

# Where dbt's page looks for the two files; its own --static replaces the same texts.
PLACES = {
    "manifest": '"MANIFEST.JSON INLINE DATA"',
    "catalog": '"CATALOG.JSON INLINE DATA"',
}


def describe_columns(
    manifest: dict[str, Any], catalog: Mapping[str, Any], glossary: Mapping[str, str]
) -> list[str]:
    """Give every column of the catalog a description, in the manifest.

    Parameters
    ----------
    manifest : dict
        dbt's manifest.json; changed in place.
    catalog : mapping
        dbt's catalog.json, which knows the columns that exist.
    glossary : mapping
        Descriptions by column name or pattern, for what the lineage does not say;
        ``model.column`` goes before the lineage.

    Returns
    -------
    list of str
        ``model.column`` of every column that stays without a description, sorted.
    """
    nodes = manifest["nodes"]
    written = {
        (key, name): column["description"]
        for key, node in nodes.items()
        for name, column in node.get("columns", {}).items()
        if column.get("description")
    }
    missing = []
    for key, found in catalog["nodes"].items():
        if key not in nodes:
            continue
        columns = nodes[key].setdefault("columns", {})
        for name in found["columns"]:
            text = (
                written.get((key, name))
                or _looked_up(glossary, f"{nodes[key]['name']}.{name}")
                or _inherited(written, name, _nearest(key, manifest["parent_map"]))
                or _inherited(written, name, _nearest(key, manifest["child_map"]))
                or _looked_up(glossary, name)
            )
            if text:
                columns.setdefault(name, {"name": name})["description"] = text
            else:
                missing.append(f"{nodes[key]['name']}.{name}")
    return sorted(missing)


def _nearest(key: str, edges: Mapping[str, list[str]]) -> Iterable[str]:
    """Return the nodes that the edges reach, nearest first."""
    seen, waiting = {key}, deque([key])
    while waiting:
        for node in sorted(edges.get(waiting.popleft(), [])):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
                yield node


def _inherited(written, name, keys):
    return next((written[key, name] for key in keys if (key, name) in written), None)


def _looked_up(glossary, name):
    if name in glossary:
        return glossary[name]
    return next(
        (text for p, text in glossary.items() if fnmatch.fnmatch(name, p)), None
    )


def undescribed_models(manifest: Mapping[str, Any]) -> list[str]:
    """Return the models and seeds without a description, sorted."""
    return sorted(
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "seed") and not node["description"]
    )


def static_page(
    page: str, manifest: Mapping[str, Any], catalog: Mapping[str, Any]
) -> str:
    """Put manifest and catalog into dbt's page.

    Raises
    ------
    ValueError
        If the page has no place for them.
    """
    for name, content in (("manifest", manifest), ("catalog", catalog)):
        if PLACES[name] not in page:
            raise ValueError(f"index.html: {PLACES[name]} is missing")
        page = page.replace(PLACES[name], json.dumps(content))
    return page


def main() -> None:
    """Write ``target/static_index.html`` and name what is not described."""
    parser = argparse.ArgumentParser(prog="python -m segmentacao.docs")
    parser.add_argument("--target", type=Path, default=Path("target"))
    parser.add_argument("--glossary", type=Path, default=Path("docs/glossario.yml"))
    options = parser.parse_args()
    manifest, catalog = (
        json.loads((options.target / f"{name}.json").read_text())
        for name in ("manifest", "catalog")
    )
    glossary = yaml.safe_load(options.glossary.read_text(encoding="utf-8"))
    missing = describe_columns(manifest, catalog, glossary)
    missing += undescribed_models(manifest)
    page = (options.target / "index.html").read_text(encoding="utf-8")
    output = options.target / "static_index.html"
    output.write_text(static_page(page, manifest, catalog), encoding="utf-8")
    print(f"Documentation: {output.resolve()}")
    if missing:
        sys.exit("Not described: " + ", ".join(missing))


if __name__ == "__main__":
    main()
