//! Incremental indicators: constant time and memory per value, no allocation after construction. Floating point is at
//! home here; only additions, multiplications, divisions and square roots are used, so results repeat on any IEEE host.
#![allow(clippy::float_arithmetic)]

use std::collections::VecDeque;

/// Exponential moving average with weight 2 / (period + 1), started at the first value.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ema {
    weight: f64,
    value: f64,
    count: u64,
    period: u32,
}

impl Ema {
    /// An average over about `period` values (at least one).
    pub fn new(period: u32) -> Self {
        let period = period.max(1);
        Self { weight: 2.0 / (f64::from(period) + 1.0), value: 0.0, count: 0, period }
    }
    /// Folds a value.
    #[inline]
    pub fn push(&mut self, value: f64) {
        self.value = if self.count == 0 { value } else { self.value + self.weight * (value - self.value) };
        self.count += 1;
    }
    /// The average, once `period` values were seen.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        (self.count >= u64::from(self.period)).then_some(self.value)
    }
    /// Value and count, for a snapshot.
    pub const fn state(&self) -> (f64, u64) {
        (self.value, self.count)
    }
    /// Sets what [`Self::state`] gave.
    pub const fn restore(&mut self, (value, count): (f64, u64)) {
        self.value = value;
        self.count = count;
    }
}

/// Simple moving average of the last `period` values.
#[derive(Clone, PartialEq, Debug)]
pub struct Sma {
    window: VecDeque<f64>,
    period: usize,
    sum: f64,
}

impl Sma {
    /// An average over `period` values (at least one).
    pub fn new(period: u32) -> Self {
        let period = period.max(1) as usize;
        Self { window: VecDeque::with_capacity(period), period, sum: 0.0 }
    }
    /// Folds a value.
    #[inline]
    pub fn push(&mut self, value: f64) {
        if self.window.len() == self.period {
            self.sum -= self.window.pop_front().unwrap_or(0.0);
        }
        self.window.push_back(value);
        self.sum += value;
    }
    /// The average, once `period` values were seen.
    #[inline]
    pub fn value(&self) -> Option<f64> {
        (self.window.len() == self.period).then_some(self.sum / self.period as f64)
    }
}

/// Mean and sample standard deviation of the last `period` values, by Welford's update with removal.
#[derive(Clone, PartialEq, Debug)]
pub struct Deviation {
    window: VecDeque<f64>,
    period: usize,
    mean: f64,
    squares: f64,
}

impl Deviation {
    /// Over `period` values (at least two).
    pub fn new(period: u32) -> Self {
        let period = period.max(2) as usize;
        Self { window: VecDeque::with_capacity(period), period, mean: 0.0, squares: 0.0 }
    }
    /// Folds a value.
    #[inline]
    pub fn push(&mut self, value: f64) {
        if self.window.len() == self.period {
            let old = self.window.pop_front().unwrap_or(0.0);
            let left = self.window.len() as f64;
            let mean = self.mean - (old - self.mean) / left;
            self.squares -= (old - self.mean) * (old - mean);
            self.mean = mean;
        }
        self.window.push_back(value);
        let mean = self.mean + (value - self.mean) / self.window.len() as f64;
        self.squares += (value - self.mean) * (value - mean);
        self.mean = mean;
    }
    /// Mean and standard deviation, once `period` values were seen.
    #[inline]
    pub fn value(&self) -> Option<(f64, f64)> {
        let full = self.window.len() == self.period;
        full.then(|| (self.mean, (self.squares.max(0.0) / (self.period - 1) as f64).sqrt()))
    }
}

/// Average true range over `period` bars, with Wilder's smoothing (J. W. Wilder, *New Concepts in Technical Trading
/// Systems*, 1978).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Atr {
    period: u32,
    count: u64,
    value: f64,
    close: f64,
}

impl Atr {
    /// Over `period` bars (at least one).
    pub fn new(period: u32) -> Self {
        Self { period: period.max(1), count: 0, value: 0.0, close: 0.0 }
    }
    /// Folds a bar.
    pub fn push(&mut self, high: f64, low: f64, close: f64) {
        let range = if self.count == 0 { high - low } else { high.max(self.close) - low.min(self.close) };
        self.count += 1;
        let n = self.count.min(u64::from(self.period)) as f64;
        self.value += (range - self.value) / n;
        self.close = close;
    }
    /// The average range, once `period` bars were seen.
    pub fn value(&self) -> Option<f64> {
        (self.count >= u64::from(self.period)).then_some(self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A fixed rough walk; no randomness.
    fn values() -> Vec<f64> {
        (0..500u32).map(|i| 100.0 + f64::from(i.wrapping_mul(2_654_435_761) >> 20) / 100.0).collect()
    }

    #[test]
    fn rolling_figures_equal_the_figures_of_the_window() {
        let (values, period) = (values(), 20);
        let (mut sma, mut deviation) = (Sma::new(period), Deviation::new(period));
        for (index, &value) in values.iter().enumerate() {
            sma.push(value);
            deviation.push(value);
            if index + 1 < period as usize {
                assert_eq!((sma.value(), deviation.value()), (None, None));
                continue;
            }
            let window = &values[index + 1 - period as usize..=index];
            let mean = window.iter().sum::<f64>() / f64::from(period);
            let variance = window.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(period - 1);
            assert!((sma.value().unwrap() - mean).abs() < 1e-9);
            let (m, sd) = deviation.value().unwrap();
            assert!((m - mean).abs() < 1e-9 && (sd - variance.sqrt()).abs() < 1e-8);
        }
    }

    #[test]
    fn ema_is_the_weighted_sum_of_its_past() {
        let (values, period) = (&values()[..50], 9);
        let mut ema = Ema::new(period);
        values.iter().for_each(|&value| ema.push(value));
        let weight = 2.0 / 10.0;
        let expected = values.iter().enumerate().fold(0.0, |sum, (age, value)| {
            let share = if age == 0 { 1.0 } else { weight };
            sum + share * value * (1.0f64 - weight).powi((values.len() - 1 - age) as i32)
        });
        assert!((ema.value().unwrap() - expected).abs() < 1e-9);
    }

    #[test]
    fn atr_of_constant_ranges_is_the_range() {
        let mut atr = Atr::new(14);
        (0..30).for_each(|_| atr.push(12.0, 10.0, 11.0));
        assert_eq!(atr.value(), Some(2.0));
    }
}
