//! How does a request become bytes, and an answer a fact, for a few microseconds each?
//!
//! HTTP/1.1 over kept connections, one request in flight on each, no pipelining. Only what the server
//! under test sends is understood: a status line, headers, and a body with `Content-Length`.

use std::io;
use std::net::SocketAddr;

use anyhow::{Context, anyhow};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::traffic;

/// Longest answer that is read.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// Where the server is and the key that opens it.
#[derive(Debug, Clone)]
pub struct Target {
    /// Address of the server.
    pub address: SocketAddr,
    /// API key.
    pub key: String,
}

impl Target {
    /// Reads `http://HOST:PORT`; host names are resolved, and only plain HTTP is spoken.
    pub fn parse(url: &str, key: &str) -> anyhow::Result<Self> {
        let rest = url
            .strip_prefix("http://")
            .ok_or_else(|| anyhow!("{url} does not start with http://"))?;
        let host = rest.split('/').next().unwrap_or(rest);
        let host = if host.contains(':') {
            host.to_owned()
        } else {
            format!("{host}:80")
        };
        let address = std::net::ToSocketAddrs::to_socket_addrs(&host)
            .with_context(|| format!("resolve {host}"))?
            .next()
            .ok_or_else(|| anyhow!("{host} has no address"))?;
        Ok(Self {
            address,
            key: key.to_owned(),
        })
    }
}

/// One answer; its body lies in the connection's buffer until the next request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer<'a> {
    /// Status code.
    pub status: u16,
    /// Seconds of `Retry-After`, where given.
    pub retry_after: Option<u64>,
    /// Body bytes.
    pub body: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    status: u16,
    body_at: usize,
    body_length: usize,
    retry_after: Option<u64>,
    close: bool,
}

/// The value of header `name` (given in lower case with its colon) if `line` is that header.
fn header<'a>(line: &'a [u8], name: &str) -> Option<&'a str> {
    let (found, value) = line.split_at_checked(name.len())?;
    if !found.eq_ignore_ascii_case(name.as_bytes()) {
        return None;
    }
    std::str::from_utf8(value).ok().map(str::trim)
}

/// Reads the head of an answer once it is there whole.
fn head(bytes: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = bytes.windows(4).position(|it| it == b"\r\n\r\n") else {
        return Ok(None);
    };
    let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let status = bytes
        .get(9..12)
        .filter(|_| bytes.starts_with(b"HTTP/1.1 "))
        .and_then(|it| std::str::from_utf8(it).ok()?.parse().ok())
        .ok_or_else(|| bad("no HTTP/1.1 status line"))?;
    let mut head = Head {
        status,
        body_at: end + 4,
        body_length: 0,
        retry_after: None,
        close: false,
    };
    let mut length = None;
    for line in bytes[..end].split(|it| *it == b'\n').skip(1) {
        match line.first().map(u8::to_ascii_lowercase) {
            Some(b'c') => {
                if let Some(value) = header(line, "content-length:") {
                    length = value.parse().ok();
                } else if let Some(value) = header(line, "connection:") {
                    head.close = value.eq_ignore_ascii_case("close");
                }
            }
            Some(b'r') => {
                head.retry_after = head
                    .retry_after
                    .or(header(line, "retry-after:").and_then(|it| it.parse().ok()));
            }
            Some(b't') if header(line, "transfer-encoding:").is_some() => {
                return Err(bad("chunked answers are not understood"));
            }
            _ => {}
        }
    }
    head.body_length = match length {
        Some(length) if length <= MAX_ANSWER => length,
        Some(_) => return Err(bad("answer too long")),
        None if matches!(status, 204 | 304) => 0,
        None => return Err(bad("answer without Content-Length")),
    };
    Ok(Some(head))
}

/// The message id in a send's answer: the first `"id":"msg_…"`, with or without a blank after the colon.
pub fn message_id(body: &[u8]) -> Option<&str> {
    const KEY: &[u8] = b"\"id\":";
    let mut rest = body;
    loop {
        let at = rest.windows(KEY.len()).position(|it| it == KEY)?;
        rest = &rest[at + KEY.len()..];
        let value = rest.trim_ascii_start();
        if let Some(value) = value.strip_prefix(b"\"")
            && value.starts_with(b"msg_")
        {
            let end = value.iter().position(|it| *it == b'"')?;
            return std::str::from_utf8(&value[..end]).ok();
        }
    }
}

/// Writes send requests of which only the message changes.
#[derive(Debug, Clone)]
pub struct SendRequest {
    prefix: Vec<u8>,
    body_prefix: Vec<u8>,
    body: Vec<u8>,
}

impl SendRequest {
    /// Requests to `target`; `fields` are further JSON members for each body, such as `"channel":"sms"`.
    pub fn new(target: &Target, fields: &str) -> Self {
        let Target { address, key } = target;
        let prefix = format!(
            "POST /v1/messages HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\
             Content-Type: application/json\r\nContent-Length: "
        );
        let comma = if fields.is_empty() { "" } else { "," };
        let body_prefix = format!("{{{fields}{comma}\"to\":\"");
        Self {
            prefix: prefix.into_bytes(),
            body_prefix: body_prefix.into_bytes(),
            body: Vec::new(),
        }
    }

    /// Replaces `out` by the whole request for message `number`.
    pub fn write(&mut self, out: &mut Vec<u8>, number: u32) {
        self.body.clear();
        self.body.extend_from_slice(&self.body_prefix);
        traffic::push_recipient(&mut self.body, number);
        self.body.extend_from_slice(b"\",\"text\":\"");
        traffic::push_text(&mut self.body, number);
        self.body.extend_from_slice(b"\"}");
        out.clear();
        out.extend_from_slice(&self.prefix);
        out.extend_from_slice(self.body.len().to_string().as_bytes());
        out.extend_from_slice(b"\r\n\r\n");
        out.extend_from_slice(&self.body);
    }
}

/// One kept connection.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
    close: bool,
}

impl Connection {
    /// Connects with `TCP_NODELAY`.
    pub async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(4096),
            close: false,
        })
    }

    /// True when the server said that it will close the connection after the last answer.
    pub fn is_closing(&self) -> bool {
        self.close
    }

    /// True when the server is known to have closed the connection since the last answer.
    pub fn is_dead(&self) -> bool {
        let would_block = |error: &io::Error| error.kind() == io::ErrorKind::WouldBlock;
        !self
            .stream
            .try_read(&mut [0])
            .is_err_and(|it| would_block(&it))
    }

    /// Writes `request` and reads its answer. After an error the connection is of no more use.
    pub async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer<'_>> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let mut found = None;
        let head = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if found.is_none() {
                found = head(&self.buffer)?;
            }
            if let Some(head) = found
                && self.buffer.len() >= head.body_at + head.body_length
            {
                break head;
            }
        };
        self.close = head.close;
        let body = &self.buffer[head.body_at..head.body_at + head.body_length];
        Ok(Answer {
            status: head.status,
            retry_after: head.retry_after,
            body,
        })
    }

    /// Asks for `path` with the target's key.
    pub async fn get(&mut self, target: &Target, path: &str) -> io::Result<Answer<'_>> {
        let Target { address, key } = target;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {key}\r\n\r\n"
        );
        self.exchange(request.as_bytes()).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_read_once_it_is_whole() {
        let answer = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\ncontent-length: 5\r\n\r\nhello";
        let want = Head {
            status: 202,
            body_at: answer.len() - 5,
            body_length: 5,
            retry_after: None,
            close: false,
        };
        for end in 0..answer.len() - 5 {
            assert_eq!(head(&answer[..end]).unwrap(), None, "{end} bytes");
        }
        assert_eq!(head(answer).unwrap(), Some(want));
    }

    #[test]
    fn a_throttle_says_when_to_come_back_and_a_close_is_seen() {
        let answer = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
        let head = head(answer).unwrap().unwrap();
        assert_eq!(
            (head.status, head.retry_after, head.close),
            (429, Some(3), true)
        );
    }

    #[test]
    fn answers_that_cannot_be_measured_are_errors() {
        for answer in [
            &b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\n\r\n",
            b"SMTP ready\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        ] {
            assert!(head(answer).is_err());
        }
    }

    #[test]
    fn the_message_id_is_found_among_other_ids() {
        let body = br#"{"routing":{"id":"dec_1"},"message":{"id": "msg_01ab","to":"+40"}}"#;
        assert_eq!(message_id(body), Some("msg_01ab"));
        assert_eq!(message_id(br#"{"id":"ct_1"}"#), None);
    }

    #[test]
    fn a_request_is_whole_and_its_length_is_right() {
        let target = Target {
            address: ([127, 0, 0, 1], 8080).into(),
            key: "zv_live_x".into(),
        };
        let (mut request, mut out) = (SendRequest::new(&target, "\"channel\":\"sms\""), Vec::new());
        request.write(&mut out, 5);
        let text = String::from_utf8(out).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n"));
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        let json: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(
            (json["to"].as_str(), json["channel"].as_str()),
            (Some("+40720000005"), Some("sms"))
        );
    }

    #[test]
    fn a_target_is_plain_http() {
        assert_eq!(
            Target::parse("http://127.0.0.1:81/", "k").unwrap().address,
            ([127, 0, 0, 1], 81).into()
        );
        assert!(Target::parse("https://127.0.0.1:81", "k").is_err());
    }
}
