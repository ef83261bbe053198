// The typed client: every call goes through one `fetch` that turns errors into problems and asks again who is there.

import createClient from "openapi-fetch";
import { Problem } from "./problem";
import { askToSignIn } from "./reauth";
import type { paths } from "../../generated/schema";

async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await whole(await reach(request));
  if (response.ok) return response;
  const reason = await whySignIn(response);
  if (reason && (await askToSignIn(reason))) return reach(again);
  return response;
}

async function reach(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw Problem.from(error);
  }
}

/** An error with all of its body: it may be dropped, and a half-read answer would keep its connection busy. */
async function whole(response: Response): Promise<Response> {
  if (response.ok) return response;
  const { status, statusText, headers } = response;
  return new Response(await response.arrayBuffer(), { status, statusText, headers });
}

/** A wrong password is 401 too, and no reason to ask who is there: its form says so. */
async function whySignIn(response: Response): Promise<"ended" | "too_long_ago" | null> {
  if (response.status !== 401 && response.status !== 403) return null;
  const body: unknown = await response
    .clone()
    .json()
    .catch(() => null);
  const code = typeof body === "object" && body !== null && "code" in body ? body.code : null;
  if (code === "reauthentication_required") return "too_long_ago";
  return response.status === 401 && code !== "wrong_credentials" ? "ended" : null;
}

export const client = createClient<paths>({ baseUrl: window.location.origin, fetch: send, credentials: "same-origin" });

/** The data of an answer, or its problem thrown. */
export async function data<T>(answer: Promise<{ data?: T; error?: unknown; response: Response }>): Promise<T> {
  return (await answered(answer)).data;
}

/** The same with the answer's entity tag, for changes that must not undo somebody else's. */
export async function answered<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<{ data: T; etag: string | null; response: Response }> {
  const { data, error, response } = await answer;
  if (!response.ok) throw Problem.of(response, error);
  // An answer without a body (204) has no data, and its callers ask for none.
  return { data: data as T, etag: response.headers.get("etag"), response };
}
