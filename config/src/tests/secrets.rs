//! Where secrets may come from, and that nothing shows them.

use super::*;
use std::os::unix::fs::PermissionsExt;

#[test]
fn secrets_come_from_the_environment_and_are_never_shown() {
    let source = with_env(&[("SHRIKE_LOGIN__PASSWORD", "hunter2"), ("SHRIKE_LOGIN__AUTH_CODE", "0123")]);
    let loaded = Config::load(&source).unwrap();
    let password = loaded.secrets.password.clone().unwrap();
    assert_eq!(password.reveal(), "hunter2");
    assert_eq!(loaded.secrets.auth_code.as_ref().unwrap().reveal(), "0123");
    let serialized = toml::to_string(&std::collections::BTreeMap::from([("password", &password)])).unwrap();
    for shown in [format!("{loaded:?}"), format!("{source:?}"), format!("{password}"), serialized, loaded.text] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    let slip = Config::load(&with_env(&[("SHRIKE_LOGIN_PASSWORD", "hunter2")])).unwrap_err().to_string();
    assert!(slip.contains("did you mean SHRIKE_LOGIN__PASSWORD?") && !slip.contains("hunter2"), "{slip}");
}

#[test]
fn secrets_in_files_or_on_the_command_line_are_refused() {
    let remedy = "set SHRIKE_LOGIN__PASSWORD, or name a file of mode 0600 with `login.password_file`";
    for text in ["[login]\npassword = \"hunter2\"", "\n[account.alice.login]\nX = 1\npassword = \"hunter2\""] {
        let (files, source) = Files::with(text);
        let message = files.message(&source);
        assert!(message.starts_with("shrike.toml:") && message.contains("is a secret"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
    let (files, source) = Files::with("[login]\npassword = \"hunter2\"");
    let message = files.message(&source);
    assert!(
        message.starts_with("shrike.toml:2: `login.password` is a secret") && message.contains(remedy),
        "{message}"
    );
    let message = Config::load(&with_overrides(&["login.password=hunter2"])).unwrap_err().to_string();
    assert!(message.starts_with("command line: ") && message.contains(remedy) && !message.contains("hunter2"));
    let (files, source) = Files::with("[market]\ntoken = \"hunter2\"");
    assert!(files.message(&source).starts_with("shrike.toml:2: `market.token` is a secret"));
}

#[test]
fn a_secret_file_must_be_its_owners_alone() {
    let files = Files::new();
    let secret = files.write("password", "hunter2\n");
    let file = files.write("shrike.toml", &format!("[login]\npassword_file = {secret:?}\n"));
    let source = Source { files: vec![file], ..Source::default() };
    for (mode, accepted) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false), (0o700, false)] {
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).unwrap();
        match Config::load(&source) {
            Ok(loaded) => assert!(accepted && loaded.secrets.password.unwrap().reveal() == "hunter2", "{mode:o}"),
            Err(error) => {
                let message = files.shorten(error);
                let expected = format!(
                    "shrike.toml:2: `login.password_file`: password has mode {mode:04o}, others can read the secret; \
                     run `chmod 600 password`"
                );
                assert!(!accepted, "{mode:o}: {message}");
                assert_eq!(message, expected);
            }
        }
    }
    fs::set_permissions(&secret, fs::Permissions::from_mode(0o600)).unwrap();
    let over = Source { env: with_env(&[("SHRIKE_LOGIN__PASSWORD", "other")]).env, ..source.clone() };
    assert_eq!(Config::load(&over).unwrap().secrets.password.unwrap().reveal(), "other");
    for (content, reason) in [("", "the file is empty"), ("a\nb\n", "it has more than one line")] {
        fs::write(&secret, content).unwrap();
        assert!(files.message(&source).contains(reason));
    }
    fs::remove_file(&secret).unwrap();
    assert!(files.message(&source).starts_with("shrike.toml:2: `login.password_file`: cannot take the secret from"));
}
