//! The exchange under test: scenarios as data, properties over random markets and orders, real recordings.

mod days;
mod kit;
mod matching;
mod properties;
mod recorded;
mod records;
mod reference;
mod refusals;
mod sequences;
