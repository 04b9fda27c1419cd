//! The door of the exchange's process: a TCP listener, its connections, and the bytes between them and the front. A
//! connection whose first bytes are letters is a control connection: each line is a fault, or `status`. One thread, no
//! blocking: [`Door::turn`] does what can be done now.

use crate::error::Error;
use shrike_core::event::{Event, Header};
use shrike_feed::sim::exchange::Exchange;
use shrike_feed::sim::front::wire::{FRAME_MAX, FromClient, get_frame, put_frame};
use shrike_feed::sim::front::{Conn, Front, Output};
use shrike_feed::sim::remote::Watch;
use shrike_journal::Reader;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

/// Bytes that a client may leave unread: a day's flow, told again, is a tenth of it.
const UNREAD_MAX: usize = 256 << 20;

/// A connection.
struct Link {
    stream: TcpStream,
    /// Its number at the front; `None` for a control connection, or before its first bytes.
    conn: Option<Conn>,
    is_control: bool,
    input: Vec<u8>,
    output: Vec<u8>,
    /// To be closed once its output has left.
    closing: bool,
    dead: bool,
}

/// The listener and the front behind it.
pub struct Door {
    listener: TcpListener,
    address: SocketAddr,
    links: Vec<Link>,
    /// The front.
    pub front: Front,
    had_clients: bool,
    real_ns: u64,
    /// Real time that each market event is given where the market can wait.
    pause_ns: u64,
    market_after_ns: u64,
}

impl Door {
    /// Listens at an address; port 0: any free one. Where the market can wait, it pauses after each event.
    ///
    /// # Errors
    /// When the address cannot be listened at.
    pub fn open(address: &str, front: Front, pause_ns: u64) -> Result<Self, Error> {
        let listener = TcpListener::bind(address)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .map_err(|error| Error::Usage(format!("--listen {address}: {error}; give a free ADDRESS:PORT")))?;
        let address = listener.local_addr()?;
        let links = Vec::new();
        Ok(Self { listener, address, links, front, had_clients: false, real_ns: 0, pause_ns, market_after_ns: 0 })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows the front what the exchange's journal holds of earlier runs.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn fold(&mut self, journal: &Path) -> Result<(), Error> {
        let mut reader = Reader::open(journal)?;
        // Faults are of this run: what is past strikes none.
        let faults = std::mem::take(self.front.faults());
        while let Some(record) = reader.next()? {
            if record.header.has(shrike_core::event::flags::OUTPUT) {
                self.front.report(record.header, record.event());
            } else {
                self.front.market(record.header, record.event());
            }
        }
        *self.front.faults() = faults;
        Ok(())
    }

    /// Clients have been there and all are gone.
    pub fn is_deserted(&self) -> bool {
        self.had_clients && self.links.is_empty()
    }

    /// Takes connections, reads, answers, writes. True when there was something to do.
    pub fn turn(&mut self, real_ns: u64, exchange: &mut Exchange) -> bool {
        self.real_ns = real_ns;
        self.front.clock(real_ns);
        let mut worked = self.take_connections();
        for link in &mut self.links {
            worked |= link.read();
            if link.is_control {
                link.obey(&mut self.front);
            } else {
                link.receive(&mut self.front, exchange);
            }
            self.had_clients |= link.conn.is_some();
        }
        while let Some((conn, output)) = self.front.take() {
            worked = true;
            let Some(link) = self.links.iter_mut().find(|link| link.conn == Some(conn)) else { continue };
            match output {
                Output::Frame(frame) => put_frame(&frame, &mut link.output),
                Output::Close => (link.conn, link.closing) = (None, true),
            }
        }
        for link in &mut self.links {
            worked |= link.write();
        }
        for link in self.links.iter().filter(|link| link.dead) {
            if let Some(conn) = link.conn {
                self.front.lost(conn);
            }
        }
        self.links.retain(|link| !link.dead);
        for line in self.front.faults().take_log() {
            eprintln!("{line}");
        }
        worked
    }

    fn take_connections(&mut self) -> bool {
        let mut worked = false;
        while let Ok((stream, _)) = self.listener.accept() {
            if stream.set_nonblocking(true).is_ok() {
                let _ = stream.set_nodelay(true);
                let (input, output) = (Vec::new(), Vec::new());
                let link = Link { stream, conn: None, is_control: false, input, output, closing: false, dead: false };
                self.links.push(link);
                worked = true;
            }
        }
        worked
    }
}

impl Watch for Door {
    fn may_pass(&mut self) -> bool {
        self.real_ns >= self.market_after_ns && self.front.may_pass()
    }
    fn market(&mut self, header: &Header, event: Event<'_>) {
        self.market_after_ns = self.real_ns.saturating_add(self.pause_ns);
        self.front.market(header, event);
    }
    fn report(&mut self, header: &Header, event: Event<'_>) {
        self.front.report(header, event);
    }
}

impl Link {
    fn read(&mut self) -> bool {
        let mut bytes = [0_u8; 16_384];
        let mut worked = false;
        while !self.dead {
            match self.stream.read(&mut bytes) {
                Ok(0) => self.dead = true,
                Ok(len) => {
                    worked = true;
                    self.input.extend_from_slice(bytes.get(..len).unwrap_or(&[]));
                }
                Err(error) if is_later(&error) => break,
                Err(_) => self.dead = true,
            }
        }
        if self.conn.is_none()
            && self.input.first().is_some_and(u8::is_ascii_lowercase)
            && self.input.get(3) != Some(&0)
        {
            self.is_control = true;
        }
        worked || self.dead
    }

    fn receive(&mut self, front: &mut Front, exchange: &mut Exchange) {
        let mut read = 0;
        while !self.closing {
            match get_frame::<FromClient>(self.input.get(read..).unwrap_or(&[])) {
                Ok(Some((frame, len))) => {
                    read += len;
                    let conn = *self.conn.get_or_insert_with(|| front.accept());
                    front.receive(conn, &frame, exchange);
                }
                Ok(None) => break,
                Err(error) => {
                    eprintln!("a connection is closed: {error}");
                    (self.dead, read) = (true, self.input.len());
                    break;
                }
            }
        }
        self.input.drain(..read);
    }

    /// A control connection: a fault a line, or `status`; each is answered by a line.
    fn obey(&mut self, front: &mut Front) {
        while let Some(end) = self.input.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.input.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let answer = match line.trim() {
                "" => continue,
                "status" => {
                    let connections = front.connections();
                    let faults = front.faults();
                    format!("ok: {connections} connections, {} faults, {} waiting", faults.struck(), faults.waiting())
                }
                fault => match front.faults().add(fault) {
                    Ok(_) => "ok".to_owned(),
                    Err(reason) => format!("error: {reason}"),
                },
            };
            self.output.extend_from_slice(answer.as_bytes());
            self.output.push(b'\n');
        }
        self.dead |= self.input.len() > FRAME_MAX;
    }

    fn write(&mut self) -> bool {
        let mut sent = 0;
        while sent < self.output.len() && !self.dead {
            match self.stream.write(self.output.get(sent..).unwrap_or(&[])) {
                Ok(len) => sent += len,
                Err(error) if is_later(&error) => break,
                Err(_) => self.dead = true,
            }
        }
        self.output.drain(..sent);
        // As CTP's front does with a client that does not read.
        self.dead |= self.output.len() > UNREAD_MAX;
        self.dead |= self.closing && self.output.is_empty();
        sent > 0
    }
}

fn is_later(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
