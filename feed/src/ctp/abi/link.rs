//! What both libraries have in common: an object of the library that is made, given our object to call, told the
//! fronts, started, and released in the order that CTP demands.
#![allow(unsafe_code)]

use super::affinity;
use super::library::{Library, LibraryError, Side};
use super::request::Writer;
use super::sink::Sink;
use super::spi::Spi;
use super::structs::{Layout, Room};
use crate::ctp::api::{Credentials, NOT_EXPRESSIBLE};
use shrike_core::thread::ThreadPlan;
use std::ffi::c_void;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::sync::Arc;
use std::thread::JoinHandle;

/// How a library is used.
#[derive(Clone, Debug)]
pub struct Connection {
    /// The library's file.
    pub library: PathBuf,
    /// The fronts, `tcp://host:port`; the library takes one that answers.
    pub fronts: Vec<String>,
    /// The directory for the library's own files: one for each user and side, never shared by two at a time. It is made
    /// if it is not there.
    pub flow: PathBuf,
    /// Whether the fronts are production fronts; matters from 6.7.11 on.
    pub production: bool,
    /// Who logs in.
    pub credentials: Credentials,
    /// Where the library's callback thread is to run.
    pub thread: ThreadPlan,
}

/// Why a binding cannot be opened.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OpenError {
    /// The library.
    #[error(transparent)]
    Library(#[from] LibraryError),
    /// The user's data do not fit CTP's fields.
    #[error(
        "the credentials do not fit CTP's fields: broker_id 10, user_id 12, password 40, app_id 32, auth_code 16, \
         product_info 10 bytes at most"
    )]
    Credentials,
    /// There is nothing to connect to.
    #[error("no front is given, or one has a zero byte: give at least one as tcp://host:port")]
    Fronts,
}

/// Where the functions that every object has are in its vtable.
#[derive(Clone, Copy)]
pub(super) struct Common {
    pub(super) release: usize,
    pub(super) init: usize,
    pub(super) register_front: usize,
    pub(super) register_spi: usize,
}

/// A library, our object for it, and the library's object while it runs.
pub(super) struct Link<M> {
    library: Library,
    connection: Connection,
    common: Common,
    /// Lives as long as the link, and so longer than every object of the library.
    spi: Spi<M>,
    api: Option<Api>,
    /// The object that is being released, on a thread of its own: that takes as long as the library's threads take.
    releasing: Option<JoinHandle<()>>,
}

impl<M> Link<M> {
    pub(super) fn new(
        connection: Connection,
        side: Side,
        common: impl FnOnce(&Library) -> Common,
        spi: impl FnOnce(&Library) -> Spi<M>,
    ) -> Result<Self, OpenError> {
        let writer = Writer(&connection.credentials);
        if writer.authenticate().is_none() || writer.login().is_none() || writer.confirm().is_none() {
            return Err(OpenError::Credentials);
        }
        if connection.fronts.is_empty() || connection.fronts.iter().any(|front| front.contains('\0')) {
            return Err(OpenError::Fronts);
        }
        let library = Library::open(&connection.library, side)?;
        let (common, spi) = (common(&library), spi(&library));
        Ok(Self { library, connection, common, spi, api: None, releasing: None })
    }

    pub(super) const fn library(&self) -> &Library {
        &self.library
    }

    pub(super) const fn writer(&self) -> Writer<'_> {
        Writer(&self.connection.credentials)
    }

    /// Makes an object, registers everything, `prepare`s it, and starts to connect.
    pub(super) fn start(&mut self, prepare: impl FnOnce(&Api)) -> Result<(), String> {
        self.stop();
        self.wait();
        let flow = &self.connection.flow;
        std::fs::create_dir_all(flow)
            .map_err(|error| format!("cannot make the flow directory {}: {error}", flow.display()))?;
        // SAFETY: `wait` has seen the end of the last object that ours was registered with.
        unsafe { self.spi.state() }.sink.is_placed = false;
        affinity::with_the_process_s(|| {
            let object = self.library.create(flow, self.connection.production).map_err(|error| error.to_string())?;
            let api = Api(object);
            // SAFETY: the slots are those of the library's version, with these arguments. Our object outlives the
            // library's, which `stop` releases; the fronts are copied by CTP and may be written to meanwhile.
            unsafe {
                let register_spi: unsafe extern "C" fn(*mut c_void, *mut c_void) =
                    api.function(self.common.register_spi);
                register_spi(api.this(), self.spi.as_ptr());
                prepare(&api);
                let register_front: unsafe extern "C" fn(*mut c_void, *mut u8) =
                    api.function(self.common.register_front);
                for front in &self.connection.fronts {
                    let mut front = [front.as_bytes(), &[0]].concat();
                    register_front(api.this(), front.as_mut_ptr());
                }
                let init: unsafe extern "C" fn(*mut c_void) = api.function(self.common.init);
                init(api.this());
            }
            self.api = Some(api);
            Ok(())
        })
    }

    /// Begins to release the library's object; [`Self::is_stopped`] says when its callback thread has ended. The vendor's
    /// `Release` joins its threads, which may be in a connection attempt: the edge does not wait for that.
    pub(super) fn stop(&mut self) {
        let Some(api) = self.api.take() else { return };
        let common = self.common;
        let free = move |api: &Api| {
            // SAFETY: the slots are those of the library's version. No object of ours first, so that no callback begins
            // during the release; it is not called from a callback, which has no way to a link. The object is not used
            // again, and ours lives on until this has ended (`wait`).
            unsafe {
                let register_spi: unsafe extern "C" fn(*mut c_void, *mut c_void) = api.function(common.register_spi);
                register_spi(api.this(), std::ptr::null_mut());
                let release: unsafe extern "C" fn(*mut c_void) = api.function(common.release);
                release(api.this());
            }
        };
        let api = Arc::new(api);
        let (thread, theirs) = (std::thread::Builder::new().name("ctp-release".to_owned()), Arc::clone(&api));
        self.releasing = affinity::with_the_process_s(|| thread.spawn(move || free(&theirs))).ok();
        if self.releasing.is_none() {
            free(&api);
        }
    }

    /// Whether nothing of the library's runs any more.
    pub(super) fn is_stopped(&mut self) -> bool {
        if self.releasing.as_ref().is_some_and(JoinHandle::is_finished) {
            self.wait();
        }
        self.api.is_none() && self.releasing.is_none()
    }

    fn wait(&mut self) {
        if let Some(thread) = self.releasing.take() {
            let _ = thread.join();
        }
    }

    pub(super) const fn api(&self) -> Option<&Api> {
        self.api.as_ref()
    }

    /// Calls a request's function: CTP's result, [`NOT_EXPRESSIBLE`] without a request, -1 when nothing runs.
    pub(super) fn request<T: Layout>(&self, slot: usize, request: Option<Room<T>>, request_id: i32) -> i32 {
        let Some(mut request) = request else { return NOT_EXPRESSIBLE };
        let Some(api) = &self.api else { return NO_CONNECTION };
        // SAFETY: the caller gives the slot of the function that takes a `T`; the room has the size of every version's
        // `T`. CTP copies it before it returns.
        unsafe {
            let function: unsafe extern "C" fn(*mut c_void, *mut Room<T>, i32) -> i32 = api.function(slot);
            function(api.this(), &mut request, request_id)
        }
    }
}

impl<M> Drop for Link<M> {
    fn drop(&mut self) {
        self.stop();
        self.wait();
    }
}

/// CTP's number for a call without a connection.
pub(super) const NO_CONNECTION: i32 = -1;

/// An object of the library.
pub(super) struct Api(NonNull<c_void>);

// SAFETY: CTP's objects may be called from any thread, one at a time; a link hands them out by reference only, and no more
// once the thread that releases it has one.
unsafe impl Send for Api {}
// SAFETY: as above.
unsafe impl Sync for Api {}

impl Api {
    pub(super) const fn this(&self) -> *mut c_void {
        self.0.as_ptr()
    }

    /// The function in a slot.
    ///
    /// # Safety
    /// The slot is one of the version's table, and `F` its function's type, with the object as the first argument.
    pub(super) unsafe fn function<F: Copy>(&self, slot: usize) -> F {
        const { assert!(size_of::<F>() == size_of::<*const c_void>()) };
        // SAFETY: an object of a class with virtual functions begins with a pointer to its vtable's first slot; the rest
        // by the caller's promise.
        unsafe {
            let slots = *self.0.as_ptr().cast::<*const *const c_void>();
            std::mem::transmute_copy(&*slots.add(slot))
        }
    }
}

/// What the callbacks of a link need, before its library is known.
pub(super) fn sink(
    connection: &Connection,
    clock: shrike_core::clock::Clock,
    ring: shrike_core::ring::Producer<crate::ctp::callback::Callback>,
    counts: Arc<super::counts::Counts>,
) -> Sink {
    Sink { clock, ring, thread: connection.thread.clone(), is_placed: false, counts }
}
