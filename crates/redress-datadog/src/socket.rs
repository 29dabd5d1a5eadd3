//! The socket of an agent.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
#[cfg(unix)]
use std::os::unix::net::UnixDatagram;
#[cfg(unix)]
use std::path::PathBuf;
use std::time::Duration;

/// An agent that does not read must not keep the sending thread for ever.
const WRITE_LIMIT: Duration = Duration::from_secs(1);
/// The largest payload that fits into one packet on networks with an MTU of 1,500 bytes or a
/// little less, and the default of Datadog's clients.
const UDP_DATAGRAM: usize = 1432;
/// The size of the agent's read buffer, `dogstatsd_buffer_size`.
#[cfg(unix)]
const UNIX_DATAGRAM: usize = 8192;

/// A socket, and where the agent listens.
#[derive(Debug)]
pub(crate) enum Socket {
    Udp(UdpSocket, SocketAddr),
    #[cfg(unix)]
    Unix(UnixDatagram, PathBuf),
}

impl Socket {
    pub(crate) fn udp(agent: impl ToSocketAddrs) -> io::Result<Self> {
        let agent = agent.to_socket_addrs()?.next();
        let agent = agent.ok_or_else(|| io::Error::new(ErrorKind::NotFound, "the agent's name has no address"))?;
        let any = if agent.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        socket.set_write_timeout(Some(WRITE_LIMIT))?;
        Ok(Self::Udp(socket, agent))
    }

    #[cfg(unix)]
    pub(crate) fn unix(agent: PathBuf) -> io::Result<Self> {
        let socket = UnixDatagram::unbound()?;
        socket.set_write_timeout(Some(WRITE_LIMIT))?;
        Ok(Self::Unix(socket, agent))
    }

    /// Sends one datagram. The path is looked up each time, so that an agent may be restarted.
    pub(crate) fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        match self {
            Self::Udp(socket, agent) => socket.send_to(datagram, agent),
            #[cfg(unix)]
            Self::Unix(socket, agent) => socket.send_to(datagram, agent),
        }
    }

    /// How many bytes of metrics are put into one datagram.
    pub(crate) const fn datagram(&self) -> usize {
        match self {
            Self::Udp(..) => UDP_DATAGRAM,
            #[cfg(unix)]
            Self::Unix(..) => UNIX_DATAGRAM,
        }
    }
}
