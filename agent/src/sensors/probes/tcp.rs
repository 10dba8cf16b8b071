//! Whether a TCP port accepts a connection.

use tokio::net::TcpStream;

use super::Asked;

/// Returns whether a text is a host with a port.
pub(super) fn is_address(text: &str) -> bool {
    text.rsplit_once(':').is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| 0 < port)
    })
}

/// Connects and hangs up.
pub(super) async fn ask(address: &str) -> Asked {
    match TcpStream::connect(address).await {
        Ok(_) => Ok("accepts connections".to_owned()),
        Err(error) => Err(format!("no connection: {error}")),
    }
}
