//! Which relation may stand between which kinds: the one table (`specs/0004-assets.md` shows it, a test
//! holds them equal).

use sahara_abi::IAssets::{Kind, Relation};

/// A relation: which kinds it joins, and whether the parent takes part in the child's income.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What the edge says.
    pub relation: Relation,
    /// Kinds that may say it.
    pub children: &'static [Kind],
    /// Of what they may say it.
    pub parents: Parents,
    /// Whether the parent and its ancestors have rows in the child's table.
    pub carries_income: bool,
}

/// Kinds of parents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parents {
    /// These.
    Of(&'static [Kind]),
    /// The child's own.
    Same,
}

/// Every kind, in wire order.
pub const KINDS: &[Kind] = &[
    Kind::Dataset,
    Kind::Model,
    Kind::Agent,
    Kind::Pipeline,
    Kind::Checkpoint,
    Kind::Adapter,
    Kind::Recipe,
    Kind::InferenceTask,
    Kind::UsageLog,
];

/// What has weights.
const WEIGHTS: &[Kind] = &[Kind::Model, Kind::Checkpoint, Kind::Adapter];

/// What works on input and gives output.
const WORKING: &[Kind] = &[
    Kind::Model,
    Kind::Checkpoint,
    Kind::Adapter,
    Kind::Agent,
    Kind::Pipeline,
    Kind::InferenceTask,
];

const fn paid(relation: Relation, children: &'static [Kind], parents: Parents) -> Rule {
    Rule { relation, children, parents, carries_income: true }
}

/// The table, in wire order.
pub const RULES: &[Rule] = &[
    paid(Relation::TrainedOn, WEIGHTS, Parents::Of(&[Kind::Dataset, Kind::UsageLog])),
    paid(Relation::FinetunedFrom, WEIGHTS, Parents::Of(WEIGHTS)),
    paid(Relation::Embeds, &[Kind::Agent, Kind::Pipeline, Kind::InferenceTask], Parents::Of(KINDS)),
    paid(Relation::DerivedFrom, KINDS, Parents::Same),
    // To be measured on something is to be judged by it, not to contain it.
    Rule {
        relation: Relation::EvaluatedOn,
        children: WORKING,
        parents: Parents::Of(&[Kind::Dataset]),
        carries_income: false,
    },
    paid(Relation::LabelledBy, &[Kind::Dataset], Parents::Of(WORKING)),
    paid(Relation::VersionOf, KINDS, Parents::Same),
    paid(Relation::GeneratedBy, &[Kind::Dataset, Kind::Recipe], Parents::Of(WORKING)),
    paid(Relation::TrainedWith, WEIGHTS, Parents::Of(&[Kind::Recipe, Kind::Pipeline])),
    paid(
        Relation::Records,
        &[Kind::UsageLog],
        Parents::Of(&[
            Kind::Dataset,
            Kind::Model,
            Kind::Agent,
            Kind::Pipeline,
            Kind::Checkpoint,
            Kind::Adapter,
            Kind::Recipe,
            Kind::InferenceTask,
        ]),
    ),
];

/// The rule of a relation; none for a number that is no relation.
pub fn rule(relation: Relation) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.relation == relation)
}

impl Rule {
    /// Whether the relation makes sense between these kinds.
    pub fn holds(&self, child: Kind, parent: Kind) -> bool {
        let is_parent = match self.parents {
            Parents::Of(kinds) => kinds.contains(&parent),
            Parents::Same => child == parent,
        };
        is_parent && self.children.contains(&child)
    }
}
