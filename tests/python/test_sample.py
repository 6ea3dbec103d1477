"""The embedded sample keeps its promises.

The committed CSV is read with the csv module and judged by rules written here,
not by the code that wrote it. Only `planted` and `special` are taken from the
generator, because they are what is being checked.
"""

import ast
import csv
import datetime as dt
import re
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import silhouette_score

from segmentacao import sample

ROOT = Path(__file__).parents[2]
SEED_FILE = ROOT / "seeds" / "amostra_vendas.csv"
FIRST_DAY = dt.date(2024, 7, 1)
LAST_DAY = dt.date(2025, 12, 31)
WINDOW_START = dt.date(2025, 7, 1)
PRODUCT = re.compile(r"P\d{3}")
PRICE = re.compile(r"\d+\.\d{2}")
QUANTITY = re.compile(r"-?[1-9]\d*")
ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def read_date(text):
    """Return the date an ISO text stands for, None when it stands for none."""
    if not ISO_DATE.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def faults(row, seen):
    """Name every reason to refuse a row, given the lines seen before it."""
    date = read_date(row["data_venda"])
    price = row["preco_unitario"]
    checks = {
        "cliente_ausente": row["id_cliente"] == "",
        "data_ilegivel": date is None,
        "data_futura": date is not None and date > LAST_DAY,
        "valor_ausente": price == "",
        "valor_ilegivel": price != "" and not PRICE.fullmatch(price),
        "quantidade_ilegivel": not QUANTITY.fullmatch(row["quantidade"]),
        "linha_duplicada": (row["id_venda"], row["id_linha"]) in seen,
        "codigo_nao_produto": not PRODUCT.fullmatch(row["id_produto"]),
    }
    return [kind for kind, found in checks.items() if found]


@pytest.fixture(scope="module")
def built():
    return sample.build_sample()


@pytest.fixture(scope="module")
def rows():
    with SEED_FILE.open(newline="", encoding="ascii") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def judged(rows):
    seen = set()
    reasons = []
    for row in rows:
        reasons.append(faults(row, seen))
        seen.add((row["id_venda"], row["id_linha"]))
    return reasons


@pytest.fixture(scope="module")
def sales(rows, judged):
    """Valid lines with typed columns and `cents`, the value of the line."""
    typed = []
    for row, reasons in zip(rows, judged, strict=True):
        if not reasons:
            quantity = int(row["quantidade"])
            unit = int(row["preco_unitario"].replace(".", ""))
            typed.append(
                row
                | {
                    "date": read_date(row["data_venda"]),
                    "quantity": quantity,
                    "unit": unit,
                    "cents": quantity * unit,
                }
            )
    return typed


@pytest.fixture(scope="module")
def purchases(sales):
    return [row for row in sales if row["quantity"] > 0 and row["unit"] > 0]


def last_purchases(purchases):
    last = {}
    for row in purchases:
        last[row["id_cliente"]] = max(
            row["date"], last.get(row["id_cliente"], dt.date.min)
        )
    return last


def net_values(sales):
    value = Counter()
    for row in sales:
        value[row["id_cliente"]] += row["cents"]
    return value


# The file ------------------------------------------------------------------


def test_committed_file_is_what_the_module_writes(built, tmp_path):
    out = tmp_path / "folder" / "sample.csv"
    sample.main(["--out", str(out)])
    assert out.read_bytes() == SEED_FILE.read_bytes() == built.to_csv()


def test_file_fits_and_is_plain_ascii_with_unix_line_ends():
    content = SEED_FILE.read_bytes()
    assert len(content) < 2_000_000
    assert content.isascii()
    assert b"\r" not in content
    assert b'"' not in content
    assert content.endswith(b"\n")


def test_header_is_the_input_contract():
    assert SEED_FILE.read_text().splitlines()[0] == (
        "id_venda,id_linha,id_cliente,data_venda,id_produto,"
        "categoria_produto,quantidade,preco_unitario"
    )


def test_module_uses_only_arithmetic_that_is_the_same_everywhere():
    # numpy's Generator may change between versions; exp, log and pow differ in
    # the last digit between platforms, sum() of floats between 3.11 and 3.12.
    tree = ast.parse(Path(sample.__file__).read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "PCG64" in used
    assert not used & {"exp", "log", "log1p", "power", "pow", "default_rng"}
    assert not called & {"sum", "pow", "hash"}


def test_rows_follow_the_calendar(rows):
    position = [(row["id_venda"], int(row["id_linha"])) for row in rows]
    dates = [read_date(row["data_venda"]) for row in rows]
    readable = [date for date in dates if date and date <= LAST_DAY]
    assert position == sorted(position)
    assert readable == sorted(readable)


def test_faulty_dates_stay_where_the_sale_was(rows):
    # data_futura must not sink to the end of the file.
    future = [i for i, row in enumerate(rows) if row["data_venda"] == "2099-01-01"]
    assert future
    assert max(future) < len(rows) - 60


# Dirt ----------------------------------------------------------------------


def test_planted_dirt_is_found_by_independent_rules(built, judged):
    found = Counter(kind for reasons in judged for kind in reasons)
    assert dict(found) == built.planted == sample.DIRTY_KINDS


def test_no_line_has_two_faults(judged):
    assert max(len(reasons) for reasons in judged) == 1


def test_dirt_is_under_one_percent_with_every_kind_present(built, rows):
    assert all(count >= 5 for count in built.planted.values())
    assert 0.005 <= sum(built.planted.values()) / len(rows) <= 0.01


def test_repeated_lines_are_exact_copies(rows):
    groups = defaultdict(list)
    for row in rows:
        groups[row["id_venda"], row["id_linha"]].append(tuple(row.values()))
    repeated = [group for group in groups.values() if len(group) > 1]
    assert repeated
    assert all(len(group) == 2 and len(set(group)) == 1 for group in repeated)


def test_both_codes_that_are_no_products_appear_without_category(rows):
    codes = [row for row in rows if not PRODUCT.fullmatch(row["id_produto"])]
    assert {row["id_produto"] for row in codes} == {"FRETE", "AJUSTE"}
    assert {row["categoria_produto"] for row in codes} == {""}


def test_special_lines_are_counted(built, sales):
    value, bought = net_values(sales), Counter()
    for row in sales:
        bought[row["id_cliente"]] += row["quantity"] > 0
    assert built.special == {
        "devolucao": sum(row["quantity"] < 0 for row in sales),
        "brinde": sum(row["unit"] == 0 for row in sales),
        "categoria_ausente": sum(row["categoria_produto"] == "" for row in sales),
        "cliente_reembolsado": sum(
            value[customer] == 0 for customer, count in bought.items() if count
        ),
    }


def test_returns_and_gifts_have_realistic_shares(built, rows):
    assert 0.018 <= built.special["devolucao"] / len(rows) <= 0.03
    assert 0.003 <= built.special["brinde"] / len(rows) <= 0.007
    assert built.special["cliente_reembolsado"] >= 10
    assert built.special["categoria_ausente"] >= 10


def test_every_return_matches_an_earlier_purchase(sales):
    bought, order_signs = defaultdict(list), defaultdict(set)
    for row in sales:
        order_signs[row["id_venda"]].add(row["quantity"] > 0)
        if row["quantity"] > 0:
            key = row["id_cliente"], row["id_produto"], row["unit"]
            bought[key].append([row["date"], row["quantity"]])
    returned = Counter()
    for row in sales:
        if row["quantity"] < 0:
            key = row["id_cliente"], row["id_produto"], row["unit"]
            returned[key] -= row["quantity"]
            before = sum(n for day, n in bought[key] if day < row["date"])
            assert returned[key] <= before, row
    assert all(len(signs) == 1 for signs in order_signs.values())


# The shop ------------------------------------------------------------------


def test_eighteen_full_months_end_with_a_sale_on_the_last_day(purchases):
    months = Counter(row["data_venda"][:7] for row in purchases)
    dates = {row["date"] for row in purchases}
    assert len(months) == 18
    assert min(months.values()) > 1000
    assert (min(dates), max(dates)) == (FIRST_DAY, LAST_DAY)


def test_seven_categories_at_different_price_levels(purchases):
    prices, value = defaultdict(list), Counter()
    for row in purchases:
        if row["categoria_produto"]:
            prices[row["categoria_produto"]].append(row["unit"])
            value[row["categoria_produto"]] += row["cents"]
    medians = {name: sorted(p)[len(p) // 2] for name, p in prices.items()}
    assert len(medians) == 7
    assert max(medians, key=medians.get) == "Eletronicos"
    assert medians["Eletronicos"] > 5 * medians["Alimentos"]
    assert 0.25 <= value["Eletronicos"] / sum(value.values()) <= 0.5


def test_products_keep_their_category_and_roughly_their_price(purchases):
    categories, prices = defaultdict(set), defaultdict(set)
    for row in purchases:
        categories[row["id_produto"]] |= {row["categoria_produto"]} - {""}
        prices[row["id_produto"]].add(row["unit"])
    assert len(categories) == 120
    assert all(len(names) == 1 for names in categories.values())
    assert all(1 < max(p) / min(p) < 1.35 for p in prices.values())


def test_black_friday_is_the_busiest_day_of_both_years(purchases):
    days = Counter(row["date"] for row in purchases)
    for friday in (dt.date(2024, 11, 29), dt.date(2025, 11, 28)):
        of_year = {day: n for day, n in days.items() if day.year == friday.year}
        assert max(of_year, key=of_year.get) == friday
        assert days[friday] > 3 * sum(of_year.values()) / len(of_year)


def test_sundays_are_quieter_than_saturdays(purchases):
    days = Counter(row["date"].weekday() for row in purchases)
    assert days[6] < 0.75 * days[5]


# The customers -------------------------------------------------------------


def test_two_thousand_customers_named_by_first_purchase(purchases):
    first = {}
    for row in purchases:
        first.setdefault(row["id_cliente"], row["date"])
    names = sorted(first)
    assert names == [f"C{number:04d}" for number in range(1, 2001)]
    assert [first[name] for name in names] == sorted(first.values())


def test_one_time_buyers_are_fifteen_to_twenty_percent(purchases):
    orders = defaultdict(set)
    for row in purchases:
        orders[row["id_cliente"]].add(row["id_venda"])
    share = sum(len(ids) == 1 for ids in orders.values()) / len(orders)
    assert 0.15 <= share <= 0.20


def test_spending_is_heavy_tailed(sales):
    values = sorted(net_values(sales).values(), reverse=True)
    total = sum(values)
    assert 0.35 <= sum(values[: len(values) // 10]) / total <= 0.65
    assert values[0] > 20 * total / len(values)


def test_last_window_leaves_some_customers_out(purchases):
    last = last_purchases(purchases)
    inside = sum(day >= WINDOW_START for day in last.values())
    assert 1400 <= inside <= 1700
    assert len(last) - inside >= 300


def test_newcomers_and_late_customers_exist(purchases):
    first = {}
    for row in purchases:
        first.setdefault(row["id_cliente"], row["date"])
    last = last_purchases(purchases)
    new = sum(day >= dt.date(2025, 9, 1) for day in first.values())
    late = sum(WINDOW_START <= day < dt.date(2025, 10, 1) for day in last.values())
    assert new >= 150
    assert late >= 150


def test_most_customers_have_a_favourite_but_stray(purchases):
    value, lines = defaultdict(Counter), Counter()
    for row in purchases:
        value[row["id_cliente"]][row["categoria_produto"]] += row["cents"]
        lines[row["id_cliente"]] += 1
    shares = [
        max(by_category.values()) / sum(by_category.values())
        for customer, by_category in value.items()
        if lines[customer] >= 8
    ]
    favourite = sum(share >= 0.5 for share in shares) / len(shares)
    loyal = sum(share >= 0.95 for share in shares) / len(shares)
    assert 0.5 <= favourite <= 0.85
    assert loyal <= 0.10


# What the clustering finds ---------------------------------------------------


def silhouettes(points, candidates):
    """Fit every k with scikit-learn; return silhouettes and labels by k."""
    labels = {
        k: KMeans(k, n_init=10, random_state=0).fit_predict(points) for k in candidates
    }
    return {k: silhouette_score(points, labels[k]) for k in candidates}, labels


def test_rfv_has_four_groups_with_a_top_and_a_late_one(sales, purchases):
    window = [row for row in purchases if row["date"] >= WINDOW_START]
    last, orders = last_purchases(window), defaultdict(set)
    for row in window:
        orders[row["id_cliente"]].add(row["id_venda"])
    net = net_values([row for row in sales if row["date"] >= WINDOW_START])
    names = sorted(last)
    value = np.array([max(net[name], 0) / 100 for name in names])
    recency = np.array([(dt.date(2026, 1, 1) - last[name]).days for name in names])
    frequency = np.array([len(orders[name]) for name in names])
    points = np.column_stack([recency, np.log1p(frequency), np.log1p(value)])
    points = (points - points.mean(axis=0)) / points.std(axis=0)

    scores, labels = silhouettes(points, range(4, 9))
    assert scores[4] > max(scores[k] for k in range(5, 9)) + 0.01
    groups = [labels[4] == label for label in range(4)]
    assert min(group.mean() for group in groups) >= 0.02
    top = max(groups, key=lambda group: value[group].mean())
    assert 0.08 <= top.mean() <= 0.15
    assert 0.40 <= value[top].sum() / value.sum() <= 0.60
    late, second = sorted((np.median(recency[g]) for g in groups), reverse=True)[:2]
    assert late > 90
    assert second < 45


def test_tastes_form_five_groups_one_of_them_a_pair(sales):
    columns = sorted({row["categoria_produto"] for row in sales} - {""})
    value = defaultdict(Counter)
    for row in sales:
        if row["date"] >= WINDOW_START and row["cents"] > 0:
            value[row["id_cliente"]][row["categoria_produto"]] += row["cents"]
    table = np.array([[value[name][c] for c in columns] for name in sorted(value)])
    table = table[table.sum(axis=1) > 0]
    shares = table / table.sum(axis=1, keepdims=True)

    scores, labels = silhouettes(shares, range(3, 11))
    assert max(scores, key=scores.get) == 5
    assert 0.3 <= scores[5] <= 0.5
    sizes = np.bincount(labels[5]) / len(shares)
    assert sizes.min() >= 0.02
    leaders = set()
    for label in range(5):
        centre = shares[labels[5] == label].mean(axis=0)
        leaders.add(frozenset(np.array(columns)[centre >= 0.3]))
    assert leaders == {
        frozenset({"Moda", "Beleza"}),
        frozenset({"Eletronicos"}),
        frozenset({"Livros"}),
        frozenset({"Alimentos"}),
        frozenset({"Casa"}),
    }


# The generator's own tables ------------------------------------------------


def test_groups_and_tastes_add_up():
    n_customers = sum(group.n_customers for group in sample.BEHAVIOURS)
    assert n_customers == sample.N_CUSTOMERS == 2000
    assert sum(taste.share for taste in sample.TASTES) == pytest.approx(1)
    assert {len(taste.urn) for taste in sample.TASTES} == {len(sample.CATEGORIES)}


@pytest.mark.parametrize(
    ("year", "day"), [(2023, 24), (2024, 29), (2025, 28), (2028, 24)]
)
def test_black_friday_follows_the_fourth_thursday(year, day):
    # In 2024 November began on a Friday: the fourth Friday was the 22nd.
    assert sample.black_friday(year) == dt.date(year, 11, day)


def test_prices_and_promotions_are_whole_cents():
    friday = dt.date(2025, 11, 28)
    plain = dt.date(2024, 8, 1)
    assert sample.price_on(list_price=9990, day=plain, promotion=False) == 9990
    assert sample.price_on(list_price=9990, day=plain, promotion=True) == 8991
    assert sample.price_on(list_price=9990, day=friday, promotion=True) == 8311


def test_dice_rolls_are_pinned():
    # A change here means that every user's sample changes with it.
    dice = sample.Dice(1)
    rolls = [dice.below(1000) for _ in range(4)]
    assert rolls == [511, 950, 144, 948]
    assert sorted(dice.shuffled(range(50))) == list(range(50))
