//! The layers of a configuration, from the base up, and their merging. Runs once, at start.
//!
//! Each layer overrides the one before: base, profile, files in the order given (what a file includes comes before it),
//! then of profile and files the tables `[product.NAME]`, `[timeframe.NAME]` and `[account.NAME]` that
//! `run.product`, `run.timeframe` and `run.account` select, then variables `SHRIKE_*`, then the command line.

use crate::check;
use crate::config::Config;
use crate::error::ConfigError;
use crate::nearest::nearest;
use crate::profiles;
use crate::read::{self, listed};
use crate::secret::{self, Secret, Secrets};
use crate::tree::{self, Node, Origin, Table, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Kinds of selected layers, in the order in which they apply.
const SELECTED: [&str; 3] = ["product", "timeframe", "account"];

/// Where a configuration comes from.
#[derive(Clone, Default, Debug)]
pub struct Source {
    /// A built-in profile: `demo`, `paper`, `backtest` or `tuned`.
    pub profile: Option<String>,
    /// Files, each over the one before.
    pub files: Vec<PathBuf>,
    /// Variables of the environment; those not called `SHRIKE_*` are ignored.
    pub env: Vec<(String, Secret)>,
    /// Overrides of the command line, `key.path=value`.
    pub overrides: Vec<String>,
}

impl Source {
    /// The variables `SHRIKE_*` of this process, for [`Source::env`].
    pub fn environment() -> Vec<(String, Secret)> {
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let ours = std::env::vars_os().filter_map(text).filter(|(name, _)| name.starts_with(PREFIX));
        ours.map(|(name, value)| (name, Secret::from(value))).collect()
    }
}

/// What loading gives.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Its secrets.
    pub secrets: Secrets,
    /// The configuration as TOML in one fixed form, without secrets and homes: what is journaled.
    pub text: String,
    /// FNV-1a of `text`, 64 bits.
    pub hash: u64,
    /// Where each value was set, by key.
    pub origins: BTreeMap<String, Origin>,
}

impl Config {
    /// Merges all layers, checks the result and takes the secrets.
    ///
    /// # Errors
    /// Any [`ConfigError`]; layers that are not selected are checked too.
    pub fn load(source: &Source) -> Result<Loaded, ConfigError> {
        let mut layers = Layers { table: profiles::base()?, selectable: BTreeMap::new(), known: Vec::new() };
        layers.known = profiles::base_keys(&layers.table);
        if let Some(name) = &source.profile {
            layers.add(profiles::profile(name)?)?;
        }
        for file in &source.files {
            layers.add_file(file, &Origin::of("command line"), &mut Vec::new())?;
        }
        layers.check_types()?;

        let (above, mut secrets) = above(source, &layers.table)?;
        layers.select(&above)?;
        for (path, node) in above {
            set(&mut layers.table, &path, node);
        }
        let config = Config::read(&layers.table, &layers.known)?;
        let origins = origins(&layers.table);
        if let Some((key, problem)) = check::conflict(&config) {
            let origin = origins.get(&key).cloned().unwrap_or_else(|| Origin::of("configuration"));
            return Err(ConfigError::Conflict { origin, key, problem });
        }
        for (key, file) in [("password", &config.login.password_file), ("auth_code", &config.login.auth_code_file)] {
            let file_key = format!("login.{key}_file");
            let origin = origins.get(&file_key).cloned().unwrap_or_else(|| Origin::of("configuration"));
            match secrets.slot(&format!("login.{key}")) {
                Some(slot @ None) if !file.as_os_str().is_empty() => {
                    *slot = Some(secret::read(&origin, &file_key, file)?);
                }
                _ => {}
            }
        }
        let text = config.to_text()?;
        Ok(Loaded { hash: fnv1a(text.as_bytes()), config, secrets, text, origins })
    }
}

struct Layers {
    table: Table,
    /// Tables to select from, by kind and name.
    selectable: BTreeMap<(&'static str, String), Table>,
    /// Keys of the base layer.
    known: Vec<String>,
}

impl Layers {
    fn add_file(&mut self, file: &Path, named_at: &Origin, open: &mut Vec<PathBuf>) -> Result<(), ConfigError> {
        let failed = |error: std::io::Error| ConfigError::Read { file: file.to_owned(), reason: error.to_string() };
        let real = file.canonicalize().map_err(failed)?;
        if open.contains(&real) {
            return Err(ConfigError::IncludeCircle { origin: named_at.clone(), file: file.to_owned() });
        }
        let text = std::fs::read_to_string(file).map_err(failed)?;
        let mut table = tree::parse(&file.display().to_string(), &text)?;
        open.push(real);
        if let Some(include) = table.remove("include") {
            for (included, origin) in paths(&include)? {
                self.add_file(&file.parent().unwrap_or(Path::new("")).join(included), &origin, open)?;
            }
        }
        open.pop();
        self.add(table)
    }

    fn add(&mut self, mut table: Table) -> Result<(), ConfigError> {
        secret::refuse_in(&table, "")?;
        for kind in SELECTED {
            let Some(node) = table.remove(kind) else { continue };
            for (name, layer) in layer_tables(kind, node)? {
                tree::merge(self.selectable.entry((kind, name)).or_default(), layer);
            }
        }
        self.refuse_unknown_tables(&table)?;
        tree::merge(&mut self.table, table);
        Ok(())
    }

    /// The names at the top of a file are those of the sections and those of the layers, which [`Config`] does not
    /// know.
    fn refuse_unknown_tables(&self, table: &Table) -> Result<(), ConfigError> {
        let sections = self.table.keys().map(String::as_str).filter(|name| *name != "strategy");
        let known: Vec<&str> = sections.chain(["strategy", "include"]).chain(SELECTED).collect();
        match table.iter().find(|(key, _)| !known.contains(&key.as_str())) {
            Some((key, node)) => {
                let advice = read::advice(key, key, &known, &self.known);
                Err(ConfigError::UnknownKey { origin: node.origin.clone(), key: key.clone(), advice })
            }
            None => Ok(()),
        }
    }

    /// Reads every layer that can be selected over what is below it, so that a slip in one is found before the day
    /// it is needed.
    fn check_types(&self) -> Result<(), ConfigError> {
        Config::read(&self.table, &self.known)?;
        for layer in self.selectable.values() {
            let mut table = self.table.clone();
            tree::merge(&mut table, layer.clone());
            Config::read(&table, &self.known)?;
        }
        Ok(())
    }

    /// Merges the layers that `run.product`, `run.timeframe` and `run.account` name; `above` may still change those.
    fn select(&mut self, above: &[Setting]) -> Result<(), ConfigError> {
        for kind in SELECTED {
            let mut seen = self.table.clone();
            above.iter().for_each(|(path, node)| set(&mut seen, path, node.clone()));
            let Some(node) = leaf(&seen, "run", kind) else { continue };
            let (Value::Text(name) | Value::Bare(name)) = &node.value else { continue };
            if name.is_empty() {
                continue;
            }
            match self.selectable.get(&(kind, name.clone())) {
                Some(layer) => tree::merge(&mut self.table, layer.clone()),
                None => {
                    let known = self.selectable.keys().filter(|(other, _)| *other == kind);
                    let known: Vec<&str> = known.map(|(_, name)| name.as_str()).collect();
                    let advice = match nearest(name, known.iter().copied()) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("the {kind} layers there are: {}", listed(&known)),
                    };
                    let (origin, name) = (node.origin.clone(), name.clone());
                    return Err(ConfigError::UnknownLayer { origin, kind, name, advice });
                }
            }
        }
        Ok(())
    }
}

const PREFIX: &str = "SHRIKE_";

/// One value and its path.
type Setting = (Vec<String>, Node);

fn set(table: &mut Table, path: &[String], node: Node) {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    tree::set(table, &path, node);
}

/// What stands above the files: variables in the order of their names, then the command line; and the secrets.
fn above(source: &Source, base: &Table) -> Result<(Vec<Setting>, Secrets), ConfigError> {
    let (mut settings, mut secrets) = (Vec::new(), Secrets::default());
    let mut variables: Vec<&(String, Secret)> = source.env.iter().collect();
    variables.sort_by_key(|(name, _)| name);
    for (variable, value) in variables {
        let Some(rest) = variable.strip_prefix(PREFIX) else { continue };
        let origin = Origin::of(&format!("environment {variable}"));
        if !rest.contains("__") {
            refuse_single_underscores(variable, rest, base)?;
            continue;
        }
        let path: Vec<String> = rest.split("__").map(str::to_lowercase).collect();
        let key = path.join(".");
        match secrets.slot(&key) {
            Some(slot) => *slot = Some(value.clone()),
            None if secret::is_secret(&key) => return Err(secret::refused(origin, &key)),
            None => settings.push((path, Node { value: Value::Bare(value.reveal().to_owned()), origin })),
        }
    }
    for text in &source.overrides {
        let Some((key, value)) = text.split_once('=') else {
            return Err(ConfigError::BadOverride { text: text.clone() });
        };
        let (key, origin) = (key.trim(), Origin::of("command line"));
        if secret::is_secret(key) {
            return Err(secret::refused(origin, key));
        }
        let path = key.split('.').map(str::to_owned).collect();
        settings.push((path, Node { value: Value::Bare(value.trim().to_owned()), origin }));
    }
    Ok((settings, secrets))
}

/// `SHRIKE_RISK_ORDERS_PER_SECOND` is a slip that would pass in silence; `SHRIKE_DATA` is somebody else's variable.
fn refuse_single_underscores(variable: &str, rest: &str, base: &Table) -> Result<(), ConfigError> {
    let secrets = ["login.password", "login.auth_code"].map(str::to_owned);
    let keys = profiles::base_keys(base).into_iter().chain(secrets);
    let keys: Vec<(String, String)> = keys.map(|key| (key.replace('.', "_"), key)).collect();
    let rest = rest.to_lowercase();
    let section =
        |flat: &str, key: &str| key.split('.').next().is_some_and(|name| flat.starts_with(&format!("{name}_")));
    let near = nearest(&rest, keys.iter().filter(|(_, key)| section(&rest, key)).map(|(flat, _)| flat.as_str()));
    match keys.iter().find(|(flat, _)| Some(flat.as_str()) == near) {
        Some((_, key)) => {
            let meant = format!("{PREFIX}{}", key.to_uppercase().replace('.', "__"));
            Err(ConfigError::BadVariable { variable: variable.to_owned(), meant })
        }
        None => Ok(()),
    }
}

/// The paths of an `include`, each with its line.
fn paths(include: &Node) -> Result<Vec<(PathBuf, Origin)>, ConfigError> {
    let wrong = |node: &Node| ConfigError::BadValue {
        origin: node.origin.clone(),
        key: "include".to_owned(),
        found: node.to_string(),
        expected: "a list of files in quotes, for example [\"limits.toml\"]".to_owned(),
    };
    let Value::List(items) = &include.value else { return Err(wrong(include)) };
    let path = |item: &Node| match &item.value {
        Value::Text(path) => Ok((PathBuf::from(path), item.origin.clone())),
        _ => Err(wrong(item)),
    };
    items.iter().map(path).collect()
}

/// The named tables of one kind of layer.
fn layer_tables(kind: &str, node: Node) -> Result<Vec<(String, Table)>, ConfigError> {
    let wrong = |node: &Node, key: String| ConfigError::BadValue {
        origin: node.origin.clone(),
        key,
        found: node.to_string(),
        expected: format!("a table of settings, for example `[{kind}.NAME.risk]`"),
    };
    let Value::Table(tables) = node.value else { return Err(wrong(&node, kind.to_owned())) };
    let named = |(name, node): (String, Node)| match node.value {
        Value::Table(table) => Ok((name, table)),
        _ => Err(wrong(&node, tree::join(kind, &name))),
    };
    tables.into_iter().map(named).collect()
}

fn leaf<'a>(table: &'a Table, section: &str, key: &str) -> Option<&'a Node> {
    match &table.get(section)?.value {
        Value::Table(section) => section.get(key),
        _ => None,
    }
}

fn origins(table: &Table) -> BTreeMap<String, Origin> {
    let mut leaves = BTreeMap::new();
    tree::leaves(table, "", &mut leaves);
    leaves.into_iter().map(|(key, node)| (key, node.origin.clone())).collect()
}

/// FNV-1a, 64 bits (Fowler, Noll, Vo; draft-eastlake-fnv).
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
