//! When to stop: a signal, or — for a child of `sahara up` — a parent that is gone.

use std::io::Read;

/// Resolves on Ctrl-C or SIGTERM, and with `follow_parent` when standard input ends.
pub(crate) async fn asked(follow_parent: bool) {
    let interrupt = tokio::signal::ctrl_c();
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    let orphaned = async {
        if !follow_parent {
            std::future::pending::<()>().await;
        }
        let (gone, parent) = tokio::sync::oneshot::channel::<()>();
        // A thread that nobody waits for: a node that breaks ends while its parent lives.
        std::thread::spawn(move || {
            let (mut input, mut byte) = (std::io::stdin().lock(), [0]);
            while matches!(input.read(&mut byte), Ok(read) if read > 0) {}
            drop(gone);
        });
        drop(parent.await);
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate => {}
        () = orphaned => {}
    }
}
