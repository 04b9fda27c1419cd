//! CTP's words for people. They come in GBK; nothing else in the feed depends on an encoding.

use super::callback::Callback;

/// The text of a callback's error, as Unicode; bytes that are no GBK become the replacement character.
pub fn words(callback: &Callback) -> String {
    encoding_rs::GBK.decode_without_bom_handling(callback.message.as_bytes()).0.into_owned()
}

/// `error 3: CTP:...`.
pub fn error(callback: &Callback) -> String {
    match words(callback) {
        words if words.is_empty() => format!("error {}", callback.error),
        words => format!("error {}: {words}", callback.error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shrike_core::units::Text;

    #[test]
    fn gbk_is_read_and_garbage_does_no_harm() {
        let of = |bytes: &[u8]| Callback { error: 3, message: Text::new(bytes).unwrap(), ..Callback::default() };
        assert_eq!(error(&of(b"CTP:\xb2\xbb\xba\xcf\xb7\xa8\xb5\xc4\xb5\xc7\xc2\xbc")), "error 3: CTP:不合法的登录");
        assert_eq!(error(&of(b"")), "error 3");
        assert!(error(&of(b"cut \xb2")).starts_with("error 3: cut "));
    }
}
