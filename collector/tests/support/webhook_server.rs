//! A small HTTP server that writes down what is posted to it and answers as told.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) idempotency_key: String,
    pub(crate) body: serde_json::Value,
}

/// A running server; its thread ends with the test's process.
pub(crate) struct WebhookServer {
    address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
}

impl WebhookServer {
    /// Answers with one status after the other, the last one for ever.
    pub(crate) fn start(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let posts = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&posts);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let index = kept.lock().unwrap().len().min(statuses.len() - 1);
                let post = answer(&stream, statuses[index]);
                kept.lock().unwrap().push(post);
            }
        });

        Self { address, posts }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.posts.lock().unwrap().clone()
    }
}

fn answer(mut stream: &TcpStream, status: u16) -> Post {
    let mut reader = BufReader::new(stream);
    let (mut length, mut idempotency_key) = (0, String::new());
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "idempotency-key" => value.clone_into(&mut idempotency_key),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
        .unwrap();

    Post { idempotency_key, body: serde_json::from_slice(&body).unwrap() }
}
