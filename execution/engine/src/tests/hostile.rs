use super::fixtures::{Writer, text_bytes, tiny};
use crate::{GgufError, LoadError, LoadOptions, Model};
use proptest::prelude::{ProptestConfig, any, proptest};

fn load(bytes: &[u8]) -> Result<Model, LoadError> {
    Model::from_bytes(bytes, &LoadOptions::default())
}

fn error(change: impl FnOnce(&mut Writer)) -> String {
    let mut writer = tiny(3);
    change(&mut writer);
    load(&writer.bytes()).expect_err("the file is refused").to_string()
}

#[test]
fn i7_every_truncation_is_an_error() {
    let bytes = tiny(3).bytes();
    assert!(load(&bytes).is_ok());
    for length in (0..bytes.len()).step_by(97).chain([4, 8, 16, 24, bytes.len() - 1]) {
        assert!(load(&bytes[..length]).is_err(), "{length} bytes");
    }
    assert!(matches!(load(b"GGML"), Err(LoadError::Gguf(GgufError::NotGguf))));
    let mut other_version = bytes;
    other_version[4] = 9;
    assert!(matches!(load(&other_version), Err(LoadError::Gguf(GgufError::Version(9)))));
}

#[test]
fn i7_huge_counts_are_refused_without_memory_for_them() {
    let huge = u64::MAX.to_le_bytes();
    for (tensors, keys) in [(huge, [0; 8]), ([0; 8], huge), (huge, huge)] {
        let bytes = [b"GGUF\x03\0\0\0".as_slice(), &tensors, &keys].concat();
        assert!(matches!(load(&bytes), Err(LoadError::Gguf(GgufError::Truncated { .. }))));
    }
    let array = |kind: u32| [&kind.to_le_bytes()[..], &huge].concat();
    for kind in [0, 4, 8, 9, 12] {
        let text = error(|writer| writer.set("tokenizer.ggml.tokens", 9, &array(kind)));
        assert!(text.contains("file"), "{text}");
    }
    let text = error(|writer| writer.set("general.name", 8, &huge));
    assert!(text.contains("ends early"), "{text}");
    let nested = [9u32.to_le_bytes().as_slice(), &1u64.to_le_bytes()].concat().repeat(64);
    assert!(error(|writer| writer.set("deep", 9, &nested)).contains("nested"));
    for key in [
        "llama.context_length",
        "llama.embedding_length",
        "llama.block_count",
        "llama.attention.head_count",
    ] {
        let text = error(|writer| writer.set(key, 10, &huge));
        assert!(text.contains(key), "{text}");
    }
}

#[test]
fn i7_tensors_of_wrong_shape_type_or_place_are_refused() {
    let text = error(|writer| writer.tensors[2].1 = vec![64, 63]);
    assert!(text.contains("expected"), "{text}");
    let text = error(|writer| writer.tensors[0].1 = vec![u64::MAX, u64::MAX]);
    assert!(text.contains("token_embd"), "{text}");
    let text = error(|writer| writer.tensors[0].1 = vec![1 << 62, 32]);
    assert!(text.contains("early"), "{text}");
    let text = error(|writer| writer.tensors[0].1 = vec![0, 5]);
    assert!(text.contains("token_embd"), "{text}");
    let text = error(|writer| writer.tensors[0].1 = vec![1; 5]);
    assert!(text.contains("at most 4"), "{text}");
    let text = error(|writer| writer.tensors[4].2 = 2);
    assert!(text.contains("Q4_1"), "{text}");
    let text = error(|writer| drop(writer.tensors.remove(5)));
    assert!(text.contains("missing"), "{text}");
    let text = error(|writer| writer.tensors[5].0 = "blk.0.attn_q.bias".into());
    assert!(text.contains("attn_q.bias"), "{text}");
    let twice = |writer: &mut Writer| writer.tensors.push(writer.tensors[1].clone());
    assert!(error(twice).contains("twice"));
    // an infinite scale
    let text = error(|writer| writer.tensors[0].3[..2].copy_from_slice(&[0, 0x7c]));
    assert!(text.contains("not finite"), "{text}");
    let text = error(|writer| writer.tensors[1].3[..4].copy_from_slice(&f32::NAN.to_le_bytes()));
    assert!(text.contains("not finite"), "{text}");
}

#[test]
fn i7_other_architectures_and_vocabularies_are_refused_by_name() {
    assert!(error(|writer| writer.text("general.architecture", "mamba")).contains("mamba"));
    assert!(
        error(|writer| writer.count("general.architecture", 3)).contains("general.architecture")
    );
    assert!(error(|writer| writer.text("llama.rope.scaling.type", "yarn")).contains("scaling"));
    assert!(error(|writer| writer.count("llama.rope.dimension_count", 8)).contains("rotary"));
    assert!(error(|writer| writer.count("llama.attention.head_count", 3)).contains("heads"));
    assert!(error(|writer| writer.text("tokenizer.ggml.model", "llama")).contains("gpt2"));
    assert!(error(|writer| writer.text("tokenizer.ggml.pre", "qwen2")).contains("qwen2"));
    assert!(
        error(|writer| writer.array("tokenizer.ggml.merges", 8, &[text_bytes("xyz")]))
            .contains("merge")
    );
    assert!(
        error(|writer| writer.array("tokenizer.ggml.merges", 8, &[text_bytes("zq zq")]))
            .contains("inconsistent")
    );
    assert!(
        error(|writer| writer.array("tokenizer.ggml.token_type", 5, &[])).contains("token types")
    );
    assert!(error(|writer| writer.metadata.clear()).contains("must be present"));
    assert!(
        error(|writer| writer.set("general.name", 8, &[2, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe]))
            .contains("UTF-8")
    );
    assert!(error(|writer| writer.set("general.name", 77, &[])).contains("77"));
    let missing = Model::load(std::path::Path::new("/nonexistent.gguf"), &LoadOptions::default());
    assert!(missing.unwrap_err().to_string().contains("/nonexistent.gguf"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Loading may succeed or fail; it must not panic.
    #[test]
    fn i7_flipped_bytes_never_panic(place in 0usize..9_000, value in any::<u8>(), code in 0usize..3) {
        let mut bytes = tiny([0, 3, 8][code]).bytes();
        let place = place % bytes.len();
        bytes[place] = value;
        drop(load(&bytes));
    }
}
