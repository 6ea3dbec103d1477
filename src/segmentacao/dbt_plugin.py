"""The dbt-duckdb plugin behind the materialization ``publicado``.

profiles.yml names it::

    plugins:
      - module: segmentacao.dbt_plugin
        alias: publicado
        config:
          pasta: publicado               # folder of Parquet files; empty: none
          variavel_url: SEGMENTACAO_URL  # environment variable with a SQLAlchemy URL

The variable's name stands there, not its value, because dbt may print a profile.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
from dbt.adapters.duckdb.plugins import BasePlugin
from dbt_common.exceptions import DbtRuntimeError

from segmentacao.addresses import safe_address
from segmentacao.progress import logger
from segmentacao.publish import PublicationError, to_database, to_parquet

BATCH_ROWS = 20_000
# Names of models may carry this, as a mart and its publication cannot share one.
PREFIX = "pub_"


class Plugin(BasePlugin):
    """Publish relations as Parquet files and as tables of a database."""

    def initialize(self, plugin_config: dict[str, Any]) -> None:
        """Read the settings of the profile."""
        unknown = set(plugin_config) - {"pasta", "variavel_url"}
        if unknown:
            raise DbtRuntimeError(
                f"Plugin publicado: {sorted(unknown)} is not known, allowed are pasta "
                "and variavel_url."
            )
        self._folder = plugin_config.get("pasta") or None
        self._address = os.environ.get(plugin_config.get("variavel_url") or "", "")

    def configure_connection(self, conn: Any) -> None:
        """Keep the connection, to read from it what is to be published."""
        self._connection = conn

    def store(self, target_config: Any) -> None:
        """Publish one relation to every place that is switched on."""
        relation = target_config.relation
        name = relation.identifier.removeprefix(PREFIX)
        places = []
        count = 0
        try:
            if self._folder:
                path = Path(self._folder) / f"{name}.parquet"
                # in an order of their own: same rows, same bytes
                count = to_parquet(self._rows(f"{relation} order by all"), path)
                places.append(str(path))
            if self._address:
                count = to_database(self._rows(str(relation)), name, self._address)
                places.append(safe_address(self._address))
        except PublicationError as error:
            raise DbtRuntimeError(
                f"{str(error)[:1].upper()}{str(error)[1:]}."
            ) from None
        if places:
            logger()(f"Published {name}, {count} rows: {', '.join(places)}")

    def _rows(self, source: str) -> pa.RecordBatchReader:
        cursor = self._connection.cursor()
        reader = cursor.sql(f"select * from {source}").to_arrow_reader(BATCH_ROWS)

        def batches() -> Iterator[pa.RecordBatch]:
            yield from reader

        return pa.RecordBatchReader.from_batches(reader.schema, batches())
