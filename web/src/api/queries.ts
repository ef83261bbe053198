// What rooms read: each resource once, by one key.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answered, client, data } from "./client";
import { Problem } from "./problem";
import { askToSignIn, isSignedIn } from "./reauth";

const SIGNED_OUT = { status: 401, code: "unauthenticated", title: "Signed out", detail: "Your session has ended." };

export const whoami = queryOptions({
  queryKey: ["whoami"],
  queryFn: async ({ signal }) => {
    const ask = () => data(client.GET("/_/api/whoami", { signal }));
    const answer = await ask();
    // This call is public: nobody is an answer, and no 401. A page that is open keeps its forms and asks in place.
    if (answer.user != null || !isSignedIn()) return answer;
    if (!(await askToSignIn("ended"))) throw new Problem(SIGNED_OUT);
    return ask();
  },
  staleTime: 30_000,
});

export const health = queryOptions({
  queryKey: ["health"],
  queryFn: ({ signal }) => data(client.GET("/_/health", { signal })),
  refetchInterval: 15_000,
});

/** 503 is an answer here too: it names the part that is not ready. */
export const ready = queryOptions({
  queryKey: ["ready"],
  queryFn: async ({ signal }) => {
    const answer = await client.GET("/_/ready", { signal });
    if (answer.data) return answer.data;
    if (answer.response.status === 503 && "ready" in answer.error) return answer.error;
    return data(Promise.resolve(answer));
  },
  refetchInterval: 15_000,
});

export const status = queryOptions({
  queryKey: ["status"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/status", { signal })),
  refetchInterval: 15_000,
});

export const users = queryOptions({
  queryKey: ["users"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/users", { signal })),
});

/** A user with the version of the state that it was read at. */
export const user = (id: string) =>
  queryOptions({
    queryKey: ["users", id],
    queryFn: ({ signal }) => answered(client.GET("/_/api/admin/users/{id}", { params: { path: { id } }, signal })),
  });

export const groups = queryOptions({
  queryKey: ["groups"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/groups", { signal })),
});

/** A group with the version of the state that it was read at. */
export const group = (id: string) =>
  queryOptions({
    queryKey: ["groups", id],
    queryFn: ({ signal }) => answered(client.GET("/_/api/admin/groups/{id}", { params: { path: { id } }, signal })),
  });

export const tokens = queryOptions({
  queryKey: ["tokens"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/tokens", { signal })),
});

export const providers = queryOptions({
  queryKey: ["providers"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/ext-auth/providers", { signal })),
});

/** A provider with the version of the state that it was read at. */
export const provider = (id: string) =>
  queryOptions({
    queryKey: ["providers", id],
    queryFn: ({ signal }) =>
      answered(client.GET("/_/api/admin/ext-auth/providers/{id}", { params: { path: { id } }, signal })),
  });

export const mappings = queryOptions({
  queryKey: ["mappings"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/ext-auth/mappings", { signal })),
});

export const identities = queryOptions({
  queryKey: ["identities"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/ext-auth/identities", { signal })),
});

/** The shipped roles are part of the server's version. */
export const policies = queryOptions({
  queryKey: ["policies"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/policies", { signal })),
  staleTime: Infinity,
});

export const sessions = queryOptions({
  queryKey: ["sessions"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/sessions", { signal })),
});

export const ownKeys = queryOptions({
  queryKey: ["me", "keys"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/me/keys", { signal })),
});

export const ownSessions = queryOptions({
  queryKey: ["me", "sessions"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/me/sessions", { signal })),
});

export const backends = queryOptions({
  queryKey: ["backends"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/backends", { signal })),
  refetchInterval: 30_000,
});

export const buckets = queryOptions({
  queryKey: ["buckets"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/buckets", { signal })),
  // What is being counted is known soon.
  refetchInterval: ({ state }) => (state.data?.some((each) => each.usage === null) ? 3_000 : 30_000),
});

/** A bucket with the version of the state that it was read at. */
export const bucket = (name: string) =>
  queryOptions({
    queryKey: ["buckets", name],
    queryFn: ({ signal }) =>
      answered(client.GET("/_/api/admin/buckets/{name}", { params: { path: { name } }, signal })),
    refetchInterval: ({ state }) => (state.data?.data.usage === null ? 3_000 : false),
  });

/** The buckets in which whoever is signed in may list something. */
export const ownBuckets = queryOptions({
  queryKey: ["me", "buckets"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/me/buckets", { signal })),
});

const FOLDER_PAGE = 200;

/** What lies directly below a prefix, page by page. */
export const folderPages = (bucket: string, prefix: string) =>
  infiniteQueryOptions({
    queryKey: ["objects", bucket, prefix] as const,
    queryFn: ({ signal, pageParam }) =>
      data(
        client.GET("/_/api/admin/buckets/{name}/objects", {
          params: {
            path: { name: bucket },
            query: { prefix, delimiter: "/", limit: FOLDER_PAGE, ...(pageParam === null ? {} : { after: pageParam }) },
          },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next ?? null,
    // Every page that is there would be read again.
    refetchOnWindowFocus: false,
  });

export const object = (bucket: string, key: string) =>
  queryOptions({
    queryKey: ["object", bucket, key],
    queryFn: ({ signal }) =>
      data(
        client.GET("/_/api/admin/buckets/{name}/object", {
          params: { path: { name: bucket }, query: { key } },
          signal,
        }),
      ),
  });

export const audit = (limit: number) =>
  queryOptions({
    queryKey: ["audit", limit],
    queryFn: ({ signal }) => data(client.GET("/_/api/admin/audit", { params: { query: { limit } }, signal })),
  });

/** What the server itself looks for in the audit log. */
export interface AuditFilter {
  actor?: string;
  action?: string;
  outcome?: string;
}

const AUDIT_PAGE = 200;

/** The audit log backward in time, page by page. */
export const auditPages = (filter: AuditFilter) =>
  infiniteQueryOptions({
    queryKey: ["audit", "pages", filter],
    queryFn: async ({ signal, pageParam }) => {
      const query = { limit: AUDIT_PAGE, ...filter, ...(pageParam === null ? {} : { after: pageParam }) };
      const page = await answered(client.GET("/_/api/admin/audit", { params: { query }, signal }));
      // The `Link` header is there where there is more.
      return { rows: page.data, more: page.response.headers.has("link") };
    },
    initialPageParam: null as number | null,
    getNextPageParam: (page) => (page.more ? (page.rows.at(-1)?.seq ?? null) : null),
  });

export const restores = queryOptions({
  queryKey: ["restores"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/backup/restores", { signal })),
});

export const backups = queryOptions({
  queryKey: ["backups"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/backups", { signal })),
});

export const schedule = queryOptions({
  queryKey: ["schedule"],
  queryFn: ({ signal }) => data(client.GET("/_/api/admin/backups/schedule", { signal })),
  refetchInterval: 30_000,
});
