//! A client that does not read.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

/// What a client must take within its time once an answer waits for it, in bytes.
const TAKEN: usize = 64 << 10;

/// A stream whose peer has to read: from when a write waits, it has so long to take [`TAKEN`] bytes or all
/// that there is; else writing fails. Silence when there is nothing to read costs nothing.
#[derive(Debug)]
pub struct ReadInTime<S> {
    stream: S,
    patience: Duration,
    /// Since a write waits: the end of patience, and what the peer took meanwhile.
    waits: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> ReadInTime<S> {
    /// A stream whose peer has so much time.
    pub const fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, waits: None }
    }

    fn wrote(
        &mut self,
        context: &mut Context<'_>,
        outcome: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Ready(Ok(bytes)) => {
                if let Some((_, taken)) = &mut self.waits {
                    *taken = taken.saturating_add(bytes);
                    if *taken >= TAKEN {
                        self.waits = None;
                    }
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let patience = self.patience;
                let (end, _) = self
                    .waits
                    .get_or_insert_with(|| (Box::pin(sleep_until(Instant::now() + patience)), 0));
                end.as_mut().poll(context).map(|()| {
                    Err(io::Error::new(io::ErrorKind::TimedOut, "the client does not read"))
                })
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for ReadInTime<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for ReadInTime<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(context, parts);
        self.wrote(context, outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        if flushed.is_ready() {
            // Everything that there was is on its way.
            self.waits = None;
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::ReadInTime;
    use std::{io::ErrorKind, time::Duration};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _, duplex, split},
        time::{Instant, sleep_until},
    };

    #[tokio::test]
    async fn who_reads_nothing_or_next_to_nothing_is_given_up() {
        let patience = Duration::from_millis(300);
        for drip in [0, 100] {
            let (client, server) = duplex(4_096);
            let (mut from, _to) = split(client);
            let reading = tokio::spawn(async move {
                let mut some = vec![0; drip];
                while from.read_exact(&mut some).await.is_ok() {
                    sleep_until(Instant::now() + Duration::from_millis(10)).await;
                }
            });
            let start = Instant::now();
            let mut server = ReadInTime::new(server, patience);
            let error = server.write_all(&vec![7; 1 << 20]).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut, "{drip} bytes at a time");
            assert!(start.elapsed() >= patience, "{drip} bytes at a time: {:?}", start.elapsed());
            reading.abort();
        }
    }

    #[tokio::test]
    async fn who_reads_slowly_or_comes_back_late_is_served() {
        let patience = Duration::from_secs(1);
        let (client, server) = duplex(4_096);
        let (mut from, _to) = split(client);
        let reading = tokio::spawn(async move {
            let mut some = vec![0; 4_096];
            let mut all = 0;
            while let Ok(count @ 1..) = from.read(&mut some).await {
                all += count;
                sleep_until(Instant::now() + Duration::from_millis(10)).await;
            }
            all
        });
        let start = Instant::now();
        let mut server = ReadInTime::new(server, patience);
        server.write_all(&vec![7; 1 << 19]).await.unwrap();
        server.flush().await.unwrap();
        assert!(start.elapsed() > patience, "longer than its patience, never long at a time");
        // Nothing was there to read for a while: that is nobody's fault.
        sleep_until(Instant::now() + patience * 2).await;
        server.write_all(&vec![7; 10_000]).await.unwrap();
        server.flush().await.unwrap();
        drop(server);
        assert_eq!(reading.await.unwrap(), (1 << 19) + 10_000);
    }
}
