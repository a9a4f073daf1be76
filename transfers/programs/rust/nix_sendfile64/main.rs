// SPDX-License-Identifier: MIT
//! sendfile64 of the crate nix.
use nix::sys::sendfile::sendfile64;

#[path = "../ends.rs"]
mod ends;

// Since nix 0.27 its functions take what owns or borrows a descriptor, before that the number.
#[cfg(not(feature = "raw_descriptors"))]
use std::os::unix::io::AsFd;
#[cfg(feature = "raw_descriptors")]
use std::os::unix::io::AsRawFd;

macro_rules! descriptor {
    ($end:expr) => {{
        #[cfg(feature = "raw_descriptors")]
        let descriptor = $end.as_raw_fd();
        #[cfg(not(feature = "raw_descriptors"))]
        let descriptor = $end.as_fd();
        descriptor
    }};
}

fn main() -> std::io::Result<()> {
    let (source, sink) = ends::open()?;
    let out = match &sink {
        ends::Sink::File(file) => descriptor!(file),
        ends::Sink::Unix(socket) => descriptor!(socket),
        ends::Sink::Tcp(socket) => descriptor!(socket),
    };
    let mut left = source.metadata()?.len() as usize;
    while left > 0 {
        match sendfile64(out, descriptor!(source), None, left) {
            Err(nix::errno::Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(0) => break,
            Ok(n) => left -= n,
        }
    }
    Ok(())
}
