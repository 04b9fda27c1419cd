"""The coefficients of core/src/pricing/implied/start.rs: where the search for a volatility begins. Exact values at 50
digits, least squares with weights that level the largest relative error (Lawson's), printed rounded to doubles.

Of an option out of the money, with h = |ln(K/F)| / s for a total volatility s, and u the logarithm of the price in the
money over the price out of it: in the limit of small s (Bachelier's model) u depends on h alone. ROOT is (h / u)^2 of
that limit in 1 / (1 + u / 8); RATIO is what s is more than the limit says, in the limit's s^2 and in x^2 / (1 + x^2 / 50).
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 50
H_MAX, TOTAL_MAX, X_MAX = 12, 2.5, 6
ROOT_DEGREE, RATIO_DEGREE, X_DEGREE = 7, 4, 3


def mills(x):
    """(1 - N(x)) / n(x)."""
    return mp.sqrt(mp.pi / 2) * mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2))


def limit(h):
    """u of Bachelier's model."""
    return mp.log1p(h / (mp.npdf(h) * (1 - h * mills(h))))


def black(h, s):
    """u of Black's model."""
    x, t = h * s, s / 2
    out = mp.ncdf(t - h) - mp.exp(x) * mp.ncdf(-h - t)
    return mp.log1p(mp.expm1(x) / out)


def level(basis, values):
    """Coefficients whose largest relative error is least, and that error."""
    relative = basis / values[:, None]
    weights = np.ones(len(values))
    for _ in range(100):
        powers = np.linalg.lstsq(relative * weights[:, None], weights, rcond=None)[0]
        errors = np.abs(relative @ powers - 1)
        weights *= np.sqrt(errors / errors.max() + 1e-3)
        weights /= weights.max()
    return powers, errors.max()


def show(name, rows, error):
    print(name, f"error {error:.1e}")
    for row in rows:
        print("   ", [float(power) for power in np.atleast_1d(row)])


def near(u):
    return 1 / (1 + u / 8)


hs = np.concatenate([np.geomspace(1e-6, 1e-2, 20), np.linspace(0.01, H_MAX, 800)])
us = np.array([float(limit(mp.mpf(h))) for h in hs])
root, error = level(near(us)[:, None] ** np.arange(ROOT_DEGREE + 1), (hs / us) ** 2)
show("ROOT", root, error / 2)

grid = [(h, s) for s in np.linspace(0.02, TOTAL_MAX, 40) for h in np.linspace(0.003, H_MAX, 50) if h * s <= X_MAX]
h, s = np.array(grid).T
u = np.array([float(black(mp.mpf(a), mp.mpf(b))) for a, b in grid])
first = h * s / (u * np.sqrt((near(u)[:, None] ** np.arange(ROOT_DEGREE + 1)) @ root))
squares = (h * s) ** 2
moneyness = squares / (1 + squares / 50)
terms = [(i, j) for i in range(RATIO_DEGREE + 1) for j in range(min(X_DEGREE, RATIO_DEGREE - i) + 1)]
powers, error = level(np.stack([first ** (2 * i) * moneyness**j for i, j in terms], 1), s / first)
show("RATIO", [[p for p, (k, _) in zip(powers, terms) if k == i] for i in range(RATIO_DEGREE + 1)], error)
