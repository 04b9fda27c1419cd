//! One API object's connection: it connects, reads frames on a thread of its own and hands them to the object, and sends
//! requests from the client's threads. As the vendor's library it is silent while it cannot connect, and connects again
//! after a while when the connection breaks.

use shrike_feed::ctp::abi::version::Version;
use shrike_feed::ctp::callback::{Callback, What};
use shrike_feed::sim::front::wire::{
    Ask, Channel, FromClient, FromFront, Hello, PROTOCOL, Resume, get_frame, put_frame,
};
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

/// CTP's answer of a request that could not be sent.
pub const NO_CONNECTION: i32 = -1;
/// A query is under way.
pub const QUERY_UNDER_WAY: i32 = -2;
/// Too many queries in this second.
pub const TOO_MANY_QUERIES: i32 = -3;
/// `OnFrontDisconnected`: reading failed.
const READ_FAILED: i32 = 0x1001;
/// How long the library waits before it connects again; CTP's own waits five seconds.
const RECONNECT_MS: u64 = 5_000;
/// A query whose answer never came is forgotten after this.
const QUERY_LOST: Duration = Duration::from_secs(5);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Who logs in, for the answers that repeat it.
#[derive(Clone, Default, Debug)]
pub struct Identity {
    /// The broker's number.
    pub broker_id: Vec<u8>,
    /// The user's name.
    pub user_id: Vec<u8>,
    /// The terminal's name.
    pub app_id: Vec<u8>,
}

#[derive(Debug, Default)]
struct Queries {
    under_way: Option<(i32, Instant)>,
    second: Option<Instant>,
    count: u32,
}

/// What the client's threads and the connection's share.
#[derive(Debug)]
pub struct Session {
    channel: Channel,
    /// The version that is played.
    pub version: Version,
    fronts: Mutex<Vec<String>>,
    resume: Mutex<Resume>,
    /// Messages of the private flow that this object has been told.
    private_told: AtomicU64,
    identity: Mutex<Identity>,
    stream: Mutex<Option<TcpStream>>,
    queries: Mutex<Queries>,
    limit: AtomicU32,
    released: AtomicBool,
    ended: (Mutex<bool>, Condvar),
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Locks are held for moments and by code that does not panic.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Session {
    /// An object that does not connect yet.
    pub fn new(channel: Channel, version: Version) -> Arc<Self> {
        Arc::new(Self {
            channel,
            version,
            fronts: Mutex::default(),
            resume: Mutex::new(Resume::Restart),
            private_told: AtomicU64::new(0),
            identity: Mutex::default(),
            stream: Mutex::default(),
            queries: Mutex::default(),
            limit: AtomicU32::new(0),
            released: AtomicBool::new(false),
            ended: (Mutex::new(false), Condvar::new()),
            thread: Mutex::default(),
        })
    }

    /// Adds an address, `tcp://host:port`.
    pub fn register_front(&self, address: &str) {
        lock(&self.fronts).push(address.trim().trim_start_matches("tcp://").to_owned());
    }

    /// From where the private flow is wanted: CTP's 0 restart, 1 resume, 2 quick, 3 none. Resuming counts what this
    /// object was told; there are no flow files.
    pub fn resume(&self, kind: i32) {
        *lock(&self.resume) = match kind {
            1 => Resume::From(0),
            2 => Resume::Quick,
            3 => Resume::Never,
            _ => Resume::Restart,
        };
    }

    /// Who logs in.
    pub fn identity(&self) -> Identity {
        lock(&self.identity).clone()
    }

    /// Keeps who authenticates or logs in. A login does not name the terminal: what is known of it stays.
    pub fn identify(&self, broker_id: &[u8], user_id: &[u8], app_id: Option<&[u8]>) {
        let mut identity = lock(&self.identity);
        (identity.broker_id, identity.user_id) = (broker_id.to_vec(), user_id.to_vec());
        if let Some(app_id) = app_id {
            identity.app_id = app_id.to_vec();
        }
    }

    /// Begins to connect. Each frame is handed to `told` on the connection's thread. Once only.
    pub fn start(self: &Arc<Self>, told: impl FnMut(FromFront) + Send + 'static) {
        let mut thread = lock(&self.thread);
        if thread.is_none() {
            let session = Arc::clone(self);
            let name = match self.channel {
                Channel::Market => "standin-md",
                Channel::Trading => "standin-td",
            };
            let run = move || session.run(told);
            *thread = std::thread::Builder::new().name(name.to_owned()).spawn(run).ok();
        }
    }

    /// Ends the connection. No frame is handed over after this returns, except when called from within one.
    pub fn release(&self) {
        self.released.store(true, Ordering::SeqCst);
        self.hang_up();
        let thread = lock(&self.thread).take();
        match thread {
            // CTP's own library hangs when it is released in a callback; this one ends after it.
            Some(thread) if !is_self(thread.thread().id()) => drop(thread.join()),
            Some(_) => {}
            None => self.end(),
        }
    }

    /// Waits until the object is released.
    pub fn join(&self) {
        let mut ended = lock(&self.ended.0);
        while !*ended {
            ended = self.ended.1.wait(ended).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn end(&self) {
        *lock(&self.ended.0) = true;
        self.ended.1.notify_all();
    }

    fn hang_up(&self) {
        if let Some(stream) = lock(&self.stream).take() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    fn is_released(&self) -> bool {
        self.released.load(Ordering::SeqCst)
    }

    /// Sends a request: 0, or [`NO_CONNECTION`].
    pub fn send(&self, frame: &FromClient) -> i32 {
        let mut bytes = Vec::with_capacity(512);
        put_frame(frame, &mut bytes);
        let sent = lock(&self.stream).as_mut().is_some_and(|stream| stream.write_all(&bytes).is_ok());
        if sent { 0 } else { NO_CONNECTION }
    }

    /// Sends a query, if flow control lets it pass.
    pub fn query(&self, request: i32, ask: Ask) -> i32 {
        let now = Instant::now();
        {
            let mut queries = lock(&self.queries);
            if queries.under_way.is_some_and(|(_, since)| now.duration_since(since) < QUERY_LOST) {
                return QUERY_UNDER_WAY;
            }
            let limit = self.limit.load(Ordering::Relaxed);
            if queries.second.is_none_or(|since| now.duration_since(since) >= Duration::from_secs(1)) {
                (queries.second, queries.count) = (Some(now), 0);
            }
            if limit > 0 && queries.count >= limit {
                return TOO_MANY_QUERIES;
            }
            queries.count += 1;
            queries.under_way = Some((request, now));
        }
        let sent = self.send(&FromClient::Query(request, ask));
        if sent != 0 {
            lock(&self.queries).under_way = None;
        }
        sent
    }

    fn run(&self, mut told: impl FnMut(FromFront)) {
        let mut turn = 0;
        while !self.is_released() {
            if let Some(stream) = self.connect(turn) {
                self.serve(stream, &mut told);
                self.hang_up();
                *lock(&self.queries) = Queries::default();
                // CTP's own library tells this also of a connection whose beginning it never told.
                if !self.is_released() {
                    let what = What::Disconnected { reason: READ_FAILED };
                    told(FromFront::Callback(Callback { what, ..Callback::default() }));
                }
            }
            turn += 1;
            self.rest();
        }
        self.end();
    }

    /// Waits before the next connection, in steps so that a release does not wait for it.
    fn rest(&self) {
        let text = std::env::var("SHRIKE_STANDIN_RECONNECT_MS");
        let ms = text.ok().and_then(|text| text.parse().ok()).unwrap_or(RECONNECT_MS);
        let until = Instant::now() + Duration::from_millis(ms);
        while !self.is_released() && Instant::now() < until {
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    fn connect(&self, turn: usize) -> Option<TcpStream> {
        let address = {
            let fronts = lock(&self.fronts);
            fronts.get(turn % fronts.len().max(1))?.clone()
        };
        let address: SocketAddr = address.to_socket_addrs().ok()?.next()?;
        let stream = TcpStream::connect_timeout(&address, CONNECT_TIMEOUT).ok()?;
        stream.set_nodelay(true).ok()?;
        *lock(&self.stream) = Some(stream.try_clone().ok()?);
        let resume = match *lock(&self.resume) {
            Resume::From(_) => Resume::From(self.private_told.load(Ordering::Relaxed)),
            other => other,
        };
        let version = self.version.name().to_owned();
        let hello = Hello { protocol: PROTOCOL, channel: self.channel, version, resume };
        (self.send(&FromClient::Hello(hello)) == 0 && !self.is_released()).then_some(stream)
    }

    /// Reads until the connection breaks.
    fn serve(&self, mut stream: TcpStream, told: &mut impl FnMut(FromFront)) {
        let (mut input, mut room) = (Vec::new(), vec![0_u8; 65_536]);
        loop {
            let len = match stream.read(&mut room) {
                Ok(0) => return,
                Ok(len) => len,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(_) => return,
            };
            input.extend_from_slice(room.get(..len).unwrap_or(&[]));
            let (mut read, mut taken) = (0, 0);
            loop {
                let frame = match get_frame::<FromFront>(input.get(read..).unwrap_or(&[])) {
                    Ok(Some((frame, len))) => {
                        read += len;
                        frame
                    }
                    Ok(None) => break,
                    Err(error) => {
                        eprintln!("shrike-standin: {error}");
                        return;
                    }
                };
                if self.is_released() {
                    return;
                }
                self.note(&frame);
                told(frame);
                taken += 1;
            }
            input.drain(..read);
            if taken > 0 {
                self.send(&FromClient::Ack(taken));
            }
        }
    }

    /// What the library itself learns from a frame.
    fn note(&self, frame: &FromFront) {
        match frame {
            FromFront::Limits(limit) => self.limit.store(*limit, Ordering::Relaxed),
            FromFront::Callback(callback) => {
                if callback.is_last {
                    let mut queries = lock(&self.queries);
                    queries.under_way = queries.under_way.filter(|&(request, _)| request != callback.request_id);
                }
                if matches!(
                    callback.what,
                    What::Order(_) | What::Trade(_) | What::InsertError(_) | What::CancelError(_)
                ) {
                    self.private_told.fetch_add(1, Ordering::Relaxed);
                }
            }
            FromFront::Tick(_) => {}
        }
    }
}

fn is_self(thread: ThreadId) -> bool {
    std::thread::current().id() == thread
}
