//! Attacks: what one client could do to the others.

mod fairness;
mod flooding;
mod framing;
mod hosts;
mod passwords;
mod patterns;
mod unread_replies;

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};

use tokio::net::TcpSocket;

use crate::durability::Program;

pub const MIB: u64 = 1024 * 1024;

/// A client that speaks HTTP/2 frame by frame, and says that it takes no byte of any reply.
pub struct Frames(TcpStream);

/// A frame: its type and its stream.
pub struct Frame {
    pub kind: u8,
    pub stream: u32,
    flags: u8,
}

pub const DATA: u8 = 0;
pub const HEADERS: u8 = 1;
pub const PRIORITY: u8 = 2;
pub const SETTINGS: u8 = 4;
pub const PING: u8 = 6;
pub const WINDOW_UPDATE: u8 = 8;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

impl Frame {
    pub fn ends_stream(&self) -> bool {
        [DATA, HEADERS].contains(&self.kind) && self.flags & END_STREAM != 0
    }
}

impl Frames {
    pub fn connect(address: SocketAddr) -> Self {
        Self::on(TcpStream::connect(address).unwrap())
    }

    pub fn on(connection: TcpStream) -> Self {
        let mut frames = Self(connection);
        let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
        // SETTINGS_INITIAL_WINDOW_SIZE
        bytes.extend(frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 0, 0]));
        // A connection that is refused fails at what follows.
        let _ = frames.0.write_all(&bytes);
        frames
    }

    /// Sends a frame; whether the connection still takes it.
    pub fn send(&mut self, kind: u8, stream: u32, payload: &[u8]) -> bool {
        self.0.write_all(&frame(kind, 0, stream, payload)).is_ok()
    }

    /// Begins `GET` of this path.
    pub fn get(&mut self, stream: u32, path: &str) {
        assert!(self.try_get(stream, path), "the connection is closed");
    }

    /// The same; whether the connection still takes it.
    pub fn try_get(&mut self, stream: u32, path: &str) -> bool {
        let mut block = vec![0x82, 0x86]; // :method GET, :scheme http
        for (name, value) in [(4, path), (1, "localhost")] {
            block.extend([name, u8::try_from(value.len()).unwrap()]);
            block.extend(value.as_bytes());
        }
        let headers = frame(HEADERS, END_STREAM | END_HEADERS, stream, &block);
        self.0.write_all(&headers).is_ok()
    }

    /// Reads the next frame that is no setting; `None` at the end of the connection.
    pub fn next(&mut self) -> Option<Frame> {
        loop {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).ok()?;
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let frame = Frame { kind: head[3], flags: head[4], stream };
            if ![SETTINGS, WINDOW_UPDATE].contains(&frame.kind) {
                return Some(frame);
            }
        }
    }

    /// Reads frames until one of this type comes; whether one did.
    pub fn wait_for(&mut self, kind: u8) -> bool {
        std::iter::from_fn(|| self.next()).any(|frame| frame.kind == kind)
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut frame = vec![length[1], length[2], length[3], kind, flags];
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// The most memory that the program has had.
pub fn peak_memory(program: &Program) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.child.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() * 1024
}

/// Connects from this address of the loopback network.
pub fn connect_from(last: u8, to: SocketAddr) -> TcpStream {
    try_connect_from(last, to).unwrap()
}

/// The same, where the server may refuse.
pub fn try_connect_from(last: u8, to: SocketAddr) -> std::io::Result<TcpStream> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let connection = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        socket.bind((IpAddr::from(Ipv4Addr::new(127, 0, 0, last)), 0).into())?;
        socket.connect(to).await?.into_std()
    })?;
    connection.set_nonblocking(false)?;
    Ok(connection)
}

/// Sends a request and reads the status of its reply; `None` where the connection is cut.
pub fn status(mut connection: &TcpStream, request: &str) -> Option<u16> {
    let mut reply = [0; 4_096];
    let read = connection.write_all(request.as_bytes()).and_then(|()| connection.read(&mut reply));
    match read {
        Ok(0) => None,
        Ok(length) => Some(std::str::from_utf8(&reply[9..length]).unwrap()[..3].parse().unwrap()),
        Err(error) => {
            let cut =
                [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe, ErrorKind::ConnectionAborted];
            assert!(cut.contains(&error.kind()), "{error}");
            None
        }
    }
}
