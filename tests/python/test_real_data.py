"""Real data against published counts and a published feature table."""

from decimal import Decimal

import duckdb
import pytest
import yaml
from conftest import QUICK, ROOT, Dbt

pytestmark = [pytest.mark.dbt, pytest.mark.dados]

# lines, customers and value of the window, as data/README.md states them
WINDOW = """
    select count(*), count(distinct id_cliente), sum(valor_venda)
    from stg_vendas, feat_referencias
    where papel = 'atual' and data_venda >= inicio_janela and data_venda < dt_ref
"""


def example(name):
    """Return the vars of one of the documented examples."""
    return yaml.safe_load((ROOT / "examples" / f"{name}.yml").read_text())


def build_example(name, tmp_path_factory, data):
    """Build one of the documented examples, as `make example` does."""
    project = Dbt(tmp_path_factory.mktemp(name))
    project.build(
        "resource_type:seed,amostra_vendas",
        variables=example(name) | QUICK,
        DADOS=str(data),
    )
    return project


@pytest.fixture(scope="module")
def complete_journey(tmp_path_factory, real_data):
    """Return Complete Journey, built by its example."""
    return build_example("complete_journey", tmp_path_factory, real_data)


@pytest.fixture(scope="module")
def online_retail(tmp_path_factory, real_data):
    """Return Online Retail, built by its example."""
    return build_example("online_retail", tmp_path_factory, real_data)


def test_complete_journey_loads_to_the_published_counts(complete_journey):
    assert complete_journey.rows(WINDOW) == [(740_437, 2_415, Decimal("2344958.12"))]


def test_online_retail_loads_to_the_published_counts(online_retail):
    purchases = WINDOW + " and is_compra"
    assert online_retail.rows(purchases) == [(243_140, 3_486, Decimal("5371336.943"))]


def test_complete_journey_gives_two_part_labels(complete_journey):
    assert (
        complete_journey.value(
            """
        select count(*) from cluster_clientes
        where faixa in ('ativo', 'compra_unica')
            and cluster <> cluster_rfv || ':' || cluster_categoria
        """
        )
        == 0
    )
    assert (
        complete_journey.value(
            "select count(distinct cluster_categoria) from cluster_clientes"
        )
        >= 3
    )


def test_online_retail_has_no_categories_and_one_part_labels(online_retail):
    assert online_retail.rows(
        """
        select count(cluster_categoria), count(*) filter (cluster <> cluster_rfv),
            count(*) filter (frequencia > 0)
        from cluster_clientes
        """
    ) == [(0, 0, 3_486)]


def test_online_retail_best_group(online_retail):
    # k = 4 on the transformed space: about an eighth of the customers with
    # about three fifths of the revenue (DEFINITIONS, clustering quality)
    customers, revenue = online_retail.rows(
        """
        select clientes / 3486, participacao_receita
        from perfil_clusters where segmento_rfv_id = 'vip'
        """
    )[0]
    assert 0.11 < customers < 0.15
    assert 0.55 < revenue < 0.62


def test_published_feature_table_is_reproduced(tmp_path, real_data):
    project = Dbt(tmp_path)
    project.build(
        "resource_type:seed,amostra_vendas",
        "--select",
        "+feat_rfv",
        "--indirect-selection",
        "cautious",
        variables=example("online_retail_publicado"),
        DADOS=str(real_data),
    )
    ours = project.rows(
        """
        select id_cliente, valor_bruto::double, recencia_dias - 1, itens::double,
            linhas, devolucoes::double
        from feat_rfv, feat_referencias
        where papel = 'atual' and feat_rfv.dt_ref = feat_referencias.dt_ref
        """
    )
    published = duckdb.sql(
        f"""
        select customer_id::varchar, gross_revenue, recency_days, total_quantity,
            qtde_products, qty_returns
        from read_parquet('{real_data}/insiders_features_published.parquet')
        """
    ).fetchall()
    assert len(ours) == len(published) == 5_695
    named = {row[0]: row[1:] for row in ours if not row[0].startswith("anonimo:")}
    theirs = {row[0]: row[1:] for row in published if row[0] in named}
    assert sorted(named) == sorted(theirs)
    for customer, features in named.items():
        assert features == pytest.approx(theirs[customer], abs=1e-6), customer
    # the published numbers of anonymous customers are arbitrary: as a multiset
    # (rounded to cents, or float noise would order them differently)
    anonymous = sorted(
        (round(row[1], 2), *row[2:]) for row in ours if row[0] not in named
    )
    others = sorted(
        (round(row[1], 2), *row[2:]) for row in published if row[0] not in named
    )
    for mine, other in zip(anonymous, others, strict=True):
        assert mine == pytest.approx(other, abs=1e-6)
