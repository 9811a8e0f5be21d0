//! Jobs, workers, the meter and receipts; engines behind one trait.
