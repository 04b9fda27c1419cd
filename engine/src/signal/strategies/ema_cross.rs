//! Long while the fast average is above the slow one, short while below. Averages run over last prices, tick by tick or
//! bar by bar; the position changes in continuous trading only.

use crate::saved::Bytes;
use crate::signal::{BarBuilder, Ema, Intent, Intents, Market, SavedStateError, Strategy};
use shrike_core::codes::{PhaseKind, Urgency};
use shrike_core::event::Event;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::{Lots, Nanos, Price};

/// Parameters.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct EmaCrossParams {
    /// Period of the fast average, in bars (ticks when `bar_ms` is zero).
    pub fast: u32,
    /// Period of the slow average.
    pub slow: u32,
    /// Length of a bar in milliseconds; zero: every tick counts.
    pub bar_ms: u64,
    /// Lots held long or short.
    pub lots: Lots,
    /// How positions are reached.
    pub urgency: Urgency,
}

#[derive(Clone, Copy)]
struct Row {
    fast: Ema,
    slow: Ema,
    bars: BarBuilder,
}

/// The strategy.
pub struct EmaCross {
    params: EmaCrossParams,
    rows: Vec<Option<Row>>,
}

impl EmaCross {
    /// With these parameters.
    pub fn new(params: EmaCrossParams) -> Self {
        Self { params, rows: Vec::new() }
    }

    fn fresh(&self) -> Row {
        Row {
            fast: Ema::new(self.params.fast),
            slow: Ema::new(self.params.slow),
            bars: BarBuilder::new(self.params.bar_ms.saturating_mul(Nanos::PER_MILLI)),
        }
    }
}

impl Row {
    #[inline]
    fn push(&mut self, price: Price) {
        let value = price.raw() as f64;
        self.fast.push(value);
        self.slow.push(value);
    }
}

impl Strategy for EmaCross {
    #[inline]
    fn update(&mut self, _market: &Market, event: Event<'_>) {
        match event {
            Event::DepthTick(tick) => {
                let by_tick = self.params.bar_ms == 0;
                let Some(Some(row)) = self.rows.get_mut(tick.instrument.index()) else { return };
                if by_tick {
                    if tick.last.is_present() {
                        row.push(tick.last);
                    }
                } else if let Some(bar) = row.bars.push(tick) {
                    row.push(bar.close);
                }
            }
            Event::Phase(phase) if phase.kind() != PhaseKind::Continuous => {
                if let Some(Some(row)) = self.rows.get_mut(phase.instrument.index())
                    && let Some(bar) = row.bars.close()
                {
                    row.push(bar.close);
                }
            }
            Event::InstrumentDef(def) => {
                let index = def.instrument.index();
                if self.rows.len() <= index {
                    self.rows.resize(index + 1, None);
                }
                let fresh = self.fresh();
                if let Some(row @ None) = self.rows.get_mut(index) {
                    *row = Some(fresh);
                }
            }
            _ => {}
        }
    }

    #[inline]
    fn intend(&self, market: &Market, instrument: InstrumentId, intents: &mut Intents) {
        let Some(Some(row)) = self.rows.get(instrument.index()) else { return };
        if market.phase(instrument) != PhaseKind::Continuous || !market.is_live(instrument) {
            return;
        }
        let (Some(fast), Some(slow)) = (row.fast.value(), row.slow.value()) else { return };
        let lots = if fast > slow { self.params.lots } else { Lots::new(-self.params.lots.get()) };
        intents.state(instrument, Intent::Position { lots, limit: Price::ABSENT, urgency: self.params.urgency });
    }

    fn save(&self, out: &mut Vec<u8>) {
        for row in self.rows.iter().flatten() {
            for (value, count) in [row.fast.state(), row.slow.state()] {
                out.extend_from_slice(&value.to_le_bytes());
                out.extend_from_slice(&count.to_le_bytes());
            }
            row.bars.save(out);
        }
    }

    fn load(&mut self, bytes: &[u8]) -> Result<(), SavedStateError> {
        let mut bytes = Bytes(bytes);
        for row in self.rows.iter_mut().flatten() {
            let mut state = || Some((bytes.pod::<f64>()?, bytes.u64()?));
            row.fast.restore(state().ok_or(SavedStateError)?);
            row.slow.restore(state().ok_or(SavedStateError)?);
            row.bars.load(&mut bytes).ok_or(SavedStateError)?;
        }
        if bytes.0.is_empty() { Ok(()) } else { Err(SavedStateError) }
    }
}
