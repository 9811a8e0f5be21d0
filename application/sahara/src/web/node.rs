//! The page's way to the node: through the gateway's port, so that a page needs one address and its
//! policy names no other. Only what reads, estimates or sends what is signed already.

use super::{Web, refuse};
use axum::{
    Json,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use sahara_client::{ClientError, RpcError};
use sahara_gateway::PageCall;
use serde_json::{Value, json};
use std::sync::Arc;

pub(super) async fn forward(State(web): State<Arc<Web>>, body: Bytes) -> Response {
    let Ok(call) = serde_json::from_slice::<PageCall>(&body) else {
        return refuse(StatusCode::BAD_REQUEST, "malformed", "expected one JSON-RPC request");
    };
    let answer = |key: &str, value: Value| {
        let body = json!({ "jsonrpc": "2.0", "id": &call.id, key: value });
        ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
    };
    if !call.is_for_pages() {
        let message = format!("{} is not for pages", call.method);
        return answer("error", json!({ "code": -32601, "message": message }));
    }
    match web.client.request::<Value>(&call.method, &call.params).await {
        Ok(result) => answer("result", result),
        Err(ClientError::Rpc(RpcError { code, message, data })) => {
            answer("error", json!({ "code": code, "message": message, "data": data }))
        }
        Err(ClientError::Reverted(revert)) => {
            let message = revert.to_string();
            answer("error", json!({ "code": 3, "message": message, "data": revert.data }))
        }
        Err(error) => answer("error", json!({ "code": -32603, "message": error.to_string() })),
    }
}
