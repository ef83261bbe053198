// The archive that was dropped: kept while one looks around, gone with the page. It holds secrets and is stored nowhere.

import { useSyncExternalStore } from "react";

let file: File | null = null;
const watchers = new Set<() => void>();

export function choose(next: File | null): void {
  file = next;
  for (const watcher of watchers) watcher();
}

export function useChosen(): File | null {
  return useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => file,
  );
}
