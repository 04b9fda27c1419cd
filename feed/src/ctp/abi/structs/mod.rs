//! CTP's structs as they lie in memory, for the binding (writes requests, reads answers) and the stand-in (the other way
//! round). Every supported version lays out the fields of the oldest, 6.7.2, in the same way and only appends, so one
//! Rust struct serves them all: it is read through a pointer to any version's, and written in a [`Room`] that is large
//! enough for any. Offsets are facts of the vendor's headers; `feed/tests/ctp_layout.rs` compares them.

mod answers;
mod requests;

pub use answers::*;
pub use requests::*;

use super::version::Version;
use bytemuck::Pod;

/// Where a field lies.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// CTP's name of it.
    pub name: &'static str,
    /// Bytes before it.
    pub offset: usize,
    /// Bytes of it.
    pub len: usize,
}

/// A struct of CTP's, cut where version 6.7.2's ends.
pub trait Layout: Pod {
    /// CTP's name, without `CThostFtdc` and `Field`.
    const NAME: &'static str;
    /// Bytes in each version, in the order of [`Version::ALL`].
    const SIZES: [usize; Version::ALL.len()];
    /// The fields that Shrike uses.
    const FIELDS: &'static [Field];
}

/// Most bytes that a supported version appends to a struct.
const APPENDED_MAX: usize = 96;

/// A struct with room for what later versions append, which is zero: what a pointer given to CTP points to. Aligned as
/// CTP's strictest struct.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(8))]
pub struct Room<T> {
    /// The fields that Shrike uses.
    pub body: T,
    appended: [u8; APPENDED_MAX],
}

impl<T: Layout> Default for Room<T> {
    fn default() -> Self {
        const { assert!(T::SIZES[Version::ALL.len() - 1] <= size_of::<T>() + APPENDED_MAX) };
        Self { body: T::zeroed(), appended: [0; APPENDED_MAX] }
    }
}

/// The text in a field of characters: up to the first zero byte, or all of it where CTP wrote none.
#[inline]
pub fn text(field: &[u8]) -> &[u8] {
    field.split(|&byte| byte == 0).next().unwrap_or(&[])
}

/// Writes a text and clears the rest of the field. False, and nothing is written, when it does not fit with its zero byte.
pub fn put_text(field: &mut [u8], text: &[u8]) -> bool {
    match field.split_at_mut_checked(text.len()) {
        Some((room, rest)) if !rest.is_empty() => {
            room.copy_from_slice(text);
            rest.fill(0);
            true
        }
        _ => false,
    }
}

/// Declares structs: a field that is used says CTP's name for it and where it lies, the rest is skipped. Padding would
/// not compile (`Pod`), nor would a wrong offset.
macro_rules! structs {
    ($($(#[$doc:meta])* $name:ident = $sizes:tt {
        $($vis:vis $field:ident: $ty:ty $(= $ctp:literal @ $offset:literal)?,)+
    })+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, bytemuck::Pod, bytemuck::Zeroable, Debug)]
            #[repr(C)]
            pub struct $name {
                $($(#[doc = concat!("`", $ctp, "`.")])? $vis $field: $ty,)+
            }

            impl $crate::ctp::abi::structs::Layout for $name {
                const NAME: &'static str = stringify!($name);
                const SIZES: [usize; 4] = $sizes;
                const FIELDS: &'static [$crate::ctp::abi::structs::Field] = &[
                    $($($crate::ctp::abi::structs::Field {
                        name: $ctp,
                        offset: $offset,
                        len: size_of::<$ty>(),
                    },)?)+
                ];
            }

            const _: () = {
                let sizes: [usize; 4] = $sizes;
                assert!(size_of::<$name>() == sizes[0]);
                $($(assert!(std::mem::offset_of!($name, $field) == $offset);)?)+
            };
        )+

        /// Each struct's name, its size in each version, and its fields.
        pub(super) const FACTS: &[$crate::ctp::abi::structs::Fact] = &[$($crate::ctp::abi::structs::fact::<$name>()),+];
    };
}
use structs;

/// What the tables say of one struct: its name, its size in each version, its fields.
pub type Fact = (&'static str, [usize; Version::ALL.len()], &'static [Field]);

const fn fact<T: Layout>() -> Fact {
    (T::NAME, T::SIZES, T::FIELDS)
}

/// What the tables say of every struct, for the comparison with the vendor's headers.
pub fn facts() -> impl Iterator<Item = &'static Fact> {
    requests::FACTS.iter().chain(answers::FACTS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_needs_room_for_its_end() {
        let mut field = *b"garbage!";
        assert!(!put_text(&mut field, b"rb2505__"));
        assert_eq!(field, *b"garbage!");
        assert!(put_text(&mut field, b"rb2505"));
        assert_eq!(field, *b"rb2505\0\0");
        assert_eq!(text(&field), b"rb2505");
        assert_eq!(text(b"garbage!"), b"garbage!", "a text without an end ends with its field");
    }

    #[test]
    fn versions_only_append() {
        for (name, sizes, fields) in facts() {
            assert!(sizes.is_sorted(), "{name}");
            assert!(fields.iter().all(|field| field.offset + field.len <= sizes[0]), "{name}");
        }
    }
}
