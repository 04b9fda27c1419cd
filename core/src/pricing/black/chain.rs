//! All options of an expiry at once, as columns: the same kernel as for one option, in blocks that become vector code.
//! Results are bit for bit those of one option at a time.

use super::Shared;
use crate::pricing::{Expiry, Greeks, OptionType};

/// The options of one expiry; the columns are equally long.
#[derive(Clone, Copy, Debug)]
pub struct Chain<'a> {
    /// What they share.
    pub expiry: Expiry,
    /// Calls and puts.
    pub types: &'a [OptionType],
    /// Strikes, in the units of the forward.
    pub strikes: &'a [f64],
    /// Volatilities, per square root of a year.
    pub vols: &'a [f64],
}

macro_rules! columns {
    ($($name:ident),+) => {
        /// [`Greeks`] by columns, one row an option.
        #[derive(Clone, Default, Debug)]
        pub struct Columns {
            $(#[doc = concat!("[`Greeks::", stringify!($name), "`].")] pub $name: Vec<f64>,)+
        }

        impl Columns {
            /// Room for `options` rows, so that filling them allocates nothing.
            pub fn with_capacity(options: usize) -> Self {
                Self { $($name: Vec::with_capacity(options),)+ }
            }

            /// The row of one option.
            pub fn row(&self, option: usize) -> Greeks {
                Greeks { $($name: self.$name[option],)+ }
            }

            fn clear(&mut self) {
                $(self.$name.clear();)+
            }

            /// The first `rows` of a block that the kernel fills lane by lane: the loop that becomes vector code, since
            /// its results, too, are columns.
            #[inline(always)]
            fn extend(&mut self, rows: usize, kernel: impl Fn(usize) -> Greeks) {
                $(let mut $name = [0.0; LANES];)+
                for lane in 0..LANES {
                    let greeks = kernel(lane);
                    $($name[lane] = greeks.$name;)+
                }
                $(self.$name.extend_from_slice(&$name[..rows]);)+
            }
        }
    };
}
columns!(price, delta, gamma, vega, theta, rho, vanna, volga, charm);

/// Options a block.
const LANES: usize = 8;

/// Fills `columns` with the prices and Greeks of a chain, in its order. Rows end with the shortest of the chain's columns.
/// No allocation where the columns have room.
pub fn greeks(chain: &Chain<'_>, columns: &mut Columns) {
    columns.clear();
    let shared = Shared::of(&chain.expiry);
    let rows = chain.types.len().min(chain.strikes.len()).min(chain.vols.len());
    let mut start = 0;
    while start < rows {
        let end = rows.min(start + LANES);
        let (mut signs, mut strikes, mut vols) = ([1.0; LANES], [1.0; LANES], [1.0; LANES]);
        for (lane, option) in (start..end).enumerate() {
            signs[lane] = chain.types[option].sign();
            strikes[lane] = chain.strikes[option];
            vols[lane] = chain.vols[option];
        }
        columns.extend(end - start, |lane| shared.greeks(signs[lane], strikes[lane], vols[lane]));
        start = end;
    }
}
