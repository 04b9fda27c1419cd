//! The versions of the API whose vtables and structs are known.

use std::fmt;

/// A version of the API, as `GetApiVersion` tells it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// 6.7.2, of 2023-09.
    V6_7_2,
    /// 6.7.7, of 2024-06.
    V6_7_7,
    /// 6.7.11, of 2025-06. From here on one library serves production and evaluation fronts, and is told which.
    V6_7_11,
    /// 6.7.13, of 2026-02.
    V6_7_13,
}

impl Version {
    /// Every known version, oldest first; the tables have a column for each.
    pub const ALL: [Self; 4] = [Self::V6_7_2, Self::V6_7_7, Self::V6_7_11, Self::V6_7_13];

    /// The number.
    pub const fn name(self) -> &'static str {
        match self {
            Self::V6_7_2 => "6.7.2",
            Self::V6_7_7 => "6.7.7",
            Self::V6_7_11 => "6.7.11",
            Self::V6_7_13 => "6.7.13",
        }
    }

    /// From a number (`6.7.13`) or a library's own words (`v6.7.13_20260225 14:16:30.12079`); `None` when the tables do
    /// not know it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
        let number = text.split(['_', ' ']).next()?;
        Self::ALL.into_iter().find(|version| version.name() == number)
    }

    /// Its column in the tables.
    #[inline]
    pub const fn column(self) -> usize {
        self as usize
    }

    /// Whether the factories take `bIsProductionMode`.
    #[inline]
    pub fn takes_production_mode(self) -> bool {
        self >= Self::V6_7_11
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_s_words_are_read() {
        assert_eq!(Version::parse("v6.7.13_20260225 14:16:30.12079"), Some(Version::V6_7_13));
        assert_eq!(Version::parse("v6.7.7_20240607 15:51:36.7347"), Some(Version::V6_7_7));
        for version in Version::ALL {
            assert_eq!(Version::parse(version.name()), Some(version));
        }
    }

    #[test]
    fn other_versions_are_not_known() {
        for text in ["", "v", "V6_6_9", "v6.7.1_2023", "6.7.130", "v6.7.8_20240918", "v3.7.3_20240910"] {
            assert_eq!(Version::parse(text), None, "{text:?}");
        }
    }
}
