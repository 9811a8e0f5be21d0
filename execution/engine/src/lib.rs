//! Deterministic integer language-model inference: the same bits on any machine, thread count and batch.
