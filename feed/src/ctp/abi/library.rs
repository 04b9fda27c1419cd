//! The vendor's shared libraries: loaded from a path, asked for their version before anything else, and for an object.
#![allow(unsafe_code)]

use super::symbols;
use super::version::Version;
use std::ffi::{CStr, CString, c_char, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;

/// Which of the two libraries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Side {
    /// `thosttraderapi_se.so`.
    Trader,
    /// `thostmduserapi_se.so`.
    Market,
}

impl Side {
    const fn name(self) -> &'static str {
        match self {
            Self::Trader => "trading",
            Self::Market => "market-data",
        }
    }

    const fn version_symbol(self) -> &'static str {
        match self {
            Self::Trader => symbols::TRADER_VERSION,
            Self::Market => symbols::MARKET_VERSION,
        }
    }
}

/// Why a library cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum LibraryError {
    /// The loader's words.
    #[error("cannot load {}: {why}", path.display())]
    Load {
        /// The file.
        path: PathBuf,
        /// What the loader says.
        why: String,
    },
    /// It is no CTP library, or the other one.
    #[error("{} is not CTP's {side} library: it does not export {symbol}", path.display())]
    Symbol {
        /// The file.
        path: PathBuf,
        /// Which library it should be.
        side: &'static str,
        /// The missing symbol.
        symbol: &'static str,
    },
    /// Its vtables and structs are not known.
    #[error("{} says it is version {found:?}; known versions are {}", path.display(), known())]
    Version {
        /// The file.
        path: PathBuf,
        /// What `GetApiVersion` says.
        found: String,
    },
    /// The factory gave nothing.
    #[error("{} gave no object for the flow directory {}", path.display(), flow.display())]
    Object {
        /// The file.
        path: PathBuf,
        /// The flow directory.
        flow: PathBuf,
    },
}

fn known() -> String {
    Version::ALL.map(Version::name).join(", ")
}

/// A loaded library. It stays loaded until the process ends: its threads and its own clean-up may outlive any owner.
pub struct Library {
    path: PathBuf,
    version: Version,
    words: String,
    factory: Factory,
}

type GetVersion = unsafe extern "C" fn() -> *const c_char;
type CreateTrader = unsafe extern "C" fn(*const c_char) -> *mut c_void;
type CreateTraderFor = unsafe extern "C" fn(*const c_char, bool) -> *mut c_void;
type CreateMarket = unsafe extern "C" fn(*const c_char, bool, bool) -> *mut c_void;
type CreateMarketFor = unsafe extern "C" fn(*const c_char, bool, bool, bool) -> *mut c_void;

/// CTP's factories, without and with `bIsProductionMode`.
#[derive(Clone, Copy)]
enum Factory {
    Trader(CreateTrader),
    TraderFor(CreateTraderFor),
    Market(CreateMarket),
    MarketFor(CreateMarketFor),
}

impl Library {
    /// Loads a library and asks its version.
    ///
    /// # Errors
    /// It cannot be loaded, is not the library of this side, or of a version that is not known.
    pub fn open(path: &Path, side: Side) -> Result<Self, LibraryError> {
        let load = |why| LibraryError::Load { path: path.to_owned(), why };
        let file =
            CString::new(path.as_os_str().as_bytes()).map_err(|_| load("its name has a zero byte".to_owned()))?;
        // SAFETY: a terminated string. The library's initialisers are the vendor's, whom the user trusts by naming it.
        let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_NOW | libc::RTLD_LOCAL) };
        let handle = NonNull::new(handle).ok_or_else(|| load(loader_error()))?;

        let missing = |symbol| LibraryError::Symbol { path: path.to_owned(), side: side.name(), symbol };
        let symbol = side.version_symbol();
        let version = find(handle, symbol).ok_or_else(|| missing(symbol))?;
        // SAFETY: a static member function without arguments that returns a string of static life, in every version.
        let words = unsafe {
            let version = std::mem::transmute::<*mut c_void, GetVersion>(version.as_ptr());
            let words = version();
            if words.is_null() { String::new() } else { CStr::from_ptr(words).to_string_lossy().into_owned() }
        };
        let Some(version) = Version::parse(&words) else {
            return Err(LibraryError::Version { path: path.to_owned(), found: words });
        };
        let factory = Factory::find(handle, side).map_err(missing)?;
        Ok(Self { path: path.to_owned(), version, words, factory })
    }

    /// Its version.
    pub const fn version(&self) -> Version {
        self.version
    }

    /// What it says of its version: number, build date and time.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// An object of the library that keeps its files in the directory `flow`. `production`: the front is a production
    /// front; libraries before 6.7.11 were built for one kind and do not ask.
    ///
    /// # Errors
    /// The factory gave none.
    pub(super) fn create(&self, flow: &Path, production: bool) -> Result<NonNull<c_void>, LibraryError> {
        let error = || LibraryError::Object { path: self.path.clone(), flow: flow.to_owned() };
        // CTP puts its file names behind the text as it stands.
        let mut prefix = flow.as_os_str().as_bytes().to_vec();
        prefix.push(b'/');
        let prefix = CString::new(prefix).map_err(|_| error())?;
        // SAFETY: a terminated string, which CTP copies; each type is that of the symbol it was found by.
        let object = unsafe {
            match self.factory {
                Factory::Trader(create) => create(prefix.as_ptr()),
                Factory::TraderFor(create) => create(prefix.as_ptr(), production),
                Factory::Market(create) => create(prefix.as_ptr(), false, false),
                Factory::MarketFor(create) => create(prefix.as_ptr(), false, false, production),
            }
        };
        NonNull::new(object).ok_or_else(error)
    }
}

impl Factory {
    /// The later one where both are exported.
    fn find(library: NonNull<c_void>, side: Side) -> Result<Self, &'static str> {
        let (plain, with_mode) = match side {
            Side::Trader => (symbols::TRADER_CREATE, symbols::TRADER_CREATE_FOR),
            Side::Market => (symbols::MARKET_CREATE, symbols::MARKET_CREATE_FOR),
        };
        let with_mode = find(library, with_mode);
        let function = with_mode.or_else(|| find(library, plain)).ok_or(plain)?.as_ptr();
        // SAFETY: the symbols name the arguments' types; a static member function is called like any function.
        Ok(unsafe {
            match (side, with_mode.is_some()) {
                (Side::Trader, false) => Self::Trader(std::mem::transmute::<*mut c_void, CreateTrader>(function)),
                (Side::Trader, true) => Self::TraderFor(std::mem::transmute::<*mut c_void, CreateTraderFor>(function)),
                (Side::Market, false) => Self::Market(std::mem::transmute::<*mut c_void, CreateMarket>(function)),
                (Side::Market, true) => Self::MarketFor(std::mem::transmute::<*mut c_void, CreateMarketFor>(function)),
            }
        })
    }
}

fn find(library: NonNull<c_void>, symbol: &str) -> Option<NonNull<c_void>> {
    let symbol = CString::new(symbol).ok()?;
    // SAFETY: the handle is of `dlopen` and never closed; a terminated string.
    NonNull::new(unsafe { libc::dlsym(library.as_ptr(), symbol.as_ptr()) })
}

fn loader_error() -> String {
    // SAFETY: the text is the calling thread's until its next call of the loader; it is copied at once.
    unsafe {
        let words = libc::dlerror();
        if words.is_null() {
            "no reason given".to_owned()
        } else {
            CStr::from_ptr(words).to_string_lossy().into_owned()
        }
    }
}
