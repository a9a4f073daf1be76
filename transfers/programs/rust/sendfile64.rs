// SPDX-License-Identifier: MIT
//! sendfile64 of the C library, which the standard library links anyway.
use std::io::{Error, ErrorKind, Result};
use std::os::unix::io::{AsRawFd, RawFd};

mod ends;

extern "C" {
    fn sendfile64(out: RawFd, from: RawFd, offset: *mut i64, count: usize) -> isize;
}

fn main() -> Result<()> {
    let (source, sink) = ends::open()?;
    let out = match &sink {
        ends::Sink::File(file) => file.as_raw_fd(),
        ends::Sink::Unix(socket) => socket.as_raw_fd(),
        ends::Sink::Tcp(socket) => socket.as_raw_fd(),
    };
    let mut left = source.metadata()?.len() as usize;
    while left > 0 {
        // SAFETY: both descriptors are open, and a null offset uses the file's own.
        let n = unsafe { sendfile64(out, source.as_raw_fd(), std::ptr::null_mut(), left) };
        if n < 0 {
            let error = Error::last_os_error();
            if error.kind() == ErrorKind::Interrupted {
                continue;
            }
            return Err(error);
        }
        if n == 0 {
            break;
        }
        left -= n as usize;
    }
    Ok(())
}
