// The wait of a call whose session ended until somebody has signed in again, so that no form loses what was typed.

export type Reason = "ended" | "too_long_ago";

type Listener = (reason: Reason | null) => void;

let waiting: { reason: Reason; answer: Promise<boolean>; settle: (signedIn: boolean) => void } | null = null;
let signedInOnce = false;
const listeners = new Set<Listener>();

/** Asks for a sign-in; every call that comes meanwhile waits for the same one. False where nobody was signed in, or gave up. */
export function askToSignIn(reason: Reason): Promise<boolean> {
  if (!signedInOnce) return Promise.resolve(false);
  if (!waiting) {
    let settle: (signedIn: boolean) => void = () => undefined;
    const answer = new Promise<boolean>((resolve) => (settle = resolve));
    waiting = { reason, answer, settle };
    tell();
  }
  return waiting.answer;
}

/** The dialog's answer. */
export function settle(signedIn: boolean): void {
  const settled = waiting;
  waiting = null;
  tell();
  settled?.settle(signedIn);
}

/** From now on a session that ends is asked for in place; before, the page itself is the sign-in. */
export function noteSignedIn(is: boolean): void {
  signedInOnce = is;
}

export function isSignedIn(): boolean {
  return signedInOnce;
}

export function pending(): Reason | null {
  return waiting?.reason ?? null;
}

export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener(pending());
}
