//! HTTP for strangers: the OpenAI-compatible API, payment and receipts.
