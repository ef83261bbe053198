// A mapping rule as a sentence.

import { Link } from "@tanstack/react-router";
import type { AuthProvider, Group, MappingRule } from "../../../api/types";
import { condition } from "./words";

/** What rules name by id. */
export interface Known {
  groups: readonly Group[];
  providers: readonly AuthProvider[];
}

export function Says({ rule, known }: { rule: MappingRule; known: Known }) {
  const group = known.groups.find((each) => each.id === rule.group_id);
  const provider = known.providers.find((each) => each.id === rule.provider_id);
  return (
    <>
      {rule.provider_id === null
        ? "Everybody"
        : `Everybody from ${provider?.display_name ?? provider?.name ?? "a provider that is gone"}`}{" "}
      {condition(rule)} <code>{rule.match_value}</code> is in{" "}
      <Link to="/access/groups/$groupId" params={{ groupId: rule.group_id }}>
        {group?.name ?? rule.group_id}
      </Link>
      .
    </>
  );
}
