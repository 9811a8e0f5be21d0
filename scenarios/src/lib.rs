//! Whole-economy tests: each file a chapter, on real processes and the real model.
