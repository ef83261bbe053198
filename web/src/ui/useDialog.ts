// Overlays are part of the URL: opening one is a step forward, closing it is the way back.

import { useNavigate, useRouter } from "@tanstack/react-router";
import type { DialogName } from "../router";

export function useDialog(): { show: (dialog: DialogName, key?: string) => void; close: () => void } {
  const navigate = useNavigate();
  const router = useRouter();
  return {
    show: (dialog, key) =>
      void navigate({ to: ".", search: (search) => ({ ...search, dialog, ...(key === undefined ? {} : { key }) }) }),
    close: () => {
      // Whoever came by a link to the open overlay has no way back to the closed one.
      if (router.history.canGoBack()) router.history.back();
      else void navigate({ to: ".", search: (search) => ({ ...search, dialog: undefined }), replace: true });
    },
  };
}
