//! Traces: what a collector is told of a registration.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use serde_json::json;

use crate::data::Data;
use crate::durability::{Program, command};

/// Takes what it is told, as a collector of OpenTelemetry does.
struct Collector {
    address: SocketAddr,
    told: Receiver<(String, Vec<u8>)>,
}

impl Collector {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, told) = channel();
        thread::spawn(move || {
            for connection in listener.incoming() {
                let tell = tell.clone();
                thread::spawn(move || take(connection.unwrap(), &tell));
            }
        });
        Self { address, told }
    }

    /// Everything that was told until now: the request lines, and the bodies.
    fn told(&self) -> (BTreeSet<String>, Vec<Vec<u8>>) {
        self.told.try_iter().unzip()
    }
}

/// Each request of a connection: its first line and its body.
fn take(mut connection: TcpStream, tell: &Sender<(String, Vec<u8>)>) {
    let mut reader = BufReader::new(connection.try_clone().unwrap());
    loop {
        let mut head = Vec::new();
        for line in reader.by_ref().lines().map_while(Result::ok) {
            if line.is_empty() {
                break;
            }
            head.push(line.to_lowercase());
        }
        let Some(first) = head.first() else { return };
        let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
        let mut body = vec![0; length.unwrap().parse().unwrap()];
        reader.read_exact(&mut body).unwrap();
        // Before the reply: once Patron has ended, all is told.
        tell.send((first.clone(), body)).unwrap();
        connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").unwrap();
    }
}

fn spans(bodies: &[Vec<u8>]) -> Vec<Span> {
    let told = bodies.iter().map(|body| ExportTraceServiceRequest::decode(&body[..]).unwrap());
    let resources = told.flat_map(|told| told.resource_spans);
    let scopes = resources.flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

#[test]
fn a_collector_is_told_of_each_stage_and_of_nobody() {
    let collector = Collector::start();
    let endpoint = format!("http://{}", collector.address);
    let data = Data::passing();
    let mut program = Program::spawn(command(data.name()).args(["--otlp-endpoint", &endpoint]));
    let till = program.till();
    let customer = json!({
        "mobile": "919812345678", "email": "asha.secret@example.com", "external_id": "secret-4711",
        "firstname": "Ashasecret", "lastname": "Raosecret",
    });
    assert_eq!(till.add(&json!([customer])).codes(), ["1000"]);
    assert_eq!(till.get("/v1.1/customer/secret-4711?mobile=919812345678").status, 404);
    assert_eq!(program.signal("-TERM"), Some(0));

    let (lines, bodies) = collector.told();
    assert_eq!(lines, BTreeSet::from(["post /v1/traces http/1.1".to_owned()]));
    for body in &bodies {
        let text = String::from_utf8_lossy(body);
        for personal in ["9812345678", "secret", "demo", "till.001", "fe01ce2a"] {
            assert!(!text.contains(personal), "{personal} in {text}");
        }
    }
    let spans = spans(&bodies);
    let request = spans.iter().find(|span| span.name == "/v1.1/customer/add").unwrap();
    assert!(request.parent_span_id.is_empty());
    let attributes: BTreeMap<&str, String> = request
        .attributes
        .iter()
        .map(|attribute| (attribute.key.as_str(), format!("{:?}", attribute.value)))
        .collect();
    assert!(attributes["http.route"].contains("\"/v1.1/customer/add\""), "{attributes:?}");
    assert!(attributes["http.request.method"].contains("\"POST\""), "{attributes:?}");
    assert!(attributes["http.response.status_code"].contains("(200)"), "{attributes:?}");

    let mut stages: Vec<&Span> =
        spans.iter().filter(|span| span.parent_span_id == request.span_id).collect();
    stages.sort_by_key(|span| span.start_time_unix_nano);
    let names: Vec<&str> = stages.iter().map(|span| span.name.as_str()).collect();
    let expected = ["decode", "validate", "queue", "load", "decide", "apply", "commit", "encode"];
    assert_eq!(names, expected);
    for stage in stages {
        assert_eq!(stage.trace_id, request.trace_id);
        assert!(stage.start_time_unix_nano >= request.start_time_unix_nano, "{stage:?}");
        assert!(stage.end_time_unix_nano <= request.end_time_unix_nano, "{stage:?}");
    }
    assert!(spans.iter().any(|span| span.name == "none"), "a path that nothing has");
}

/// A registration does not depend on who looks on.
#[test]
fn a_collector_that_is_not_there_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let data = Data::passing();
    let mut program = Program::spawn(command(data.name()).args(["--otlp-endpoint", &endpoint]));
    assert_eq!(program.till().add(&json!([{"mobile": "919812345678"}])).codes(), ["1000"]);
    assert_eq!(program.signal("-TERM"), Some(0));
}
