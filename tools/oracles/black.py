"""Black (1976) prices and Greeks at 50 digits, for core/oracles/black.csv: ordinary options, deep wings, minutes to
expiry, high volatilities. Every input is written so that a double reads it exactly as it was used."""

import random

import mpmath as mp

mp.mp.dps = 50
ROWS = 600


def n(x):
    return mp.exp(-x * x / 2) / mp.sqrt(2 * mp.pi)


def cdf(x):
    return mp.erfc(-x / mp.sqrt(2)) / 2


def black(sign, forward, strike, vol, years, discount_years, rate):
    """price, delta, gamma, vega, theta, rho, vanna, volga, charm; theta and charm per year on both clocks."""
    forward, strike, vol, years, discount_years, rate = map(mp.mpf, (forward, strike, vol, years, discount_years, rate))
    discount, root = mp.exp(-rate * discount_years), mp.sqrt(years)
    d1 = mp.log(forward / strike) / (vol * root) + vol * root / 2
    d2 = d1 - vol * root
    price = discount * sign * (forward * cdf(sign * d1) - strike * cdf(sign * d2))
    delta = discount * sign * cdf(sign * d1)
    vega = discount * forward * n(d1) * root
    return (
        price,
        delta,
        discount * n(d1) / (forward * vol * root),
        vega,
        rate * price - discount * forward * n(d1) * vol / (2 * root),
        -discount_years * price,
        -discount * n(d1) * d2 / vol,
        vega * d1 * d2 / vol,
        rate * delta + discount * n(d1) * d2 / (2 * years),
    )


if __name__ == "__main__":
    draw = random.Random(76)
    names = "price,delta,gamma,vega,theta,rho,vanna,volga,charm"
    with open("../../core/oracles/black.csv", "w") as out:
        out.write("type,forward,strike,vol,years,discount_years,rate," + names + "\n")
        for _ in range(ROWS):
            years = float("%.6g" % mp.exp(draw.uniform(float(mp.log(1 / 525600)), float(mp.log(3)))))
            vol = float("%.4g" % mp.exp(draw.uniform(float(mp.log(0.03)), float(mp.log(2)))))
            forward = float("%.5g" % mp.exp(draw.uniform(0, 10)))
            reach = draw.choice((0, 1, 3, 6)) * vol * float(mp.sqrt(years))
            strike = float("%.7g" % (forward * mp.exp(draw.uniform(-reach, reach))))
            discount_years = float("%.6g" % (years * draw.uniform(0.8, 1.2)))
            rate = float("%.4f" % draw.uniform(-0.02, 0.12))
            sign = draw.choice((1, -1))
            greeks = black(sign, forward, strike, vol, years, discount_years, rate)
            inputs = (forward, strike, vol, years, discount_years, rate)
            out.write(",".join(["C" if sign > 0 else "P", *map(repr, inputs), *(mp.nstr(g, 17) for g in greeks)]) + "\n")
