"""py_vollib's implied volatility, timed over the same vectors as the bench's row, the first 2,000: nanoseconds an option,
the median of batches of 20.

    pip install py_vollib && python timed_vollib.py ../../core/oracles/implied_vol.csv
"""

import csv
import statistics
import sys
import time

from py_vollib.black.implied_volatility import implied_volatility_of_undiscounted_option_price as implied

with open(sys.argv[1]) as table:
    rows = list(csv.DictReader(table))[:2000]
vectors = [(float(r["price"]), 3.0, float(r["strike"]), int(r["minutes"]) / 525_600, r["type"].lower()) for r in rows]
vols = [float(r["vol_percent"]) / 100 for r in rows]
times, failed, worst = [], 0, 0.0
for first in range(0, len(vectors), 20):
    start = time.perf_counter_ns()
    for vector, vol in zip(vectors[first : first + 20], vols[first : first + 20]):
        try:
            worst = max(worst, abs(implied(*vector) / vol - 1))
        except Exception:
            failed += 1
    times.append((time.perf_counter_ns() - start) / 20)
print(f"py_vollib: {statistics.median(times):.0f} ns, largest relative error {worst:.1e}, {failed} failed")
