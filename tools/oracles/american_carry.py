"""American options on assets with a carry of their own (q != r) by QuantLib's Andersen-Lake-Offengenden engine, for
core/oracles/american_carry.csv: one week to ten years, yields below, above and near the rate, either of them zero or
negative. Every price is by the engine's equation B with 32 nodes and tanh-sinh quadrature. It is kept where equation A, or
equation B with 48 nodes, agrees within 1e-7, and drawn again otherwise: where the drift outweighs the volatility A fails."""

import random

from american import ql, price

ROWS = 320


def rates(draw, kind):
    """Rate and yield."""
    some = lambda low=0.005, high=0.12: float("%.4f" % draw.uniform(low, high))
    one, other = sorted((some(), some()))
    match kind:
        case "below":
            return other, one
        case "above":
            return one, other
        case "near":
            return one, float("%.6f" % (one * (1 + draw.uniform(-0.02, 0.02))))
        case "no yield":
            return one, 0.0
        case "no rate":
            return 0.0, one
        case "negative rate":
            return -some(0.001, 0.01), one
        case "negative yield":
            return one, -some(0.001, 0.03)


if __name__ == "__main__":
    kinds = ("below", "above", "near", "no yield", "no rate", "negative rate", "negative yield", "above")
    draw = random.Random(2010)
    by_b, again, rows = 0, 0, 0
    with open("../../core/oracles/american_carry.csv", "w") as out:
        out.write("type,spot,strike,days,vol,rate,dividend,price\n")
        while rows < ROWS:
            rate, dividend = rates(draw, kinds[rows % len(kinds)])
            days = round(7 * (3650 / 7) ** draw.random())
            vol = float("%.3g" % (0.08 * 10 ** draw.random()))
            reach = vol * (days / 365) ** 0.5
            strike = float("%.5g" % (100 * 2.718281828 ** (reach * draw.uniform(-1.5, 1.5))))
            # Where the rate is zero or less only calls are exercised early.
            sign = 1 if rate <= 0 else draw.choice((1, -1))
            option = (sign, 100, strike, days, vol, rate, dividend)
            value = price(*option, ql.QdFpAmericanEngine.FP_B)
            if abs(price(*option, ql.QdFpAmericanEngine.FP_A) - value) > 1e-7:
                if abs(price(*option, ql.QdFpAmericanEngine.FP_B, 48) - value) > 1e-7:
                    again += 1
                    continue
                by_b += 1
            out.write(f"{'C' if sign > 0 else 'P'},100,{strike},{days},{vol},{rate},{dividend},{value:.12g}\n")
            rows += 1
    print("by equation B alone", by_b, "drawn again", again)
