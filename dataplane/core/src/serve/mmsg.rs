//! `recvmmsg` and `sendmmsg`: a batch of datagrams per system call, answered in the buffers they came in.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::os::fd::AsRawFd;

/// Datagrams per system call.
pub const BATCH: usize = 64;
/// Octets per datagram: more than any query needs and than any UDP response may have.
pub const BUFFER: usize = 2048;
/// Room for one `IP_PKTINFO` or `IPV6_PKTINFO` message.
const CONTROL: usize = 64;

/// Control messages want the alignment of `cmsghdr`.
#[derive(Clone, Copy)]
#[repr(C, align(8))]
struct Control([u8; CONTROL]);

/// Buffers for a batch. The headers point into the boxes beside them, which never move or change size.
pub struct Batch {
    buffers: Box<[[u8; BUFFER]]>,
    names: Box<[libc::sockaddr_storage]>,
    controls: Box<[Control]>,
    iovecs: Box<[libc::iovec]>,
    headers: Box<[libc::mmsghdr]>,
    /// Headers of the datagrams to send, first ones used.
    replies: Box<[libc::mmsghdr]>,
    reply_count: usize,
}

// SAFETY: the raw pointers all point into boxes that the batch owns, so they may move to another thread with it.
unsafe impl Send for Batch {}

impl Default for Batch {
    fn default() -> Self {
        // SAFETY: all three are plain C structures for which all zeros is a valid value.
        let (name, iovec, header) = unsafe {
            (
                std::mem::zeroed::<libc::sockaddr_storage>(),
                std::mem::zeroed::<libc::iovec>(),
                std::mem::zeroed::<libc::mmsghdr>(),
            )
        };
        let mut batch = Batch {
            buffers: vec![[0; BUFFER]; BATCH].into(),
            names: vec![name; BATCH].into(),
            controls: vec![Control([0; CONTROL]); BATCH].into(),
            iovecs: vec![iovec; BATCH].into(),
            headers: vec![header; BATCH].into(),
            replies: vec![header; BATCH].into(),
            reply_count: 0,
        };
        let parts =
            batch.buffers.iter_mut().zip(&mut batch.iovecs).zip(&mut batch.names).zip(&mut batch.controls);
        for ((((buffer, iovec), name), control), header) in parts.zip(&mut batch.headers) {
            iovec.iov_base = buffer.as_mut_ptr().cast();
            header.msg_hdr.msg_iov = iovec;
            header.msg_hdr.msg_iovlen = 1;
            header.msg_hdr.msg_name = std::ptr::from_mut(name).cast();
            header.msg_hdr.msg_control = control.0.as_mut_ptr().cast();
        }
        batch
    }
}

impl Batch {
    /// Waits for datagrams, up to the socket's receive timeout, and takes as many as are there.
    ///
    /// # Errors
    /// What the system says; `WouldBlock` after the timeout.
    #[inline]
    pub fn receive(&mut self, socket: &UdpSocket) -> io::Result<usize> {
        self.reply_count = 0;
        for (iovec, header) in self.iovecs.iter_mut().zip(&mut self.headers) {
            iovec.iov_len = BUFFER;
            header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_storage>() as libc::socklen_t;
            header.msg_hdr.msg_controllen = CONTROL;
        }
        // SAFETY: the headers describe buffers, names and controls that this batch owns and that outlive the call.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                BATCH as libc::c_uint,
                libc::MSG_WAITFORONE as _,
                std::ptr::null_mut(),
            )
        };
        usize::try_from(received).map_err(|_| io::Error::last_os_error())
    }

    /// The octets of datagram `index`, and who sent them; none of nobody where the system says no address.
    #[inline]
    pub fn datagram(&self, index: usize) -> (&[u8], IpAddr) {
        let datagram = || {
            let length = (self.headers.get(index)?.msg_len as usize).min(BUFFER);
            Some((self.buffers.get(index)?.get(..length)?, address(self.names.get(index)?)?))
        };
        datagram().unwrap_or((&[], IpAddr::V4(Ipv4Addr::UNSPECIFIED)))
    }

    /// The buffer that datagram `index` came in.
    #[inline]
    pub fn buffer(&mut self, index: usize) -> &mut [u8] {
        self.buffers.get_mut(index).map_or(&mut [], |buffer| buffer)
    }

    /// Queues the first `length` octets of the buffer of datagram `index` as the reply to its sender.
    #[inline]
    pub fn reply(&mut self, index: usize, length: usize) {
        let (Some(iovec), Some(header)) = (self.iovecs.get_mut(index), self.headers.get_mut(index)) else {
            return;
        };
        iovec.iov_len = length.min(BUFFER);
        if header.msg_hdr.msg_controllen > 0 {
            // A reply may leave by another interface than the query came by: only its source address is fixed.
            // SAFETY: the kernel filled msg_controllen octets of the control buffer with well-formed messages.
            unsafe {
                let message = libc::CMSG_FIRSTHDR(&header.msg_hdr);
                if !message.is_null()
                    && (*message).cmsg_level == libc::IPPROTO_IP
                    && (*message).cmsg_type == libc::IP_PKTINFO
                {
                    (*libc::CMSG_DATA(message).cast::<libc::in_pktinfo>()).ipi_ifindex = 0;
                }
            }
        }
        if let Some(place) = self.replies.get_mut(self.reply_count) {
            *place = *header;
            self.reply_count += 1;
        }
    }

    /// Sends the queued replies and returns how many the system refused.
    #[inline]
    pub fn send(&mut self, socket: &UdpSocket) -> usize {
        let mut refused = 0;
        let mut replies = self.replies.get_mut(..self.reply_count).unwrap_or_default();
        while !replies.is_empty() {
            // SAFETY: the headers describe buffers, names and controls that this batch owns and that outlive the call.
            let sent = unsafe {
                libc::sendmmsg(socket.as_raw_fd(), replies.as_mut_ptr(), replies.len() as libc::c_uint, 0)
            };
            let done = match usize::try_from(sent) {
                Ok(sent) if sent > 0 => sent,
                _ if io::Error::last_os_error().kind() == io::ErrorKind::Interrupted => 0,
                // The first one is refused (no route, port 0): go on behind it.
                _ => {
                    refused += 1;
                    1
                }
            };
            replies = replies.get_mut(done..).unwrap_or_default();
        }
        self.reply_count = 0;
        refused
    }
}

#[inline]
fn address(name: &libc::sockaddr_storage) -> Option<IpAddr> {
    let name: *const libc::sockaddr_storage = name;
    // SAFETY: the storage is large and aligned enough for every address, and the family says which one it holds.
    match libc::c_int::from(unsafe { (*name).ss_family }) {
        libc::AF_INET => {
            // SAFETY: as above.
            let address = unsafe { *name.cast::<libc::sockaddr_in>() };
            Some(IpAddr::V4(Ipv4Addr::from(u32::from_be(address.sin_addr.s_addr))))
        }
        libc::AF_INET6 => {
            // SAFETY: as above.
            let address = unsafe { *name.cast::<libc::sockaddr_in6>() };
            Some(IpAddr::V6(Ipv6Addr::from(address.sin6_addr.s6_addr)).to_canonical())
        }
        _ => None,
    }
}
