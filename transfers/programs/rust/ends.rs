// SPDX-License-Identifier: MIT
//! What each of these programs begins with: the source, and the sink as a socket or a file.
use std::fs::{File, OpenOptions};
use std::net::TcpStream;
use std::os::unix::fs::FileTypeExt;
use std::os::unix::net::UnixStream;

pub enum Sink {
    File(File),
    Unix(UnixStream),
    Tcp(TcpStream),
}

/// SOURCE SINK of the command line; a sink is a path of a socket or file, or HOST:PORT.
pub fn open() -> std::io::Result<(File, Sink)> {
    let words: Vec<String> = std::env::args().collect();
    if words.len() < 3 {
        eprintln!("usage: {} SOURCE SINK", words[0]);
        std::process::exit(2);
    }
    let source = File::open(&words[1])?;
    let sink = match std::fs::metadata(&words[2]) {
        Err(_) => Sink::Tcp(TcpStream::connect(&words[2])?),
        Ok(status) if status.file_type().is_socket() => Sink::Unix(UnixStream::connect(&words[2])?),
        Ok(_) => Sink::File(OpenOptions::new().write(true).open(&words[2])?),
    };
    Ok((source, sink))
}
