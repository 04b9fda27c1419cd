//! Where callbacks come from: the ring that the library's thread fills, or a test's script.

use super::callback::Callback;
use shrike_core::ring::Consumer;

/// The reading end of the callbacks, for the edge's thread.
pub trait Callbacks {
    /// Shows up to `max` of them, oldest first; returns how many.
    fn drain(&mut self, max: usize, hear: &mut dyn FnMut(&Callback)) -> usize;
}

impl Callbacks for Consumer<Callback> {
    fn drain(&mut self, max: usize, hear: &mut dyn FnMut(&Callback)) -> usize {
        self.take_batch(max, hear)
    }
}
