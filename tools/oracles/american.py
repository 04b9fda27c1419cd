"""American options on futures (q = r) by QuantLib's high-precision Andersen-Lake-Offengenden engine, for
core/oracles/american.csv: the price on 840 points. And for american_greeks.csv: central differences of fourth order of
that engine on every tenth of them. american_wide.csv: 300 points far outside that grid, scaled to a year.

    python american.py            all three
    python american.py wide       the last
"""

import random
import sys

import QuantLib as ql

DAYS = (7, 30, 91, 182, 365)
STRIKES = (80, 90, 95, 100, 105, 110, 120)
VOLS = (0.1, 0.2, 0.35, 0.6)
RATES = (0.015, 0.03, 0.06)
TODAY = ql.Date(2, 1, 2026)


def price(sign, spot, strike, days, vol, rate, income=None, equation=ql.QdFpAmericanEngine.Auto, nodes=32):
    """The reference price; spot, volatility and rates may be any number. A future's yield is the rate."""
    ql.Settings.instance().evaluationDate = TODAY
    count = ql.Actual365Fixed()
    curve = lambda rate: ql.YieldTermStructureHandle(ql.FlatForward(TODAY, rate, count))
    vols = ql.BlackVolTermStructureHandle(ql.BlackConstantVol(TODAY, ql.NullCalendar(), vol, count))
    pays = curve(rate if income is None else income)
    process = ql.BlackScholesMertonProcess(ql.QuoteHandle(ql.SimpleQuote(spot)), pays, curve(rate), vols)
    payoff = ql.PlainVanillaPayoff(ql.Option.Call if sign > 0 else ql.Option.Put, strike)
    option = ql.VanillaOption(payoff, ql.AmericanExercise(TODAY, TODAY + days))
    scheme = ql.QdFpTanhSinhIterationScheme(nodes // 2, nodes, 1e-12)
    option.setPricingEngine(ql.QdFpAmericanEngine(process, scheme, equation))
    return option.NPV()


def slope(f, h):
    return (8 * (f(h) - f(-h)) - (f(2 * h) - f(-2 * h))) / (12 * h)


def curvature(f, h):
    return (16 * (f(h) + f(-h)) - (f(2 * h) + f(-2 * h)) - 30 * f(0)) / (12 * h * h)


def wide():
    """Rate times time 1e-5 to 1, total volatility 1 % to 300 %, strikes to two deviations."""
    draw = random.Random(2016)
    with open("../../core/oracles/american_wide.csv", "w") as out:
        out.write("type,strike,vol,rate,price\n")
        for _ in range(300):
            vol, rate = float("%.4g" % (0.01 * 300 ** draw.random())), float("%.4g" % (1e-5 * 1e5 ** draw.random()))
            strike = float("%.5g" % (100 * 2.718281828 ** (vol * draw.uniform(-2, 2))))
            sign = draw.choice((1, -1))
            value = price(sign, 100, strike, 365, vol, rate)
            out.write(f"{'C' if sign > 0 else 'P'},{strike},{vol},{rate},{value:.13g}\n")


if __name__ == "__main__":
    wide()
    if sys.argv[1:] == ["wide"]:
        sys.exit()
    grid = [(s, k, d, v, r) for d in DAYS for k in STRIKES for v in VOLS for r in RATES for s in (1, -1)]
    with open("../../core/oracles/american.csv", "w") as out:
        out.write("type,strike,days,vol,rate,price\n")
        for sign, strike, days, vol, rate in grid:
            value = price(sign, 100, strike, days, vol, rate)
            out.write(f"{'C' if sign > 0 else 'P'},{strike},{days},{vol},{rate},{value:.13g}\n")
    with open("../../core/oracles/american_greeks.csv", "w") as out:
        out.write("type,strike,days,vol,rate,delta,gamma,vega,rho,vanna,volga\n")
        for sign, strike, days, vol, rate in grid[3::10]:
            at = lambda f=0, v=0, r=0: price(sign, 100 + f, strike, days, vol + v, rate + r)
            scale = vol * (days / 365) ** 0.5 * 100
            df, dv, dr = 0.05 * scale, 0.03 * vol, 0.05 * rate
            delta, gamma = slope(lambda x: at(f=x), df), curvature(lambda x: at(f=x), df)
            vega, volga = slope(lambda x: at(v=x), dv), curvature(lambda x: at(v=x), dv)
            rho = slope(lambda x: at(r=x), dr)
            vanna = slope(lambda x: slope(lambda y: at(f=y, v=x), df), dv)
            values = (delta, gamma, vega, rho, vanna, volga)
            row = ["C" if sign > 0 else "P", str(strike), str(days), str(vol), str(rate), *(f"{x:.9g}" for x in values)]
            out.write(",".join(row) + "\n")
