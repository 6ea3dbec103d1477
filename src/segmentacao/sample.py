"""The embedded sample: eighteen months of an invented Brazilian web shop.

``seeds/amostra_vendas.csv`` is written by this module and by nothing else::

    python -m segmentacao.sample --out seeds/amostra_vendas.csv

What is in it
-------------
2,000 customers, one row per sale line, 2024-07-01 to 2025-12-31, so that the
default reference date is 2026-01-01 and three half-year windows fit exactly.

- *Behaviour* (`BEHAVIOURS`): a few big spenders, regulars, occasional buyers,
  customers who cool down during the last window, customers lost before it,
  newcomers and one-time buyers. Order rates and budgets have Pareto tails.
- *Taste* (`TASTES`): technology, books, food, fashion with beauty, home, and a
  mixed group. Categories are drawn from a Polya urn, which is a Dirichlet
  taste drawn once per customer: everybody has favourites and strays at times.
- *Calendar*: week, Black Friday, Christmas, Mother's Day, Valentine's Day
  (12 June), one price rise in January 2025, promotions.
- *After the sale*: returns under a new order id, gifts at price zero, and
  customers who sent everything back.
- *Dirt* (`DIRTY_KINDS`): lines that staging must refuse, one fault per line.
  `build_sample` says how many of each were planted.

Rows are sorted by the day of the sale, order and line. A line whose date was
made unreadable stays where its true date puts it.

Same bytes everywhere
---------------------
Only the raw 64-bit output of PCG64 is used, which NumPy promises to keep; its
``Generator`` methods may change between versions. Everything after it is
integer arithmetic or ``+ - * /`` and ``sqrt``, which IEEE 754 rounds exactly.
There is no ``exp``, ``log`` or ``pow``: their last digit depends on the
platform. That is why heavy tails are log-logistic rather than lognormal.
"""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import io
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SEED = 1
N_CUSTOMERS = 2000
FIRST_DAY = dt.date(2024, 7, 1)
LAST_DAY = dt.date(2025, 12, 31)
N_DAYS = (LAST_DAY - FIRST_DAY).days + 1
DEFAULT_OUT = Path("seeds/amostra_vendas.csv")

HEADER = (
    "id_venda",
    "id_linha",
    "id_cliente",
    "data_venda",
    "id_produto",
    "categoria_produto",
    "quantidade",
    "preco_unitario",
)

# --------------------------------------------------------------------------
# The shop
# --------------------------------------------------------------------------


@dataclass(frozen=True)
class Category:
    """A shelf of products whose prices climb a geometric ladder.

    Parameters
    ----------
    name : str
        Value of `categoria_produto`.
    n_products : int
        Number of products on the shelf.
    cheapest : float
        Lowest list price, in reais.
    step : float
        Ratio between the prices of neighbouring products.
    pack : float
        Probability of taking one more of the same product, in [0, 1).
    """

    name: str
    n_products: int
    cheapest: float
    step: float
    pack: float


CATEGORIES = (
    Category("Eletronicos", 18, 69.0, 1.21, 0.03),
    Category("Livros", 20, 24.0, 1.09, 0.12),
    Category("Alimentos", 20, 9.0, 1.12, 0.45),
    Category("Moda", 18, 39.0, 1.12, 0.12),
    Category("Casa", 16, 34.0, 1.16, 0.15),
    Category("Beleza", 16, 34.0, 1.12, 0.15),
    Category("Esporte", 12, 29.0, 1.14, 0.10),
)


@dataclass(frozen=True)
class Taste:
    """Starting balls of a customer's Polya urn, in the order of `CATEGORIES`.

    Parameters
    ----------
    name : str
        What these customers look for.
    share : float
        Share of customers; the shares sum to 1.
    urn : tuple of float
        Dirichlet parameters; a small sum means strong personal differences.
    pair : tuple of int
        Positions of two categories that are bought together, or empty.
    """

    name: str
    share: float
    urn: tuple[float, ...]
    pair: tuple[int, ...] = ()


MODA, BELEZA = 3, 5

TASTES = (
    #                         Elet  Livr  Alim  Moda  Casa  Bele  Espo
    Taste("tecnologia", 0.20, (6.0, 2.4, 3.4, 1.6, 1.6, 1.6, 0.9)),
    Taste("livros", 0.14, (2.0, 14.0, 2.2, 1.6, 1.6, 1.6, 0.8)),
    Taste("alimentos", 0.16, (1.2, 1.6, 18.0, 1.0, 1.2, 1.5, 0.5)),
    Taste("moda_beleza", 0.18, (2.0, 2.2, 2.6, 20.0, 2.0, 20.0, 0.8), (MODA, BELEZA)),
    Taste("casa", 0.11, (2.0, 2.2, 2.6, 1.4, 12.0, 1.5, 0.8)),
    Taste("misto", 0.21, (3.0, 12.0, 18.0, 9.0, 8.0, 9.0, 7.0)),
)


@dataclass(frozen=True)
class Behaviour:
    """How a group of customers buys over time.

    Parameters
    ----------
    name : str
        What the group stands for.
    n_customers : int
        Number of customers; the numbers sum to `N_CUSTOMERS`.
    orders_per_month : float
        Median order rate of the group.
    spread : float
        How far personal rates stray from it: 0 not at all, 1 a Pareto tail.
    lines : float
        Probability of one more line in the basket, in [0, 1).
    pack : float
        Added to the category's probability of one more piece.
    upmarket : float
        Probability that a line is picked from the whole price ladder evenly
        rather than from its cheap end.
    start, end : tuple of int
        Ranges of the first active day and of the day activity stops, counted
        from `FIRST_DAY`. A negative start: the customer is older than the data.
    """

    name: str
    n_customers: int
    orders_per_month: float
    spread: float
    lines: float
    pack: float
    upmarket: float
    start: tuple[int, int]
    end: tuple[int, int] = (N_DAYS, N_DAYS)


ONE_TIME = "compra_unica"

BEHAVIOURS = (
    Behaviour("grandes", 130, 2.30, 1.0, 0.50, 0.12, 0.50, (-300, 90)),
    Behaviour("regulares", 540, 0.54, 0.5, 0.36, 0.02, 0.35, (-400, 240)),
    Behaviour("ocasionais", 440, 0.30, 0.5, 0.42, 0.00, 0.30, (-400, 200)),
    Behaviour("esfriando", 250, 0.55, 0.5, 0.42, 0.00, 0.30, (-300, 200), (385, 455)),
    Behaviour("perdidos", 160, 0.60, 0.5, 0.42, 0.00, 0.30, (-300, 60), (90, 350)),
    Behaviour("novos", 250, 0.80, 0.5, 0.42, 0.02, 0.30, (425, 525)),
    Behaviour(ONE_TIME, 230, 0.00, 0.0, 0.42, 0.00, 0.30, (0, N_DAYS)),
)

# --------------------------------------------------------------------------
# What happens around a sale
# --------------------------------------------------------------------------

PROMOTION_RATE = 0.12  # of lines
SECOND_ORDER_RATE = 0.03  # of order days
PAIR_RATE = 0.85  # of lines in one half of a pair
RETURN_RATE = 0.024  # of lines
GIFT_RATE = 0.01  # of orders
N_FULL_REFUNDS = 12
N_MISSING_CATEGORY = 24

DIRTY_KINDS = {
    "cliente_ausente": 60,
    "data_ilegivel": 24,
    "data_futura": 6,
    "valor_ilegivel": 20,
    "valor_ausente": 24,
    "quantidade_ilegivel": 16,
    "linha_duplicada": 48,
    "codigo_nao_produto": 64,
}
"""Lines planted per reason of refusal; the keys are values of `motivo`."""

UNREADABLE_DATES = ("31/02/2025", "ontem", "2025-02-30")
FUTURE_DATE = "2099-01-01"
UNREADABLE_PRICES = ("abc", "n/d")
UNREADABLE_QUANTITIES = ("dois", "?")
NON_PRODUCT_CODES = ("FRETE", "AJUSTE")


@dataclass(frozen=True)
class Sample:
    """The sample and what is known about it.

    Attributes
    ----------
    lines : tuple of tuple of str
        Rows of the CSV as text, in the order of `HEADER`.
    planted : dict of str to int
        Lines that must be refused, by reason; a line has one reason at most,
        and of a repeated line only the second copy counts.
    special : dict of str to int
        Valid but unusual: `devolucao`, `brinde` and `categoria_ausente` count
        lines, `cliente_reembolsado` counts customers who returned everything.
    """

    lines: tuple[tuple[str, ...], ...]
    planted: dict[str, int]
    special: dict[str, int]

    def to_csv(self) -> bytes:
        """Render header and lines as CSV.

        Returns
        -------
        bytes
            ASCII text with Unix line ends on every platform.
        """
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows(self.lines)
        return text.getvalue().encode("ascii")


# --------------------------------------------------------------------------
# Chance
# --------------------------------------------------------------------------


class Dice:
    """Random draws that are the same on every platform and NumPy version.

    Parameters
    ----------
    seed : int
        Seed of PCG64, at least 0.
    """

    def __init__(self, seed: int) -> None:
        self._bits = np.random.PCG64(seed)

    def uniform(self) -> float:
        """Draw one number from [0, 1)."""
        return (int(self._bits.random_raw()) >> 11) / 2**53

    def uniforms(self, size: int) -> np.ndarray:
        """Draw `size` numbers from [0, 1), shape (size,)."""
        return (self._bits.random_raw(size) >> np.uint64(11)) / float(2**53)

    def below(self, n: int) -> int:
        """Draw an integer from 0 to `n` - 1."""
        return int(self.uniform() * n)

    def between(self, bounds: tuple[int, int]) -> int:
        """Draw an integer between both `bounds`, the upper one excluded."""
        low, high = bounds
        return low + self.below(max(high - low, 1))

    def chance(self, p: float) -> bool:
        """Say yes with probability `p`."""
        return self.uniform() < p

    def weighted(self, weights: Sequence[float]) -> int:
        """Draw a position with probability proportional to its weight."""
        # fsum: from Python 3.12 on, sum() rounds differently.
        left = self.uniform() * math.fsum(weights)
        for position, weight in enumerate(weights):
            left -= weight
            if left < 0:
                return position
        return len(weights) - 1

    def geometric(self, p: float, most: int) -> int:
        """Count from 1 while `p` says yes, up to `most`."""
        count = 1
        while count < most and self.chance(p):
            count += 1
        return count

    def heavy_tailed(self, spread: float) -> float:
        """Draw a factor of median 1: log-logistic of shape 4, shrunk to 1.

        Parameters
        ----------
        spread : float
            1 keeps the log-logistic, 0 always gives 1.
        """
        u = self.uniform()
        return 1.0 + spread * (math.sqrt(math.sqrt(u / (1.0 - u))) - 1.0)

    def shuffled(self, items: Sequence) -> list:
        """Return the items in random order (Fisher-Yates)."""
        pool = list(items)
        for last in range(len(pool) - 1, 0, -1):
            other = self.below(last + 1)
            pool[last], pool[other] = pool[other], pool[last]
        return pool


# --------------------------------------------------------------------------
# Catalogue and calendar
# --------------------------------------------------------------------------


def catalogue() -> list[list[tuple[str, int]]]:
    """List the products of each category from cheap to expensive.

    Returns
    -------
    list of list of (str, int)
        Per category of `CATEGORIES`: product code and list price in cents,
        always ending in ,90.
    """
    shelves = []
    number = 0
    for category in CATEGORIES:
        price = category.cheapest
        shelf = []
        for _ in range(category.n_products):
            number += 1
            shelf.append((f"P{number:03d}", int(price) * 100 + 90))
            price *= category.step
        shelves.append(shelf)
    return shelves


def nth_weekday(*, year: int, month: int, weekday: int, n: int) -> dt.date:
    """Return the n-th weekday (Monday is 0) of a month."""
    first = dt.date(year, month, 1)
    return first + dt.timedelta(days=(weekday - first.weekday()) % 7 + 7 * (n - 1))


def black_friday(year: int) -> dt.date:
    """Return the day after the fourth Thursday of November."""
    thursday = nth_weekday(year=year, month=11, weekday=3, n=4)
    return thursday + dt.timedelta(days=1)


def season(day: dt.date) -> float:
    """Return how busy the shop is on a day; an ordinary day is about 1."""
    weight = (1.05, 1.00, 0.95, 1.00, 1.15, 1.20, 0.65)[day.weekday()]
    month_day = (day.month, day.day)
    from_friday = (day - black_friday(day.year)).days
    to_mothers_day = (nth_weekday(year=day.year, month=5, weekday=6, n=2) - day).days
    if from_friday == 0:
        weight *= 4.5
    elif -4 <= from_friday <= 3:
        weight *= 2.0
    elif (12, 8) <= month_day <= (12, 23):
        weight *= 1.6
    elif 1 <= to_mothers_day <= 8 or (6, 5) <= month_day <= (6, 11):
        weight *= 1.4
    elif month_day in ((12, 25), (1, 1)):
        weight *= 0.25
    elif day.month in (1, 2):
        weight *= 0.85
    return weight


def price_on(*, list_price: int, day: dt.date, promotion: bool) -> int:
    """Return the price of a product in cents on a day.

    Parameters
    ----------
    list_price : int
        Price in the catalogue, in cents.
    day : datetime.date
        Day of the sale; prices rise by 4 % in 2025 and fall by 20 % in the
        week of Black Friday.
    promotion : bool
        Whether the line is on promotion (10 % off) outside that week.
    """
    percent = 100 if day.year < 2025 else 104
    cents = list_price * percent // 100
    if -4 <= (day - black_friday(day.year)).days <= 3:
        return cents * 80 // 100
    return cents * 90 // 100 if promotion else cents


# --------------------------------------------------------------------------
# Sales
# --------------------------------------------------------------------------


@dataclass
class _Order:
    """One order: its customer (position), day and place within the day."""

    customer: int
    day: int
    rank: float


@dataclass
class _Line:
    """One sale line; `text` overrides a column of the CSV, `kind` says why."""

    order: _Order
    category: int
    product: str
    quantity: int
    cents: int
    kind: str = ""
    returned: bool = False
    copies: int = 1
    text: tuple[str, str] | None = None


@dataclass
class _Customer:
    """One customer: behaviour, urn of tastes, personal rate, active days."""

    behaviour: Behaviour
    taste: Taste
    urn: list[float]
    rate: float
    start: int
    end: int


def _customers(dice: Dice) -> list[_Customer]:
    """Draw the customers, behaviour and taste independent of each other."""
    behaviours = dice.shuffled([b for b in BEHAVIOURS for _ in range(b.n_customers)])
    customers = []
    for behaviour in behaviours:
        taste = TASTES[dice.weighted([t.share for t in TASTES])]
        customers.append(
            _Customer(
                behaviour=behaviour,
                taste=taste,
                urn=list(taste.urn),
                rate=behaviour.orders_per_month
                / 30.4
                * dice.heavy_tailed(behaviour.spread),
                start=max(dice.between(behaviour.start), 0),
                end=dice.between(behaviour.end),
            )
        )
    return customers


def _order_days(dice: Dice, customer: _Customer, seasons: np.ndarray) -> list[int]:
    """Draw the days on which a customer orders: one at least."""
    if customer.behaviour.name == ONE_TIME:
        return [dice.weighted(seasons.tolist())]
    orders = dice.uniforms(N_DAYS) < np.minimum(customer.rate * seasons, 0.8)
    orders[: customer.start] = False
    orders[customer.end :] = False
    days = np.flatnonzero(orders).tolist()
    return days or [dice.between((customer.start, customer.end))]


def _categories(dice: Dice, customer: _Customer) -> list[int]:
    """Draw the categories of one basket and let the urn remember them."""
    pair = customer.taste.pair
    categories = []
    for _ in range(dice.geometric(customer.behaviour.lines, 8)):
        category = dice.weighted(customer.urn)
        customer.urn[category] += 1.0
        categories.append(category)
        if category in pair and dice.chance(PAIR_RATE):
            categories.append(pair[1] if category == pair[0] else pair[0])
    return categories


def _basket(
    dice: Dice, customer: _Customer, order: _Order, shelves: list
) -> list[_Line]:
    """Fill one order: categories from the urn, products along the ladder."""
    behaviour = customer.behaviour
    day = FIRST_DAY + dt.timedelta(days=order.day)
    lines = []
    taken = set()
    for category in _categories(dice, customer):
        shelf = shelves[category]
        place = dice.uniform()
        if not dice.chance(behaviour.upmarket):
            place *= place
        product, list_price = shelf[int(place * len(shelf))]
        quantity = dice.geometric(CATEGORIES[category].pack + behaviour.pack, 12)
        promotion = dice.chance(PROMOTION_RATE)
        if product in taken:
            continue
        taken.add(product)
        cents = price_on(list_price=list_price, day=day, promotion=promotion)
        lines.append(_Line(order, category, product, quantity, cents))
    return lines


def _sales(dice: Dice) -> list[_Line]:
    """Draw all purchases, and gifts that ride along with some of them."""
    shelves = catalogue()
    seasons = np.array(
        [season(FIRST_DAY + dt.timedelta(days=day)) for day in range(N_DAYS)]
    )
    lines: list[_Line] = []
    for position, customer in enumerate(_customers(dice)):
        for day in _order_days(dice, customer, seasons):
            n_orders = 1
            if customer.behaviour.name != ONE_TIME:
                n_orders += dice.chance(SECOND_ORDER_RATE)
            for _ in range(n_orders):
                order = _Order(position, day, dice.uniform())
                lines += _basket(dice, customer, order, shelves)
                if dice.chance(GIFT_RATE):
                    category = dice.below(len(CATEGORIES))
                    product, _ = shelves[category][0]
                    lines.append(_Line(order, category, product, 1, 0, "brinde"))
    return lines


def _return_order(dice: Dice, order: _Order) -> _Order:
    """Open the order under which goods come back 3 to 27 days later."""
    return _Order(order.customer, order.day + 3 + dice.below(25), dice.uniform())


def _return_line(line: _Line, order: _Order, quantity: int) -> _Line:
    """Send some pieces of a line back, at the price that was paid."""
    line.returned = True
    return _Line(order, line.category, line.product, -quantity, line.cents, "devolucao")


def _returns(dice: Dice, lines: list[_Line]) -> tuple[list[_Line], int]:
    """Draw the returns, and the number of customers who returned everything."""
    by_customer: dict[int, list[_Line]] = {}
    for line in lines:
        by_customer.setdefault(line.order.customer, []).append(line)
    few = [
        bought
        for bought in by_customer.values()
        if len(bought) <= 3
        and all(line.cents for line in bought)
        and all(line.order.day < N_DAYS - 31 for line in bought)
    ]
    refunded = dice.shuffled(few)[:N_FULL_REFUNDS]
    back = []
    for bought in refunded:
        orders: dict[int, _Order] = {}
        for line in bought:
            if id(line.order) not in orders:
                orders[id(line.order)] = _return_order(dice, line.order)
            order = orders[id(line.order)]
            back.append(_return_line(line, order, line.quantity))
    for line in lines:
        if line.returned or not line.cents or not dice.chance(RETURN_RATE):
            continue
        order = _return_order(dice, line.order)
        quantity = 1 + dice.below(line.quantity)
        if order.day < N_DAYS and len(by_customer[line.order.customer]) > 3:
            back.append(_return_line(line, order, quantity))
    return back, len(refunded)


# --------------------------------------------------------------------------
# Dirt
# --------------------------------------------------------------------------


def _soil(dice: Dice, lines: list[_Line]) -> list[_Line]:
    """Plant every kind of `DIRTY_KINDS` and the missing categories.

    Only plain purchases of customers with many lines are touched, never one
    that was returned, a first purchase or the last day, so that the dirt
    removes no customer, orphans no return and moves no first or reference date.
    """
    first_day: dict[int, int] = {}
    for line in lines:
        customer, day = line.order.customer, line.order.day
        first_day[customer] = min(day, first_day.get(customer, day))
    per_customer = Counter(line.order.customer for line in lines)
    per_order = Counter(id(line.order) for line in lines)
    free = dice.shuffled(
        [
            line
            for line in lines
            if not line.kind
            and not line.returned
            and per_customer[line.order.customer] >= 8
            and first_day[line.order.customer] < line.order.day < N_DAYS - 1
        ]
    )
    alone = [line for line in free if per_order[id(line.order)] == 1]
    chosen = {id(line) for line in alone[: DIRTY_KINDS["cliente_ausente"]]}
    for line in alone[: DIRTY_KINDS["cliente_ausente"]]:
        line.kind, line.text = "cliente_ausente", ("id_cliente", "")
    rest = iter([line for line in free if id(line) not in chosen])

    faults = {
        "data_ilegivel": ("data_venda", UNREADABLE_DATES),
        "data_futura": ("data_venda", (FUTURE_DATE,)),
        "valor_ilegivel": ("preco_unitario", UNREADABLE_PRICES),
        "valor_ausente": ("preco_unitario", ("",)),
        "quantidade_ilegivel": ("quantidade", UNREADABLE_QUANTITIES),
    }
    for kind, (column, values) in faults.items():
        for number in range(DIRTY_KINDS[kind]):
            line = next(rest)
            line.kind, line.text = kind, (column, values[number % len(values)])
    for _ in range(N_MISSING_CATEGORY):
        line = next(rest)
        line.kind, line.text = "categoria_ausente", ("categoria_produto", "")
    for _ in range(DIRTY_KINDS["linha_duplicada"]):
        line = next(rest)
        line.kind, line.copies = "linha_duplicada", 2

    extra = []
    for number in range(DIRTY_KINDS["codigo_nao_produto"]):
        order = next(rest).order
        code = NON_PRODUCT_CODES[number % 4 == 3]
        quantity, cents = (1, 1490) if code == "FRETE" else (-1, 500)
        cents += 100 * dice.below(20)
        line = _Line(order, 0, code, quantity, cents, "codigo_nao_produto")
        line.text = ("categoria_produto", "")
        extra.append(line)
    return lines + extra


# --------------------------------------------------------------------------
# Assembly
# --------------------------------------------------------------------------


def _render(lines: list[_Line]) -> list[tuple[str, ...]]:
    """Write the rows, numbering customers and orders along the calendar."""
    by_order: dict[int, list[_Line]] = {}
    for line in lines:
        by_order.setdefault(id(line.order), []).append(line)
    baskets = sorted(
        by_order.values(),
        key=lambda basket: (basket[0].order.day, basket[0].order.rank),
    )
    customers: dict[int, str] = {}
    rows = []
    for sale, basket in enumerate(baskets, start=1):
        order = basket[0].order
        name = customers.setdefault(order.customer, f"C{len(customers) + 1:04d}")
        day = (FIRST_DAY + dt.timedelta(days=order.day)).isoformat()
        for number, line in enumerate(basket, start=1):
            row = {
                "id_venda": f"V{sale:05d}",
                "id_linha": str(number),
                "id_cliente": name,
                "data_venda": day,
                "id_produto": line.product,
                "categoria_produto": CATEGORIES[line.category].name,
                "quantidade": str(line.quantity),
                "preco_unitario": f"{line.cents // 100}.{line.cents % 100:02d}",
            }
            if line.text is not None:
                column, value = line.text
                row[column] = value
            rows += [tuple(row[column] for column in HEADER)] * line.copies
    return rows


def build_sample() -> Sample:
    """Build the sample, always the same one.

    Returns
    -------
    Sample
        Lines as text, and how many of each kind were planted.

    Examples
    --------
    >>> sample = build_sample()
    >>> sample.planted["data_futura"]
    6
    """
    dice = Dice(SEED)
    lines = _sales(dice)
    back, refunded = _returns(dice, lines)
    lines = _soil(dice, lines + back)
    kinds = Counter(line.kind for line in lines)
    special = {
        kind: kinds[kind] for kind in ("devolucao", "brinde", "categoria_ausente")
    }
    return Sample(
        lines=tuple(_render(lines)),
        planted={kind: kinds[kind] for kind in DIRTY_KINDS},
        special=special | {"cliente_reembolsado": refunded},
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Write the sample to a file.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default that of the process.
    """
    parser = argparse.ArgumentParser(description="Write the synthetic sample.")
    parser.add_argument("--out", type=Path, default=DEFAULT_OUT)
    out = parser.parse_args(argv).out
    sample = build_sample()
    content = sample.to_csv()
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    print(f"{out}: {len(sample.lines)} lines, {len(content)} bytes")


if __name__ == "__main__":
    main()
