//! A client of either version of HTTP, from any address of the loopback network.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use base64::Engine as _;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::{http1, http2};
use hyper::{Method, Request, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use patron_server::auth::password::md5_hex;
use tokio::net::TcpSocket;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Http1,
    Http2,
}

/// An open connection.
pub struct Caller {
    sender: Sender,
    address: SocketAddr,
}

enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

impl Caller {
    /// Connects, from this address if there is one.
    pub async fn connect(
        to: SocketAddr,
        from: Option<Ipv4Addr>,
        protocol: Protocol,
    ) -> Result<Self, String> {
        let connected = async {
            let socket = TcpSocket::new_v4()?;
            if let Some(from) = from {
                socket.bind((IpAddr::from(from), 0).into())?;
            }
            let stream = socket.connect(to).await?;
            stream.set_nodelay(true)?;
            std::io::Result::Ok(TokioIo::new(stream))
        };
        let stream = connected.await.map_err(|error| error.to_string())?;
        let sender = match protocol {
            Protocol::Http1 => {
                let (sender, connection) =
                    http1::handshake(stream).await.map_err(|error| error.to_string())?;
                tokio::spawn(connection);
                Sender::Http1(sender)
            }
            Protocol::Http2 => {
                let (sender, connection) = http2::handshake(TokioExecutor::new(), stream)
                    .await
                    .map_err(|error| error.to_string())?;
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        };
        Ok(Self { sender, address: to })
    }

    /// Sends a request with these headers and reads the reply: its status and body.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(u16, String), String> {
        let mut request = Request::builder().method(method);
        request = match self.sender {
            Sender::Http1(_) => request.uri(path).header(header::HOST, self.address.to_string()),
            Sender::Http2(_) => request.uri(format!("http://{}{path}", self.address)),
        };
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::from(body)).map_err(|error| error.to_string())?;
        let exchange = async {
            let reply = match &mut self.sender {
                Sender::Http1(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
                Sender::Http2(sender) => {
                    sender.ready().await?;
                    sender.send_request(request).await?
                }
            };
            let status = reply.status().as_u16();
            let body = reply.into_body().collect().await?.to_bytes();
            Ok((status, String::from_utf8_lossy(&body).into_owned()))
        };
        exchange.await.map_err(|error: hyper::Error| error.to_string())
    }

    /// Posts this body to `customer/add` as this till, with further headers in the form `name: value`.
    pub async fn add(
        &mut self,
        (till, password): (&str, &str),
        idempotency_key: &str,
        body: String,
    ) -> Result<(u16, String), String> {
        let authorization = basic(till, &md5_hex(password));
        let mut headers =
            vec![("Authorization", authorization.as_str()), ("Content-Type", "application/json")];
        if !idempotency_key.is_empty() {
            headers.push(("Idempotency-Key", idempotency_key));
        }
        self.send(Method::POST, "/v1.1/customer/add", &headers, body).await
    }
}

/// The value of the header `Authorization` for this user name and password.
pub fn basic(username: &str, password: &str) -> String {
    let plain = format!("{username}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(plain))
}
