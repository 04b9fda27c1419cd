//! Which column of a file holds what. Two dialects are known by the names in the header: the 44 fields of CTP's depth
//! snapshot as java-trader writes them, and WonderTrader's tick export. Other and reordered columns do no harm.

use super::error::RecordingError;

/// What a column holds; the index of a row's field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Field {
    Symbol,
    Exchange,
    TradingDay,
    ActionDay,
    Time,
    Millis,
    Last,
    Volume,
    Turnover,
    OpenInterest,
    Open,
    High,
    Low,
    Close,
    Settlement,
    PreSettlement,
    PreClose,
    PreOpenInterest,
    Upper,
    Lower,
    Average,
    /// Of the best level; the others follow.
    Bid,
    BidQty = Self::Bid as u8 + LEVELS as u8,
    Ask = Self::BidQty as u8 + LEVELS as u8,
    AskQty = Self::Ask as u8 + LEVELS as u8,
}

/// Levels of depth in a snapshot.
pub(super) const LEVELS: usize = 5;
/// Fields of a row.
pub(super) const FIELDS: usize = Field::AskQty as usize + LEVELS;
/// A column of no interest.
const UNUSED: u8 = u8::MAX;

/// How a recording spells things.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// `UpdateTime` is `HH:MM:SS` and milliseconds have a column of their own.
    Ctp,
    /// `action_time` is `HHMMSSmmm` as a number; texts may be Python byte literals (`b'IF2101'`).
    WonderTrader,
}

impl Dialect {
    const fn name(self) -> &'static str {
        match self {
            Self::Ctp => "CTP",
            Self::WonderTrader => "WonderTrader",
        }
    }

    const fn names(self) -> &'static [(&'static str, Field, bool)] {
        match self {
            Self::Ctp => &CTP,
            Self::WonderTrader => &WONDER_TRADER,
        }
    }

    /// Names of the depth columns: bid price, bid lots, ask price, ask lots; and the number of the best level.
    const fn depth(self) -> ([(&'static str, Field); 4], usize) {
        match self {
            Self::Ctp => (
                [
                    ("BidPrice", Field::Bid),
                    ("BidVolume", Field::BidQty),
                    ("AskPrice", Field::Ask),
                    ("AskVolume", Field::AskQty),
                ],
                1,
            ),
            Self::WonderTrader => (
                [
                    ("bid_price_", Field::Bid),
                    ("bid_qty_", Field::BidQty),
                    ("ask_price_", Field::Ask),
                    ("ask_qty_", Field::AskQty),
                ],
                0,
            ),
        }
    }
}

/// Name, field, and whether a recording needs it.
const CTP: [(&str, Field, bool); 25] = [
    ("InstrumentID", Field::Symbol, true),
    ("ExchangeID", Field::Exchange, false),
    ("TradingDay", Field::TradingDay, true),
    ("ActionDay", Field::ActionDay, false),
    ("UpdateTime", Field::Time, true),
    ("UpdateMillisec", Field::Millis, false),
    ("LastPrice", Field::Last, true),
    ("Volume", Field::Volume, true),
    ("Turnover", Field::Turnover, false),
    ("OpenInterest", Field::OpenInterest, false),
    ("OpenPrice", Field::Open, false),
    ("HighestPrice", Field::High, false),
    ("LowestPrice", Field::Low, false),
    ("ClosePrice", Field::Close, false),
    ("SettlementPrice", Field::Settlement, false),
    ("PreSettlementPrice", Field::PreSettlement, false),
    ("PreClosePrice", Field::PreClose, false),
    ("PreOpenInterest", Field::PreOpenInterest, false),
    ("UpperLimitPrice", Field::Upper, false),
    ("LowerLimitPrice", Field::Lower, false),
    ("AveragePrice", Field::Average, false),
    ("BidPrice1", Field::Bid, true),
    ("BidVolume1", Field::BidQty, true),
    ("AskPrice1", Field::Ask, true),
    ("AskVolume1", Field::AskQty, true),
];

const WONDER_TRADER: [(&str, Field, bool); 22] = [
    ("code", Field::Symbol, true),
    ("exchg", Field::Exchange, false),
    ("trading_date", Field::TradingDay, true),
    ("action_date", Field::ActionDay, false),
    ("action_time", Field::Time, true),
    ("price", Field::Last, true),
    ("total_volume", Field::Volume, true),
    ("total_turnover", Field::Turnover, false),
    ("open_interest", Field::OpenInterest, false),
    ("open", Field::Open, false),
    ("high", Field::High, false),
    ("low", Field::Low, false),
    ("settle_price", Field::Settlement, false),
    ("pre_settle", Field::PreSettlement, false),
    ("pre_close", Field::PreClose, false),
    ("pre_interest", Field::PreOpenInterest, false),
    ("upper_limit", Field::Upper, false),
    ("lower_limit", Field::Lower, false),
    ("bid_price_0", Field::Bid, true),
    ("bid_qty_0", Field::BidQty, true),
    ("ask_price_0", Field::Ask, true),
    ("ask_qty_0", Field::AskQty, true),
];

/// The columns of one file.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    pub(super) dialect: Dialect,
    fields: Vec<u8>,
}

impl Columns {
    /// Reads the header row.
    pub(super) fn of_header(header: &[u8], file: &str) -> Result<Self, RecordingError> {
        let header = header.strip_prefix(b"\xef\xbb\xbf").unwrap_or(header);
        let names: Vec<String> =
            header.split(|&byte| byte == b',').map(|name| String::from_utf8_lossy(bare(name)).into_owned()).collect();
        let has = |name: &str| names.iter().any(|column| column.eq_ignore_ascii_case(name));
        let dialect = if has("InstrumentID") || has("UpdateTime") {
            Dialect::Ctp
        } else if has("action_time") || has("code") && has("trading_date") {
            Dialect::WonderTrader
        } else {
            let found = String::from_utf8_lossy(header.get(..80).unwrap_or(header)).into_owned();
            return Err(RecordingError::Header { file: file.to_owned(), found });
        };
        for &(column, _, needed) in dialect.names() {
            if needed && !has(column) {
                return Err(RecordingError::MissingColumn { file: file.to_owned(), column, dialect: dialect.name() });
            }
        }
        let fields = names.iter().map(|name| field_of(dialect, name)).collect();
        Ok(Self { dialect, fields })
    }

    /// Splits a row: the bare text of each field, empty where the file has no such column. False when the row has
    /// more or fewer columns than the header (an empty one at its end aside).
    #[inline]
    pub(super) fn split<'a>(&self, row: &'a [u8], fields: &mut [&'a [u8]; FIELDS]) -> bool {
        fields.fill(&[]);
        let mut columns = self.fields.iter();
        let mut rest = Some(row);
        while let Some(text) = rest {
            let end = text.iter().position(|&byte| byte == b',').unwrap_or(text.len());
            let (column, tail) = text.split_at(end);
            rest = tail.get(1..);
            match columns.next() {
                Some(&field) => {
                    if let Some(slot) = fields.get_mut(usize::from(field)) {
                        *slot = bare(column);
                    }
                }
                None => return column.is_empty() && rest.is_none(),
            }
        }
        columns.next().is_none()
    }
}

fn field_of(dialect: Dialect, name: &str) -> u8 {
    if let Some(&(_, field, _)) = dialect.names().iter().find(|(column, ..)| column.eq_ignore_ascii_case(name)) {
        return field as u8;
    }
    let (depth, best) = dialect.depth();
    for (column, field) in depth {
        for level in 0..LEVELS {
            if format!("{column}{}", level + best).eq_ignore_ascii_case(name) {
                return field as u8 + level as u8;
            }
        }
    }
    UNUSED
}

/// A field without blanks, quotes or the dress of a Python byte literal.
#[inline]
fn bare(text: &[u8]) -> &[u8] {
    match text {
        [b'"', inner @ .., b'"'] | [b'b', b'\'', inner @ .., b'\''] => inner,
        [b' ' | b'\r', ..] | [.., b' ' | b'\r'] => match text.trim_ascii() {
            trimmed if trimmed.len() < text.len() => bare(trimmed),
            trimmed => trimmed,
        },
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_wherever_they_stand() {
        let header =
            b"AskVolume1,Note,AskPrice1,\"BidVolume1\",bidprice1,Volume,LastPrice,UpdateTime,TradingDay,InstrumentID\r";
        let columns = Columns::of_header(header, "a.csv").unwrap();
        let mut fields = [&b""[..]; FIELDS];
        assert!(columns.split(b"7,x,10.5,\"3\",10,99, 10.2 ,09:00:00,20181008,\"ru1901\"\r", &mut fields));
        assert_eq!(fields[Field::Symbol as usize], b"ru1901");
        assert_eq!(fields[Field::Last as usize], b"10.2");
        assert_eq!(fields[Field::BidQty as usize], b"3");
        assert_eq!(fields[Field::AskQty as usize], b"7");
        assert_eq!(fields[Field::Turnover as usize], b"");
        assert!(!columns.split(b"7,x,10.5", &mut fields), "a short row");
        assert!(!columns.split(b"7,x,10.5,3,10,99,10.2,09:00:00,20181008,ru1901,1", &mut fields), "a long row");
        assert!(columns.split(b"7,x,10.5,3,10,99,10.2,09:00:00,20181008,ru1901,", &mut fields), "a comma at the end");
    }

    #[test]
    fn a_missing_column_is_named_with_its_file() {
        let error = Columns::of_header(b"InstrumentID,TradingDay,LastPrice,Volume,UpdateTime,BidPrice1", "x.csv");
        let text = error.unwrap_err().to_string();
        assert!(text.contains("x.csv") && text.contains("BidVolume1"), "{text}");
        let text = Columns::of_header(b"date,open,high", "y.csv").unwrap_err().to_string();
        assert!(text.contains("y.csv") && text.contains("date,open,high"), "{text}");
    }

    #[test]
    fn byte_literals_are_undressed() {
        assert_eq!(bare(b"b'IF2101'"), b"IF2101");
        assert_eq!(bare(b"\"N/A\"\r"), b"N/A");
        assert_eq!(bare(b" "), b"");
    }
}
