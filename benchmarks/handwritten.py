"""The work of the whole build as one script of DuckDB and the core.

What somebody who knows DuckDB well would write for this one data set: no
reusable parts, no tests, no documentation. It reads the Parquet files,
refuses the lines that staging refuses and keeps them with their reason, makes
the features of every reference date that the project makes by default, fits
and judges both steps with the project's own core and settings, chooses k by
the same rule, labels every customer of every date by the nearest centre and
writes one table of the current one.
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.generate import CATEGORIES
from benchmarks.measure import ROOT

RFV = ["recencia_dias", "frequencia", "valor"]
PCT = [f"pct_{name.lower()}" for name in CATEGORIES]

# A purchase has both signs positive, a return one of them negative.
LINES = """
create view linhas as
select
    *,
    cast(quantidade * preco_unitario as decimal(18, 4)) as valor_venda,
    case
        when id_cliente is null then 'cliente_ausente'
        when data_venda is null then 'data_ausente'
        when data_venda > current_date then 'data_futura'
        when data_venda < date '2000-01-01' then 'data_antiga'
        when quantidade is null then 'quantidade_ausente'
        when preco_unitario is null then 'valor_ausente'
        when id_produto in ('FRETE', 'AJUSTE', 'POST', 'D') then 'codigo_nao_produto'
    end as motivo
from '{source}/*.parquet'
"""
# Few lines are sent twice: find their keys first, compare only those.
REPEATED = """
create temp table repetidas as
select id_venda, id_linha from linhas
where motivo is null
group by all having count(*) > 1
"""
REFUSED = """
create table rejeitadas as
select * from linhas where motivo is not null
union all by name
select * replace ('linha_duplicada' as motivo) from (
    select linhas.* from linhas semi join repetidas using (id_venda, id_linha)
    where motivo is null
    qualify row_number() over (
        partition by id_venda, id_linha
        order by data_venda, valor_venda, id_produto, id_cliente
    ) > 1
)
"""
# `periodo` is how many reference dates lie after the sale: windows touch but do
# not overlap, so a line is aggregated once and dates are put together after.
PERIODS = """
create temp table periodos as
with linhas_limpas as (
    select linhas.* from linhas anti join repetidas using (id_venda, id_linha)
    where motivo is null
    union all
    select linhas.* from linhas semi join repetidas using (id_venda, id_linha)
    where motivo is null
    qualify row_number() over (
        partition by id_venda, id_linha
        order by data_venda, valor_venda, id_produto, id_cliente
    ) = 1
), marcadas as (
    select
        *,
        quantidade > 0 and valor_venda > 0 as is_compra,
        quantidade < 0 or valor_venda < 0 as is_devolucao,
        {period} as periodo
    from linhas_limpas
)
select
    id_cliente,
    periodo,
    min(data_venda) filter (is_compra) as primeira,
    max(data_venda) filter (is_compra) as ultima,
    min(id_venda) filter (is_compra) as primeiro_pedido,
    max(id_venda) filter (is_compra) as ultimo_pedido,
    count(distinct id_venda) filter (is_compra) as frequencia,
    count(distinct data_venda) filter (is_compra) as frequencia_dias,
    sum(case when is_compra then valor_venda else 0 end) as valor_bruto,
    -sum(case when is_devolucao then valor_venda else 0 end) as valor_devolvido,
    count(*) filter (is_compra) as linhas,
    sum(quantidade) filter (is_compra) as itens,
    -sum(quantidade) filter (is_devolucao and quantidade < 0) as devolucoes,
    {sums}
from marcadas
group by all
"""
FEATURES = """
create temp table clientes as
with historia as (
    select
        dt.ordem,
        dt.dt_ref,
        id_cliente,
        min(primeira) as primeira,
        max(ultima) as ultima,
        min(primeiro_pedido) = max(ultimo_pedido) as is_compra_unica
    from periodos
    join referencias as dt on periodos.periodo >= dt.ordem
    group by all
    having max(ultima) is not null
)
select
    h.dt_ref,
    h.id_cliente,
    case
        when coalesce(p.frequencia, 0) = 0 then 'sem_compra_na_janela'
        when not coalesce({known} > 0, false) then 'sem_categoria'
        when h.is_compra_unica then 'compra_unica'
        else 'ativo'
    end as faixa,
    date_diff('day', h.ultima, h.dt_ref) as recencia_dias,
    coalesce(p.frequencia, 0) as frequencia,
    coalesce(p.frequencia_dias, 0) as frequencia_dias,
    coalesce(p.valor_bruto, 0) as valor_bruto,
    coalesce(p.valor_devolvido, 0) as valor_devolvido,
    greatest(coalesce(p.valor_bruto - p.valor_devolvido, 0), 0) as valor,
    p.valor_bruto / nullif(p.frequencia, 0) as ticket_medio,
    coalesce(p.linhas, 0) as linhas,
    coalesce(p.itens, 0) as itens,
    coalesce(p.devolucoes, 0) as devolucoes,
    date_diff('day', h.primeira, h.dt_ref) as idade_base_dias,
    {shares}
from historia as h
left join periodos as p on h.id_cliente = p.id_cliente and h.ordem = p.periodo
"""
OUTPUT = """
create table cluster_clientes as
select
    f.dt_ref,
    f.id_cliente,
    coalesce(r.rotulo || coalesce(':' || c.rotulo, ''), 'Sem compra na janela')
        as cluster,
    r.rotulo as cluster_rfv,
    c.rotulo as cluster_categoria,
    f.faixa,
    f.recencia_dias,
    f.frequencia,
    cast(f.valor as decimal(18, 2)) as valor,
    cast(f.ticket_medio as decimal(18, 2)) as ticket_medio,
    a.distancia
from clientes as f
left join atribuicoes_rfv as a using (dt_ref, id_cliente)
left join atribuicoes_categoria as b using (dt_ref, id_cliente)
left join rotulos_rfv as r on a.cluster = r.cluster
left join rotulos_categoria as c on b.cluster = c.cluster
where f.dt_ref = (select dt_ref from referencias where ordem = 0)
"""


def build(
    watch, *, source: str, folder: str, memory_limit: str, variables: dict
) -> dict:
    """Build everything from the Parquet files of `source` into `folder`."""
    import yaml

    project = yaml.safe_load((ROOT / "dbt_project.yml").read_text())
    steps = {}
    with watch:
        import duckdb

        Path(folder).mkdir(parents=True, exist_ok=True)
        with duckdb.connect(f"{folder}/handwritten.duckdb") as connection:
            connection.execute(f"set memory_limit = '{memory_limit}'")
            connection.execute(f"set temp_directory = '{folder}/tmp'")
            connection.execute("set threads = 2")
            connection.execute("set preserve_insertion_order = false")
            settings = project["vars"] | variables
            script = _Script(connection, settings, source, steps)
            script.features()
            script.fit()
            script.score()
            rows = connection.execute(
                "select count(*) from cluster_clientes"
            ).fetchone()[0]
    return {"seconds_by_step": steps, "rows": rows, "ks": script.ks}


class _Script:
    def __init__(self, connection, settings, source, steps):
        self.connection, self.settings = connection, settings
        self.source, self.steps = source, steps
        self.ks = {}

    def _run(self, step, query):
        import time

        started = time.perf_counter()
        self.connection.execute(query)
        spent = self.steps.get(step, 0.0) + time.perf_counter() - started
        self.steps[step] = round(spent, 3)

    def features(self):
        self._run("lines", LINES.format(source=self.source))
        self._run("repeated", REPEATED)
        self._run("refused", REFUSED)
        months = self.settings["janela_meses"]
        dates = 2 + self.settings["retrotestes_max"]
        self._run("dates", _references(dates, months))
        found = self.connection.execute(
            "select dt_ref from referencias order by ordem"
        ).fetchall()
        period = " + ".join(
            f"cast(data_venda < date '{date}' as int)" for (date,) in found
        )
        sums = ",\n    ".join(_net_of_category(name) for name in CATEGORIES)
        # ordem 0 is the latest date: a sale before all n dates has periodo n - 1
        self._run("aggregate", PERIODS.format(period=f"{period} - 1", sums=sums))
        total = " + ".join(f"v_{name.lower()}" for name in CATEGORIES)
        pct = ",\n    ".join(
            f"cast(p.v_{name.lower()} as double) / nullif({total}, 0) "
            f"as pct_{name.lower()}"
            for name in CATEGORIES
        )
        self._run("features", FEATURES.format(known=total, shares=pct))

    def fit(self):
        import time

        for step, columns in (("rfv", RFV), ("categoria", PCT)):
            started = time.perf_counter()
            found = self._candidates(step, columns)
            self.ks[step] = _choose(found, self.settings, step)
            chosen = found[found["k"] == self.ks[step]]
            self.connection.register("centros", chosen)
            self.connection.execute(
                f"create temp table modelo_{step} as select * from centros"
            )
            self.connection.unregister("centros")
            self.steps[f"fit {step}"] = round(time.perf_counter() - started, 3)

    def _candidates(self, step, columns):
        from segmentacao.candidates import propose_candidates

        values = ", ".join(f"cast({name} as double) as {name}" for name in columns)
        where = "faixa <> 'sem_compra_na_janela'"
        if step == "categoria":
            where += " and faixa <> 'sem_categoria'"
        table = self.connection.execute(
            f"select {values} from clientes where {where} and dt_ref = "
            "(select dt_ref from referencias where ordem = 0)"
        ).to_arrow_table()
        of = self.settings
        is_rfv = step == "rfv"
        found = propose_candidates(
            table,
            step=step,
            transforms=of["rfv_transformacoes"] if is_rfv else {},
            standardize=of["rfv_padronizar" if is_rfv else "categoria_padronizar"],
            k_max=of[f"{step}_k_max"],
            n_init=of["n_init"],
            random_state=of["semente"],
            exact_max=of["silhueta_exata_max"],
            fit_max=of["ajuste_max"],
            bootstrap_draws=of["bootstrap_sorteios"],
            permutations=of["permutacoes"],
            stability_max=of["estabilidade_max"],
            shares=not is_rfv,
        )
        return found.to_pandas()

    def score(self):
        for step, columns in (("rfv", RFV), ("categoria", PCT)):
            model = self.connection.execute(f"select * from modelo_{step}").df()
            self._run(f"names {step}", _names(step))
            self._run(f"score {step}", _nearest(step, columns, model))
        self._run("output", OUTPUT)


def _references(dates: int, months: int) -> str:
    back = ", ".join(str(i) for i in range(dates))
    return f"""
    create table referencias as
    with historia as (
        select min(data_venda) as primeira, max(data_venda) + 1 as ultima
        from linhas where motivo is null and quantidade > 0 and valor_venda > 0
    )
    select ordem, cast(ultima - to_months(ordem * {months}) as date) as dt_ref
    from historia, unnest([{back}]) as t(ordem)
    where ordem = 0 or ultima - to_months((ordem + 1) * {months}) >= primeira
    """


def _net_of_category(name: str) -> str:
    """Purchases less returns in a category, not below zero."""
    return (
        f"greatest(sum(case when categoria_produto = '{name}' "
        f"and (is_compra or is_devolucao) then valor_venda else 0 end), 0) "
        f"as v_{name.lower()}"
    )


def _choose(found, settings, step) -> int:
    """Choose k by the project's rule, without its last resorts."""
    rows = found.drop_duplicates("k").set_index("k")
    least = settings["participacao_minima"] * rows["clientes_ajuste"]
    allowed = rows[
        (rows.index >= settings[f"{step}_k_min"])
        & (rows["menor_cluster"] >= least)
        & (rows["menor_cluster"] >= settings["clientes_minimos"])
    ]
    best = allowed.loc[allowed["silhueta"].idxmax()]
    tie = max(2 * best["silhueta_erro"], settings["tolerancia_silhueta"])
    return int(allowed.index[allowed["silhueta"] >= best["silhueta"] - tie].min())


def _names(step: str) -> str:
    """Names by mean value, or by the category furthest above the base."""
    if step == "rfv":
        return """
        create temp table rotulos_rfv as
        select cluster, '0' || row_number() over (order by media_cluster)
            || '-Grupo' as rotulo
        from modelo_rfv where variavel = 'valor'
        """
    return """
    create temp table rotulos_categoria as
    select cluster, arg_max(variavel, (media_cluster - media_base) / desvio_base)
        as rotulo
    from modelo_categoria group by 1
    """


def _nearest(step: str, columns: list[str], model) -> str:
    """Nearest centre with the centres written out as numbers."""
    point = []
    for j, name in enumerate(columns):
        row = model[model["variavel"] == name].iloc[0]
        value = f"cast({name} as double)"
        value = f"ln(1 + {value})" if row["transformacao"] == "log1p" else value
        shift, scale = float(row["deslocamento"]), float(row["escala"])
        point.append(f"({value} - {shift!r}) / {scale!r} as x{j}")
    squares = []
    for cluster, rows in model.groupby("cluster"):
        centre = rows.set_index("variavel")["centro"]
        terms = " + ".join(
            f"(x{j} - ({float(centre[name])!r})) * (x{j} - ({float(centre[name])!r}))"
            for j, name in enumerate(columns)
        )
        squares.append(f"{terms} as d{cluster}")
    ds = ", ".join(f"d{cluster}" for cluster in range(len(squares)))
    whens = " ".join(f"when d{i} = menor then {i}" for i in range(len(squares)))
    lane = "faixa <> 'sem_compra_na_janela'"
    if step == "categoria":
        lane += " and faixa <> 'sem_categoria'"
    return f"""
    create table atribuicoes_{step} as
    with pontos as (
        select dt_ref, id_cliente, {", ".join(point)} from clientes where {lane}
    ), quadrados as (
        select dt_ref, id_cliente, {", ".join(squares)} from pontos
    ), menores as (select *, least({ds}) as menor from quadrados)
    select
        dt_ref, id_cliente, case {whens} end as cluster, sqrt(menor) as distancia
    from menores
    """
