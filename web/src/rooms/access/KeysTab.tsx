// The access keys of one user: several may sign side by side, so that clients are changed over one by one.

import { Menu } from "@base-ui/react/menu";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { Ellipsis, KeyRound, Plus, RefreshCw } from "lucide-react";
import { useState, type SyntheticEvent } from "react";
import { client, data } from "../../api/client";
import type { AccessKey, User } from "../../api/types";
import { useMe } from "../../session/useMe";
import { Button, buttonClass } from "../../ui/Button";
import { CopyButton } from "../../ui/Copy";
import { Empty } from "../../ui/Empty";
import { Choices } from "../../ui/Field";
import { ProblemNotice } from "../../ui/Notice";
import { Confirm, Overlay } from "../../ui/Overlay";
import { Ago, useNow } from "../../ui/Time";
import { done } from "../../ui/Toasts";
import { useDialog } from "../../ui/useDialog";
import { count } from "../../ui/words";
import { SecretOnce } from "./Secret";

/** A pair that was just made: an answer of its own, or the user's with all pairs replaced. */
interface Made {
  access_key_id?: string | null;
  secret_access_key?: string | null;
}

export function KeysTab({ user }: { user: User }) {
  const { dialog, key: chosen } = useSearch({ from: "/access/users/$userId" });
  const overlay = useDialog();
  const may = useMe().may("iam:write");
  const [made, setMade] = useState<Made | null>(null);
  return (
    <div className="stack">
      <div className="card">
        <div className="card-head">
          <h2>Access keys</h2>
          {may ? (
            <div className="row">
              <Button onClick={() => overlay.show("rotate")}>
                <RefreshCw size={15} aria-hidden /> Rotate…
              </Button>
              <Button look="primary" onClick={() => overlay.show("new-key")}>
                <Plus size={16} aria-hidden /> New key
              </Button>
            </div>
          ) : null}
        </div>
        {user.access_keys.length === 0 ? (
          <Empty icon={KeyRound} title="No keys">
            <p className="quiet">{user.name} can sign no request. Make a new key to change that.</p>
          </Empty>
        ) : (
          user.access_keys.map((key) => <Key key={key.access_key_id} user={user} of={key} may={may} />)
        )}
      </div>
      <Rotate user={user} open={dialog === "rotate" && !made} onClose={overlay.close} onMade={setMade} />
      <NewKey
        key={dialog ?? "closed"}
        user={user}
        open={dialog === "new-key" && !made}
        onClose={overlay.close}
        onMade={setMade}
      />
      <DeleteKey user={user} id={chosen} open={dialog === "delete-key"} onClose={overlay.close} />
      <Overlay
        open={made !== null}
        onClose={() => setMade(null)}
        title={`The new key of ${user.name}`}
        firm
        size="wide"
      >
        {made ? (
          <SecretOnce
            pair={{ accessKeyId: made.access_key_id ?? "", secret: made.secret_access_key ?? "" }}
            onDone={() => {
              overlay.close();
              setMade(null);
            }}
          />
        ) : null}
      </Overlay>
    </div>
  );
}

function Key({ user, of, may }: { user: User; of: AccessKey; may: boolean }) {
  const overlay = useDialog();
  const queries = useQueryClient();
  const now = useNow();
  const change = useMutation({
    mutationFn: (active: boolean) =>
      data(
        client.PUT("/_/api/admin/users/{id}/keys/{access_key_id}", {
          params: { path: { id: user.id, access_key_id: of.access_key_id } },
          body: { active },
        }),
      ),
    onSuccess: (_, active) => {
      void queries.invalidateQueries();
      done(`${of.access_key_id} ${active ? "signs again" : "signs nothing more"}`);
    },
  });
  const expired = of.expires_at !== null && Date.parse(of.expires_at) < now;
  const state = !user.enabled ? "User disabled" : expired ? "Expired" : of.active ? "Active" : "Inactive";
  return (
    <div className="key">
      <div className="key-id">
        <code className="wrap-anywhere">{of.access_key_id}</code>
        <CopyButton text={of.access_key_id} label={`Copy ${of.access_key_id}`} />
      </div>
      <span className="quiet small">
        created <Ago at={of.created_at} />
        {of.expires_at ? (
          <>
            , {expired ? "expired" : "expires"} <Ago at={of.expires_at} />
          </>
        ) : null}
      </span>
      <span className={state === "Active" ? "pill pill-good" : "pill pill-warn"}>{state}</span>
      {may ? (
        <Menu.Root>
          <Menu.Trigger
            className={buttonClass("plain", true, "button-icon")}
            aria-label={`Actions for ${of.access_key_id}`}
          >
            <Ellipsis size={16} aria-hidden />
          </Menu.Trigger>
          <Menu.Portal>
            <Menu.Positioner align="end" sideOffset={4} className="over">
              <Menu.Popup className="menu">
                <Menu.Item className="menu-item" onClick={() => change.mutate(!of.active)}>
                  {of.active ? "Deactivate" : "Activate"}
                </Menu.Item>
                <Menu.Separator className="menu-line" />
                <Menu.Item
                  className="menu-item menu-item-bad"
                  onClick={() => overlay.show("delete-key", of.access_key_id)}
                >
                  Delete…
                </Menu.Item>
              </Menu.Popup>
            </Menu.Positioner>
          </Menu.Portal>
        </Menu.Root>
      ) : null}
      {change.error ? <ProblemNotice error={change.error} title="The key was not changed" /> : null}
    </div>
  );
}

interface MakeProps {
  user: User;
  open: boolean;
  onClose: () => void;
  onMade: (made: Made) => void;
}

function Rotate({ user, open, onClose, onMade }: MakeProps) {
  const queries = useQueryClient();
  const rotate = useMutation({
    mutationFn: () =>
      data(client.POST("/_/api/admin/users/{id}/rotate-keys", { params: { path: { id: user.id } }, body: {} })),
    onSuccess: (next) => {
      onMade(next);
      void queries.invalidateQueries();
    },
  });
  const keys = user.access_keys.length;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title={`Rotate the keys of ${user.name}?`}
      action="Rotate"
      busy={rotate.isPending}
      onConfirm={() => rotate.mutate()}
    >
      <p>
        A new pair is made and shown once. {keys === 1 ? "The key" : `All ${count(keys, "key")}`} that {user.name} has
        now {keys === 1 ? "stops" : "stop"} signing at once, and open sessions end: clients fail until they have the new
        pair.
      </p>
      <p className="quiet">
        To change clients over one by one, make a new key beside the old one, and delete that later.
      </p>
      {rotate.error ? <ProblemNotice error={rotate.error} title="The keys were not rotated" /> : null}
    </Confirm>
  );
}

const LIVES = [
  { value: "never", title: "No end", text: "Until it is deleted" },
  { value: "24h", title: "1 day" },
  { value: "30d", title: "30 days" },
  { value: "90d", title: "90 days" },
] as const;

function NewKey({ user, open, onClose, onMade }: MakeProps) {
  const [life, setLife] = useState<(typeof LIVES)[number]["value"]>("never");
  const queries = useQueryClient();
  const make = useMutation({
    mutationFn: () =>
      data(
        client.POST("/_/api/admin/users/{id}/keys", {
          params: { path: { id: user.id } },
          body: { expires_in: life },
        }),
      ),
    onSuccess: (made) => {
      onMade(made);
      void queries.invalidateQueries();
    },
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!make.isPending) make.mutate();
  };
  return (
    <Overlay open={open} onClose={onClose} title={`A further key for ${user.name}`}>
      <form onSubmit={submit}>
        <div className="dialog-body stack">
          <p>It may do what {user.name} may. The keys that are there go on signing.</p>
          <Choices legend="Ends after" name="life" value={life} options={LIVES} onChange={setLife} />
          {make.error ? <ProblemNotice error={make.error} title="No key was made" /> : null}
        </div>
        <div className="dialog-foot">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" busy={make.isPending}>
            Make the key
          </Button>
        </div>
      </form>
    </Overlay>
  );
}

function DeleteKey({
  user,
  id = "",
  open,
  onClose,
}: {
  user: User;
  id: string | undefined;
  open: boolean;
  onClose: () => void;
}) {
  const queries = useQueryClient();
  const remove = useMutation({
    mutationFn: () =>
      data(
        client.DELETE("/_/api/admin/users/{id}/keys/{access_key_id}", {
          params: { path: { id: user.id, access_key_id: id } },
        }),
      ),
    onSuccess: () => {
      void queries.invalidateQueries();
      done(`${id} is deleted`);
      onClose();
    },
  });
  const others = user.access_keys.filter((key) => key.access_key_id !== id && key.active).length;
  return (
    <Confirm
      open={open}
      onClose={onClose}
      title="Delete this key?"
      action="Delete key"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      <p>
        <code className="wrap-anywhere">{id}</code> stops signing at once and cannot be brought back.{" "}
        {others === 0
          ? `It is the last active key of ${user.name}: clients that use it fail.`
          : `${count(others, "other active key")} of ${user.name} ${others === 1 ? "goes" : "go"} on.`}
      </p>
      {remove.error ? <ProblemNotice error={remove.error} title="The key was not deleted" /> : null}
    </Confirm>
  );
}
