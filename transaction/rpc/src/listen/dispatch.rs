//! The methods, called by one `WebSocket`.

use alloy_primitives::hex;
use jsonrpsee::{
    BoundedSubscriptions, ConnectionId, MethodCallback, MethodResponse, MethodSink, Methods,
    SubscriptionState,
    core::{
        middleware::{Batch, Notification, RpcServiceT},
        traits::IdProvider,
    },
    types::{
        ErrorCode, ErrorObject, Params, Request as Call, SubscriptionId,
        error::reject_too_many_subscriptions,
    },
};
use std::future::ready;

/// The methods as one WebSocket calls them, and subscribes.
#[derive(Clone, Debug)]
pub(crate) struct Dispatch {
    pub(super) methods: Methods,
    pub(super) connection: ConnectionId,
    /// Bytes of the longest answer.
    pub(super) longest: usize,
    pub(super) subscriptions: BoundedSubscriptions,
    /// Takes notices.
    pub(super) sink: MethodSink,
}

impl Dispatch {
    async fn respond(self, call: Call<'_>) -> MethodResponse {
        let Call { id, method, params, extensions, .. } = call;
        let (connection, longest) = (self.connection, self.longest);
        let params = Params::new(params.as_deref().map(|text| text.get()));
        match self.methods.method(&method) {
            None => MethodResponse::error(id, ErrorObject::from(ErrorCode::MethodNotFound))
                .with_extensions(extensions),
            Some(MethodCallback::Sync(method)) => method(id, params, longest, extensions),
            Some(MethodCallback::Async(method)) => {
                let (id, params) = (id.into_owned(), params.into_owned());
                method(id, params, connection, longest, extensions).await
            }
            Some(MethodCallback::Subscription(method)) => {
                let Some(subscription_permit) = self.subscriptions.acquire() else {
                    let error = reject_too_many_subscriptions(self.subscriptions.max());
                    return MethodResponse::error(id, error).with_extensions(extensions);
                };
                let id_provider = &RandomIds;
                let state =
                    SubscriptionState { conn_id: connection, id_provider, subscription_permit };
                let response = method(id, params, self.sink.clone(), state, extensions);
                response.await
            }
            Some(MethodCallback::Unsubscription(method)) => {
                method(id, params, connection, longest, extensions)
            }
        }
    }
}

impl RpcServiceT for Dispatch {
    type MethodResponse = MethodResponse;
    type NotificationResponse = MethodResponse;
    /// What stands around it takes batches apart.
    type BatchResponse = ();

    fn call<'a>(&self, call: Call<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        self.clone().respond(call)
    }

    fn batch<'a>(&self, _: Batch<'a>) -> impl Future<Output = ()> + Send + 'a {
        ready(())
    }

    fn notification<'a>(
        &self,
        notice: Notification<'a>,
    ) -> impl Future<Output = MethodResponse> + Send + 'a {
        ready(MethodResponse::notification().with_extensions(notice.extensions))
    }
}

/// Subscription ids as clients expect them: hexadecimal text, drawn at random.
#[derive(Clone, Copy, Debug)]
struct RandomIds;

impl IdProvider for RandomIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        SubscriptionId::Str(hex::encode_prefixed(rand::random::<[u8; 16]>()).into())
    }
}
