"""Made-up sale lines in any number, written by DuckDB as Parquet.

Customers differ in how often they buy (a fifth to fifty times the average), in
what (two favourite of 12 categories, or none), in how much they pay, and in when
they come and go. Lines come with returns and with a few of each thing that
staging refuses. Every value is a hash of the line's number, so the same sizes
give the same lines.
"""

from __future__ import annotations

from pathlib import Path

MONTHS = 24
FIRST_MONTH = "2024-01-01"
CATEGORIES = {
    "Alimentos": 30,
    "Moda": 90,
    "Casa": 70,
    "Beleza": 45,
    "Livros": 40,
    "Esporte": 110,
    "Brinquedos": 60,
    "Eletronicos": 650,
    "Pet": 50,
    "Jardim": 55,
    "Papelaria": 20,
    "Automotivo": 130,
}
#: Lines of an order: 1 + floor(-1.5 ln u), in the mean 2.06, so:
LINES_PER_ORDER = 2.055

LINES = """
copy (
    with orders as (
        select
            i,
            -- a power of a uniform number, cut off: a heavy but finite tail
            {customers} * (pow(0.25 + 0.75 * {u1}, 5) - pow(0.25, 5))
                / (1 - pow(0.25, 5)) as place,
            date '{month}' + cast(floor({u2} * {days}) as int) as day,
            1 + cast(floor(-1.5 * ln({u3})) as int) as lines,
            {u4} as elsewhere
        from range({first}, {last}) as t(i)
    ),
    -- who has not come yet, or has gone, leaves the order to somebody else
    alive as (
        select
            * exclude (place, elsewhere),
            cast(floor(case
                when {month_number} >= 24 * pow({p1}, 3)
                    and {month_number} < 6 + 40 * {p2} then place
                else elsewhere * {customers}
            end) as bigint) as c
        from orders
    ),
    buyers as (
        select
            *,
            {c1} as wealth,
            cast(floor(12 * {c2}) as int) as first_love,
            cast(floor(12 * {c3}) as int) as second_love,
            {c4} < 0.3 as has_no_taste
        from alive
    ),
    lines as (
        select *, j, i * 64 + j as n
        from buyers, unnest(range(1, least(lines, 20) + 1)) as t(j)
    ),
    drawn as (
        select
            *,
            {l1} as dirt,
            {l2} as back,
            case
                when has_no_taste or {l3} > 0.75
                    then cast(floor(12 * pow({l4}, 1.5)) as int)
                when {l3} < 0.55 then first_love
                else second_love
            end as k,
            ({l5} + {l6} + {l7} - 1.5) * 2 as z
        from lines
    ),
    written as (
        select
            'V' || lpad(cast(i as varchar), 9, '0') as id_venda,
            cast(j as integer) as id_linha,
            case when dirt >= 0.002
                then 'C' || lpad(cast(c as varchar), 7, '0') end as id_cliente,
            case
                when dirt between 0.002 and 0.0025 then null
                when dirt between 0.0025 and 0.003 then date '1900-01-01'
                else day
            end as data_venda,
            case when dirt between 0.003 and 0.004 then 'FRETE'
                else 'P' || lpad(cast(k * 100 + cast(floor(100 * back) as int)
                    as varchar), 4, '0') end as id_produto,
            ({names})[k + 1] as categoria_produto,
            case when {l8} < 0.02 then -1
                else 1 + cast(floor(-0.6 * ln({l9})) as int) end as quantidade,
            cast(greatest(0.5, ({prices})[k + 1] * exp(0.5 * z)
                * least(pow(wealth, -0.35), 10)) as decimal(10, 2)) as preco_unitario,
            dirt
        from drawn
    )
    select * exclude (dirt) from written
    union all
    -- lines that the source sent twice
    select * exclude (dirt) from written where dirt between 0.5 and 0.5005
    order by data_venda
) to '{path}' (format parquet, compression zstd)
"""


def sale_lines(
    watch, *, folder: str, lines: int, customers: int, memory_limit: str
) -> dict:
    """Write about `lines` sale lines of `customers` customers, a file a month.

    Files are in the order of their dates, and so are the lines in each.
    """
    import duckdb

    Path(folder).mkdir(parents=True, exist_ok=True)
    orders = round(lines / MONTHS / LINES_PER_ORDER)
    with watch, duckdb.connect() as connection:
        connection.execute(f"set memory_limit = '{memory_limit}'")
        connection.execute(f"set temp_directory = '{folder}/tmp'")
        connection.execute("set threads = 2")
        for number in range(MONTHS):
            month, days = connection.execute(
                f"select m, date_diff('day', m, m + interval 1 month) from (select "
                f"cast(date '{FIRST_MONTH}' + interval {number} month as date) as m)"
            ).fetchone()
            query = LINES.format(
                customers=customers,
                month=month,
                days=days,
                month_number=number,
                first=number * orders,
                last=(number + 1) * orders,
                names=list(CATEGORIES),
                prices=list(CATEGORIES.values()),
                path=f"{folder}/vendas_{number:02d}.parquet",
                **_uniforms(),
            )
            connection.execute(query)
        written, people = connection.execute(
            "select count(*), approx_count_distinct(id_cliente) "
            f"from '{folder}/*.parquet'"
        ).fetchone()
    return {"lines": written, "customers": people, "bytes": _bytes(folder)}


def _uniforms() -> dict[str, str]:
    """Write SQL of uniform numbers in (0, 1]: by order, customer or line."""
    named = {}
    for prefix, key, salts in (
        ("u", "i", range(1, 5)),
        ("p", "cast(floor(place) as bigint)", range(11, 13)),
        ("c", "c", range(21, 25)),
        ("l", "n", range(31, 40)),
    ):
        for number, salt in enumerate(salts, start=1):
            named[f"{prefix}{number}"] = (
                f"((hash({key} * 64 + {salt}) >> 11) + 1) / 9007199254740992.0"
            )
    return {name: f"({text})" for name, text in named.items()}


def _bytes(folder):
    return sum(path.stat().st_size for path in Path(folder).glob("*.parquet"))
