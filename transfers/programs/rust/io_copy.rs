// SPDX-License-Identifier: MIT
//! std::io::copy, which chooses a system call by the types of both ends.
mod ends;

fn main() -> std::io::Result<()> {
    let (mut source, sink) = ends::open()?;
    match sink {
        ends::Sink::File(mut file) => std::io::copy(&mut source, &mut file)?,
        ends::Sink::Unix(mut socket) => std::io::copy(&mut source, &mut socket)?,
        ends::Sink::Tcp(mut socket) => std::io::copy(&mut source, &mut socket)?,
    };
    Ok(())
}
