//! The words for kinds and relations, as they are typed and shown.

use sahara_abi::IAssets::{Kind, Relation};

/// Every kind.
pub(crate) const KINDS: &[(&str, Kind)] = &[
    ("dataset", Kind::Dataset),
    ("model", Kind::Model),
    ("agent", Kind::Agent),
    ("pipeline", Kind::Pipeline),
    ("checkpoint", Kind::Checkpoint),
    ("adapter", Kind::Adapter),
    ("recipe", Kind::Recipe),
    ("inference-task", Kind::InferenceTask),
    ("usage-log", Kind::UsageLog),
];

/// Every relation of a child to its parent.
pub(crate) const RELATIONS: &[(&str, Relation)] = &[
    ("trained-on", Relation::TrainedOn),
    ("finetuned-from", Relation::FinetunedFrom),
    ("embeds", Relation::Embeds),
    ("derived-from", Relation::DerivedFrom),
    ("evaluated-on", Relation::EvaluatedOn),
    ("labelled-by", Relation::LabelledBy),
    ("version-of", Relation::VersionOf),
    ("generated-by", Relation::GeneratedBy),
    ("trained-with", Relation::TrainedWith),
    ("records", Relation::Records),
];

/// What a word stands for.
pub(crate) fn value<T: Copy>(table: &[(&str, T)], word: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == word).map(|(_, value)| *value)
}

/// The word for a value; values that this program does not know yet are `unknown`.
pub(crate) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("unknown", |(word, _)| word)
}

/// A relation as the registry writes it: `TRAINED_ON`.
pub(crate) fn relation(relation: Relation) -> String {
    word(RELATIONS, &relation).to_uppercase().replace('-', "_")
}

/// All words of a table, for a refusal.
pub(crate) fn all<T>(table: &[(&str, T)]) -> String {
    table.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::{KINDS, RELATIONS, relation, value, word};
    use sahara_abi::IAssets::{Kind, Relation};

    /// Values the interface knows, in order.
    fn known<T: TryFrom<u8>>() -> Vec<T> {
        (0..=u8::MAX).map_while(|number| T::try_from(number).ok()).collect()
    }

    #[test]
    fn every_kind_and_relation_of_the_interface_has_a_word() {
        let kinds: Vec<_> = KINDS.iter().map(|(_, kind)| *kind).collect();
        let relations: Vec<_> = RELATIONS.iter().map(|(_, relation)| *relation).collect();
        assert_eq!(
            known::<Kind>().into_iter().filter(|k| *k != Kind::__Invalid).collect::<Vec<_>>(),
            kinds
        );
        assert_eq!(
            known::<Relation>()
                .into_iter()
                .filter(|r| *r != Relation::__Invalid)
                .collect::<Vec<_>>(),
            relations
        );
    }

    #[test]
    fn words_are_read_and_shown() {
        assert_eq!(value(KINDS, "usage-log"), Some(Kind::UsageLog));
        assert_eq!(value(KINDS, "Usage-log"), None);
        assert_eq!(word(KINDS, &Kind::Adapter), "adapter");
        assert_eq!(relation(Relation::TrainedOn), "TRAINED_ON");
    }
}
