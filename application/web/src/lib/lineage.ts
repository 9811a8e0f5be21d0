/** Which relations hold between an asset and what it was made from: the table of `specs/0004-assets.md`, which a test reads. */

/** In the protocol's order: an edge names its relation by its place. */
export const RELATIONS = ["TRAINED_ON", "FINETUNED_FROM", "EMBEDS", "DERIVED_FROM", "EVALUATED_ON", "LABELLED_BY", "VERSION_OF", "GENERATED_BY", "TRAINED_WITH"] as const;
export type Relation = (typeof RELATIONS)[number];

const PARAMETERS = ["model", "checkpoint", "adapter"];
const ACTING = ["agent", "pipeline", "inference_task"];
/** Kinds of the child, and of the parent; nothing: any. */
const TABLE: Record<Exclude<Relation, "DERIVED_FROM" | "VERSION_OF">, [child: string[], parent: string[]]> = {
  TRAINED_ON: [PARAMETERS, ["dataset", "usage_log"]],
  FINETUNED_FROM: [PARAMETERS, PARAMETERS],
  EMBEDS: [ACTING, []],
  EVALUATED_ON: [[...PARAMETERS, ...ACTING], ["dataset"]],
  LABELLED_BY: [["dataset"], [...PARAMETERS, ...ACTING]],
  GENERATED_BY: [["dataset", "recipe"], [...PARAMETERS, ...ACTING]],
  TRAINED_WITH: [PARAMETERS, ["recipe", "pipeline"]],
};
/** Which of those that fit is meant, if nobody says. */
const USUAL: Relation[] = ["TRAINED_ON", "FINETUNED_FROM", "EMBEDS", "TRAINED_WITH", "GENERATED_BY", "DERIVED_FROM", "LABELLED_BY", "EVALUATED_ON"];

export function fits(relation: Relation, child: string, parent: string): boolean {
  if (relation === "DERIVED_FROM" || relation === "VERSION_OF") return child === parent;
  const [children, parents] = TABLE[relation];
  return children.includes(child) && (parents.length === 0 || parents.includes(parent));
}

/** The place of the usual relation; none when nothing of this kind is made from that. */
export function usual(child: string, parent: string): number | undefined {
  const found = USUAL.find((one) => fits(one, child, parent));
  return found && RELATIONS.indexOf(found);
}
