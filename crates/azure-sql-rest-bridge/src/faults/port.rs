//! A listener that can close and open again, without losing its port to another program.

use std::{future::pending, io, net::SocketAddr};

use tokio::net::{TcpListener, TcpSocket, TcpStream};

use crate::listener::accept;

/// The number of connections that may wait for `accept`.
const BACKLOG: u32 = 1024;

/// A TCP port that the bridge owns.
pub(crate) struct Port {
    address: SocketAddr,
    socket: Socket,
}

enum Socket {
    Listening(TcpListener),
    /// Bound but not listening. Connections are refused, and the system gives the port to nobody, not even as the local port
    /// of a connection. (A client that keeps trying would otherwise connect to itself sooner or later.)
    Reserved(TcpSocket),
    /// Abandoned after an error.
    Lost,
}

impl Port {
    pub fn new(listener: TcpListener) -> io::Result<Self> {
        Ok(Self { address: listener.local_addr()?, socket: Socket::Listening(listener) })
    }

    /// Returns the next connection; none while the port is closed.
    pub async fn accept(&self) -> TcpStream {
        match &self.socket {
            Socket::Listening(listener) => accept(listener).await,
            Socket::Reserved(_) | Socket::Lost => pending().await,
        }
    }

    /// Closes the port; `false` when the port was closed already.
    pub fn close(&mut self) -> io::Result<bool> {
        if !matches!(self.socket, Socket::Listening(_)) {
            return Ok(false);
        }
        // Two sockets cannot have one address while one of them listens.
        self.socket = Socket::Lost;
        let socket = if self.address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(self.address)?;
        self.socket = Socket::Reserved(socket);
        Ok(true)
    }

    /// Opens the port, unless it is open.
    pub fn open(&mut self) -> io::Result<()> {
        self.socket = match std::mem::replace(&mut self.socket, Socket::Lost) {
            Socket::Reserved(socket) => Socket::Listening(socket.listen(BACKLOG)?),
            other => other,
        };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_closed_port_refuses_and_stays_ours() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut port = Port::new(listener).unwrap();
        for _ in 0..3 {
            assert!(port.close().unwrap());
            assert!(!port.close().unwrap(), "once is enough");
            let refused = TcpStream::connect(address).await.unwrap_err();
            assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
            // The socket has no SO_REUSEADDR, because another program could then take the port.
            let other = TcpSocket::new_v4().unwrap();
            assert_eq!(other.bind(address).unwrap_err().kind(), io::ErrorKind::AddrInUse);

            port.open().unwrap();
            port.open().unwrap();
            let (client, served) = tokio::join!(TcpStream::connect(address), port.accept());
            assert_eq!(client.unwrap().local_addr().unwrap(), served.peer_addr().unwrap());
        }
    }
}
