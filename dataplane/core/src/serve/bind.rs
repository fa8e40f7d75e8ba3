//! Opens sockets: for each address a TCP listener and several UDP sockets of the same port.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::AsRawFd;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// How often a port that was free for TCP but not for UDP is given back for another one.
const PORT_TRIES: usize = 32;
/// Room for bursts; what the system's limits allow of it is taken.
const RECEIVE_BUFFER: usize = 8 << 20;
/// How long a worker waits at most, to receive or to send, before it looks whether to stop.
const RECEIVE_TIMEOUT: Duration = Duration::from_millis(200);
const BACKLOG: i32 = 1024;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({protocol}): {source}")]
pub struct BindError {
    /// The address asked for.
    pub address: SocketAddr,
    /// `udp` or `tcp`.
    pub protocol: &'static str,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Open sockets that nothing is read from yet.
pub struct Bound {
    /// One address per listener, with the port in fact used.
    pub addresses: Vec<SocketAddr>,
    pub(super) udp: Vec<UdpSocket>,
    pub(super) tcp: Vec<TcpListener>,
}

impl Bound {
    /// Opens a TCP listener and `workers` UDP sockets for each address; port 0 picks a port free for both.
    ///
    /// # Errors
    /// [`BindError`] for the first address that does not work; then nothing stays open.
    pub fn open(addresses: &[SocketAddr], workers: usize) -> Result<Bound, BindError> {
        let mut bound = Bound { addresses: Vec::new(), udp: Vec::new(), tcp: Vec::new() };
        for &address in addresses {
            let (tcp, udp) = open_pair(address, workers)?;
            let local = tcp.local_addr().map_err(|source| BindError { address, protocol: "tcp", source })?;
            bound.addresses.push(local);
            bound.tcp.push(tcp);
            bound.udp.extend(udp);
        }
        Ok(bound)
    }
}

fn open_pair(address: SocketAddr, workers: usize) -> Result<(TcpListener, Vec<UdpSocket>), BindError> {
    let mut tries = 0;
    loop {
        tries += 1;
        let tcp = open_tcp(address).map_err(|source| BindError { address, protocol: "tcp", source })?;
        let port = tcp.local_addr().map_or(address.port(), |local| local.port());
        match open_udp(SocketAddr::new(address.ip(), port), workers) {
            Ok(udp) => return Ok((tcp, udp)),
            Err(error)
                if address.port() == 0 && error.kind() == io::ErrorKind::AddrInUse && tries < PORT_TRIES => {}
            Err(source) => return Err(BindError { address, protocol: "udp", source }),
        }
    }
}

fn open_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn open_udp(address: SocketAddr, workers: usize) -> io::Result<Vec<UdpSocket>> {
    // SO_REUSEPORT would silently share the port with another server of the same user: first see that it is free.
    drop(udp_socket(address, false)?);
    (0..workers).map(|_| udp_socket(address, true)).collect()
}

fn udp_socket(address: SocketAddr, share_port: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_reuse_port(share_port)?;
    if set_option(&socket, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER as libc::c_int).is_err() {
        socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    }
    socket.set_read_timeout(Some(RECEIVE_TIMEOUT))?;
    // A full send buffer must not hold a worker up either.
    socket.set_write_timeout(Some(RECEIVE_TIMEOUT))?;
    // On a wildcard address the reply must leave from the address that was asked.
    if address.ip().is_unspecified() {
        match address {
            SocketAddr::V4(_) => set_option(&socket, libc::IPPROTO_IP, libc::IP_PKTINFO, 1)?,
            SocketAddr::V6(_) => set_option(&socket, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1)?,
        }
    }
    // Responses are small enough not to be fragmented; forged ICMP must not make them so.
    if address.is_ipv4() {
        set_option(&socket, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, libc::IP_PMTUDISC_OMIT)?;
    }
    socket.bind(&address.into())?;
    Ok(socket.into())
}

fn set_option(socket: &Socket, level: libc::c_int, name: libc::c_int, value: libc::c_int) -> io::Result<()> {
    // SAFETY: the descriptor is open, and the pointer and length describe `value`, which outlives the call.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(&value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
