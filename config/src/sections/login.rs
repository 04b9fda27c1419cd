//! `[login]`: who we are at the venue. The secrets themselves are in [`crate::Secrets`].

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Names and files of a login.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The broker's number.
    pub broker_id: String,
    /// The user's name at the broker.
    pub user_id: String,
    /// File of mode 0600 that holds the password; empty for none.
    pub password_file: PathBuf,
    /// File of mode 0600 that holds the terminal's authentication code; empty for none.
    pub auth_code_file: PathBuf,
}
