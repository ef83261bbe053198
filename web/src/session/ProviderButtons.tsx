// The ways to sign in without a password or a key: one button for each provider.

import { LogIn } from "lucide-react";
import type { WhoAmI } from "../api/types";
import { buttonClass } from "../ui/Button";
import { beginAt } from "./sso";

interface Props {
  providers: WhoAmI["external_providers"];
  /** Where to go afterwards. */
  next: string;
  /** In a window of its own, so that this page stays as it is. */
  onApart?: () => void;
}

export function ProviderButtons({ providers, next, onApart }: Props) {
  return (
    <div className="stack-small">
      {providers.map((provider) => (
        // No link of the router: the provider is another site.
        <a
          key={provider.name}
          href={beginAt(provider.name, next)}
          className={buttonClass("normal", false, "button-wide")}
          {...(onApart ? { target: "_blank", rel: "noopener", onClick: onApart } : {})}
        >
          <LogIn size={16} aria-hidden />
          <span className="wrap-anywhere">Sign in with {provider.display_name}</span>
        </a>
      ))}
    </div>
  );
}
