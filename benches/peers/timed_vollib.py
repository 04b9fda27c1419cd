"""py_vollib's implied volatility, the function it documents, timed over the same vectors as the bench's row: processor
nanoseconds a call, the mean and the median. A mean by the wall clock on a busy host counts the turns of others: five times
as much at a load of 12.

    pip install py_vollib && python timed_vollib.py ../../core/oracles/implied_vol.csv
"""

import csv
import statistics
import sys
import time

from py_vollib.black.implied_volatility import implied_volatility

with open(sys.argv[1]) as table:
    rows = list(csv.DictReader(table))
vectors = [
    (float(r["price"]), 3.0, float(r["strike"]), 0.0, int(r["minutes"]) / 525_600, r["type"].lower()) for r in rows
]
vols = [float(r["vol_percent"]) / 100 for r in rows]
times, failed, worst = [], 0, 0.0
for vector, vol in zip(vectors, vols):
    start = time.process_time_ns()
    try:
        found = implied_volatility(*vector)
    except Exception:
        found, failed = vol, failed + 1
    times.append(time.process_time_ns() - start)
    worst = max(worst, abs(found / vol - 1))
print(
    f"py_vollib: {statistics.mean(times):.0f} ns a call, median {statistics.median(times):.0f}, "
    f"largest relative error {worst:.1e}, {failed} failed of {len(times)}"
)
