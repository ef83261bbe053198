// An error that an operator reads: what the server said, or that it said nothing.

import type { ProblemBody } from "./types";

export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly hint: string | undefined;
  readonly requestId: string | undefined;

  constructor(of: {
    status: number;
    code: string;
    title: string;
    detail: string;
    hint?: string | undefined;
    requestId?: string | undefined;
  }) {
    super(of.detail);
    this.status = of.status;
    this.code = of.code;
    this.title = of.title;
    this.detail = of.detail;
    this.hint = of.hint;
    this.requestId = of.requestId;
  }

  /** From an answer that is an error; one without a body of ours came from something between here and the server. */
  static of(response: Response, body: unknown): Problem {
    const requestId = response.headers.get("x-request-id") ?? undefined;
    if (isBody(body)) {
      return new Problem({ ...body, hint: body.hint ?? undefined, requestId });
    }
    return new Problem({
      status: response.status,
      code: "no_problem_body",
      title: `Answer ${response.status}`,
      detail: "The answer did not come from DeltaGlider Proxy.",
      hint: "A proxy between this browser and the server may be in the way; look at its log.",
      requestId,
    });
  }

  /** What the server says of a version that is not the latest, where this page sees that by itself. */
  static changedMeanwhile(): Problem {
    return new Problem({
      status: 412,
      code: "precondition_failed",
      title: "Changed meanwhile",
      detail: "Somebody else changed this since it was read.",
    });
  }

  /** What was thrown, as something that can be shown. */
  static from(thrown: unknown): Problem {
    if (thrown instanceof Problem) return thrown;
    return new Problem({
      status: 0,
      code: "no_answer",
      title: "The server does not answer",
      detail: "The request did not reach it, or the connection broke.",
      hint: "Check that it runs and that this browser can reach it, then try again.",
    });
  }
}

function isBody(body: unknown): body is ProblemBody {
  return typeof body === "object" && body !== null && "code" in body && "detail" in body && "title" in body;
}
