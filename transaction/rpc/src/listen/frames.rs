//! Messages of a WebSocket, out of frames and into frames (RFC 6455).
//!
//! A frame costs what came of it, never what it announces: fourteen bytes can announce gigabytes.

use soketto::{
    Parsing,
    base::{Codec, Header, OpCode},
};
use std::{error::Error, io, mem::take};
use tokio::io::{
    AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, BufWriter,
};

/// What a close frame says when nothing is wrong.
const NORMAL: u16 = 1_000;

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A whole message, of text or not.
    Message(Vec<u8>),
    /// A message beyond the limit; nothing of it was kept.
    TooLong,
    /// To be answered with these bytes, at most 125.
    Ping(Vec<u8>),
    /// It is there.
    Pong,
}

/// The messages of a client.
#[derive(Debug)]
pub(super) struct Messages<R> {
    from: BufReader<R>,
    codec: Codec,
    /// Bytes of the longest message.
    most: usize,
    /// Of the next frame's header what came.
    head: Vec<u8>,
    /// Of the frame that is being read.
    header: Option<Header>,
    /// Bytes of that frame to come.
    left: usize,
    /// The payload of a control frame.
    control: Vec<u8>,
    /// What came of a message.
    message: Vec<u8>,
    /// Where in it the frame begins.
    start: usize,
    /// A message's first frame came, and its last did not.
    is_begun: bool,
    is_too_long: bool,
}

impl<R: AsyncRead + Unpin> Messages<R> {
    /// Of this stream, each of so many bytes at most.
    pub(super) fn new(from: R, most: usize) -> Self {
        Self {
            from: BufReader::new(from),
            codec: Codec::new(),
            most,
            head: Vec::new(),
            header: None,
            left: 0,
            control: Vec::new(),
            message: Vec::new(),
            start: 0,
            is_begun: false,
            is_too_long: false,
        }
    }

    /// The next of them. Dropped before it is done it loses nothing: whoever asks again goes on.
    ///
    /// # Errors
    /// When the stream ends or fails, the client closes the connection, or its frames are none.
    pub(super) async fn next(&mut self) -> io::Result<Heard> {
        loop {
            let Some(header) = self.header.clone() else {
                match self.codec.decode_header(&self.head).map_err(malformed)? {
                    Parsing::Done { value, .. } => self.begin(value)?,
                    Parsing::NeedMore(count) => {
                        read(&mut self.from, count, Some(&mut self.head)).await?;
                    }
                }
                continue;
            };
            if self.left > 0 {
                let into = if header.opcode().is_control() {
                    Some(&mut self.control)
                } else {
                    Some(&mut self.message).filter(|_| !self.is_too_long)
                };
                let count = read(&mut self.from, self.left, into).await?;
                self.left = self.left.saturating_sub(count);
                continue;
            }
            self.header = None;
            if let Some(heard) = self.end(&header)? {
                return Ok(heard);
            }
        }
    }

    /// Reads and forgets until there is no more.
    pub(super) async fn skip(&mut self) {
        while self.next().await.is_ok() {}
    }

    fn begin(&mut self, header: Header) -> io::Result<()> {
        self.head.clear();
        self.left = header.payload_len();
        match (header.opcode(), self.is_begun) {
            (OpCode::Ping | OpCode::Pong | OpCode::Close, _) => self.control.clear(),
            (OpCode::Continue, false) => return Err(malformed("a part of no message")),
            (OpCode::Text | OpCode::Binary, true) => {
                return Err(malformed("a message within another"));
            }
            _ => {
                self.is_begun = true;
                self.is_too_long |= self.message.len().saturating_add(self.left) > self.most;
                if self.is_too_long {
                    self.message = Vec::new();
                }
                self.start = self.message.len();
            }
        }
        self.header = Some(header);
        Ok(())
    }

    fn end(&mut self, header: &Header) -> io::Result<Option<Heard>> {
        match header.opcode() {
            OpCode::Ping => {
                Codec::apply_mask(header, &mut self.control);
                return Ok(Some(Heard::Ping(take(&mut self.control))));
            }
            OpCode::Pong => return Ok(Some(Heard::Pong)),
            OpCode::Close => {
                let words = "the client closed the connection";
                return Err(io::Error::new(io::ErrorKind::ConnectionAborted, words));
            }
            _ => {}
        }
        if let Some(part) = self.message.get_mut(self.start..) {
            Codec::apply_mask(header, part);
        }
        if !header.is_fin() {
            return Ok(None);
        }
        self.is_begun = false;
        let message = take(&mut self.message);
        let is_too_long = take(&mut self.is_too_long);
        Ok(Some(if is_too_long { Heard::TooLong } else { Heard::Message(message) }))
    }
}

/// Reads at least one and at most so many bytes, and says how many; nothing is lost when it is dropped.
async fn read<R: AsyncRead + Unpin>(
    from: &mut BufReader<R>,
    most: usize,
    into: Option<&mut Vec<u8>>,
) -> io::Result<usize> {
    let came = from.fill_buf().await?;
    let part = came.get(..most).unwrap_or(came);
    if part.is_empty() {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    if let Some(into) = into {
        into.extend_from_slice(part);
    }
    let count = part.len();
    from.consume(count);
    Ok(count)
}

fn malformed(error: impl Into<Box<dyn Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

/// What a client is sent.
#[derive(Debug)]
pub(super) struct Frames<W> {
    codec: Codec,
    to: BufWriter<W>,
}

impl<W: AsyncWrite + Unpin> Frames<W> {
    pub(super) fn new(to: W) -> Self {
        Self { codec: Codec::new(), to: BufWriter::new(to) }
    }

    /// Sends one frame and does not wait for others.
    pub(super) async fn send(&mut self, kind: OpCode, payload: &[u8]) -> io::Result<()> {
        let mut header = Header::new(kind);
        header.set_payload_len(payload.len());
        self.to.write_all(self.codec.encode_header(&header)).await?;
        self.to.write_all(payload).await?;
        self.to.flush().await
    }

    /// Says that this was all.
    pub(super) async fn close(mut self) -> io::Result<()> {
        self.send(OpCode::Close, &NORMAL.to_be_bytes()).await?;
        self.to.shutdown().await
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Heard, Messages};
    use std::time::Duration;
    use tokio::{
        io::{AsyncWriteExt as _, duplex},
        time::timeout,
    };

    /// A short frame as a client sends it, under a mask.
    pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [0x12, 0x34, 0x56, 0x78];
        let length = u8::try_from(payload.len()).unwrap();
        assert!(length < 126);
        let masked = payload.iter().zip(mask.iter().cycle()).map(|(byte, key)| byte ^ key);
        [first, 0x80 | length].into_iter().chain(mask).chain(masked).collect()
    }

    /// What is heard of these bytes, however few of them come at a time.
    async fn heard(bytes: &[u8], most: usize) -> Vec<Heard> {
        let mut all = Vec::new();
        for size in [1, 3, 4_096] {
            let (mut client, server) = duplex(size);
            let mut messages = Messages::new(server, most);
            let hearing = async move {
                let mut heard = Vec::new();
                while let Ok(one) = messages.next().await {
                    heard.push(one);
                }
                heard
            };
            let sending = async {
                // It is given up on at the first bad frame.
                drop(client.write_all(bytes).await);
                drop(client);
            };
            all.push(tokio::join!(hearing, sending).0);
        }
        assert_eq!((&all[0], &all[0]), (&all[1], &all[2]));
        all.remove(0)
    }

    #[tokio::test]
    async fn messages_come_in_parts_with_control_frames_between_them() {
        let bytes = [
            frame(0x01, b"he"),
            frame(0x89, b"there?"),
            frame(0x00, b""),
            frame(0x8a, b"yes"),
            frame(0x80, b"llo"),
            frame(0x82, b"\xff\x00"),
            frame(0x81, b""),
        ];
        let expected = [
            Heard::Ping(b"there?".into()),
            Heard::Pong,
            Heard::Message(b"hello".into()),
            Heard::Message(b"\xff\x00".into()),
            Heard::Message(Vec::new()),
        ];
        assert_eq!(heard(&bytes.concat(), 5).await, expected);
    }

    #[tokio::test]
    async fn what_is_too_long_is_left_out_and_what_is_no_frame_ends_it() {
        let good = frame(0x81, b"12345");
        let bytes = [
            good.clone(),
            frame(0x81, b"123456"),
            good.clone(),
            frame(0x01, b"123"),
            frame(0x00, b"456"),
            frame(0x89, b""),
            frame(0x80, b"7"),
            good.clone(),
        ];
        let whole = || Heard::Message(b"12345".into());
        let expected =
            [whole(), Heard::TooLong, whole(), Heard::Ping(Vec::new()), Heard::TooLong, whole()];
        assert_eq!(heard(&bytes.concat(), 5).await, expected);
        let bad = [
            frame(0xc1, b""),
            frame(0x83, b""),
            frame(0x80, b""),
            frame(0x09, b""),
            frame(0x88, b""),
            [frame(0x01, b""), frame(0x81, b"")].concat(),
        ];
        for bad in bad {
            let bytes = [&good[..], &bad, &good].concat();
            assert_eq!(heard(&bytes, 5).await, [whole()], "{bad:?}");
        }
    }

    #[tokio::test]
    async fn a_frame_costs_what_came_of_it_and_not_what_it_announces() {
        const MOST: usize = 5 << 20;
        let (mut client, server) = duplex(64 << 10);
        let mut messages = Messages::new(server, MOST);
        let length = u64::try_from(MOST).unwrap().to_be_bytes();
        client.write_all(&[&[0x81, 0xff][..], &length, &[0; 4], b"abc"].concat()).await.unwrap();
        assert!(timeout(Duration::ZERO, messages.next()).await.is_err(), "there is more to come");
        assert_eq!((&messages.message[..], messages.left), (&b"abc"[..], MOST - 3));
        let taken = messages.message.capacity() + messages.from.buffer().len();
        assert!(taken < 1 << 10, "{taken} bytes for three");
        let rest = vec![b' '; MOST - 3];
        let (sent, heard) = tokio::join!(client.write_all(&rest), messages.next());
        sent.unwrap();
        let Ok(Heard::Message(message)) = heard else { panic!("{MOST} bytes are not too many") };
        assert_eq!((message.len(), &message[..4]), (MOST, &b"abc "[..]));
    }
}
