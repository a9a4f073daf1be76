// SPDX-License-Identifier: MIT
//! Read and Write with a buffer of 8 KiB, or as many bytes as a third word says.
use std::io::{Read, Write};

mod ends;

fn move_all(mut source: impl Read, mut sink: impl Write) -> std::io::Result<()> {
    let bytes = std::env::args().nth(3).and_then(|word| word.parse().ok());
    let mut buffer = vec![0; bytes.unwrap_or(8192)];
    loop {
        match source.read(&mut buffer)? {
            0 => return Ok(()),
            n => sink.write_all(&buffer[..n])?,
        }
    }
}

fn main() -> std::io::Result<()> {
    let (source, sink) = ends::open()?;
    match sink {
        ends::Sink::File(file) => move_all(source, file),
        ends::Sink::Unix(socket) => move_all(source, socket),
        ends::Sink::Tcp(socket) => move_all(source, socket),
    }
}
