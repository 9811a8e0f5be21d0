//! The server: one port for HTTP and WebSocket, its limits, and whom it answers.

use crate::{
    debug::{Debug, DebugApiServer},
    eth::{
        Calls, CallsApiServer, Chain, ChainApiServer, Config, ConfigApiServer, Fees, FeesApiServer,
        Filters, FiltersApiServer, Proofs, ProofsApiServer, Simulate, SimulateApiServer, State,
        StateApiServer, Submit, SubmitApiServer, Subscribe, SubscribeApiServer,
    },
    listen::{Limits, Patience, Sockets, Terms, Unhurried, Unread, serve},
    measure::{Measure, note_trace},
    net::{Net, NetApiServer},
    node::Node,
    sahara::{Sahara, SaharaApiServer},
    txpool::{Txpool, TxpoolApiServer},
};
use axum::body::{Body, to_bytes};
use hyper::{Request, header::CONTENT_TYPE};
use jsonrpsee::{
    ConnectionId, Methods, RpcModule,
    core::RegisterMethodError,
    server::{
        BatchRequestConfig, ConnectionGuard, ConnectionState, HttpBody, Server, ServerConfig,
        ServerHandle,
        http::call_with_service_builder,
        middleware::{http::HostFilterLayer, rpc::RpcServiceBuilder},
        stop_channel,
    },
};
use std::{collections::BTreeSet, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;
use tower::ServiceBuilder;
use tower_http::cors::{Any, CorsLayer};

/// Names under which a machine reaches itself. A page elsewhere can make a browser resolve its own
/// name to this machine (DNS rebinding), but not make it say one of these.
const LOOPBACK_HOSTS: [&str; 3] = ["localhost:*", "127.0.0.1:*", "[::1]:*"];

/// Where the server listens and what it accepts.
#[derive(Clone, Debug)]
pub struct RpcSettings {
    /// Address and port; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Names in the `Host` header that are answered beside the loopback's, with port, as
    /// `node.example:8545`; `*` for any port. Matters while `listen` is a loopback address, which web
    /// pages of strangers could else reach under names of their own (DNS rebinding).
    pub hosts: Vec<String>,
    /// The longest request: 5 MiB hold a batch of 20,000 transfers.
    pub max_request_bytes: u32,
    /// The longest answer.
    pub max_response_bytes: u32,
    /// The most requests in a batch.
    pub max_batch: u32,
    /// The most connections at once.
    pub max_connections: u32,
    /// The most bytes of answers that clients have not read yet, of all together; one client may have
    /// a quarter of it. Beyond it each connection may still leave one MiB.
    pub max_unread_bytes: usize,
    /// The most subscriptions of one connection.
    pub max_subscriptions: u32,
    /// The most that all subscriptions hold: 32 units each, and one for each address and topic; one
    /// client's may hold a quarter of it. A unit is about 64 bytes.
    pub max_subscribed: usize,
    /// How long a request's head may take to arrive, and how long a connection may be silent
    /// between requests.
    pub head_patience: Duration,
    /// How long a request's body may take to arrive.
    pub body_patience: Duration,
    /// How long a filter may go unread before it is gone.
    pub filter_life: Duration,
}

impl RpcSettings {
    /// The defaults for an address.
    #[must_use]
    pub const fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            hosts: Vec::new(),
            max_request_bytes: 5 << 20,
            max_response_bytes: 64 << 20,
            max_batch: 1_000,
            max_connections: 1_000,
            max_unread_bytes: 512 << 20,
            max_subscriptions: 1_024,
            max_subscribed: 1 << 18,
            head_patience: Duration::from_secs(30),
            body_patience: Duration::from_secs(30),
            filter_life: Duration::from_secs(300),
        }
    }
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The port is taken, or the address is not this machine's.
    #[error("cannot listen on {address}: {error}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        error: std::io::Error,
    },
    /// A name in [`RpcSettings::hosts`] is none.
    #[error("a name in the allowed hosts is not a host with port: {0}")]
    Host(String),
    /// Two methods have one name.
    #[error(transparent)]
    Methods(#[from] RegisterMethodError),
}

/// A running server. Dropping it stops the server.
#[derive(Clone, Debug)]
pub struct RpcServer {
    address: SocketAddr,
    handle: ServerHandle,
}

impl RpcServer {
    /// Starts answering for a node.
    ///
    /// # Errors
    /// See [`ServerError`].
    pub async fn start(node: Node, settings: RpcSettings) -> Result<Self, ServerError> {
        let failed = |error| ServerError::Listen { address: settings.listen, error };
        let hosts = LOOPBACK_HOSTS.into_iter().chain(settings.hosts.iter().map(String::as_str));
        let cors = CorsLayer::new().allow_origin(Any).allow_methods(Any).allow_headers(Any);
        let hosts = if settings.listen.ip().is_loopback() {
            HostFilterLayer::new(hosts).map_err(|error| ServerError::Host(error.to_string()))?
        } else {
            // Open to a network on purpose: under which names it is known there is not ours to say.
            HostFilterLayer::disable()
        };
        let http =
            ServiceBuilder::new().layer(hosts).layer(cors).map_request(note_trace::<Unhurried>);
        let methods = methods(node.clone(), &settings)?;
        let measure = Measure::new(node.metrics(), methods.method_names());
        let services = Server::builder().set_config(configuration(&settings)).to_service_builder();
        let listener = TcpListener::bind(settings.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, handle) = stop_channel();
        let patience = Patience {
            head: settings.head_patience,
            body: settings.body_patience,
            answer: settings.body_patience,
            connections: settings.max_connections,
            bytes: Limits {
                unread: settings.max_unread_bytes,
                answer: usize::try_from(settings.max_response_bytes).unwrap_or(usize::MAX),
            },
        };
        let (connections, terms) = (stop.clone(), terms(&settings));
        let service = move |number: u32, unread: Unread| {
            let layers = RpcServiceBuilder::new().layer(measure.clone()).layer(unread.clone());
            let posts = services.clone().set_rpc_middleware(layers.clone()).connection_id(number);
            http.service(Sockets {
                others: posts.build(methods.clone(), connections.clone()),
                layers,
                methods: methods.clone(),
                connection: ConnectionId::from(number),
                unread,
                terms,
                stop: connections.clone(),
            })
        };
        drop(tokio::spawn(serve(listener, patience, stop, service)));
        Ok(Self { address, handle })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting; open requests are finished.
    pub fn stop(&self) {
        if self.handle.stop().is_err() {
            tracing::debug!("the server had stopped before");
        }
    }

    /// Returns when the server has stopped.
    pub async fn stopped(self) {
        self.handle.stopped().await;
    }
}

/// A node's methods without a port: what the text of a request is answered with. For who has bytes and
/// no network, as fuzzers.
#[derive(Clone, Debug)]
pub struct Requests {
    methods: Methods,
    configuration: ServerConfig,
}

impl Requests {
    /// Those of a node; of `settings` matters what requests, answers, batches and filters are bounded by.
    ///
    /// # Errors
    /// [`ServerError::Methods`].
    pub fn new(node: Node, settings: &RpcSettings) -> Result<Self, ServerError> {
        Ok(Self { methods: methods(node, settings)?, configuration: configuration(settings) })
    }

    /// The answer to one request; none when the text is no request.
    pub async fn answer(&self, request: &str) -> Option<String> {
        let (answer, _notices) = self.methods.raw_json_request(request, 1).await.ok()?;
        Some(answer.get().to_owned())
    }

    /// What the server answers to a `POST` of this body, which may be a batch: an array, one error, or
    /// `null` where nobody waits for an answer. None if it gives no text.
    pub async fn posted(&self, body: &str) -> Option<String> {
        let (stop, _handle) = stop_channel();
        let connection = ConnectionState::new(stop, 0, ConnectionGuard::new(1).try_acquire()?);
        let request = Request::post("/").header(CONTENT_TYPE, "application/json");
        let request = request.body(HttpBody::from(body.to_owned())).ok()?;
        let (configuration, methods) = (self.configuration.clone(), self.methods.clone());
        let plain = RpcServiceBuilder::new();
        let answer =
            call_with_service_builder(request, configuration, connection, methods, plain).await;
        let text = to_bytes(Body::new(answer.into_body()), usize::MAX).await.ok()?;
        String::from_utf8(text.into()).ok()
    }
}

/// What is served but for a `WebSocket`, for which [`terms`] hold.
fn configuration(settings: &RpcSettings) -> ServerConfig {
    ServerConfig::builder()
        .http_only()
        .max_request_body_size(settings.max_request_bytes)
        .max_response_body_size(settings.max_response_bytes)
        .max_connections(settings.max_connections)
        .set_batch_request_config(BatchRequestConfig::Limit(settings.max_batch))
        .build()
}

fn terms(settings: &RpcSettings) -> Terms {
    Terms {
        request: settings.max_request_bytes,
        answer: usize::try_from(settings.max_response_bytes).unwrap_or(usize::MAX),
        batch: usize::try_from(settings.max_batch).unwrap_or(usize::MAX),
        subscriptions: settings.max_subscriptions,
    }
}

/// Every method served.
fn methods(node: Node, settings: &RpcSettings) -> Result<Methods, RegisterMethodError> {
    let mut module = RpcModule::new(());
    module.merge(Chain(node.clone()).into_rpc())?;
    module.merge(State(node.clone()).into_rpc())?;
    module.merge(Proofs(node.clone()).into_rpc())?;
    module.merge(Calls(node.clone()).into_rpc())?;
    module.merge(Simulate(node.clone()).into_rpc())?;
    module.merge(Fees(node.clone()).into_rpc())?;
    module.merge(Submit(node.clone()).into_rpc())?;
    module.merge(Filters::new(node.clone(), settings.filter_life).into_rpc())?;
    module.merge(Subscribe::new(node.clone(), settings.max_subscribed).into_rpc())?;
    module.merge(Config(node.clone()).into_rpc())?;
    module.merge(Txpool(node.clone()).into_rpc())?;
    module.merge(Debug(node.clone()).into_rpc())?;
    module.merge(Sahara(node.clone()).into_rpc())?;
    let namespaces: BTreeSet<String> = module
        .method_names()
        .filter_map(|name| name.split_once('_'))
        .map(|(namespace, _)| namespace.to_owned())
        .chain(["net", "web3", "rpc"].map(str::to_owned))
        .collect();
    module.merge(Net { node, namespaces: namespaces.into_iter().collect() }.into_rpc())?;
    Ok(module.into())
}
