// Short words that something worked. Errors are never toasts: they stay where they happened.

import { Toast } from "@base-ui/react/toast";
import { X } from "lucide-react";
import { buttonClass } from "./Button";

export const toasts = Toast.createToastManager();

export function done(title: string): void {
  toasts.add({ title, timeout: 5000 });
}

function List() {
  const { toasts: shown } = Toast.useToastManager();
  return shown.map((toast) => (
    <Toast.Root key={toast.id} toast={toast} className="toast">
      <Toast.Title render={<div className="wrap-anywhere" />} />
      <Toast.Close className={buttonClass("plain", true, "button-icon")} aria-label="Dismiss">
        <X size={16} aria-hidden />
      </Toast.Close>
    </Toast.Root>
  ));
}

export function Toasts() {
  return (
    <Toast.Provider toastManager={toasts}>
      <Toast.Portal>
        <Toast.Viewport className="toasts">
          <List />
        </Toast.Viewport>
      </Toast.Portal>
    </Toast.Provider>
  );
}
