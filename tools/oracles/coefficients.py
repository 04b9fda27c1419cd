"""The coefficients of core/src/pricing/elementary.rs and normal.rs: minimax fits and a Chebyshev interpolation, computed
at 50 digits and printed rounded to doubles."""

import mpmath as mp

mp.mp.dps = 50


def mills(x):
    """(1 - N(x)) / n(x)."""
    if x > 60:
        fraction = mp.mpf(0)
        for n in range(200, 0, -1):
            fraction = n / (x + fraction)
        return 1 / (x + fraction)
    return mp.sqrt(mp.pi / 2) * mp.exp(x * x / 2) * mp.erfc(x / mp.sqrt(2))


def slope(x):
    """What Mills' ratio falls by."""
    return 1 - x * mills(x)


def chebyshev(f, degree):
    """Coefficients in powers of the interpolation of f over [-1, 1], cut from one of much higher degree."""
    n = 160
    nodes = [mp.cos(mp.pi * (k + mp.mpf(1) / 2) / n) for k in range(n)]
    values = [f(t) for t in nodes]
    basis = [[mp.mpf(1)], [mp.mpf(0), mp.mpf(1)]]
    while len(basis) <= degree:
        twice = [mp.mpf(0)] + [2 * c for c in basis[-1]]
        before = basis[-2] + [mp.mpf(0)] * (len(twice) - len(basis[-2]))
        basis.append([a - b for a, b in zip(twice, before)])
    powers = [mp.mpf(0)] * (degree + 1)
    for j in range(degree + 1):
        c = 2 / mp.mpf(n) * sum(values[k] * mp.cos(mp.pi * j * (k + mp.mpf(1) / 2) / n) for k in range(n))
        c = c / 2 if j == 0 else c
        for i, b in enumerate(basis[j]):
            powers[i] += c * b
    return powers


def minimax(f, low, high, degree):
    powers, error = mp.chebyfit(f, [low, high], degree + 1, error=True)
    return powers[::-1], error


def show(name, powers, error=None):
    print(name, "" if error is None else f"error {mp.nstr(error, 3)}")
    for power in powers:
        print("   ", repr(float(power)))


def exp_tail(r):
    return mp.mpf(1) / 2 + r / 6 if abs(r) < 1e-20 else (mp.exp(r) - 1 - r) / (r * r)


def ln_tail(u):
    z = mp.sqrt(u)
    return mp.mpf(2) / 3 if u < 1e-30 else (2 * mp.atanh(z) - 2 * z) / z**3


show("MILLS", chebyshev(lambda t: (1 + 5 * (1 + t) / (1 - t)) * mills(5 * (1 + t) / (1 - t)), 23))
show("SLOPE", chebyshev(lambda t: (6 * (1 + t) / (2 - t) + mp.mpf(5) / 4) ** 2 * slope(6 * (1 + t) / (2 - t)), 23))
half = mp.log(2) / 2 * mp.mpf("1.0001")
show("EXP", *minimax(exp_tail, -half, half, 9))
show("LN", *minimax(ln_tail, mp.mpf(0), (mp.sqrt(2) - 1) ** 4 * mp.mpf("1.001"), 7))
