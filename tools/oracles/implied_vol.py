"""Undiscounted Black prices at 50 digits, rounded to doubles, of random options whose volatility is then to be found.

Times from one minute to three years and volatilities from 3 % to 200 %, both uniform in the logarithm; strikes within
six standard deviations of a forward of 3. In-the-money rows whose time value is below 1e-10 of the price are left out: no
double says what their volatility was.

    python implied_vol.py                        10,000 rows to core/oracles/implied_vol.csv
    python implied_vol.py 100000 FILE            as many as wanted; SHRIKE_IMPLIED_VOL=FILE makes the test read them
"""

import math
import random
import sys

import mpmath as mp

mp.mp.dps = 50
FORWARD = 3


def price(sign, strike, years, vol):
    total = vol * mp.sqrt(years)
    d1 = mp.log(FORWARD / strike) / total + total / 2
    cdf = lambda x: mp.erfc(-x / mp.sqrt(2)) / 2
    return sign * (FORWARD * cdf(sign * d1) - strike * cdf(sign * (d1 - total)))


if __name__ == "__main__":
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    path = sys.argv[2] if len(sys.argv) > 2 else "../../core/oracles/implied_vol.csv"
    draw = random.Random(2015)
    with open(path, "w") as out:
        out.write("type,strike,minutes,vol_percent,price\n")
        while rows:
            minutes = int(math.exp(draw.uniform(0, math.log(3 * 525_600))))
            hundredths = int(math.exp(draw.uniform(math.log(300), math.log(20_000))) + 0.5)
            # The double that the reader makes of the printed text.
            vol, years = mp.mpf((hundredths / 100) / 100), mp.mpf(minutes / 525_600)
            reach = 6 * float(vol * mp.sqrt(years))
            strike = float("%.6g" % (FORWARD * math.exp(draw.uniform(-reach, reach))))
            sign = draw.choice((1, -1))
            exact = price(sign, mp.mpf(strike), years, vol)
            if exact - max(sign * (FORWARD - mp.mpf(strike)), 0) <= mp.mpf("1e-10") * exact or exact < 1e-290:
                continue
            out.write(f"{'C' if sign > 0 else 'P'},{strike:.6g},{minutes},{hundredths / 100:.2f},{float(exact)!r}\n")
            rows -= 1
