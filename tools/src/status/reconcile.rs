//! Our books beside the venue's, as `shrike status` shows them: which differences stand, and what they do.

use serde::Serialize;
use shrike_core::instrument::InstrumentId;
use shrike_core::units::Price;
use shrike_engine::order::{OnDifference, OrderStage, Suspect};
use std::fmt;

/// Our books beside the venue's, as its complete answers show them.
#[derive(Clone, Debug, Serialize)]
pub struct ReconcileStatus {
    /// Complete answers so far.
    pub answers: u32,
    /// What the differences do: warn, block-opening, halt.
    pub effect: &'static str,
    /// The differences that stand.
    pub differences: Vec<DifferenceStatus>,
}

/// A difference that stands.
#[derive(Clone, Debug, Serialize)]
pub struct DifferenceStatus {
    /// The contract; empty: money.
    pub symbol: String,
    /// The order it is about; zero: none.
    pub order_ref: u64,
    /// What differs.
    pub field: String,
    /// Our number.
    pub ours: String,
    /// The venue's number.
    pub venue: String,
    /// Since when.
    pub since: String,
    /// Whether the operator goes on with it.
    pub accepted: bool,
}

impl ReconcileStatus {
    /// Of a folded stage.
    pub(super) fn of(stage: &OrderStage) -> Self {
        let reconcile = stage.reconcile();
        let row = |row: &Suspect| {
            let def = stage.ledger().instruments().get(row.instrument);
            // What is about no contract and no order is money, in units of 1e-8.
            let is_money = row.instrument == InstrumentId::NONE && row.order_ref == 0;
            let number = |raw: i64| if is_money { Price::from_raw(raw).to_string() } else { raw.to_string() };
            DifferenceStatus {
                symbol: def.map_or_else(String::new, |def| def.symbol.to_string()),
                order_ref: row.order_ref,
                field: row.field.to_string(),
                ours: number(row.ours),
                venue: number(row.venue),
                since: format!("{:.3}", row.since_ns),
                accepted: row.is_accepted(),
            }
        };
        let effect = match reconcile.effect() {
            OnDifference::Warn => "warn",
            OnDifference::BlockOpening => "block-opening",
            OnDifference::Halt => "halt",
        };
        Self { answers: reconcile.answers(), effect, differences: reconcile.standing().map(row).collect() }
    }
}

impl fmt::Display for ReconcileStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, effect, differences } = self;
        let does = match *effect {
            "block-opening" => ": nothing is opened until they end, or `shrike ctl resume` accepts them",
            "halt" => ": nothing is sent until they end, or `shrike ctl resume` accepts them",
            _ => "",
        };
        writeln!(f, "differences with the venue's books after {answers} answers: {}{does}", differences.len())?;
        for DifferenceStatus { symbol, order_ref, field, ours, venue, since, accepted } in differences {
            let name = if symbol.is_empty() { "account" } else { symbol };
            let order = if *order_ref == 0 { String::new() } else { format!(" of order {order_ref}") };
            let accepted = if *accepted { ", accepted" } else { "" };
            writeln!(f, "  {name:<14}{field}{order}: ours {ours}, the venue's {venue}, since {since}{accepted}")?;
        }
        Ok(())
    }
}
