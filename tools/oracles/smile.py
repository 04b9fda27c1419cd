"""SVI smiles with 50 digits: total variance and derivatives by automatic differentiation, Durrleman's g, jump wings.

Writes core/oracles/svi.csv."""

import csv
import pathlib
import random

from mpmath import diff, mp, mpf, sqrt

mp.dps = 50
OUT = pathlib.Path(__file__).parents[2] / "core" / "oracles" / "svi.csv"
YEARS = mpf("0.7")


def main():
    dice = random.Random(20261121)
    with OUT.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow("a,b,rho,m,s,k,w,dw,d2w,g,v,psi,p,c,v_low".split(","))
        for _ in range(200):
            b, rho = dice.uniform(0.01, 0.6), dice.uniform(-0.95, 0.95)
            m, s, low = dice.uniform(-0.4, 0.4), dice.uniform(0.005, 0.6), dice.uniform(0.001, 0.2)
            a = low - b * s * (1 - rho * rho) ** 0.5
            k = dice.uniform(-1.5, 1.5)
            # The doubles above are the inputs, exactly.
            given = [mpf(x) for x in (a, b, rho, m, s)]

            def w(x, given=given):
                a, b, rho, m, s = given
                return a + b * (rho * (x - m) + sqrt((x - m) ** 2 + s * s))

            at = mpf(k)
            total, slope, curve = w(at), diff(w, at), diff(w, at, 2)
            g = (1 - at * slope / (2 * total)) ** 2 - slope**2 / 4 * (1 / total + mpf(1) / 4) + curve / 2
            money, root = w(mpf(0)), sqrt(w(mpf(0)))
            a_, b_, rho_, m_, s_ = given
            wings = (
                money / YEARS,
                diff(lambda x: sqrt(w(x)), mpf(0)),
                b_ * (1 - rho_) / root,
                b_ * (1 + rho_) / root,
                (a_ + b_ * s_ * sqrt(1 - rho_**2)) / YEARS,
            )
            row = [repr(x) for x in (a, b, rho, m, s, k)]
            table.writerow(row + [mp.nstr(x, 20) for x in (total, slope, curve, g, *wings)])


main()
