// The navigation: the places that there are, and who is signed in.

import { Menu } from "@base-ui/react/menu";
import { Link } from "@tanstack/react-router";
import { Check, KeyRound, LogOut, UserRound } from "lucide-react";
import glider from "../glider.svg";
import { useMe, useSignOut } from "../session/useMe";
import { buttonClass } from "../ui/Button";
import { PLACES } from "./places";
import { setTheme, THEMES, useTheme, type Theme } from "./theme";

export function Brand() {
  return (
    <Link to="/" className="brand">
      <img src={glider} alt="" /> DeltaGlider Proxy
    </Link>
  );
}

export function Nav() {
  const { may } = useMe();
  return (
    <nav className="nav" aria-label="Places">
      {PLACES.map((place) => {
        const rooms = place.rooms.filter((room) => !room.right || may(room.right));
        const Icon = place.icon;
        if (!Icon || (place.right && !may(place.right))) return null;
        if (place.to) {
          return (
            <Link
              key={place.text}
              to={place.to}
              className="nav-link"
              activeOptions={{ exact: place.to === "/", includeSearch: false }}
            >
              <Icon size={17} aria-hidden />
              {place.text}
            </Link>
          );
        }
        if (rooms.length === 0) return null;
        return (
          <div key={place.text} role="group" aria-label={place.text}>
            <div className="nav-place" aria-hidden="true">
              <Icon size={17} aria-hidden />
              {place.text}
            </div>
            <div className="nav-under">
              {rooms.map((room) => (
                <Link key={room.to} to={room.to} className="nav-link" activeOptions={{ includeSearch: false }}>
                  {room.text}
                </Link>
              ))}
            </div>
          </div>
        );
      })}
    </nav>
  );
}

const NAMES: Record<Theme, string> = { system: "As the system", light: "Light", dark: "Dark" };

export function Account() {
  const me = useMe();
  const signOut = useSignOut();
  const theme = useTheme();
  return (
    <Menu.Root>
      <Menu.Trigger className={buttonClass("plain", false, "who")}>
        <UserRound size={17} aria-hidden />
        <span>{me.name}</span>
      </Menu.Trigger>
      <Menu.Portal>
        <Menu.Positioner side="top" align="start" sideOffset={6} className="over">
          <Menu.Popup className="menu">
            <Menu.Group>
              <Menu.GroupLabel className="menu-label">Theme</Menu.GroupLabel>
              <Menu.RadioGroup value={theme} onValueChange={(value: Theme) => setTheme(value)}>
                {THEMES.map((each) => (
                  <Menu.RadioItem key={each} value={each} className="menu-item" closeOnClick>
                    <span className="menu-tick">{each === theme ? <Check size={15} aria-hidden /> : null}</span>
                    {NAMES[each]}
                  </Menu.RadioItem>
                ))}
              </Menu.RadioGroup>
            </Menu.Group>
            <Menu.Separator className="menu-line" />
            <Menu.Item className="menu-item" render={<Link to="/account" />}>
              <KeyRound size={15} aria-hidden />
              My account
            </Menu.Item>
            <Menu.Item className="menu-item" onClick={() => void signOut()}>
              <LogOut size={15} aria-hidden />
              Sign out
            </Menu.Item>
            <div className="menu-label">Version {me.version}</div>
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
