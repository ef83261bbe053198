// The frame: navigation beside the room, a bar with a drawer where there is no room for it, and what must be said everywhere.

import { Dialog } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { Link, useRouterState } from "@tanstack/react-router";
import { Menu as MenuIcon, TriangleAlert } from "lucide-react";
import { useEffect, useRef, useState, type ReactNode } from "react";
import { health } from "../api/queries";
import { ReauthDialog } from "../session/ReauthDialog";
import { useMe } from "../session/useMe";
import { buttonClass } from "../ui/Button";
import { Toasts } from "../ui/Toasts";
import { Account, Brand, Nav } from "./Nav";

/** `alone`: the first run has no places to go to yet. */
export function Shell({ alone, children }: { alone: boolean; children: ReactNode }) {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const first = useRef(path);
  useEffect(() => {
    // A new page is read from its top, by eyes and by screen readers; the first one keeps the browser's own focus.
    if (first.current === path) return;
    first.current = path;
    document.getElementById("room")?.focus({ preventScroll: true });
  }, [path]);
  if (alone) {
    return (
      <>
        {children}
        <ReauthDialog />
        <Toasts />
      </>
    );
  }
  return (
    <>
      <a className="skip" href="#room">
        Skip to content
      </a>
      <div className="shell">
        <div className="sidebar">
          <Brand />
          <Nav />
          <div className="sidebar-foot">
            <Account />
          </div>
        </div>
        <header className="topbar">
          <Brand />
          <Drawer path={path} />
        </header>
        <div>
          <Banner />
          {children}
        </div>
      </div>
      <ReauthDialog />
      <Toasts />
    </>
  );
}

function Drawer({ path }: { path: string }) {
  // Open for one path only: following a link closes it.
  const [openAt, setOpenAt] = useState<string | null>(null);
  return (
    <Dialog.Root open={openAt === path} onOpenChange={(open) => setOpenAt(open ? path : null)}>
      <Dialog.Trigger className={buttonClass("plain", false, "button-icon")} aria-label="Places">
        <MenuIcon size={20} aria-hidden />
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Backdrop className="veil" />
        <Dialog.Popup className="drawer" aria-label="Places">
          <div className="sidebar">
            <Brand />
            <Nav />
            <div className="sidebar-foot">
              <Account />
            </div>
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

/** States of the whole system that no room may hide. */
function Banner() {
  const { data } = useQuery(health);
  const { mode } = useMe();
  if (data?.locked) {
    return (
      <div className="banner banner-bad" role="alert">
        <TriangleAlert size={17} aria-hidden />
        <div>
          <strong>Locked:</strong> no hash of this host opens the configuration database. Nothing was touched; S3
          answers 503.{" "}
          <Link to="/settings/system/backup">Open it with its password or hash, or restore a Full Backup</Link>.
        </div>
      </div>
    );
  }
  if (data?.quarantined) {
    return (
      <div className="banner" role="status">
        <TriangleAlert size={17} aria-hidden />
        <div>
          <strong>This is a clone</strong> of instance <code className="wrap-anywhere">{data.quarantined_from}</code>:
          what acts on other systems is paused until it goes live.
        </div>
      </div>
    );
  }
  if (mode === "open") {
    return (
      <div className="banner" role="status">
        <TriangleAlert size={17} aria-hidden />
        <div>
          <strong>S3 authentication is off:</strong> anybody who reaches this server reads and writes everything.{" "}
          <code>access.authentication: required</code> ends that.
        </div>
      </div>
    );
  }
  return null;
}
