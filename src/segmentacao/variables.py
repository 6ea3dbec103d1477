"""Write docs/variables.md: a table of every var, from dbt_project.yml itself.

``python -m segmentacao.variables`` reads the comments. A banner opens a section, the
comment above a var is its description; vars below it, up to the next blank line, share
it when they have none of their own.
"""

from __future__ import annotations

import argparse
import re
from dataclasses import dataclass
from pathlib import Path

import yaml

HEADER = """\
# Variables

Every var with its default, made from the comments in
[`dbt_project.yml`](../dbt_project.yml) by `make variables`; change it there. A project
that installs this one as a package sets them under its own `vars:`. Impossible values
stop a run at its start.
"""
_BANNER = re.compile(r"  # -{3,} (?P<title>[^-].*)$")
_VAR = re.compile(r"  (?P<name>\w+):")


@dataclass(frozen=True)
class Variable:
    """One var: its section, name, default and description."""

    section: str
    name: str
    default: object
    description: str


def read_variables(text: str) -> list[Variable]:
    """Read the vars of a dbt_project.yml in their order.

    Parameters
    ----------
    text : str
        The file.

    Returns
    -------
    list of Variable

    Raises
    ------
    ValueError
        If a var has no description.
    """
    values = yaml.safe_load(text)["vars"]
    lines = iter(text[text.index("\nvars:\n") + 7 :].splitlines())
    section, comment, found, is_fresh = "", "", [], False
    for line in lines:
        if line and not line.startswith(" "):
            break
        if not line:
            comment = ""
        if banner := _BANNER.match(line):
            section, comment = banner["title"].strip(), ""
        elif line.startswith("  # "):
            comment = f"{comment} {line[4:]}" if is_fresh else line[4:]
            is_fresh = True
            continue
        elif var := _VAR.match(line):
            name = var["name"]
            if not comment:
                raise ValueError(f"dbt_project.yml: var {name} has no description")
            found.append(Variable(section, name, values[name], comment))
        is_fresh = False
    return found


def table(variables: list[Variable]) -> str:
    """Return the page.

    Parameters
    ----------
    variables : list of Variable
        In the order in which they are to appear.

    Returns
    -------
    str
        Markdown.
    """
    page, section = [HEADER], None
    for variable in variables:
        if variable.section != section:
            section = variable.section
            page.append(f"\n## {section.capitalize()}\n\n| var | default | meaning |")
            page.append("\n|---|---|---|\n")
        default = _shown(variable.default)
        text = variable.description.replace("|", "\\|")
        page.append(f"| `{variable.name}` | {default} | {text} |\n")
    return "".join(page)


def _shown(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, dict):
        return "<br>".join(f"`{key}: {item}`" for key, item in value.items())
    if isinstance(value, list):
        return "<br>".join(f"`{item}`" for item in value) or "empty list"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(prog="python -m segmentacao.variables")
    parser.add_argument("--project", type=Path, default=Path("dbt_project.yml"))
    parser.add_argument("--output", type=Path, default=Path("docs/variables.md"))
    options = parser.parse_args()
    variables = read_variables(options.project.read_text(encoding="utf-8"))
    options.output.write_text(table(variables), encoding="utf-8")


if __name__ == "__main__":
    main()
