"""The documentation: complete, current, one file."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml
from conftest import QUICK, ROOT

from segmentacao.docs import describe_columns, static_page, undescribed_models
from segmentacao.variables import read_variables, table

PROJECT = (ROOT / "dbt_project.yml").read_text()
GLOSSARY = yaml.safe_load((ROOT / "docs/glossario.yml").read_text())


def test_the_table_of_vars_is_complete_and_current():
    variables = read_variables(PROJECT)
    declared = yaml.safe_load(PROJECT)["vars"]
    assert [variable.name for variable in variables] == list(declared)
    page = (ROOT / "docs/variables.md").read_text()
    assert page == table(variables), "run make variables"


def test_a_var_takes_the_comment_of_its_paragraph_only():
    text = """
vars:
  # ------- one
  # First
  # line.
  a: 1
  b: {x: y}

  # Other.
  # - nested comments stay out
  c: null
models:
  d: 1
"""
    found = read_variables(text)
    assert [(v.section, v.name, v.default) for v in found] == [
        ("one", "a", 1),
        ("one", "b", {"x": "y"}),
        ("one", "c", None),
    ]
    assert found[0].description == found[1].description == "First line."
    with pytest.raises(ValueError, match="var c has no description"):
        read_variables(text.replace("  # Other.\n  # - nested comments stay out\n", ""))


def node(name, *columns, **parts):
    described = {name: {"description": text} for name, text in columns}
    return {
        "name": name,
        "resource_type": "model",
        "description": name,
        "columns": described,
        **parts,
    }


def test_a_column_is_described_once_and_inherited_along_the_lineage():
    manifest = {
        "nodes": {
            "a": node("a", ("x", "of a"), ("y", "of a")),
            "b": node("b", ("y", "of b")),
            "c": node("c", ("z", "of c")),
        },
        "parent_map": {"a": [], "b": ["a"], "c": ["b"]},
        "child_map": {"a": ["b"], "b": ["c"], "c": []},
    }
    columns = {"a": ["x", "z"], "b": ["x", "y", "pct_q"], "c": ["x", "y", "w", "k"]}
    catalog = {"nodes": {m: {"columns": dict.fromkeys(c)} for m, c in columns.items()}}
    glossary = {"pct_*": "a share", "c.k": "of the glossary", "z": "not used"}
    assert describe_columns(manifest, catalog, glossary) == ["c.w"]
    texts = {
        (model, name): column["description"]
        for model, part in manifest["nodes"].items()
        for name, column in part["columns"].items()
    }
    assert texts["b", "x"] == texts["c", "x"] == "of a"
    assert texts["c", "y"] == "of b"
    assert texts["a", "z"] == "of c"
    assert texts["b", "pct_q"] == "a share"
    assert texts["c", "k"] == "of the glossary"


def test_a_page_without_a_place_for_the_data_is_refused():
    with pytest.raises(ValueError, match="MANIFEST"):
        static_page("<html></html>", {}, {})


def test_links_of_the_documents_lead_somewhere():
    pages = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for link in re.findall(r"\]\(([^)#]+)", page.read_text()):
            if "://" not in link:
                assert (page.parent / link).exists(), f"{page.name}: {link}"


@pytest.fixture(scope="module")
def documented(sample, tmp_path_factory):
    """Return manifest and catalog of the sample."""
    from conftest import Dbt

    project = Dbt(tmp_path_factory.mktemp("docs"))
    shutil.copy(sample.database, project.database)
    done = project.run("docs", "generate", "--quiet", variables=QUICK)
    assert done.returncode == 0, done.stdout
    target = project.folder / "target"
    return (
        target,
        json.loads((target / "manifest.json").read_text()),
        json.loads((target / "catalog.json").read_text()),
    )


def test_every_model_and_column_is_described(documented):
    _, manifest, catalog = documented
    assert len(catalog["nodes"]) > 30
    assert undescribed_models(manifest) == []
    assert describe_columns(manifest, catalog, GLOSSARY) == []


def test_the_page_is_one_file_with_the_overview(documented):
    target, manifest, catalog = documented
    page = static_page((target / "index.html").read_text(), manifest, catalog)
    assert "Sale lines come in, every customer leaves with a segment" in page
    assert "INLINE DATA" not in page
