//! One connection to a server.

use std::io::{self, ErrorKind, Read as _, Write as _};
use std::mem;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::response::{Parsed, Response};
use super::{ANSWER_LIMIT, ExchangeError};

/// Between two bytes of a slow request, so that each travels in a separate packet.
const PAUSE: Duration = Duration::from_millis(1);

/// One connection to a server.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    /// Received bytes that are not yet part of a response.
    got: Vec<u8>,
    /// Why a request could not be sent. It matters only if there is no response.
    unsent: Option<io::Error>,
}

impl Connection {
    /// # Errors
    ///
    /// The connection is not accepted within `limit`.
    pub(crate) fn open(address: SocketAddr, limit: Duration) -> Result<Self, ExchangeError> {
        let open = || {
            let stream = TcpStream::connect_timeout(&address, limit)?;
            stream.set_nodelay(true)?;
            stream.set_write_timeout(Some(limit))?;
            Ok(stream)
        };
        Ok(Self {
            stream: open().map_err(|error| ExchangeError::Connect(address, error))?,
            got: Vec::new(),
            unsent: None,
        })
    }

    /// Sends bytes at once. A server may respond and close before it has read them all, so that a failure
    /// is reported only if there is no response.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.unsent = self.stream.write_all(bytes).err();
    }

    /// Sends bytes one by one.
    pub(crate) fn send_slowly(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.send(&[*byte]);
            if self.unsent.is_some() {
                break;
            }
            thread::sleep(PAUSE);
        }
    }

    /// Tells the server that nothing more will be sent.
    pub(crate) fn end_sending(&self) {
        // It fails if the server has closed the connection; reading reports that.
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Reads one response.
    ///
    /// # Errors
    ///
    /// No complete response within `limit`.
    pub(crate) fn receive(
        &mut self,
        is_head: bool,
        limit: Duration,
    ) -> Result<Response, ExchangeError> {
        let start = Instant::now();
        let mut is_end = false;
        loop {
            match Response::parse(&self.got, is_head, is_end) {
                Parsed::Whole(response, length) => {
                    self.got.drain(..length);
                    return Ok(response);
                }
                Parsed::Garbage => return Err(ExchangeError::NotHttp(self.take_rest())),
                Parsed::Part if is_end => {
                    let got = self.take_rest();
                    return Err(match self.unsent.take() {
                        Some(error) => ExchangeError::Broken { error, got },
                        None => ExchangeError::NotHttp(got),
                    });
                }
                Parsed::Part if self.got.len() > ANSWER_LIMIT => {
                    return Err(ExchangeError::Endless);
                }
                Parsed::Part => {}
            }
            match self.read(limit.saturating_sub(start.elapsed())) {
                Ok(0) => is_end = true,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => {
                    let got = self.take_rest();
                    return Err(ExchangeError::TooLate { limit, got });
                }
                Err(error) => {
                    let got = self.take_rest();
                    return Err(ExchangeError::Broken { error, got });
                }
            }
        }
    }

    /// Reads on until the server closes the connection. Returns whether it did within `limit`.
    pub(crate) fn wait_for_close(&mut self, limit: Duration) -> bool {
        let start = Instant::now();
        while self.got.len() <= ANSWER_LIMIT {
            match self.read(limit.saturating_sub(start.elapsed())) {
                Ok(0) => return true,
                Ok(_) => {}
                // A reset closes it too: the server had not read the whole request.
                Err(error) => return !is_timeout(&error),
            }
        }
        false
    }

    /// The bytes after the responses that were read.
    pub(crate) fn take_rest(&mut self) -> Vec<u8> {
        mem::take(&mut self.got)
    }

    fn read(&mut self, limit: Duration) -> io::Result<usize> {
        if limit.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.stream.set_read_timeout(Some(limit))?;
        let mut buffer = [0; 8192];
        loop {
            match self.stream.read(&mut buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.got.extend_from_slice(&buffer[..count]);
                    return Ok(count);
                }
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{Ipv4Addr, TcpListener};
    use std::thread;
    use std::time::Duration;

    use crate::client::{ExchangeError, Request, Response, exchange};

    fn request() -> Request {
        Request {
            is_head: false,
            asks_to_close: true,
            bytes: b"GET /health HTTP/1.1\r\n\r\n".to_vec(),
        }
    }

    fn answer_with(bytes: &[u8]) -> Result<Response, ExchangeError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let length = request().bytes.len();
        thread::scope(|scope| {
            scope.spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                stream.read_exact(&mut vec![0; length]).unwrap();
                // The client closes as soon as it has seen too much.
                let _ = stream.write_all(bytes);
            });
            exchange(address, &request(), Duration::from_secs(5))
        })
    }

    #[test]
    fn bytes_behind_the_answer_are_seen() {
        let answer = answer_with(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK!").unwrap();
        assert_eq!(answer.body, b"OK!");
    }

    #[test]
    fn an_answer_that_is_cut_off_is_an_error() {
        for bytes in [
            b"".as_slice(),
            b"HTTP/1.1 200 OK\r\nA: 1\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nOK",
            b"OK",
        ] {
            let result = answer_with(bytes);
            assert!(matches!(result, Err(ExchangeError::NotHttp(_))), "{result:?}");
        }
    }

    #[test]
    fn ten_megabytes_of_headers_are_an_error() {
        let mut bytes = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
        bytes.resize(10 << 20, b'x');
        let result = answer_with(&bytes);
        assert!(matches!(result, Err(ExchangeError::Endless)), "{result:?}");
    }

    #[test]
    fn an_address_without_a_listener_is_an_error() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let result = exchange(address, &request(), Duration::from_secs(5));
        assert!(matches!(result, Err(ExchangeError::Connect(..))), "{result:?}");
    }

    #[test]
    fn a_server_that_does_not_answer_is_given_up() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let result = exchange(address, &request(), Duration::from_millis(1));
        assert!(matches!(result, Err(ExchangeError::TooLate { .. })), "{result:?}");
    }
}
