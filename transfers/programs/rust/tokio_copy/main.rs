// SPDX-License-Identifier: MIT
//! tokio::io::copy, from and to types of tokio: every read of the file is a task on another thread.
use tokio::io::AsyncWriteExt;

#[path = "../ends.rs"]
mod ends;

async fn copy(source: std::fs::File, sink: ends::Sink) -> std::io::Result<()> {
    let mut source = tokio::fs::File::from_std(source);
    match sink {
        ends::Sink::File(file) => {
            let mut file = tokio::fs::File::from_std(file);
            tokio::io::copy(&mut source, &mut file).await?;
            file.flush().await // writes of files go on in the background
        }
        ends::Sink::Unix(socket) => {
            socket.set_nonblocking(true)?;
            let mut socket = tokio::net::UnixStream::from_std(socket)?;
            tokio::io::copy(&mut source, &mut socket).await.map(|_| ())
        }
        ends::Sink::Tcp(socket) => {
            socket.set_nonblocking(true)?;
            let mut socket = tokio::net::TcpStream::from_std(socket)?;
            tokio::io::copy(&mut source, &mut socket).await.map(|_| ())
        }
    }
}

fn main() -> std::io::Result<()> {
    let (source, sink) = ends::open()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_io()
        .build()?;
    runtime.block_on(copy(source, sink))
}
