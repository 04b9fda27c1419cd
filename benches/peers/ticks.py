"""What the peers' scripts share: the recorded IF ticks, the averages whose crossing they trade, and what they report.

Each script reads the ticks into its package's own form first, runs the package's engine over them some times, and times
only the run. Its one line on stdout is read by `cargo bench -p shrike-benches -- peers`.
"""

import argparse
import csv
import gzip
import json
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

CHINA = timezone(timedelta(hours=8))
# CFFEX's IF: value of a point, least step of the price, and how far beyond the other side's best an order may fill.
MULTIPLIER, TICK_SIZE, COLLAR = 300, 0.2, 20 * 0.2


class Tick(NamedTuple):
    """A snapshot of the contract."""

    day: int  # trading day, yyyymmdd
    date: int  # the natural one, yyyymmdd
    clock: int  # HHMMSSmmm, China time
    ns: int  # since 1970
    last: float
    bid: float
    ask: float
    bid_lots: float
    ask_lots: float
    volume: float  # of the day so far
    turnover: float  # likewise
    open_interest: float
    open: float
    high: float
    low: float
    upper: float
    lower: float
    pre_close: float
    pre_settle: float
    pre_interest: float

    def time(self):
        """The exchange's time."""
        seconds, ns = divmod(self.ns, 1_000_000_000)
        return datetime.fromtimestamp(seconds, CHINA).replace(microsecond=ns // 1_000)


FIELDS = """price bid_price_0 ask_price_0 bid_qty_0 ask_qty_0 total_volume total_turnover open_interest open high low
upper_limit lower_limit pre_close pre_settle pre_interest""".split()


def read(folder):
    """Every snapshot of the recordings in a folder, in order."""
    ticks = []
    for file in sorted(Path(folder).glob("CFFEX.IF.HOT_tick_*.csv.gz")):
        with gzip.open(file, "rt") as lines:
            for row in csv.DictReader(lines):
                clock = int(row["action_time"])
                date = datetime.strptime(row["action_date"], "%Y%m%d").replace(tzinfo=CHINA)
                hours, minutes, seconds, ms = clock // 10_000_000, clock // 100_000 % 100, clock // 1_000 % 100, clock % 1_000
                at_ms = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + ms
                ns = int(date.timestamp()) * 1_000_000_000 + at_ms * 1_000_000
                ticks.append(Tick(int(row["trading_date"]), int(row["action_date"]), clock, ns, *(float(row[name]) for name in FIELDS)))
    if not ticks:
        raise SystemExit(f"{folder}: no recordings CFFEX.IF.HOT_tick_*.csv.gz")
    return ticks


class Cross:
    """Shrike's `ema-cross` over last prices: 1 while the fast average is above the slow one, -1 while it is not, 0 until
    both have seen as many prices as their periods. With bars, a bar's last price counts once the next bar begins."""

    __slots__ = ("fast", "slow", "fast_weight", "slow_weight", "seen", "ticks", "period", "bar_ns", "bar", "last", "held", "crosses")

    def __init__(self, bar_ms, fast, slow):
        self.fast_weight, self.slow_weight = 2 / (fast + 1), 2 / (slow + 1)
        self.fast = self.slow = self.last = 0.0
        self.ticks = self.seen = 0
        self.period = max(fast, slow)
        self.bar_ns, self.bar = bar_ms * 1_000_000, None
        self.held, self.crosses = 0, 0

    def wanted(self, ns, price):
        """Lots wanted after a tick."""
        self.ticks += 1
        if self.bar_ns:
            bar, closed = ns // self.bar_ns, self.last
            fresh = bar != self.bar and self.bar is not None
            self.bar, self.last = bar, price
            if not fresh:
                return self.held
            price = closed
        if self.seen:
            self.fast += self.fast_weight * (price - self.fast)
            self.slow += self.slow_weight * (price - self.slow)
        else:
            self.fast = self.slow = price
        self.seen += 1
        if self.seen < self.period:
            return 0
        held = 1 if self.fast > self.slow else -1
        if held != self.held:
            self.held = held
            self.crosses += 1
        return held


def main(package, prepare):
    """Runs `prepare(ticks, cross)`, which gives a function to time and one that tells orders and fills afterwards, as
    often as the command line says, and prints what came of it."""
    parser = argparse.ArgumentParser(description=f"{package} over the recorded IF ticks, timed")
    parser.add_argument("data", help="folder with CFFEX.IF.HOT_tick_*.csv.gz")
    parser.add_argument("--bar-ms", type=int, default=0)
    parser.add_argument("--fast", type=int, default=120)
    parser.add_argument("--slow", type=int, default=260)
    parser.add_argument("--passes", type=int, default=3)
    given = parser.parse_args()
    ticks = read(given.data)
    report = {"cpu_s": [], "wall_s": []}
    for _ in range(given.passes):
        cross = Cross(given.bar_ms, given.fast, given.slow)
        run, told = prepare(ticks, cross)
        wall, cpu = time.perf_counter(), time.process_time()
        run()
        report["cpu_s"].append(time.process_time() - cpu)
        report["wall_s"].append(time.perf_counter() - wall)
        orders, fills = told()
        report |= {"ticks": cross.ticks, "crosses": cross.crosses, "orders": orders, "fills": fills}
    print(json.dumps(report), flush=True)
