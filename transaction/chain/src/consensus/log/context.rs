//! A runtime whose files are others.

use std::{
    fmt::Display,
    ops::RangeInclusive,
    time::{Duration, SystemTime},
};

use commonware_runtime::{
    BlobVersion, Clock, Error, Handle, Metrics, Name, Spawner, Storage, Supervisor,
    signal::Signal,
    telemetry::metrics::{Metric, Registered},
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand_core::{TryCryptoRng, TryRng};

/// Files that several parts of a program share.
pub(in crate::consensus) trait Shareable:
    Clone + Send + Sync + 'static
{
}

impl<F: Clone + Send + Sync + 'static> Shareable for F {}

/// The runtime `E` with the files of `F`.
pub(in crate::consensus) struct WithFiles<E, F> {
    inner: E,
    files: F,
}

impl<E, F> WithFiles<E, F> {
    pub(in crate::consensus) const fn new(inner: E, files: F) -> Self {
        Self { inner, files }
    }
}

impl<E: Send + Sync + 'static, F: Storage> Storage for WithFiles<E, F> {
    type Blob = F::Blob;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(F::Blob, u64, BlobVersion), Error> {
        self.files.open_versioned(partition, name, versions).await
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.files.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.files.scan(partition).await
    }
}

impl<E: Supervisor, F: Shareable> Supervisor for WithFiles<E, F> {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        Self { inner: self.inner.child(label), files: self.files.clone() }
    }

    fn with_attribute(self, key: &'static str, value: impl Display) -> Self {
        Self { inner: self.inner.with_attribute(key, value), ..self }
    }
}

impl<E: Spawner, F: Shareable> Spawner for WithFiles<E, F> {
    fn shared(self, blocking: bool) -> Self {
        Self { inner: self.inner.shared(blocking), ..self }
    }

    fn dedicated(self) -> Self {
        Self { inner: self.inner.dedicated(), ..self }
    }

    fn spawn<W, Fut, T>(self, work: W) -> Handle<T>
    where
        W: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let files = self.files;
        self.inner.spawn(move |inner| work(Self { inner, files }))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.inner.stopped()
    }
}

impl<E: Clock, F: Shareable> Clock for WithFiles<E, F> {
    fn current(&self) -> SystemTime {
        self.inner.current()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<E, F> {
        self.inner.sleep(duration)
    }

    fn sleep_until(
        &self,
        deadline: SystemTime,
    ) -> impl Future<Output = ()> + Send + 'static + use<E, F> {
        self.inner.sleep_until(deadline)
    }
}

impl<E: Clock, F: Shareable> GovernorClock for WithFiles<E, F> {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl<E: Clock, F: Shareable> ReasonablyRealtime for WithFiles<E, F> {}

impl<E: Metrics, F: Shareable> Metrics for WithFiles<E, F> {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl<E: TryRng, F: Shareable> TryRng for WithFiles<E, F> {
    type Error = E::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, destination: &mut [u8]) -> Result<(), Self::Error> {
        self.inner.try_fill_bytes(destination)
    }
}

impl<E: TryCryptoRng, F: Shareable> TryCryptoRng for WithFiles<E, F> {}
