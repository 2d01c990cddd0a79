//! A client that speaks just enough HTTP/1.1.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

pub(crate) const DEEP: &str = "/health?checks=all";
pub(crate) const OK: (u16, &str) = (200, "OK");
pub(crate) const ERROR: (u16, &str) = (503, "ERROR");

pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self(BufReader::new(stream)))
    }

    /// Sends `count` requests, all at once.
    pub(crate) async fn send(&mut self, target: &str, count: usize) -> io::Result<()> {
        let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        self.0.write_all(request.repeat(count).as_bytes()).await
    }

    /// The status and the body of the next answer.
    pub(crate) async fn receive(&mut self) -> io::Result<(u16, String)> {
        let mut line = String::new();
        let mut status = None;
        let mut length = 0;
        loop {
            line.clear();
            if self.0.read_line(&mut line).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end() {
                "" => break,
                header => match header.split_once(": ") {
                    None => status = header.split(' ').nth(1).and_then(|code| code.parse().ok()),
                    Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                        length = value.parse().map_err(io::Error::other)?;
                    }
                    Some(_) => {}
                },
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).await?;
        let status = status.ok_or(io::ErrorKind::InvalidData)?;
        Ok((status, String::from_utf8(body).map_err(io::Error::other)?))
    }

    /// Asks once; the answer must be `expected`.
    pub(crate) async fn ask(&mut self, target: &str, expected: (u16, &str)) -> io::Result<()> {
        self.send(target, 1).await?;
        self.expect(expected).await
    }

    /// The next answer must be `expected`.
    pub(crate) async fn expect(&mut self, expected: (u16, &str)) -> io::Result<()> {
        let (status, body) = self.receive().await?;
        assert_eq!((status, &*body), expected);
        Ok(())
    }
}
