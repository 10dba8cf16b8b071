//! Serves a router on a listener until asked to stop, then finishes what is open.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, Request};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::listener::{Peer, TlsListener};

/// Serves over TLS; handlers find the [`Peer`] and, as plain ones do, its address.
pub fn serve_tls(
    listener: TlsListener,
    router: Router,
    stop: CancellationToken,
) -> impl Future<Output = io::Result<()>> {
    let router = router.layer(middleware::from_fn(with_address));
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .into_future()
}

/// Serves without TLS to declared proxies on this machine.
pub fn serve_behind_proxy(
    listener: ProxyListener,
    router: Router,
    stop: CancellationToken,
) -> impl Future<Output = io::Result<()>> {
    let router = router.layer(middleware::from_fn(with_address));
    let service = router.into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .into_future()
}

/// Hands the bare address on to handlers that need no more.
async fn with_address(
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    request.extensions_mut().insert(ConnectInfo(peer.address));
    next.run(request).await
}

/// A plain listener that hangs up on everybody but the declared proxies.
pub struct ProxyListener {
    tcp: TcpListener,
    proxies: Vec<IpAddr>,
}

impl ProxyListener {
    /// Listens at `address` for connections from `proxies`.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, proxies: Vec<IpAddr>) -> io::Result<Self> {
        Ok(Self { tcp: TcpListener::bind(address).await?, proxies })
    }

    /// Returns where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Listener for ProxyListener {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            // axum's own way of accepting: it waits a little when the system has no file descriptor left.
            let (stream, address) = Listener::accept(&mut self.tcp).await;
            if self.proxies.contains(&address.ip()) {
                return (stream, address);
            }
            tracing::debug!(peer.address = %address, "hung up: not a declared proxy");
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

impl Connected<IncomingStream<'_, ProxyListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, ProxyListener>) -> Self {
        Self { address: *stream.remote_addr(), certificate: None }
    }
}
