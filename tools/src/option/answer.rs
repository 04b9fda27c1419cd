//! The answer to a row: price, volatility, Greeks, the band of a quote, or why not.

use super::Model;
use super::contract::{Contract, Given};
use serde::Serialize;
use shrike_core::pricing::american::Boundaries;
use shrike_core::pricing::implied::{NoVol, VolBand};
use shrike_core::pricing::{Greeks, OptionStyle, bachelier, black, implied};
use std::fmt;

macro_rules! answer {
    ($($name:ident),+) => {
        /// One line of output; what is absent is empty.
        #[derive(Clone, PartialEq, Default, Debug, Serialize)]
        pub struct Answer {
            pub id: String,
            $(pub $name: Option<f64>,)+
            pub reason: String,
        }

        impl Answer {
            /// The names of the columns.
            pub const HEADING: &'static str = concat!("id", $(",", stringify!($name),)+ ",reason");
        }

        impl fmt::Display for Answer {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}", Quoted(&self.id))?;
                $(match self.$name {
                    // The shortest decimal that reads back as the same double.
                    Some(value) => write!(f, ",{value:?}")?,
                    None => f.write_str(",")?,
                })+
                write!(f, ",{}", Quoted(&self.reason))
            }
        }
    };
}
answer!(price, vol, delta, gamma, vega, theta, rho, vanna, volga, charm, bid_vol, ask_vol, margin);

/// Text as a CSV field.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.contains([',', '"']) { write!(f, "\"{}\"", self.0.replace('"', "\"\"")) } else { f.write_str(self.0) }
    }
}

/// Prices row after row.
pub struct Pricer {
    model: Model,
    boundaries: Boundaries,
}

impl Pricer {
    /// For one run.
    pub fn new(model: Model) -> Self {
        Self { model, boundaries: Boundaries::new() }
    }

    /// The answer to one row.
    pub fn answer(&mut self, id: String, contract: &Contract) -> Answer {
        let answer = Answer { id, ..Answer::default() };
        match contract.given {
            Given::Vol(vol) => self.priced(answer, contract, vol),
            Given::Price(price) => match self.vol(contract, price) {
                Ok(vol) => self.priced(answer, contract, vol),
                Err(reason) => Answer { price: Some(price), reason: reason.to_string(), ..answer },
            },
            Given::Quote { bid, ask } => {
                let band = VolBand::of(bid, ask, |price| self.vol(contract, price));
                let (bid_vol, ask_vol) = (band.bid.ok(), band.ask.ok());
                let answer = Answer { bid_vol, ask_vol, reason: reasons(&band), ..answer };
                match band.mid {
                    Ok(vol) => self.priced(answer, contract, vol),
                    Err(_) => answer,
                }
            }
        }
    }

    fn vol(&mut self, contract: &Contract, price: f64) -> Result<f64, NoVol> {
        let Contract { ref expiry, strike, option_type, style, .. } = *contract;
        match (style, self.model) {
            (OptionStyle::American, Model::Black) => self.boundaries.implied_vol(expiry, option_type, strike, price),
            (OptionStyle::European, Model::Black) => implied::black_vol(expiry, option_type, strike, price),
            (OptionStyle::European, Model::Bachelier) => bachelier::implied_vol(expiry, option_type, strike, price),
            (OptionStyle::American, Model::Bachelier) => Err(NoVol::Input),
        }
    }

    fn priced(&mut self, answer: Answer, contract: &Contract, vol: f64) -> Answer {
        let Contract { ref expiry, strike, option_type, style, .. } = *contract;
        let greeks = match (style, self.model) {
            (OptionStyle::American, Model::Black) => self.boundaries.greeks(expiry, option_type, strike, vol),
            (OptionStyle::European, Model::Black) => black::greeks(expiry, option_type, strike, vol),
            (OptionStyle::European, Model::Bachelier) => bachelier::greeks(expiry, option_type, strike, vol),
            (OptionStyle::American, Model::Bachelier) => Greeks::NAN,
        };
        if greeks.price.is_nan() {
            return Answer { reason: NoVol::Input.to_string(), ..answer };
        }
        let Greeks { price, delta, gamma, vega, theta, rho, vanna, volga, charm } = greeks;
        Answer {
            price: Some(price),
            vol: Some(vol),
            delta: Some(delta),
            gamma: Some(gamma),
            vega: Some(vega),
            theta: Some(theta),
            rho: Some(rho),
            vanna: Some(vanna),
            volga: Some(volga),
            charm: Some(charm),
            ..answer
        }
    }
}

/// Why a band is not whole: one word where all three agree or the middle alone is missing for want of a side, else by side.
fn reasons(band: &VolBand) -> String {
    match (band.bid, band.mid, band.ask) {
        (Err(bid), Err(mid), Err(ask)) if bid == mid && mid == ask => mid.to_string(),
        (_, Err(NoVol::OneSided), _) => NoVol::OneSided.to_string(),
        (bid, mid, ask) => {
            let sides = [("bid", bid), ("mid", mid), ("ask", ask)];
            let words: Vec<String> =
                sides.into_iter().filter_map(|(side, vol)| Some(format!("{side}:{}", vol.err()?))).collect();
            words.join(" ")
        }
    }
}
