//! The native protocols' rules: coin, assets, royalties, channels, workers; knows no EVM.
