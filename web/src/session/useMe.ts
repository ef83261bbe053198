// Who is signed in, and what they may do: the server decides, the console only leaves out what would be refused.

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { client } from "../api/client";
import { whoami } from "../api/queries";
import { noteSignedIn } from "../api/reauth";

export interface Me {
  /** Of the user in IAM; the bootstrap admin is none. */
  id: string | null;
  name: string;
  /** Signs in with a provider, and so makes the keys for its clients itself. */
  makesOwnKeys: boolean;
  isBootstrap: boolean;
  mode: string;
  version: string;
  locked: boolean;
  may: (right: string) => boolean;
}

/** Only within the shell, where somebody is signed in. */
export function useMe(): Me {
  const { data } = useQuery(whoami);
  const user = data?.user;
  const name = user?.name ?? "";
  return {
    id: user?.id ?? null,
    makesOwnKeys: user?.makes_own_keys ?? false,
    name: name === "$bootstrap" ? "Bootstrap admin" : name,
    isBootstrap: name === "$bootstrap",
    mode: data?.mode ?? "iam",
    version: data?.version ?? "",
    locked: data?.lock_state === "locked",
    may: (right) => user?.rights.includes(right) ?? false,
  };
}

export function useSignOut(): () => Promise<void> {
  const queries = useQueryClient();
  return async () => {
    noteSignedIn(false);
    // Whether or not the server still knew the session, this page forgets what it has read.
    await client.POST("/_/api/admin/logout").catch(() => undefined);
    queries.clear();
    await queries.invalidateQueries();
    window.location.assign("/_/");
  };
}
